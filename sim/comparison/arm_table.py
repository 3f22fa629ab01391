"""The table of arms: what is counted for each arm, and the columns, each defined only here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sim.base import formats
from sim.base.columns import Column, View
from sim.base.drawn_chips import Quantile, Rejects
from sim.base.statistics import Interval


@dataclass(frozen=True)
class Gain:
    """What other weights gain (below 0) or lose against the network's own, on the same chips."""

    ordinary: str  # name of the arm with the network's own weights
    moved: Interval  # of the error, a share
    p_value: float


@dataclass(frozen=True, eq=False)
class ArmRow:
    """The counts of one arm; shares, not percentages."""

    name: str
    what: str
    seeds: tuple[int, ...]  # of its chips; empty if nothing is drawn
    errors: tuple[float, ...]  # of each chip
    error: Interval  # the mean over chips
    std_over_chips: float | None
    median: Quantile | None  # over chips; None unless several were drawn
    p90: Quantile | None
    good: Interval | None  # share of chips within the limit; None without a limit
    disagreement: float
    p_value: float | None  # None: the float network itself
    rejects: Rejects
    gain: Gain | None  # None: the network's own weights

    @property
    def chips(self) -> int:
        """Number of chips; one for a float network."""
        return len(self.errors)

    @property
    def worst(self) -> float | None:
        """The error of the worst of several drawn chips."""
        return max(self.errors) if len(self.seeds) > 1 else None


def _spread(arm: ArmRow) -> str:
    return "" if arm.std_over_chips is None else f"{100 * arm.std_over_chips:.2f}"


def _value(found: Quantile | None) -> str:
    return "" if found is None else formats.per_cent(found.value)


def _quantile(key: str, meaning: str, of: Callable[[ArmRow], Quantile | None], heading: str) -> tuple[Column[ArmRow], ...]:
    """A quantile over chips; readers find its interval below the table."""

    def value(arm: ArmRow, field: str) -> Any:
        found = of(arm)
        return None if found is None else getattr(found, field)

    return (
        Column(
            key,
            "share",
            f"{meaning}; null unless several chips were drawn",
            lambda arm: value(arm, "value"),
            page=View(heading, lambda arm: _value(of(arm))),
            terminal=View(heading, lambda arm: _value(of(arm)), 8),
        ),
        Column(f"{key}_low", "share", "lower end of its 95 % interval; null if so few chips cannot bound it",
               lambda arm: value(arm, "low")),
        Column(f"{key}_high", "share", "upper end of its 95 % interval; null if so few chips cannot bound it",
               lambda arm: value(arm, "high")),
    )  # fmt: skip


def _differs(arm: ArmRow) -> str:
    return "" if arm.p_value is None else formats.per_cent(arm.disagreement)


def _rejects(goal: float, heading: str, width: int) -> tuple[Column[ArmRow], ...]:
    """Shares of rejects at the error rates of the accepted that the papers quote."""
    return (
        Column(
            f"rejects_for_{goal:g}",
            "share",
            f"images to reject, smallest lead of the best score over the second first, so that the rest have at most "
            f"{100 * goal:g} % error: mean over the chips on which some share is enough; null if there is none",
            lambda arm: arm.rejects.needed_for(goal).mean,
            page=View(f"rejects for {100 * goal:g}\u00a0%", lambda arm: formats.rejects(arm.rejects.needed_for(goal))),
            terminal=View(heading, lambda arm: formats.rejects(arm.rejects.needed_for(goal)), width),
        ),
        Column(f"rejects_for_{goal:g}_std", "share", "spread of that share from chip to chip; null for a single one",
               lambda arm: arm.rejects.needed_for(goal).std),
        Column(f"rejects_for_{goal:g}_never", "chips", "chips on which no share is enough",
               lambda arm: arm.rejects.needed_for(goal).never),
    )  # fmt: skip


