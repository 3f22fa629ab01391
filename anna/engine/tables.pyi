"""Types of the compiled tables."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_Int32s = NDArray[np.int32]
_Int16s = NDArray[np.int16]

INTERFACE: str

def fixed_slots(
    slots: int, constant_slots: _Int32s, constant_codes: NDArray[np.uint16], input_slots: _Int32s, out_slot: _Int32s
) -> _Int16s: ...
def cold_slots(
    slots: int,
    constant_slots: _Int32s,
    input_slots: _Int32s,
    op_start: NDArray[np.int64],
    op_slot: _Int32s,
    out_slot: _Int32s,
    output_slots: _Int32s,
) -> _Int32s: ...
def short_sums(sizes: dict[str, int], arrays: dict[str, Any], largest: int) -> tuple[int, _Int32s | None, _Int16s | None]: ...
def off_steps(thresholds: NDArray[np.int64], grain: _Int32s) -> bool: ...
def thresholds_and_numerators(
    sizes: dict[str, int], arrays: dict[str, Any]
) -> tuple[_Int32s, _Int16s, _Int16s | None, dict[str, int]]: ...
