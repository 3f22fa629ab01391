"""Types of the compiled loop of tangent distance."""

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]

def squared_distances(
    firsts: _Floats, seconds: _Floats, products: _Floats, candidates: NDArray[np.int64], found: _Floats
) -> None: ...
def own_products(images: _Floats) -> _Floats: ...
def tangents(images: _Floats, n: int) -> _Floats: ...
