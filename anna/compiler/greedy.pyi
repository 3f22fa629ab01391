"""Types of the compiled loop of the scheduler."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

INTERFACE: str

class Board: ...

class Greedy(Board):
    work: int
    def __init__(self, chip: dict[str, Any], memory: int) -> None: ...
    def run(
        self,
        forms: dict[str, NDArray[Any]],
        form: NDArray[np.int64],
        place: NDArray[np.int64],
        scan: NDArray[np.int64],
        orders: NDArray[np.int8],
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], int]: ...
