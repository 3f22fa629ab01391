"""Where the thresholds of the ADC lie: one entry of `ADC_CURVES` for each curve that a chip may have.

A curve has slope one at zero, where its thresholds are one LSB apart; they rise and are all finite.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from anna.native.exact_math import atanh

AdcCurve = Literal["linear", "squash"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """One curve. `thresholds` takes the points half-way between two levels and half the range, both in LSB."""

    thresholds: Callable[[Floats, float], Floats]
    straight: bool  # equal steps: codes are proportional to sums

    def reach(self, state_bits: int) -> float:
        """No threshold of a converter of so many bits lies further from zero, in LSB."""
        half = float(1 << (state_bits - 1))
        return float(np.abs(self.thresholds(np.array([0.5 - half, half - 0.5]), half)).max())


ADC_CURVES: dict[AdcCurve, Curve] = {
    # half-way between two levels
    "linear": Curve(lambda middle, half: middle, straight=True),
    # where half range x tanh(sum / half range) crosses that point, so that the codes follow a tanh
    "squash": Curve(lambda middle, half: half * atanh(middle / half), straight=False),
}
