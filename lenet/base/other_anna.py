"""Two distributions bring a package named `anna`; whoever has the other one is told, instead of meeting its gaps."""


def is_ours() -> bool:
    """Whether Python's `anna` is the chip's."""
    try:
        import anna
    except ImportError:  # another one's own needs are not there
        return False
    return "ANNA_1991" in dir(anna)


def sentence() -> str:
    """What to do about another `anna`."""
    from importlib.util import find_spec

    spec = find_spec("anna")
    where = f" at {spec.origin}" if spec is not None and spec.origin else ""
    return (
        f"Python finds another package named anna{where}, not the chip simulator of the distribution anna-chip; "
        "install that one in a virtual environment of its own"
    )


def check_anna() -> None:
    """Raise if Python's `anna` is another package."""
    if not is_ours():
        raise ImportError(sentence(), name="anna")
