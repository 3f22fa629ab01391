"""Types of the compiled loops of rolling a program up."""

import numpy as np
from numpy.typing import NDArray

INTERFACE: str

Ints = NDArray[np.int64]

def repetitions(key: Ints, place: Ints, mixed: NDArray[np.uint8], sums: Ints, tried: Ints) -> tuple[Ints, Ints]: ...
def begun(periods: Ints, turns: Ints, sums: Ints) -> NDArray[np.bool_]: ...
