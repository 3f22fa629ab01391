"""Types of the compiled rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]
Int32s = NDArray[np.int32]

INTERFACE: str

def groups_of(out_slot: Int32s, width: int) -> tuple[Int64s, Int64s]: ...
def useful_weights(op_start: Int64s, op_weight: Int32s, out_slot: Int32s) -> int: ...
def largest_row_sum(
    op_start: Int64s, op_weight: Int32s, charge_sigma: NDArray[np.float32] | None, largest_normal: float
) -> float: ...
def count_rows(op_weight: Int32s, width: int, lined: bool) -> int: ...
def take_rows(
    arrays: dict[str, Any],
    calc_of: Int64s,
    first_of: Int64s,
    width: int,
    fixed: NDArray[np.int16],
    power: int,
    middle: Int32s | None,
) -> tuple[Int64s, Int32s, Int32s, NDArray[np.uint8], NDArray[np.int16], Int32s]: ...
