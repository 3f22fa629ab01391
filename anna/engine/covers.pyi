"""Types of the compiled covers."""

import numpy as np
from numpy.typing import NDArray

INTERFACE: str

def cheapest_covers(width: int) -> tuple[NDArray[np.uint16], NDArray[np.int32]]: ...
def cover_rows(
    width: int, row_start: NDArray[np.int64], row_readers: NDArray[np.uint8]
) -> tuple[NDArray[np.int32], NDArray[np.uint16], NDArray[np.int32]]: ...
