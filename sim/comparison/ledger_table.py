"""The ledger's table: its lines, what each cause means, and the columns, each defined only here."""

from collections.abc import Callable
from dataclasses import dataclass

from sim.base import formats
from sim.base.columns import Column, View
from sim.base.statistics import Interval
from sim.comparison.shares import Share

# What each cause is, in words.
MEANINGS = {
    "weight_dac": "levels of the converters that write the weights",
    "synapse_gain": "synapses that multiply by slightly too much or too little",
    "synapse_zero": "synapses that add an offset",
    "state_steps": "levels at which states drive synapses",
    "droop": "charge that weights leak between refreshes",
    "charge_noise": "refreshes that write slightly too much or too little charge",
    "saturation": "sums beyond the range, clipped",
    "thermal_noise": "noise of the summing wires, new each time",
    "scale": "ranges of the scale circuits",
    "adc_offset": "fixed offsets of the output converters' thresholds",
    "adc_gain": "ranges of the output converters",
    "adc_noise": "noise of the output converters, new each time",
    "gradient": "gains that rise or fall across the die",
    "row_drop": "gains that fall along a row, as its line drops voltage",
    "knee": "sums compressed softly as they near what a wire carries",
    "coupling": "outputs that take a share of their neighbours'",
    "settling": "outputs that keep a share of the instruction before",
    "slow_noise": "noise of the output converters that drifts from image to image",
    "weight_rounding": "weights rounded to their codes",
    "state_rounding": "states rounded to their codes",
    "input_rounding": "images rounded to states",
}


ALL_CAUSES = "all causes"  # of a layer's line


@dataclass(frozen=True)
class Entry:
    """One line of the ledger; `layer` is "all" for a cause in all layers."""

    cause: str
    layer: str
    alone_points: float
    without_points: float | None
    share: Share | None = None  # of what is lost in all; None for a layer or for codes

    @property
    def meaning(self) -> str:
        """What the cause is; empty for its layers, which are listed below it."""
        return MEANINGS.get(self.cause, "") if self.layer in ("all", "input") else ""


@dataclass(frozen=True)
class Pair:
    """What two causes cost together beyond what each costs alone."""

    first: str
    second: str
    moved: Interval  # of the error, a share

    @property
    def matters(self) -> bool:
        """Whether chance does not explain it."""
        return self.moved.low > 0 or self.moved.high < 0


@dataclass(frozen=True)
class Losses:
    """The lines of a ledger, costliest first, and what they were counted on."""

    entries: tuple[Entry, ...]
    images: int
    chips: int
    ideal_error: float
    full_error: float
    kind: str  # the kind of chips
    pairs: tuple[Pair, ...] = ()  # of causes that do more, or less, together than each alone


WHERE: tuple[Column[Entry], ...] = (
    Column(
        "cause",
        "",
        "the imperfection, or `all causes`",
        lambda entry: entry.cause,
        page=View("cause", lambda entry: entry.cause.replace("_", " ")),
        terminal=View("cause", lambda entry: entry.cause, 16, left=True),
    ),
    Column(
        "layer",
        "",
        "`all`, or the only layer in which it acts, or is left out",
        lambda entry: entry.layer,
        page=View("layer", lambda entry: entry.layer),
        terminal=View("layer", lambda entry: entry.layer, 10, left=True),
    ),
)

MARGINS: tuple[Column[Entry], ...] = (
    Column(
        "alone_points",
        "points of error",
        "what it costs alone: its error minus the ideal chip's",
        lambda entry: entry.alone_points,
        page=View("alone, points", lambda entry: formats.points(entry.alone_points)),
        terminal=View("alone", lambda entry: formats.points(entry.alone_points), 8),
    ),
    Column(
        "without_points",
        "points of error",
        "what is recovered when only this cause, or this layer, is left out; null where nothing was",
        lambda entry: entry.without_points,
        page=View("recovered without it, points", lambda entry: formats.points(entry.without_points)),
        terminal=View("without", lambda entry: formats.points(entry.without_points), 8),
    ),
)


def _moved(end: str) -> Callable[[Entry], float | None]:
    return lambda entry: None if entry.share is None else 100 * getattr(entry.share.moved, end)


def _share(entry: Entry) -> str:
    return "" if entry.share is None else f"{formats.points(100 * entry.share.moved.share)}{'=' if entry.share.tied else ' '}"


def _ends(entry: Entry) -> str:
    return "" if entry.share is None else f"{100 * entry.share.moved.low:+.2f} to {100 * entry.share.moved.high:+.2f}"


SHARES: tuple[Column[Entry], ...] = (
    Column("share_points", "points of error", "its share of all that is lost: a Shapley value, so that the shares add up",
           _moved("share"), page=View("share, points", _share), terminal=View("share", _share, 8)),
    Column("share_low", "points of error", "lower end of the 95 % interval of its share, over images, chips and orders",
           _moved("low"), page=View("95 % interval", _ends), terminal=View("95 % interval", _ends, 16)),
    Column("share_high", "points of error", "upper end of that interval", _moved("high")),
    Column("share_tied", "", "whether it may be as large as the share listed before it",
           lambda entry: None if entry.share is None else entry.share.tied),
)  # fmt: skip

LEDGER: tuple[Column[Entry], ...] = (*WHERE, *SHARES, *MARGINS)

# With the cause in words, for readers.
LEDGER_WITH_MEANINGS: tuple[Column[Entry], ...] = (
    *LEDGER,
    Column(
        "meaning",
        "",
        "what the cause is",
        lambda entry: entry.meaning,
        page=View("what it is", lambda entry: entry.meaning, sentences=True),
        terminal=View("", lambda entry: entry.meaning, left=True, sentences=True),
    ),
)
