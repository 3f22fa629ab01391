"""The interface of a benchmark peer: a function from prepared images to scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Reader = Callable[[NDArray[np.float32]], Any]  # prepared images (n, maps, rows, columns) to scores (n, classes, ...)
