"""Numbers as a reader sees them."""


def per_cent(share: float) -> str:
    """A share."""
    return f"{100 * share:.2f} %"


def interval(low: float, high: float) -> str:
    """Two shares, in per cent."""
    return f"{100 * low:.2f} to {100 * high:.2f}"


def points(value: float | None) -> str:
    """Points of error, with their sign; None: there are none."""
    return "" if value is None else f"{value:+.2f}"


def p_value(p: float | None) -> str:
    """None: there is nothing to tell apart."""
    return "" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def rejects(share: float | None) -> str:
    """A share of rejects; None: no share does it."""
    return "never" if share is None else f"{100 * share:.1f} %"
