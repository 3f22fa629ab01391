"""Types of the compiled loops of choosing weights."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

INTERFACE: str

Floats = NDArray[np.float64]

def tally(
    sums: NDArray[Any], limits: Floats, heavy: Floats, care: NDArray[np.uint8], owner: NDArray[np.int64], counts: Floats,
    totals: Floats,
) -> None: ...  # fmt: skip
def descend(
    grams: Floats, goal: Floats, pull: Floats, towards: Floats, weights: Floats, live: NDArray[np.uint8], slope: Floats,
    sweeps: int, low: float, high: float,
) -> None: ...  # fmt: skip
