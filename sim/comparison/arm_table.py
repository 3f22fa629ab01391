"""The table of arms: what is counted of each, and its columns, each defined here and nowhere else."""

from dataclasses import dataclass

from sim.base import formats
from sim.base.columns import Column, View
from sim.base.statistics import Interval, RejectCurve


@dataclass(frozen=True)
class Gain:
    """What other weights gain (less than 0) or lose on the same chips as the network's own."""

    ordinary: str  # the arm with the network's own weights
    moved: Interval  # of the error, a share
    p_value: float


@dataclass(frozen=True, eq=False)
class ArmRow:
    """One arm, counted; shares, not per cent."""

    name: str
    what: str
    seeds: tuple[int, ...]  # of its chips; empty where nothing is drawn
    errors: tuple[float, ...]  # of each chip
    error: Interval  # the mean over chips
    std_over_chips: float | None
    disagreement: float
    p_value: float | None  # None: the float network itself
    rejects: RejectCurve
    gain: Gain | None  # None: the network's own weights

    @property
    def chips(self) -> int:
        """How many chips; one for a float network."""
        return len(self.errors)


def _spread(arm: ArmRow, sign: str = "") -> str:
    return "" if arm.std_over_chips is None else f"{sign}{100 * arm.std_over_chips:.2f}"


def _differs(arm: ArmRow) -> str:
    return "" if arm.p_value is None else formats.per_cent(arm.disagreement)


def _rejects(goal: float, heading: str, width: int) -> Column[ArmRow]:
    """Shares of rejects for the errors among the accepted that the papers quote."""
    return Column(
        f"rejects_for_{goal:g}",
        "share",
        f"images to refuse, those whose best score leads the second by least, so that the rest has at most {100 * goal:g} % "
        "error; null where no share does it",
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
        "chips drawn; 1 where nothing is drawn",
        lambda arm: arm.chips,
        page=View("chips", lambda arm: f"{arm.chips}"),
        terminal=View("chips", lambda arm: f"{arm.chips}", 5),
    ),
    Column(
        "error",
        "share",
        "images misread, the mean over the arm's chips",
        lambda arm: arm.error.share,
        page=View("error", lambda arm: formats.per_cent(arm.error.share)),
        terminal=View("error", lambda arm: formats.per_cent(arm.error.share), 8),
    ),
    Column(
        "low",
        "share",
        "where the 95 % interval of the error begins: for one chip Wilson's, for several Wilson's with as many trials as the "
        "variance over images and over chips amounts to",
        lambda arm: arm.error.low,
        page=View("95 % interval", lambda arm: formats.interval(arm.error.low, arm.error.high)),
        terminal=View("95 % interval", lambda arm: formats.interval(arm.error.low, arm.error.high), 17),
    ),
    Column("high", "share", "where that interval ends", lambda arm: arm.error.high),
    Column(
        "error_std_over_chips",
        "share",
        "standard deviation of the error from chip to chip; null for a single one",
        lambda arm: arm.std_over_chips,
        page=View("sd over chips", _spread),
        terminal=View("over chips", lambda arm: _spread(arm, "± "), 10),
    ),
    Column(
        "disagreement",
        "share",
        "images read otherwise than in float, right or wrong",
        lambda arm: arm.disagreement,
        page=View("differs from float", _differs),
        terminal=View("differs", _differs, 8),
    ),
    Column(
        "p_value_against_float",
        "",
        "McNemar's exact test, the first chip against float; null for float itself",
        lambda arm: arm.p_value,
        page=View("p", lambda arm: formats.p_value(arm.p_value)),
        terminal=View("p", lambda arm: formats.p_value(arm.p_value), 7),
    ),
    _rejects(0.01, "rejects for 1 %", 16),
    _rejects(0.005, "0.5 %", 8),
    Column("what", "", "how the arm was made, in words", lambda arm: arm.what),
)

# Of arms with other weights only; the terminal and the page tell them below the table.
GAINS: tuple[Column[Gain], ...] = (
    Column("ordinary", "", "the arm with the network's own weights on the same chips", lambda gain: gain.ordinary),
    Column(
        "points_against_ordinary",
        "points of error",
        "what these weights gain (less than 0) or lose against that arm",
        lambda gain: 100 * gain.moved.share,
    ),
    Column(
        "points_low",
        "points of error",
        "where the 95 % interval of that difference begins, over images and chips",
        lambda gain: 100 * gain.moved.low,
    ),
    Column("points_high", "points of error", "where that interval ends", lambda gain: 100 * gain.moved.high),
    Column(
        "p_value_against_ordinary",
        "",
        "McNemar's exact test, the first chip of either arm",
        lambda gain: gain.p_value,
    ),
)
