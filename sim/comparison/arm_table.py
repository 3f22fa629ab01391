"""The table of arms: what is counted for each arm, and the columns, each defined only here."""

from dataclasses import dataclass

from sim.base import formats
from sim.base.columns import Column, View
from sim.base.statistics import Interval, RejectCurve


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
    disagreement: float
    p_value: float | None  # None: the float network itself
    rejects: RejectCurve
    gain: Gain | None  # None: the network's own weights

    @property
    def chips(self) -> int:
        """Number of chips; one for a float network."""
        return len(self.errors)


def _spread(arm: ArmRow, sign: str = "") -> str:
    return "" if arm.std_over_chips is None else f"{sign}{100 * arm.std_over_chips:.2f}"


def _differs(arm: ArmRow) -> str:
    return "" if arm.p_value is None else formats.per_cent(arm.disagreement)


def _rejects(goal: float, heading: str, width: int) -> Column[ArmRow]:
    """Shares of rejects at the error rates of the accepted that the papers quote."""
    return Column(
        f"rejects_for_{goal:g}",
        "share",
        f"images to reject, smallest lead of the best score first, so that the rest have at most {100 * goal:g} % "
        "error; null if no share does",
        lambda arm: arm.rejects.needed_for(goal),
        page=View(f"rejects for {100 * goal:g}\u00a0%", lambda arm: formats.rejects(arm.rejects.needed_for(goal))),
        terminal=View(heading, lambda arm: formats.rejects(arm.rejects.needed_for(goal)), width),
    )


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
        terminal=View("over chips", lambda arm: _spread(arm, "± "), 10),
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
        "McNemar's exact test of the first chip against float; null for float itself",
        lambda arm: arm.p_value,
        page=View("p", lambda arm: formats.p_value(arm.p_value)),
        terminal=View("p", lambda arm: formats.p_value(arm.p_value), 7),
    ),
    _rejects(0.01, "rejects for 1 %", 16),
    _rejects(0.005, "0.5 %", 8),
    Column("what", "", "how the arm was made, in words", lambda arm: arm.what),
)

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
        "McNemar's exact test of the first chips of both arms",
        lambda gain: gain.p_value,
    ),
)
