"""What drawn chips add to a layer's sums, in law: the noise that ranges, fits and later layers are chosen for.

To an ideal sum a drawn chip adds noise of its wire, which grows with the synapses that carry a weight; errors of its synapses
and of its weight DACs, which grow with the weights; and errors and noise of its converter, which are shares of the range. All
have a mean of zero over dies, and all are Gaussian or nearly so, so one sample for each sum stands for all. Samples come from a
counter, whatever the candidate: two ranges are compared under the same noise. Charges that leak are left out.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from anna.analog import noise
from anna.analog.parameters import Analog
from anna.analog.summing import SYNAPSES_OF_WIRE_NOISE
from anna.chip import codes
from anna.chip.spec import ChipSpec
from anna.compiler.integer import Ints
from anna.compiler.ir import Floats

SAMPLES = 1 << 16
BOW = 0.5  # rms of a DAC's bow over its codes, of its largest


@dataclass(frozen=True)
class Drawn:
    """Chips of one preset."""

    spec: ChipSpec
    analog: Analog

    @staticmethod
    def of(spec: ChipSpec, against: str) -> "Drawn | None":
        """None for chips that add nothing."""
        analog = Analog.preset(against)
        return None if analog.is_ideal else Drawn(spec, analog)

    def sigma(self, weights: Ints, scale_codes: Ints) -> Floats:
        """Standard deviation of what is added to each map's or candidate's sums, in weight LSB x half state LSB; `weights`
        (maps, columns) are all that a neuron has."""
        analog, levels = self.analog, codes.state_converter(self.spec).values(np.arange(1 << self.spec.state_bits))
        power = float((levels * levels).mean())  # of a state
        synapses, squares = (weights != 0).sum(axis=1), (weights * weights).sum(axis=1)
        lsb = codes.full_scales(self.spec)[scale_codes] / (1 << self.spec.state_bits)
        wire = analog.wire_noise_products**2 * synapses / SYNAPSES_OF_WIRE_NOISE
        gains = analog.synapse_gain_mismatch**2 + (analog.dac_gain_apart / 2) ** 2
        static = power * (gains * squares + ((analog.dac_inl_lsb * BOW) ** 2 + analog.synapse_zero_lsb**2) * synapses)
        shares = (analog.adc_noise_lsb**2 + analog.thermal_noise_lsb**2 + analog.adc_threshold_offset_lsb**2
                  + analog.adc_offset_lsb**2 + analog.slow_noise_lsb**2)  # fmt: skip
        reach = (1 << self.spec.state_bits) / 4  # rms of a threshold, in LSB
        ranges = (analog.scale_mismatch**2 + analog.adc_gain_mismatch**2) * reach**2
        return np.asarray(2.0 * np.sqrt(wire + static + (shares + ranges) * lsb * lsb))

    def added(self, sigma: Floats, count: int, kind: type[np.floating]) -> NDArray[np.floating]:
        """What is added to so many sums of each, (maps or candidates, sums)."""
        return sigma.astype(kind)[:, None] * _samples()[_picked(count)].astype(kind)

    def added_to_maps(self, sigma_o: Floats, shape: tuple[int, ...]) -> Floats:
        """What is added to the sums of maps (images, maps, rows, columns), a sample for each of them."""
        found = _samples()[_picked(math.prod(shape))].astype(np.float64).reshape(shape)
        return found * sigma_o[:, None, None]


@lru_cache(maxsize=1)
def _samples() -> NDArray[np.float32]:
    """Standard normals, the same everywhere."""
    return noise.quads(1, 0, 0, noise.DIE, np.arange(SAMPLES // 4, dtype=np.uint64)).reshape(-1)


def _picked(count: int) -> Ints:
    """Which sample each sum has: mixed (SplitMix64), so that neighbours and images have samples of their own."""
    number = (np.arange(count, dtype=np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    return (number >> np.uint64(48)).astype(np.int64) % SAMPLES


__all__ = ["Drawn"]
