"""Codes and what they stand for: weights, states, scales and the thresholds of the ADC.

Every level is a whole number of half LSBs (its *numerator*), so that all arithmetic can be exact:

    mid-rise    code c of b bits stands for  c - (2^b - 1) / 2  LSB    ..., -1.5, -0.5, +0.5, +1.5, ...
    mid-tread   code c of b bits stands for  c - 2^(b-1)        LSB    ..., -1, 0, +1, ...

A sum of products is held in *accumulator units*: 2^-f of a weight LSB (f = `ChipSpec.weight_fraction_bits`) times half a
state LSB.

    converter   levels                      tie                            beyond its range
    weight      `spec.weight_levels`        up, to the higher level        the end code
    state       `spec.state_levels`         up, to the higher level        the end code
    ADC         as state, by thresholds     on a threshold: higher code    the end code
    scale       `spec.scale_law`            the next larger range          refused: there is no such code
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anna.base.errors import SpecError
from anna.chip.adc_curves import ADC_CURVES, AdcCurve
from anna.chip.scale_laws import SCALE_LAWS
from anna.chip.spec import ChipSpec, Levels

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Converter:
    """A code of some bits and the levels it stands for."""

    name: str
    bits: int
    levels: Levels

    @property
    def size(self) -> int:
        """How many codes there are."""
        return 1 << self.bits

    @property
    def numerators(self) -> Ints:
        """The level of each code, in half LSBs; not to be written to."""
        return _numerators(self.size, self.lowest)

    @property
    def lowest(self) -> int:
        """The level of code 0, in half LSBs."""
        return 1 - self.size if self.levels == "mid-rise" else -self.size

    @property
    def zero_code(self) -> int | None:
        """The code of exactly zero, if there is one."""
        return self.size // 2 if self.levels == "mid-tread" else None

    def values(self, codes: ArrayLike) -> Floats:
        """What codes stand for, in LSB."""
        values: Floats = self.numerators[np.asarray(codes)] / 2.0
        return values

    def nearest(self, values: ArrayLike) -> Ints:
        """The code nearest to each value in LSB: ties go up, values beyond the range get the end code."""
        array = np.asarray(values, dtype=np.float64)
        if not np.isfinite(array).all():
            raise SpecError(f"a {self.name} must be a finite number")
        array = np.clip(array, -self.size, self.size)
        below = np.floor(array)  # exact, as the difference is: a sum with an offset would round a value across a tie
        level = below if self.levels == "mid-rise" else below + (array - below >= 0.5)
        codes: Ints = np.clip(level + self.size // 2, 0, self.size - 1).astype(np.int64)
        return codes

    def exact(self, value: float) -> int:
        """The code of a value that is exactly a level; raises for any other."""
        if not math.isfinite(value):
            raise SpecError(f"a {self.name} must be a finite number")
        low, high = self.lowest / 2, self.lowest / 2 + self.size - 1
        code = int(min(max(value, low), high) - low)
        if low + code != value:
            step = "…, -0.5, 0.5, …" if self.levels == "mid-rise" else "whole numbers"
            raise SpecError(f"{value:g} is not a level of a {self.bits}-bit {self.name} ({step} from {low:g} to {high:g})")
        return code


@lru_cache(maxsize=32)
def _numerators(size: int, lowest: int) -> Ints:
    found = lowest + 2 * np.arange(size, dtype=np.int64)
    found.setflags(write=False)
    return found


def weight_converter(spec: ChipSpec) -> Converter:
    """The codes of weights."""
    return Converter("weight", spec.weight_bits, spec.weight_levels)


def carries_weight(spec: ChipSpec, weight_codes: Ints) -> NDArray[np.bool_]:
    """Which codes stand for a weight other than zero."""
    return np.asarray(weight_converter(spec).numerators[weight_codes] != 0)


def state_converter(spec: ChipSpec) -> Converter:
    """The codes of states."""
    return Converter("state", spec.state_bits, spec.state_levels)


def full_scales(spec: ChipSpec) -> Floats:
    """Range of the ADC for each scale code, end to end, in weight LSB x state LSB."""
    drive = float(1 << (spec.weight_bits - 1)) * float(1 << (spec.state_bits - 1))
    return np.array(SCALE_LAWS[spec.scale_law](spec.adc_full_scale * drive, spec.scale_step, 1 << spec.scale_bits))


def units_per_lsb_product(spec: ChipSpec) -> int:
    """Accumulator units in one weight LSB x state LSB."""
    return 2 << spec.weight_fraction_bits


def adc_lsb(spec: ChipSpec) -> Floats:
    """One LSB of the ADC for each scale code, in accumulator units."""
    return full_scales(spec) / (1 << spec.state_bits) * units_per_lsb_product(spec)


@lru_cache(maxsize=32)
def _unit_thresholds(bits: int, levels: Levels, curve: AdcCurve) -> Floats:
    numerators = Converter("state", bits, levels).numerators
    middle = (numerators[:-1] + numerators[1:]) / 4.0  # half-way between two levels, in LSB
    found = ADC_CURVES[curve].thresholds(middle, float(1 << (bits - 1)))
    found.setflags(write=False)
    return found


def unit_thresholds(spec: ChipSpec) -> Floats:
    """The ideal thresholds of the ADC, in LSB: code k + 1 begins at threshold k."""
    return _unit_thresholds(spec.state_bits, spec.state_levels, spec.adc_curve)


def thresholds(spec: ChipSpec, scale_codes: ArrayLike) -> Ints:
    """The ideal thresholds of the ADC at scale codes, in accumulator units, a row for each."""
    exact: Floats = adc_lsb(spec)[np.asarray(scale_codes), None] * unit_thresholds(spec)
    return np.rint(exact).astype(np.int64)


def scale_code_for(spec: ChipSpec, full_scale: float) -> int:
    """The smallest range that holds `full_scale` (in weight LSB x state LSB)."""
    ranges = full_scales(spec)
    code = int(np.searchsorted(ranges, full_scale))
    if code == len(ranges):
        raise SpecError(f"no scale code reaches a range of {full_scale:g}; the largest is {ranges[-1]:g}")
    return code
