"""A comparison's results as plain records: all that a table, figure or page shows, and nothing that can run."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.sequencer.timeline import Timeline
from sim.base.statistics import snr_db, variance
from sim.comparison.arm_table import ArmRow
from sim.comparison.ledger_table import Losses

Maps = NDArray[Any]  # (images, maps, rows, columns)


@dataclass(frozen=True, eq=False)
class ComparisonRows:
    """The counts of all arms on the same images."""

    network: str
    data: str
    data_sha256: str
    images: int
    class_counts: tuple[int, ...]  # images of each class
    chip_seed: int  # of the first chip of each kind
    noise_seed: int  # of all chips
    limit: float | None  # error of a good chip
    arms: tuple[ArmRow, ...]
    layers: tuple[dict[str, Any], ...]  # signal-to-noise ratio of each layer against float, dB
    losses: Losses | None
    report: Mapping[str, Any]  # the compiler's; empty for a program written by hand
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
        """The last arm with the network's own weights."""
        return [arm for arm in self.arms if arm.gain is None][-1]


@dataclass(frozen=True, eq=False)
class LayerMaps:
    """One layer's maps: floats, and the chip's states in LSB."""

    name: str
    float_maps: Maps
    chip_maps: Maps

    @property
    def snr_db(self) -> float:
        """Signal-to-noise ratio: each map with its best gain and offset, powers summed over maps."""
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
    """How often an arm read each class (rows) as each class (columns)."""

    arm: str
    counts: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CloseUp:
    """Details only a page shows: two arms class by class, and one image on the first drawn chip, or the ideal chip."""

    confusions: tuple[Confusion, ...]
    timeline: Timeline | None  # None for a program written by hand
    label: int  # of the image
    maps: tuple[LayerMaps, ...]  # of the image
    weight_errors_lsb: NDArray[Any] | None  # of each synapse, just written; None for the ideal chip
