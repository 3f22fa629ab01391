"""The ledger's table: its lines, what each cause is, and its columns, each defined here and nowhere else."""

from dataclasses import dataclass

from sim.base import formats
from sim.base.columns import Column, View

# What a cause is, for a reader.
MEANINGS = {
    "weight_dac": "levels of the converters that write the weights",
    "synapse_gain": "synapses that multiply by a little more or less",
    "synapse_zero": "synapses that add something of their own",
    "state_steps": "levels that states drive synapses with",
    "droop": "charge that leaks from weights between refreshes",
    "charge_noise": "each refresh writes a little more or less charge",
    "saturation": "sums that are cut off",
    "thermal_noise": "noise of each sum, new each time",
    "scale": "ranges of the scale circuits",
    "adc_offset": "thresholds of the output converters, for ever shifted",
    "adc_gain": "ranges of the output converters",
    "adc_noise": "noise of the output converters, new each time",
    "weight_rounding": "weights rounded to their codes",
    "state_rounding": "states rounded to their codes",
    "input_rounding": "the image rounded to states",
}


@dataclass(frozen=True)
class Entry:
    """One line of the ledger; `layer` is "all" for a cause as a whole."""

    cause: str
    layer: str
    alone_points: float
    without_points: float | None  # None: only the cause as a whole is left out

    @property
    def meaning(self) -> str:
        """What the cause is; nothing for its layers, which stand below it."""
        return MEANINGS[self.cause] if self.layer in ("all", "input") else ""


@dataclass(frozen=True)
class Losses:
    """The lines of a ledger, dearest first, and what they were counted on."""

    entries: tuple[Entry, ...]
    images: int
    chips: int
    ideal_error: float
    full_error: float
    kind: str  # of chips


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
        "`all`, or the layer in which alone it acts",
        lambda entry: entry.layer,
        page=View("layer", lambda entry: entry.layer),
        terminal=View("layer", lambda entry: entry.layer, 10, left=True),
    ),
    Column(
        "alone_points",
        "points of error",
        "what the cause costs where it is the only one: its error less that of the ideal chip",
        lambda entry: entry.alone_points,
        page=View("alone, points", lambda entry: formats.points(entry.alone_points)),
        terminal=View("alone", lambda entry: formats.points(entry.alone_points), 8),
    ),
    Column(
        "without_points",
        "points of error",
        "what is got back where only this cause is left out; null for a single layer",
        lambda entry: entry.without_points,
        page=View("got back without it, points", lambda entry: formats.points(entry.without_points)),
        terminal=View("without", lambda entry: formats.points(entry.without_points), 8),
    ),
)

# What a reader of the ledger is told besides: the cause in words.
LEDGER_SHOWN: tuple[Column[Entry], ...] = (
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
