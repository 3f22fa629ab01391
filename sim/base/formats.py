"""How numbers are shown to a reader."""


def per_cent(share: float) -> str:
    """A share as a percentage."""
    return f"{100 * share:.2f} %"


def interval(low: float, high: float) -> str:
    """Two shares as a range of percentages."""
    return f"{100 * low:.2f} to {100 * high:.2f}"


def points(value: float | None) -> str:
    """Signed points of error; empty for None."""
    return "" if value is None else f"{value:+.2f}"


def p_value(p: float | None) -> str:
    """A p value; empty for None, where there is nothing to compare."""
    return "" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def rejects(share: float | None) -> str:
    """A share of rejects; "never" for None, where no share is enough."""
    return "never" if share is None else f"{100 * share:.1f} %"
