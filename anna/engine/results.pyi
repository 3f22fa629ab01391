"""Types of the compiled results."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

INTERFACE: str

def place_results(
    group: NDArray[Any],
    calc_of: NDArray[np.int64],
    first_of: NDArray[np.int64],
    place: NDArray[np.int32],
    sizes: dict[str, int],
    arrays: dict[str, Any],
) -> tuple[NDArray[Any], NDArray[np.int32]]: ...
