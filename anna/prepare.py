"""From a raw uint8 picture to the numbers that enter a network: whole-number sums, then one division and one range.

Crop, resize and padding move or weigh grey levels with whole numbers only, so the sums are exact; the step to a float
is elementwise. The result is the same on every machine, to the bit (DECISIONS 13 and 20).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from anna.errors import DataError
from anna.layer_parts import Floats
from anna.layers import Prepare

WHITE = 255  # the largest grey level of a uint8 picture


def checked_pictures(layer: Prepare, pictures_nyx: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """The pictures, when they are what `layer` declares; one picture becomes a stack of one."""
    pictures = np.asarray(pictures_nyx)
    if pictures.dtype != np.uint8:
        raise DataError(f"pictures are {pictures.dtype}; expected uint8, grey levels 0 to 255")
    if pictures.ndim == 2:
        pictures = pictures[None]
    if pictures.ndim != 3 or pictures.shape[1:] != layer.source:
        rows, columns = layer.source
        raise DataError(
            f"pictures have shape {pictures.shape}; expected (n, {rows}, {columns}), as {layer.name} declares"
        )
    return pictures


def resize_weights(size: int, new_size: int) -> tuple[npt.NDArray[np.int64], int]:
    """Whole-number weights (new_size, size) and what every row adds up to.

    Shrinking takes the mean over the stretch a new pixel covers; growing takes the straight line between the two old
    pixel centres nearest to the new one, and the border pixel beyond the outermost centre.
    """
    weights = np.zeros((new_size, size), np.int64)
    if new_size <= size:
        for new in range(new_size):  # in units of 1/new_size old pixels, new pixel j covers j*size .. (j+1)*size
            for old in range(size):
                overlap = min((new + 1) * size, (old + 1) * new_size) - max(new * size, old * new_size)
                weights[new, old] = max(overlap, 0)
        return weights, size
    for new in range(new_size):  # centre of new pixel j at ((2j+1) size - new_size) / (2 new_size) old pixels
        left, part = divmod((2 * new + 1) * size - new_size, 2 * new_size)
        weights[new, min(max(left, 0), size - 1)] += 2 * new_size - part
        weights[new, min(max(left + 1, 0), size - 1)] += part
    return weights, 2 * new_size


def _weigh_rows(levels_nyx: npt.NDArray[np.int64], weights: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    out = np.zeros((levels_nyx.shape[0], weights.shape[0], levels_nyx.shape[2]), np.int64)
    for new, old in zip(*np.nonzero(weights), strict=True):
        out[:, new] += weights[new, old] * levels_nyx[:, old]
    return out


def prepare(layer: Prepare, pictures_nyx: npt.NDArray[Any], dtype: npt.DTypeLike = np.float32) -> Floats:
    """Prepared pictures (n, rows, columns) in low..high."""
    pictures = checked_pictures(layer, pictures_nyx)
    top, left = ((s - c) // 2 for s, c in zip(layer.source, layer.cropped, strict=True))
    levels = pictures[:, top : top + layer.cropped[0], left : left + layer.cropped[1]].astype(np.int64)
    scale = WHITE
    if layer.resize is not None and layer.resized != layer.cropped:
        by_rows, row_sum = resize_weights(layer.cropped[0], layer.resized[0])
        by_columns, column_sum = resize_weights(layer.cropped[1], layer.resized[1])
        levels = _weigh_rows(levels, by_rows)
        levels = _weigh_rows(levels.transpose(0, 2, 1), by_columns).transpose(0, 2, 1)
        scale *= row_sum * column_sum
    top, left = ((f - r) // 2 for f, r in zip(layer.fielded, layer.resized, strict=True))
    field = np.zeros((len(levels), *layer.fielded), np.int64)
    field[:, top : top + layer.resized[0], left : left + layer.resized[1]] = levels
    values: Floats = (layer.low + (layer.high - layer.low) * (field / np.float64(scale))).astype(dtype)
    return values
