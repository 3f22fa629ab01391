"""Sums over the windows of a float layer, in one fixed order, by the compiled engine or by NumPy: the same bits.

Every sum starts at zero and runs over input maps, then rows and columns of the window; each product and each addition
rounds once. NumPy's whole-array operations are the definition; the engine's C does the same with images side by side, and
is used if it is built.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from anna.base.arrays import Bools, Floats
from anna.base.errors import BuildError

if TYPE_CHECKING:
    from types import ModuleType


@lru_cache(maxsize=1)
def engine() -> ModuleType | None:
    """The compiled extension, or None if it is not built."""
    from anna.native.loader import native

    try:
        return native()
    except BuildError:
        return None


def window_sums(
    x_iyxn: Floats,
    weights_oiyx: Floats,
    table_oi: Bools,
    stride: tuple[int, int] = (1, 1),
    *,
    squared: bool = False,
    simd: str | None = None,
) -> Floats:
    """Products of each output's weights with every window of the maps it reads, added up; or, `squared`, minus the
    squared differences. Maps, rows, columns, images in and out; weights are of the type of x."""
    native = engine()
    if native is None or not (table_oi.size and x_iyxn.size and weights_oiyx.size):
        return window_sums_by_numpy(x_iyxn, weights_oiyx, table_oi, stride, squared=squared)
    x, weights = np.ascontiguousarray(x_iyxn), np.ascontiguousarray(weights_oiyx)
    sums = np.empty(_shape(x, weights, stride), x.dtype)
    table = np.ascontiguousarray(table_oi, np.uint8)
    native.window_sums(simd or native.levels()[0], x, weights, table, *stride, squared, sums)
    return sums


def _shape(x_iyxn: Floats, weights_oiyx: Floats, stride: tuple[int, int]) -> tuple[int, int, int, int]:
    _, rows, columns, n = x_iyxn.shape
    outputs, _, tall, wide = weights_oiyx.shape
    return outputs, (rows - tall) // stride[0] + 1, (columns - wide) // stride[1] + 1, n


def window_sums_by_numpy(
    x_iyxn: Floats, weights_oiyx: Floats, table_oi: Bools, stride: tuple[int, int] = (1, 1), *, squared: bool = False
) -> Floats:
    """The definition."""
    sums = np.zeros(_shape(x_iyxn, weights_oiyx, stride), x_iyxn.dtype)
    _, rows, columns, _ = sums.shape
    term = np.empty(sums.shape[1:], x_iyxn.dtype)
    down, right = stride
    for i, readers in enumerate(table_oi.T):
        outputs = np.flatnonzero(readers).tolist()
        for ky in range(weights_oiyx.shape[2]):
            for kx in range(weights_oiyx.shape[3]):
                seen = x_iyxn[i, ky : ky + down * (rows - 1) + 1 : down, kx : kx + right * (columns - 1) + 1 : right]
                for o in outputs:
                    if squared:
                        np.subtract(seen, weights_oiyx[o, i, ky, kx], out=term)
                        np.multiply(term, term, out=term)
                    else:
                        np.multiply(seen, weights_oiyx[o, i, ky, kx], out=term)
                    sums[o] += term
    return -sums if squared else sums
