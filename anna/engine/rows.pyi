"""Types of the compiled rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_Int64s = NDArray[np.int64]
_Int32s = NDArray[np.int32]

INTERFACE: str

def groups_of(summed: _Int32s, width: int) -> tuple[_Int64s, _Int64s]: ...
def useful_weights(op_start: _Int64s, op_weight: _Int32s, out_slot: _Int32s) -> int: ...
def largest_row_sum(
    op_start: _Int64s, op_weight: _Int32s, charge_sigma: NDArray[np.float32] | None, largest_normal: float
) -> float: ...
def simple_operands(op_weight: _Int32s, power: int, lined: bool) -> _Int64s: ...
def take_rows(
    arrays: dict[str, Any],
    summed: _Int32s,
    calc_of: _Int64s,
    first_of: _Int64s,
    width: int,
    fixed: NDArray[np.int16],
    power: int,
    middle: _Int32s | None,
) -> tuple[_Int64s, _Int32s, _Int32s, NDArray[np.uint8], NDArray[np.int16], _Int32s]: ...
