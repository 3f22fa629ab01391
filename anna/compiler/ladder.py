"""Conversions in digits: what one conversion leaves of a sum, the next converts at a finer range.

A digit's state stands for a whole number of weight LSB x state LSB, its *worth*, since weights subtract it from the sum before
the next conversion; only the last digit, from which nothing is subtracted, is worth the LSB of its range. `overlap` decides how
much finer a range is: one LSB of the coarser digit, or two, so that an error of half an LSB there is made good. The codes of
all digits together are one number, the coarsest digit first.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import CompileError
from anna.chip import codes
from anna.chip.adc_curves import ADC_CURVES
from anna.chip.spec import ChipSpec
from anna.compiler import integer
from anna.compiler.integer import Ints, States
from anna.compiler.ir import Floats

NEAR = 0.06  # by which fraction the ratio of two ranges may miss what is wanted


@dataclass(frozen=True, eq=False)
class Ladder:
    """The ranges of all digits of a value, by the scale code of the coarsest."""

    spec: ChipSpec
    digits: int
    ratio: int  # of the LSBs of neighbouring digits
    scale_kd: Ints  # scale codes; -1 where a digit has none that is fine enough
    worth_kd: Floats  # what a state LSB of each digit stands for, in weight LSB x state LSB

    @property
    def first(self) -> int:
        """The lowest scale code of a coarsest digit."""
        return int(np.flatnonzero(self.scale_kd[:, -1] >= 0)[0])

    @property
    def levels(self) -> int:
        """States of a digit."""
        return 1 << self.spec.state_bits

    @property
    def columns_k(self) -> Ints:
        """Columns that subtract the coarser digits, for a neuron of the last digit."""
        found: Ints = columns_of(self.spec, self.worth_kd[:, :-1]).sum(axis=1)
        return found

    def nominal(self) -> Floats:
        """The value of each joint code, in LSB of the coarsest digit."""
        return self._values(np.array([float(self.ratio) ** -d for d in range(self.digits)]))

    def values(self, scale_code: int) -> Floats:
        """The same, exactly, at a scale code of the coarsest digit."""
        return self._values(self.worth_lsb(scale_code))

    def worth_lsb(self, scale_code: int) -> Floats:
        """What a state LSB of each digit stands for, in LSB of the coarsest digit."""
        lsb = float(codes.full_scales(self.spec)[scale_code]) / self.levels
        found: Floats = self.worth_kd[scale_code] / lsb
        return found

    def _values(self, worth_d: Floats) -> Floats:
        own = codes.state_converter(self.spec).values(np.arange(self.levels))
        found = np.zeros(1)
        for worth in worth_d.tolist():
            found = (found[:, None] + worth * own).reshape(-1)
        return found

    def convert(self, sums: NDArray[np.floating], scale_codes_o: Ints) -> States:
        """Joint codes of sums (n, o, ...) in weight LSB x half state LSB."""
        if self.digits == 1:
            return integer.convert(self.spec, sums, scale_codes_o)
        numerators, along = codes.state_converter(self.spec).numerators, (-1, *(1,) * (sums.ndim - 2))
        rest, joint = sums, np.zeros(sums.shape, np.uint16)
        for d in range(self.digits):
            code = integer.convert(self.spec, rest, self.scale_kd[scale_codes_o, d])
            joint = joint * np.uint16(self.levels) + code
            if d < self.digits - 1:
                taken = self.worth_kd[scale_codes_o, d].astype(rest.dtype).reshape(along)
                rest = rest - numerators.astype(rest.dtype)[code] * taken
        return joint

    def apart(self, joint: States) -> list[States]:
        """The states of each digit of joint codes, the coarsest first."""
        if self.digits == 1:  # a state may have all 16 bits
            return [joint]
        found: list[States] = []
        for _ in range(self.digits):
            found.insert(0, joint % np.uint16(self.levels))
            joint = joint // np.uint16(self.levels)
        return found


def columns_of(spec: ChipSpec, weights: Floats | Ints) -> Ints:
    """Columns on which weights as large as these lie."""
    largest = (1 << (spec.weight_bits - 1)) - 1
    found: Ints = -(-np.abs(np.rint(weights)).astype(np.int64) // largest)
    return found


@lru_cache(maxsize=64)
def ladder(spec: ChipSpec, digits: int, overlap: bool) -> Ladder:
    """The ranges of a value in digits; raises CompileError where the chip has none."""
    lsb = codes.full_scales(spec) / (1 << spec.state_bits)
    scale = np.full((len(lsb), digits), -1, dtype=np.int64)
    worth = np.zeros((len(lsb), digits))
    scale[:, 0], worth[:, 0] = np.arange(len(lsb)), lsb
    if digits == 1:
        return Ladder(spec, 1, 1 << spec.state_bits, scale, worth)
    ratio = 1 << (spec.state_bits - overlap)
    reasons = _refused(spec, digits, ratio)
    if reasons:
        raise CompileError(reasons)
    for d in range(1, digits):
        wanted = lsb / float(ratio) ** d
        nearest = np.abs(np.log(lsb[None, :] / wanted[:, None])).argmin(axis=1)
        there = (np.abs(lsb[nearest] / wanted - 1.0) <= NEAR) & (scale[:, d - 1] >= 0)
        scale[:, d] = np.where(there, nearest, -1)
        worth[:, d] = np.where(there, lsb[nearest], 0.0)
    worth[:, :-1] = np.rint(worth[:, :-1])
    if not (scale[:, -1] >= 0).any():
        raise CompileError([
            f"chip: no two scale codes have ranges {ratio ** (digits - 1)} to 1, so {digits} digits of {spec.state_bits} bits "
            "cannot carry a value; choose one digit, another overlap (option overlap), or more scale_bits"
        ])  # fmt: skip
    return Ladder(spec, digits, ratio, scale, worth)


def _refused(spec: ChipSpec, digits: int, ratio: int) -> list[str]:
    """Why a chip has no digits."""
    found = []
    if not ADC_CURVES[spec.adc_curve].straight:
        found.append(f"chip: what a conversion by a {spec.adc_curve} curve leaves is no weighted state; choose one digit")
    if spec.state_bits * digits > 16:
        found.append(f"chip: {digits} digits of {spec.state_bits} bits are more than 16 bits; choose fewer digits")
    if ratio < 2:
        found.append("chip: a digit of one bit with overlap adds nothing to a coarser one; choose one digit")
    return found
