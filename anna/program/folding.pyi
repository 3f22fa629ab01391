"""Types of the compiled loops of rolling a program up."""

import numpy as np
from numpy.typing import NDArray

INTERFACE: str

_Ints = NDArray[np.int64]

def repetitions(key: _Ints, place: _Ints, mixed: NDArray[np.uint8], sums: _Ints, tried: _Ints) -> tuple[_Ints, _Ints]: ...
def begun(periods: _Ints, turns: _Ints, sums: _Ints) -> NDArray[np.bool_]: ...
