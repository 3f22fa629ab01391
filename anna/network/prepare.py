"""From a raw uint8 image to the numbers that enter a network: integer sums, then one division and one range.

Crop, resize and padding use integers only, so sums are exact; the conversion to floats is elementwise. The result has the
same bits on every machine.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from anna.base.arrays import Floats
from anna.base.errors import DataError
from anna.network.layers import Prepare

WHITE = 255  # the largest grey level of a uint8 image


def checked_images(layer: Prepare, images_nyx: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """The images, if they are what `layer` declares; a single image becomes a stack of one."""
    images = np.asarray(images_nyx)
    if images.dtype != np.uint8:
        raise DataError(f"images are {images.dtype}; expected uint8, grey levels 0 to 255")
    if images.ndim == 2:
        images = images[None]
    if images.ndim != 3 or images.shape[1:] != layer.source:
        rows, columns = layer.source
        raise DataError(f"images have shape {images.shape}; expected (n, {rows}, {columns}), as {layer.name} declares")
    return images


def resize_weights(size: int, new_size: int) -> tuple[npt.NDArray[np.int64], int]:
    """Integer weights (new_size, size), and the sum of every row.

    Shrinking averages over the stretch a new pixel covers; growing interpolates linearly between the two nearest old pixel
    centres, and repeats the border pixel beyond the outermost one.
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


def _weighted_rows(levels_nyx: npt.NDArray[Any], weights: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    out = np.zeros((levels_nyx.shape[0], weights.shape[0], levels_nyx.shape[2]), levels_nyx.dtype)
    for new, old in zip(*np.nonzero(weights), strict=True):
        out[:, new] += int(weights[new, old]) * levels_nyx[:, old]
    return out


def field_scale(layer: Prepare) -> int:
    """The value of white in `integer_field`."""
    scale = WHITE
    if layer.resized != layer.cropped:
        for size, new_size in zip(layer.cropped, layer.resized, strict=True):
            scale *= resize_weights(size, new_size)[1]
    return scale


def integer_field(layer: Prepare, images_nyx: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
    """Cropped, resized and padded images as integers, 0 to `field_scale`."""
    kind = np.int32 if field_scale(layer) < 2**31 else np.int64
    top, left = offsets(layer.source, layer.cropped)
    levels = images_nyx[:, top : top + layer.cropped[0], left : left + layer.cropped[1]].astype(kind)
    if layer.resized != layer.cropped:
        levels = _weighted_rows(levels, resize_weights(layer.cropped[0], layer.resized[0])[0])
        by_columns = resize_weights(layer.cropped[1], layer.resized[1])[0]
        levels = _weighted_rows(levels.transpose(0, 2, 1), by_columns).transpose(0, 2, 1)
    top, left = offsets(layer.fielded, layer.resized)
    field = np.zeros((len(levels), *layer.fielded), kind)
    field[:, top : top + layer.resized[0], left : left + layer.resized[1]] = levels
    return field


def offsets(outer: tuple[int, int], inner: tuple[int, int]) -> tuple[int, int]:
    """Where a centred `inner` begins."""
    return (outer[0] - inner[0]) // 2, (outer[1] - inner[1]) // 2


def ranged(layer: Prepare, field: npt.NDArray[Any], dtype: npt.DTypeLike) -> Floats:
    """Integers 0 to `field_scale` as low..high."""
    values: Floats = (layer.low + (layer.high - layer.low) * (field / np.float64(field_scale(layer)))).astype(dtype)
    return values


def prepare(layer: Prepare, images_nyx: npt.NDArray[Any], dtype: npt.DTypeLike = np.float32) -> Floats:
    """Prepared images (n, rows, columns) in low..high."""
    return ranged(layer, integer_field(layer, checked_images(layer, images_nyx)), dtype)
