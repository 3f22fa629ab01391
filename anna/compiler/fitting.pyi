"""Types of the compiled loops of choosing weights."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

INTERFACE: str

_Floats = NDArray[np.float64]

def tally(
    sums: NDArray[Any], limits: _Floats, heavy: _Floats, care: NDArray[np.uint8], owner: NDArray[np.int64], counts: _Floats,
    totals: _Floats,
) -> None: ...  # fmt: skip
def convert(sums: NDArray[Any], limits: _Floats, codes: NDArray[np.uint16]) -> None: ...
def gather(
    codes: NDArray[np.uint16], targets: _Floats, care: NDArray[np.uint8], counts: _Floats, sums: _Floats
) -> float: ...  # fmt: skip
def gram(
    inputs: NDArray[np.int16], weighted: NDArray[np.int16], total: float, single: bool, means: _Floats
) -> None: ...  # fmt: skip
def descend(
    gram: _Floats, goal: _Floats, pull: _Floats, towards: _Floats, weights: _Floats, live: int, slope: _Floats, sweeps: int,
    low: float, high: float,
) -> None: ...  # fmt: skip
