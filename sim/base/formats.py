"""How numbers are shown to a reader."""

from sim.base.drawn_chips import Needed, Quantile
from sim.base.statistics import Interval


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


def quantile(found: Quantile | None) -> str:
    """A quantile with its interval; a dash for an end that is not bounded."""
    if found is None:
        return ""
    low, high = ("–" if end is None else f"{100 * end:.2f}" for end in (found.low, found.high))
    return f"{per_cent(found.value)} ({low} to {high})"


def good(share: Interval | None) -> str:
    """A share of chips with its interval."""
    return "" if share is None else f"{100 * share.share:.0f} % ({100 * share.low:.0f} to {100 * share.high:.0f})"


def rejects(needed: Needed) -> str:
    """Mean and spread of a share of rejects; "never" where no share is enough, and on how many chips if not on all."""
    if needed.mean is None:
        return "never"
    spread = "" if needed.std is None else f" ± {100 * needed.std:.1f}"
    return f"{100 * needed.mean:.1f} %{spread}{f', never on {needed.never}' if needed.never else ''}"
