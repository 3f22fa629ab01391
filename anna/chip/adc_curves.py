"""Where the thresholds of the ADC lie: the curves that a chip may have, one entry of `ADC_CURVES` each.

A curve has slope one at zero, where its thresholds lie one LSB apart; they rise and are all finite.
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
    straight: bool  # equal steps: sums of states come out as themselves


ADC_CURVES: dict[AdcCurve, Curve] = {
    # half-way between two levels
    "linear": Curve(lambda middle, half: middle, straight=True),
    # where half range x tanh(sum / half range) passes that point, so that the codes follow a tanh
    "squash": Curve(lambda middle, half: half * atanh(middle / half), straight=False),
}
