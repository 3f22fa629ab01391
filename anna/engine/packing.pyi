"""Types of the compiled packer."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

INTERFACE: str

def pack(
    sizes: dict[str, int], arrays: dict[str, Any], width: int, stride: int, largest: int
) -> tuple[dict[str, int], dict[str, Any]]: ...
def by_place(place: NDArray[np.int32], of_neurons: NDArray[np.int32]) -> NDArray[np.int32]: ...
def pack_rows(
    width: int,
    stride: int,
    row_start: NDArray[np.int64],
    rows: list[NDArray[Any]],
    row_kinds: NDArray[np.uint16],
    in_kind: NDArray[np.int32],
    place: NDArray[np.int32],
) -> dict[str, Any]: ...
