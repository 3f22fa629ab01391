"""Reads images and state codes: those of a data set by name, or an .npy, .npz or IDX file; everything is checked here."""

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.border import IMAGES, border, read_bytes
from anna.base.errors import DataError
from anna.base.unpacking import GZIP, NPY, ZIP, gunzipped, npy_array, npz_arrays, npz_names
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
    budget = IMAGES.called(name)
    with border(path, budget):
        data = read_bytes(path, budget)
        if data.startswith(GZIP):
            data = gunzipped(data, path, budget)
        if data.startswith(NPY):
            return _numbers(path, npy_array(data, path, budget), floats)
        if data.startswith(ZIP):
            return _numbers(path, _only_array(path, data, name), floats)
        if data.startswith(b"\0\0"):
            return _idx(path, data)
    raise DataError(f"{path}: is neither .npy, .npz nor IDX; expected {name} as integers")


def _only_array(path: Path, data: bytes, name: str) -> NDArray[Any]:
    names = npz_names(data, path, IMAGES)
    found = name if name in names else names[0] if len(names) == 1 else None
    if found is None:
        raise DataError(f"{path}: holds {', '.join(names) or 'no arrays'}; expected a single array, or one named {name}")
    return npz_arrays(data, path, IMAGES.called(name), found)[found]


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
    return read_images(Path(source)), _labels(Path(source))


def read_labelled(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """The arrays `images` and `labels` in an .npz file."""
    images = read_images(path)
    if (labels := _labels(path)) is not None:
        return images, labels
    raise DataError(f"{path}: holds images without labels; expected an .npz file with the arrays images and labels")


def _labels(path: Path) -> NDArray[Any] | None:
    """The labels in an .npz file; None if it has none, or is another kind of file."""
    budget = IMAGES.called("images and labels")
    data = read_bytes(path, budget)
    return npz_arrays(data, path, budget, "labels").get("labels") if data.startswith(ZIP) else None


def _idx(path: Path, data: bytes) -> NDArray[Any]:
    kind, axes = (data[2], data[3]) if len(data) >= 4 else (0, 0)
    if kind not in _IDX_TYPES or not 1 <= axes <= 4:
        raise DataError(f"{path}: is IDX of type {kind:#x} with {axes} axes; expected integers with 1 to 4 axes")
    start, dtype = 4 + 4 * axes, _IDX_TYPES[kind]
    shape = struct.unpack(f">{axes}I", data[4:start]) if len(data) >= start else (-1,)
    expected = math.prod(shape)
    if len(data) - start != expected * dtype.itemsize:
        held = max(0, len(data) - start) / dtype.itemsize
        raise DataError(f"{path}: holds {held:g} numbers; its header says {expected}")
    return np.frombuffer(data, dtype, offset=start).reshape(shape)


def _numbers(path: Path, array: NDArray[Any], floats: bool) -> NDArray[Any]:
    if floats and array.dtype in (np.float32, np.float64):
        return array
    if not np.issubdtype(array.dtype, np.integer):
        raise DataError(f"{path}: holds {array.dtype}; expected integers")
    return array