ARMS: tuple[Column[ArmRow], ...] = (
    Column(
        "name",
        "",
        "the arm",
        lambda arm: arm.name,
        page=View("", lambda arm: arm.name),
        terminal=View("", lambda arm: arm.name, left=True),
    ),
    Column(
        "chips",
        "",
        "chips drawn; 1 if nothing is drawn",
        lambda arm: arm.chips,
        page=View("chips", lambda arm: f"{arm.chips}"),
        terminal=View("chips", lambda arm: f"{arm.chips}", 5),
    ),
    Column(
        "error",
        "share",
        "images misread, mean over the arm's chips",
        lambda arm: arm.error.share,
        page=View("error", lambda arm: formats.per_cent(arm.error.share)),
        terminal=View("error", lambda arm: formats.per_cent(arm.error.share), 8),
    ),
    Column(
        "low",
        "share",
        "lower end of the 95 % interval of the error: Wilson's; for several chips with the number of trials that gives the "
        "variance over images and chips",
        lambda arm: arm.error.low,
        page=View("95 % interval", lambda arm: formats.interval(arm.error.low, arm.error.high)),
        terminal=View("95 % interval", lambda arm: formats.interval(arm.error.low, arm.error.high), 17),
    ),
    Column("high", "share", "upper end of that interval", lambda arm: arm.error.high),
    Column(
        "error_std_over_chips",
        "share",
        "standard deviation of the error from chip to chip; null for a single chip",
        lambda arm: arm.std_over_chips,
        page=View("sd over chips", _spread),
    ),
    *_quantile("median", "the error that half of the chips do not exceed", lambda arm: arm.median, "median"),
    *_quantile("p90", "the error that nine chips of ten do not exceed", lambda arm: arm.p90, "9 of 10"),
    Column(
        "worst",
        "share",
        "the error of the worst chip; null unless several chips were drawn",
        lambda arm: arm.worst,
        page=View("worst", lambda arm: "" if arm.worst is None else formats.per_cent(arm.worst)),
        terminal=View("worst", lambda arm: "" if arm.worst is None else formats.per_cent(arm.worst), 8),
    ),
    Column(
        "disagreement",
        "share",
        "images read differently from the float network, right or wrong",
        lambda arm: arm.disagreement,
        page=View("differs from float", _differs),
        terminal=View("differs", _differs, 8),
    ),
    Column(
        "p_value_against_float",
        "",
        "paired test against float: Student's over images and chips, of a single chip McNemar's exact test; null for float "
        "itself",
        lambda arm: arm.p_value,
        page=View("p", lambda arm: formats.p_value(arm.p_value)),
        terminal=View("p", lambda arm: formats.p_value(arm.p_value), 7),
    ),
    *_rejects(0.01, "rejects for 1 %", 16),
    *_rejects(0.005, "0.5 %", 14),
    Column("what", "", "how the arm was made, in words", lambda arm: arm.what),
)

# Beside the others, where there is a limit.
GOOD: tuple[Column[ArmRow], ...] = (
    Column(
        "good",
        "share",
        "chips whose error is within the limit; null unless several were drawn",
        lambda arm: None if arm.good is None else arm.good.share,
        page=View("within the limit", lambda arm: formats.good(arm.good)),
        terminal=View("within limit", lambda arm: formats.good(arm.good), 19),
    ),
    Column("good_low", "share", "lower end of its 95 % interval, Wilson's",
           lambda arm: None if arm.good is None else arm.good.low),
    Column("good_high", "share", "upper end of that interval", lambda arm: None if arm.good is None else arm.good.high),
)  # fmt: skip


def arm_columns(limit: float | None) -> tuple[Column[ArmRow], ...]:
    """The columns, with the share of good chips where there is a limit."""
    return ARMS if limit is None else (*ARMS[:-1], *GOOD, ARMS[-1])


# Only for arms with other weights; the terminal and the page show them below the table.
GAINS: tuple[Column[Gain], ...] = (
    Column("ordinary", "", "the arm with the network's own weights on the same chips", lambda gain: gain.ordinary),
    Column(
        "points_against_ordinary",
        "points of error",
        "what these weights gain (below 0) or lose against that arm",
        lambda gain: 100 * gain.moved.share,
    ),
    Column(
        "points_low",
        "points of error",
        "lower end of the 95 % interval of that difference, over images and chips",
        lambda gain: 100 * gain.moved.low,
    ),
    Column("points_high", "points of error", "upper end of that interval", lambda gain: 100 * gain.moved.high),
    Column(
        "p_value_against_ordinary",
        "",
        "paired test of both arms on the same chips, over images and chips",
        lambda gain: gain.p_value,
    ),
)
