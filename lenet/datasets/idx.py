"""MNIST's IDX format: a header of big-endian sizes, then bytes; plain or gzipped, every size checked."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from anna.base.border import IDX, Budget, read_bytes
from anna.base.errors import DataError
from anna.base.unpacking import GZIP, gunzipped

UINT8 = 0x08  # the type byte of an IDX file of unsigned bytes


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """The array in an IDX file of unsigned bytes."""
    return decode_idx(unpacked(path), str(path))


def unpacked(path: Path, budget: Budget = IDX) -> bytes:
    """The file's bytes, unpacked if it is a gzip file."""
    raw = read_bytes(path, budget)
    return gunzipped(raw, path, budget) if raw.startswith(GZIP) else raw


def decode_idx(data: bytes, where: str) -> npt.NDArray[np.uint8]:
    """The array in the bytes of an IDX file; `where` names the file in messages."""
    if len(data) < 4 or data[:2] != b"\0\0":
        raise DataError(f"{where}: does not start like an IDX file; expected two zero bytes, a type and a number of axes")
    if data[2] != UINT8:
        raise DataError(f"{where}: holds IDX type 0x{data[2]:02x}; expected 0x08, unsigned bytes")
    axes = data[3]
    if not 1 <= axes <= 4 or len(data) < 4 + 4 * axes:
        raise DataError(f"{where}: declares {axes} axes in {len(data)} bytes; expected 1 to 4 axes with a size each")
    shape = struct.unpack(f">{axes}I", data[4 : 4 + 4 * axes])
    expected = 1
    for size in shape:
        expected *= size
    body = len(data) - 4 - 4 * axes
    if body != expected:
        raise DataError(f"{where}: holds {body} bytes after the header; expected {expected} for shape {shape}")
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(shape).copy()


def encode_idx(array: npt.NDArray[Any]) -> bytes:
    """The bytes of an IDX file of unsigned bytes."""
    if array.dtype != np.uint8:
        raise DataError(f"array is {array.dtype}; expected uint8 for an IDX file")
    return bytes((0, 0, UINT8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write_idx_gz(path: Path, array: npt.NDArray[Any]) -> None:
    """Writes a gzipped IDX file whose bytes depend only on the array (no time or name in the gzip header)."""
    path.write_bytes(gzip.compress(encode_idx(array), compresslevel=9, mtime=0))
