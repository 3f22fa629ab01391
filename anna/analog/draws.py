"""The fixed pattern of a die, from a counter: a draw is a function of (die seed, chip on the board, part, index) alone.

So a part can be turned on, off or scaled without changing the draws of any other, and chips of different size or severity
are the same silicon where they overlap. Part numbers are permanent: a new part takes a new one.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from anna.analog import noise
from anna.base.errors import SpecError
from anna.chip.codes import Floats
from anna.native.exact_math import exp


class Part(IntEnum):
    """What is drawn once per die. The index counts within the array that the comment names, last axis first."""

    DAC_BOW = 0  # (dacs, 2) even and odd share of the integral non-linearity
    DAC_STEP = 1  # (dacs, codes)
    DAC_ORDER = 2  # (dacs) which DAC has the larger gain
    SYNAPSE_GAIN = 3  # (rows, columns)
    SYNAPSE_ZERO = 4  # (rows, columns)
    SYNAPSE_LEAK = 5  # (rows, columns)
    STATE_STEP = 6  # (columns, levels)
    SYNAPSE_STEP = 7  # (rows, columns, levels)
    SCALE_STEP = 8  # (ADCs, scale codes)
    ADC_GAIN = 9  # (ADCs)
    ADC_OFFSET = 10  # (ADCs)
    ADC_THRESHOLD = 11  # (ADCs, thresholds)
    STRENGTH = 12  # (strengths) how bad this die is, in the order of Strength
    GRADIENT = 13  # (2) slope of the synapses' gains along x and y


class Strength(IntEnum):
    """What is drawn about its stated strength for each die."""

    INL = 0
    GAIN_APART = 1
    LEAK = 2


class FaultKind(IntEnum):
    """What is drawn when faults are given by rate."""

    DEAD_SYNAPSE = 0  # (rows, columns)
    STUCK_SYNAPSE = 1  # (rows, columns)
    STUCK_LEVEL = 2  # (rows, columns)
    DEAD_NEURON = 3  # (ADCs)
    STUCK_BIT = 4  # (ADCs, bits)
    STUCK_VALUE = 5  # (ADCs, bits)
    RAM_FLIP = 6  # (pages, rows, columns, bits)


@dataclass(frozen=True)
class Draws:
    """The draws of one die."""

    seed: int
    chip_on_board: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 1 << 64:
            raise SpecError(f"the die's seed is {self.seed}; expected 0 to 2^64 - 1")
        if not 0 <= self.chip_on_board < 1 << 32:
            raise SpecError(f"chip_on_board is {self.chip_on_board}; expected 0 to 2^32 - 1")

    def normals(self, part: Part, *shape: int) -> Floats:
        """Standard normals of a part, as an array that cannot be written."""
        return _normals(self, part, int(np.prod(shape))).reshape(shape)

    def strength(self, which: Strength, spread: float) -> float:
        """The die's factor on a strength: its logarithm is Gaussian, so its median is one and it is never negative."""
        if spread == 0.0:
            return 1.0
        return float(exp(spread * self.normals(Part.STRENGTH, len(Strength))[which]))

    def words(self, kind: FaultKind, *shape: int) -> NDArray[np.uint32]:
        """Random words of 32 bits."""
        index = np.arange(int(np.prod(shape)), dtype=np.uint64)
        group = (index[::4] >> np.uint64(2)) | np.uint64(noise.FAULT << 28)
        counter = np.stack(
            [np.full_like(group, self.chip_on_board), np.zeros_like(group), np.full_like(group, int(kind)), group], -1
        )
        words = noise.philox4x32(counter.astype(np.uint32), (self.seed & 0xFFFFFFFF, self.seed >> 32))
        return words.reshape(-1)[: len(index)].reshape(shape)

    def chosen(self, kind: FaultKind, rate: float, *shape: int) -> NDArray[np.bool_]:
        """Which places a fault of this rate hits. A larger rate hits the same places and more."""
        return self.words(kind, *shape).astype(np.float64) < rate * 4294967296.0


@lru_cache(maxsize=64)  # a ledger makes the same die again and again, with other causes
def _normals(draws: Draws, part: Part, count: int) -> Floats:
    found: Floats = noise.of_die(draws.seed, draws.chip_on_board, int(part), count).astype(np.float64)
    found.setflags(write=False)
    return found


def noise_key(noise_seed: int, die_seed: int, chip_on_board: int) -> int:
    """The noise key of one chip in one run."""
    counter = np.array([die_seed & 0xFFFFFFFF, die_seed >> 32, chip_on_board, noise.KEY << 28], dtype=np.uint32)
    low, high, _, _ = noise.philox4x32(counter, (noise_seed & 0xFFFFFFFF, noise_seed >> 32)).tolist()
    return int(low | high << 32)
