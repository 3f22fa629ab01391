"""Types of the compiled loop that plants RFSH."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

INTERFACE: str

class Board: ...

class Planter(Board):
    def __init__(self, chip: dict[str, Any], refresh: int) -> None: ...
    def run(
        self,
        forms: dict[str, NDArray[Any]],
        form: NDArray[np.int64],
        place: NDArray[np.int64],
        bare: NDArray[np.int64],
        rows: dict[str, NDArray[np.int64]],
        age: int,
    ) -> list[tuple[int, int]]: ...
