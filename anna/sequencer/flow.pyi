"""Types of the compiled data flow."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

INTERFACE: str

def flow(
    operands: NDArray[np.int32], fan_in: NDArray[np.int64], neurons: NDArray[np.int64], first: NDArray[np.int64],
    weights: NDArray[np.int32], scales: NDArray[np.int64], thresholds: NDArray[np.int64], numerators: NDArray[np.int32],
    columns: int, groups: int, fraction_bits: int, first_result: int, at_once: int, codes: NDArray[Any],
) -> None: ...  # fmt: skip
