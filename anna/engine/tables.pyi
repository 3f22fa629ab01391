"""Types of the compiled tables."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Int32s = NDArray[np.int32]
Int16s = NDArray[np.int16]

INTERFACE: str

def fixed_slots(
    slots: int, constant_slots: Int32s, constant_codes: NDArray[np.uint16], input_slots: Int32s, out_slot: Int32s
) -> Int16s: ...
def cold_slots(
    slots: int,
    constant_slots: Int32s,
    input_slots: Int32s,
    op_start: NDArray[np.int64],
    op_slot: Int32s,
    out_slot: Int32s,
    output_slots: Int32s,
) -> Int32s: ...
def short_sums(sizes: dict[str, int], arrays: dict[str, Any]) -> tuple[int, Int32s | None, Int16s | None]: ...
def thresholds_and_numerators(
    sizes: dict[str, int], arrays: dict[str, Any]
) -> tuple[Int32s, Int16s, Int16s | None, dict[str, int]]: ...
