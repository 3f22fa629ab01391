"""Reads images and state codes: those of a data set by name, or an .npy, .npz or IDX file; everything is checked here."""

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
from lenet.datasets.labelled import first_of_each_class

_IDX_TYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype("u1"), 0x09: np.dtype("i1"), 0x0B: np.dtype(">i2"), 0x0C: np.dtype(">i4"),
}  # fmt: skip


def read_images(path: Path) -> NDArray[Any]:
    """The images in a file, one per index of the first axis: grey levels or floats. Nothing is executed or unpickled."""
    return _read(path, "images", floats=True)


def read_codes(path: Path, shape: tuple[int, ...]) -> NDArray[Any]:
    """The state codes in a file, one image per index of the first axis; the axis of a single map may be left out."""
    codes = _read(path, "codes", floats=False)
    alone = shape[:1] == (1,) and codes.shape[1:] == shape[1:]  # 28x28 for a region of 1x28x28
    return codes[:, None] if alone and codes.ndim == len(shape) else codes


def _read(path: Path, name: str, floats: bool) -> NDArray[Any]:
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        if data[:6] == b"\x93NUMPY":
            return _numbers(path, np.load(path, allow_pickle=False), floats)
        if data[:2] == b"PK":
            return _numbers(path, _only_array(path, name), floats)
        if data[:2] == b"\0\0":
            return _idx(path, data)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error, struct.error) as error:
        raise DataError(f"{path}: cannot be read as {name} ({error})") from None
    raise DataError(f"{path}: is neither .npy, .npz nor IDX; expected {name} as integers")


def _only_array(path: Path, name: str) -> NDArray[Any]:
    with np.load(path, allow_pickle=False) as arrays:
        found = name if name in arrays.files else arrays.files[0] if len(arrays.files) == 1 else None
        if found is None:
            raise DataError(
                f"{path}: holds {', '.join(arrays.files) or 'no arrays'}; expected a single array, or one named {name}"
            )
        return np.asarray(arrays[found])


def images_and_labels(source: str, count: int | None = None) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """The images of a named source (`holdout` is built in) or a file, and their labels if known. With `count`, that many:
    evenly from all classes if there are labels, otherwise the first."""
    images, labels = _images_and_labels(source)
    if count is None:
        return images, labels
    if not 0 <= count <= len(images):
        raise DataError(f"{count} images requested, but {source} has {len(images)}")
    if labels is None or len(labels) != len(images):
        return images[:count], labels
    chosen = first_of_each_class(labels, count)
    return images[chosen], labels[chosen]


def _images_and_labels(source: str) -> tuple[NDArray[Any], NDArray[Any] | None]:
    from lenet.datasets.registry import SOURCES
    from sim.inputs.digits import labelled_images

    if source in SOURCES:
        found = labelled_images(source)
        return found.images, found.labels
    path = Path(source)
    return read_images(path), _labels(path) if zipfile.is_zipfile(path) else None


def read_labelled(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """The arrays `images` and `labels` in an .npz file."""
    images = read_images(path)
    labels = _labels(path) if zipfile.is_zipfile(path) else None
    if labels is not None:
        return images, labels
    raise DataError(f"{path}: holds images without labels; expected an .npz file with the arrays images and labels")


def _labels(path: Path) -> NDArray[Any] | None:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return np.asarray(arrays["labels"]) if "labels" in arrays.files else None
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path}: cannot be read as images and labels ({error})") from None


def _idx(path: Path, data: bytes) -> NDArray[Any]:
    kind, axes = data[2], data[3]
    if kind not in _IDX_TYPES or not 1 <= axes <= 4:
        raise DataError(f"{path}: is IDX of type {kind:#x} with {axes} axes; expected integers with 1 to 4 axes")
    shape = struct.unpack(f">{axes}I", data[4 : 4 + 4 * axes])
    array: NDArray[Any] = np.frombuffer(data, _IDX_TYPES[kind], offset=4 + 4 * axes)
    expected = math.prod(shape)
    if array.size != expected:
        raise DataError(f"{path}: holds {array.size} numbers; its header says {expected}")
    return array.reshape(shape)


def _numbers(path: Path, array: NDArray[Any], floats: bool) -> NDArray[Any]:
    if floats and array.dtype in (np.float32, np.float64):
        return array
    if not np.issubdtype(array.dtype, np.integer):
        raise DataError(f"{path}: holds {array.dtype}; expected integers")
    return array
