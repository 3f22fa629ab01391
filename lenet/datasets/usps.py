"""The zip-code digits of 1989 (USPS), 7,291 for training and 2,007 for testing, in either of their two file formats.

`usps.h5` holds groups train and test with data (n, 256) in 0..1 and target (n), and needs the optional package h5py.
`zip.train.gz` and `zip.test.gz` are text, one digit per line: the label and 256 numbers in -1..1. Both hold the
same values with three decimals; each becomes the nearest grey level of 0..255, which moves a pixel by at most 0.2 % of
the range.
"""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from anna.base.border import USPS_HDF5, USPS_TEXT, border
from anna.base.errors import DataError
from lenet.datasets.idx import unpacked
from lenet.datasets.labelled import Pair

STEPS = 2000  # -1..1 in steps of 0.001


def read_usps(folder: Path, part: str) -> Pair:
    """Images (n, 16, 16) and labels of a part, from whichever file is in `folder`."""
    if (folder / "usps.h5").is_file():
        return _read_hdf5(folder / "usps.h5", part)
    for name in (f"zip.{part}.gz", f"zip.{part}"):
        if (folder / name).is_file():
            return read_zip_text(folder / name)
    raise DataError(f"{folder}: holds none of usps.h5, zip.{part}.gz and zip.{part}; run `anna data fetch usps`")


def grey_levels(where: str, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Values 0..1 as grey levels, by integer arithmetic in steps of 1/2000."""
    if values.ndim != 2 or values.shape[1] != 256 or not len(values):
        raise DataError(f"{where}: images have shape {values.shape}; expected (n, 256)")
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
        raise DataError(f"{where}: a pixel is NaN or out of range; expected values from 0 (paper) to 1 (ink)")
    steps = np.rint(values.astype(np.float64) * STEPS).astype(np.int64)
    return ((steps * 255 + STEPS // 2) // STEPS).astype(np.uint8).reshape(-1, 16, 16)


def _labels(where: str, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    if values.ndim != 1 or values.dtype.kind not in "iuf" or not np.isin(values, np.arange(10)).all():
        raise DataError(f"{where}: labels are not integers from 0 to 9")
    return values.astype(np.uint8)


def _read_hdf5(path: Path, part: str) -> Pair:
    try:
        import h5py  # type: ignore[import-untyped,unused-ignore]
    except ImportError:
        raise DataError(
            f"{path}: reading HDF5 needs the package h5py, which is not installed; install it or use zip.{part}.gz"
        ) from None
    with border(path, USPS_HDF5):
        USPS_HDF5.expect_size(path, path.stat().st_size)
        try:
            with h5py.File(path, "r") as file:
                values, labels = (_numbers(path, file[part][name]) for name in ("data", "target"))
        except (OSError, KeyError, zlib.error) as error:
            raise DataError(
                f"{path}: cannot be read as HDF5 with {part}/data and {part}/target ({error}); fetch it again"
            ) from None
        if values.ndim != 2 or labels.shape != values.shape[:1]:
            raise DataError(
                f"{path}: holds images of shape {values.shape} and labels of shape {labels.shape}; expected (n, 256)"
            )
        return grey_levels(str(path), values), _labels(str(path), labels)


def _numbers(path: Path, stored: Any) -> npt.NDArray[Any]:
    """A data set of numbers in an HDF5 file, whose memory its own header declares."""
    for shape in (stored.shape, stored.chunks or ()):
        USPS_HDF5.expect_memory(path, math.prod(shape) * stored.dtype.itemsize, stored.name)
    if stored.dtype.kind not in "iuf":
        raise DataError(f"{path}: {stored.name} holds {stored.dtype}; expected numbers")
    return np.asarray(stored[:])


def read_zip_text(path: Path) -> Pair:
    """Images and labels of a zip.train or zip.test text file, plain or gzipped."""
    data = unpacked(path, USPS_TEXT)
    USPS_TEXT.expect_memory(path, (data.count(b"\n") + 1) * 257 * 8, "its lines")
    lines = data.decode("ascii", "replace").split("\n")
    if lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise DataError(f"{path}: is empty; expected a label and 256 numbers in each line")
    rows = np.empty((len(lines), 257))
    for number, line in enumerate(lines):
        words = line.split()
        try:
            rows[number] = [float(word) for word in words]
        except ValueError:
            raise DataError(f"{path}: line {number + 1} holds {len(words)} words; expected a label and 256 numbers") from None
    return grey_levels(str(path), (rows[:, 1:] + 1) / 2), _labels(str(path), rows[:, 0])
