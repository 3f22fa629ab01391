"""What a comparison found, as plain records: all that a table, a figure or a page shows of it, and nothing that can run."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.sequencer.timeline import Timeline
from sim.base.statistics import Interval, RejectCurve, snr_db, variance

Maps = NDArray[Any]  # (images, maps, rows, columns)

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
    "input_rounding": "the picture rounded to states",
}


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


@dataclass(frozen=True, eq=False)
class ComparisonRows:
    """All arms on the same images, counted."""

    network: str
    data: str
    data_sha256: str
    images: int
    class_counts: tuple[int, ...]  # images of each class
    chip_seed: int  # of the first chip of each kind
    noise_seed: int  # of all chips
    arms: tuple[ArmRow, ...]
    layers: tuple[dict[str, Any], ...]  # signal to noise of each layer against float, dB
    losses: Losses | None
    report: Mapping[str, Any]  # the compiler's; empty for a program that was not compiled
    program_sha256: str

    @property
    def reference(self) -> ArmRow:
        """The float arm."""
        return self.arms[0]

    @property
    def drawn(self) -> ArmRow | None:
        """The first arm of drawn chips."""
        return next((arm for arm in self.arms if arm.seeds), None)

    @property
    def headline(self) -> ArmRow:
        """The last arm that has the network's own weights."""
        return [arm for arm in self.arms if arm.gain is None][-1]


@dataclass(frozen=True, eq=False)
class LayerMaps:
    """One layer's maps: floats, and the chip's states in LSB."""

    name: str
    float_maps: Maps
    chip_maps: Maps

    @property
    def snr_db(self) -> float:
        """Signal to noise, each map with its best gain and offset, the powers of all maps added."""
        signal = noise = 0.0
        for m in range(self.float_maps.shape[1]):
            wanted, found = self.float_maps[:, m], self.chip_maps[:, m]
            power = variance(wanted)
            ratio = snr_db(wanted, found)
            signal += power
            noise += 0.0 if ratio == math.inf else power / 10 ** (max(ratio, 0.0) / 10)
        return 10 * math.log10(signal / noise) if noise and signal else math.inf


@dataclass(frozen=True, eq=False)
class Confusion:
    """How often an arm took each class (rows) for each other (columns)."""

    arm: str
    counts: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CloseUp:
    """What only a page shows: two arms class by class, and one image on the first drawn chip, or on the ideal one."""

    confusions: tuple[Confusion, ...]
    timeline: Timeline | None  # None: of a program that was not compiled
    label: int  # of the image
    maps: tuple[LayerMaps, ...]  # of the image
    weight_errors_lsb: NDArray[Any] | None  # of each synapse, as written and not leaked yet; None: the ideal chip
