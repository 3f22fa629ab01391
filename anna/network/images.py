"""Pictures of floats as a network takes them: checked, and turned where they come with their axes otherwise; and what
tells pictures of any kind apart."""

from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import DataError
from anna.network.parts import Shape


def picture_keys(pictures: NDArray[Any]) -> NDArray[np.uint64]:
    """A key for each picture, the same in whatever type its numbers come; 8 bytes, so that unlike ones hardly ever share it."""
    digests = (blake2b(np.ascontiguousarray(one, "<f4").tobytes(), digest_size=8).digest() for one in pictures)
    return np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)


def float_pictures(shape: Shape, pictures: NDArray[Any], what: str = "pictures") -> NDArray[Any]:
    """Pictures (n, maps, rows, columns) of finite floats.

    Also taken: the maps last, as Keras has them; without an axis for a single map; flat, where a single map or a flat
    vector is wanted.
    """
    if pictures.dtype not in (np.float32, np.float64):
        raise DataError(
            f"{what} are {pictures.dtype}; expected float32 or float64, for this network prepares no raw pictures: give them "
            "in the range that it was trained on"
        )
    found = _turned(shape, pictures)
    if found is None:
        raise DataError(f"{what} have shape {pictures.shape}; expected (n, {shape[0]}, {shape[1]}, {shape[2]})")
    if not np.isfinite(found).all():
        bad = int(np.flatnonzero(~np.isfinite(found).all(axis=(1, 2, 3)))[0])
        raise DataError(f"{what[:-1]} {bad} holds NaN or infinite values; expected finite ones")
    return found


def _turned(shape: Shape, pictures: NDArray[Any]) -> NDArray[Any] | None:
    maps, rows, columns = shape
    each = pictures.shape[1:]
    if each == shape:
        return pictures
    if each == (rows, columns, maps):
        return pictures.transpose(0, 3, 1, 2)
    flat_means_one_thing = maps == 1 or rows == columns == 1
    if each == (rows, columns) or (flat_means_one_thing and each == (maps * rows * columns,)):
        return pictures.reshape(len(pictures), *shape) if flat_means_one_thing else None
    return None
