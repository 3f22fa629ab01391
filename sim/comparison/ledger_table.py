"""The ledger's table: its lines, what each cause means, and the columns, each defined only here."""

from dataclasses import dataclass

from sim.base import formats
from sim.base.columns import Column, View

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
    "weight_rounding": "weights rounded to their codes",
    "state_rounding": "states rounded to their codes",
    "input_rounding": "images rounded to states",
}


@dataclass(frozen=True)
class Entry:
    """One line of the ledger; `layer` is "all" for a cause in all layers."""

    cause: str
    layer: str
    alone_points: float
    without_points: float | None  # None for a single layer: only complete causes are left out

    @property
    def meaning(self) -> str:
        """What the cause is; empty for its layers, which are listed below it."""
        return MEANINGS[self.cause] if self.layer in ("all", "input") else ""


@dataclass(frozen=True)
class Losses:
    """The lines of a ledger, costliest first, and what they were counted on."""

    entries: tuple[Entry, ...]
    images: int
    chips: int
    ideal_error: float
    full_error: float
    kind: str  # the kind of chips


LEDGER: tuple[Column[Entry], ...] = (
    Column(
        "cause",
        "",
        "the imperfection",
        lambda entry: entry.cause,
        page=View("cause", lambda entry: entry.cause.replace("_", " ")),
        terminal=View("cause", lambda entry: entry.cause, 16, left=True),
    ),
    Column(
        "layer",
        "",
        "`all`, or the only layer it acts in",
        lambda entry: entry.layer,
        page=View("layer", lambda entry: entry.layer),
        terminal=View("layer", lambda entry: entry.layer, 10, left=True),
    ),
    Column(
        "alone_points",
        "points of error",
        "what the cause costs alone: its error minus the ideal chip's",
        lambda entry: entry.alone_points,
        page=View("alone, points", lambda entry: formats.points(entry.alone_points)),
        terminal=View("alone", lambda entry: formats.points(entry.alone_points), 8),
    ),
    Column(
        "without_points",
        "points of error",
        "what is recovered when only this cause is left out; null for a single layer",
        lambda entry: entry.without_points,
        page=View("recovered without it, points", lambda entry: formats.points(entry.without_points)),
        terminal=View("without", lambda entry: formats.points(entry.without_points), 8),
    ),
)

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
