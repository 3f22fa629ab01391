"""MNIST's IDX format: a header of big-endian sizes, then bytes; plain or gzipped, every size checked."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from anna.base.errors import DataError

UINT8 = 0x08  # the type byte of an IDX file of unsigned bytes
LARGEST = 2**31  # bytes unpacked; MNIST's largest file has 47 million


def read_idx(path: Path) -> npt.NDArray[np.uint8]:
    """The array in an IDX file of unsigned bytes."""
    return decode_idx(unpacked(path), str(path))


def unpacked(path: Path) -> bytes:
    """The file's bytes, unpacked if it is a gzip file."""
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}); expected an IDX file") from None
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        with gzip.open(path, "rb") as packed:
            data = packed.read(LARGEST + 1)
    except (EOFError, OSError, zlib.error):
        raise DataError(f"{path}: the gzip stream is cut off or damaged ({len(raw)} bytes); fetch it again") from None
    if len(data) > LARGEST:
        raise DataError(f"{path}: unpacks to more than {LARGEST} bytes; expected an IDX file of digits")
    return data


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
