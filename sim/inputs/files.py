"""Images that a user names: a data set that is here, or a file, .npy, .npz or IDX, checked at the border."""

import gzip
import math
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import DataError

_IDX_TYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype("u1"), 0x09: np.dtype("i1"), 0x0B: np.dtype(">i2"), 0x0C: np.dtype(">i4"),
}  # fmt: skip


def read_images(path: Path, floats: bool = False) -> NDArray[Any]:
    """The images of a file, first axis the number: whole numbers, or `floats` too. Nothing is executed or unpickled."""
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        if data[:6] == b"\x93NUMPY":
            return _numbers(path, np.load(path, allow_pickle=False), floats)
        if data[:2] == b"PK":
            return _numbers(path, _only_array(path), floats)
        if data[:2] == b"\0\0":
            return _idx(path, data)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error, struct.error) as error:
        raise DataError(f"{path}: is not a whole file of images ({error})") from None
    raise DataError(f"{path}: is neither .npy, .npz nor IDX; expected images as whole numbers")


def _only_array(path: Path) -> NDArray[Any]:
    with np.load(path, allow_pickle=False) as arrays:
        name = "images" if "images" in arrays.files else arrays.files[0] if len(arrays.files) == 1 else None
        if name is None:
            raise DataError(f"{path}: holds {', '.join(arrays.files) or 'no arrays'}; expected one array, or one called images")
        return np.asarray(arrays[name])


def images_and_labels(where: str, floats: bool) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """The digits of that name, where there are some (`holdout` is built in), else the images of a file; and their labels,
    where these are known."""
    from lenet.datasets.registry import SOURCES
    from sim.inputs.digits import labelled_images

    if where in SOURCES:
        if not floats:
            raise DataError(f"{where}: holds grey levels, which only a compiled network takes; expected a file of state codes")
        digits = labelled_images(where)
        return digits.images, digits.labels
    path = Path(where)
    images = read_images(path, floats)
    if not floats or not zipfile.is_zipfile(path):
        return images, None
    return images, _labels(path)


def read_labelled(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """The arrays `images` and `labels` of an .npz file."""
    images = read_images(path, floats=True)
    labels = _labels(path) if zipfile.is_zipfile(path) else None
    if labels is not None:
        return images, labels
    raise DataError(f"{path}: holds images without labels; expected an .npz file with the arrays images and labels")


def _labels(path: Path) -> NDArray[Any] | None:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return np.asarray(arrays["labels"]) if "labels" in arrays.files else None
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path}: is not a whole file of images and labels ({error})") from None


def _idx(path: Path, data: bytes) -> NDArray[Any]:
    kind, axes = data[2], data[3]
    if kind not in _IDX_TYPES or not 1 <= axes <= 4:
        raise DataError(f"{path}: is IDX of type {kind:#x} with {axes} axes; expected whole numbers with 1 to 4 axes")
    shape = struct.unpack(f">{axes}I", data[4 : 4 + 4 * axes])
    array: NDArray[Any] = np.frombuffer(data, _IDX_TYPES[kind], offset=4 + 4 * axes)
    expected = math.prod(shape)
    if array.size != expected:
        raise DataError(f"{path}: holds {array.size} numbers; its head announces {expected}")
    return array.reshape(shape)


def _numbers(path: Path, array: NDArray[Any], floats: bool) -> NDArray[Any]:
    if floats and array.dtype in (np.float32, np.float64):
        return array
    if not np.issubdtype(array.dtype, np.integer):
        raise DataError(f"{path}: holds {array.dtype}; expected whole numbers")
    return array
