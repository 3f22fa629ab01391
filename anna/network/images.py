"""Float images as a network takes them, checked and with their axes in order; and keys that tell images apart."""

from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import DataError
from anna.network.parts import Shape


def image_keys(images: NDArray[Any]) -> NDArray[np.uint64]:
    """A key for each image, whatever the type of its numbers; 8 bytes, so that different images hardly ever share one."""
    digests = (blake2b(np.ascontiguousarray(one, "<f4").tobytes(), digest_size=8).digest() for one in images)
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)


def float_images(shape: Shape, images: NDArray[Any], what: str = "images") -> NDArray[Any]:
    """Images (n, maps, rows, columns) of finite floats.

    Also accepted: maps last, as in Keras; no axis where it would have length 1; flat, for a single map or a flat vector.
    """
    if images.dtype not in (np.float32, np.float64):
        raise DataError(
            f"{what} are {images.dtype}; expected float32 or float64: this network does not prepare raw images, so give them "
            "in the range it was trained on"
        )
    found = _maps_first(shape, images)
    if found is None:
        raise DataError(f"{what} have shape {images.shape}; expected (n, {shape[0]}, {shape[1]}, {shape[2]})")
    if not np.isfinite(found).all():
        bad = int(np.flatnonzero(~np.isfinite(found).all(axis=(1, 2, 3)))[0])
        raise DataError(f"{what[:-1]} {bad} holds NaN or infinite values; expected finite ones")
    return found


def _maps_first(shape: Shape, images: NDArray[Any]) -> NDArray[Any] | None:
    maps, rows, columns = shape
    each = images.shape[1:]
    if each == shape:
        return images
    if each == (rows, columns, maps):
        return images.transpose(0, 3, 1, 2)
    flat_is_unambiguous = maps == 1 or rows == columns == 1
    if len(each) < 3 and [n for n in each if n > 1] == [n for n in shape if n > 1]:
        return images.reshape(len(images), *shape)
    if each == (rows, columns) or (flat_is_unambiguous and each == (maps * rows * columns,)):
        return images.reshape(len(images), *shape) if flat_is_unambiguous else None
    return None
