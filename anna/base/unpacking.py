"""Packed files and NumPy's arrays within a budget: what a header declares is added up before anything is unpacked."""

import gzip
import io
import math
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from anna.base.border import MIB, Budget, border

GZIP, ZIP, NPY = b"\x1f\x8b", b"PK", b"\x93NUMPY"
LARGEST_DIRECTORY = MIB  # bytes of a zip file's list of members: more than ten thousand
READABLE = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # all that NumPy writes
NUMBERS = "biufc"  # kinds of NumPy's types


def gunzipped(data: bytes, where: object, budget: Budget) -> bytes:
    """What a gzip file's bytes unpack to."""
    pieces, size = list[bytes](), 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            while piece := file.read(MIB):
                pieces.append(piece)
                size += len(piece)
                if size > budget.memory_bytes:
                    raise budget.error(f"{where}: unpacks to more than {budget.memory_bytes:,} bytes; expected {budget.name}")
    except (EOFError, OSError, zlib.error):
        raise budget.error(f"{where}: the gzip stream is cut off or damaged ({len(data)} bytes); fetch it again") from None
    return b"".join(pieces)


def npy_array(data: bytes, where: object, budget: Budget) -> NDArray[Any]:
    """The numbers in the bytes of an .npy file."""
    with border(where, budget):
        file = io.BytesIO(data)
        version = npy.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise budget.error(f"{where}: is .npy of version {version}; expected 1.0 or 2.0, which numbers have")
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, by_columns, dtype = read(file)
        if dtype.kind not in NUMBERS:
            raise budget.error(f"{where}: holds {dtype!s:.60}; expected numbers")
        count, start = math.prod(shape), file.tell()
        if any(n < 0 for n in shape) or count * dtype.itemsize != len(data) - start:
            raise budget.error(
                f"{where}: holds {len(data) - start:,} bytes after its header; expected {count * dtype.itemsize:,} for shape "
                f"{shape!r:.60}"
            )
        flat: NDArray[Any] = np.frombuffer(data, dtype, offset=start).copy()  # which may be written, unlike bytes
        return flat.reshape(shape, order="F" if by_columns else "C")


def npz_arrays(data: bytes, where: object, budget: Budget, *wanted: str) -> Mapping[str, NDArray[Any]]:
    """The arrays in the bytes of an .npz file by name, or those of them that are wanted."""
    with border(where, budget):
        _expect_directory(data, where, budget)
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            members = {one.filename.removesuffix(".npy"): one for one in file.infolist()}
            chosen = {name: one for name, one in members.items() if not wanted or name in wanted}
            budget.expect_memory(where, sum(one.file_size for one in chosen.values()), "its arrays")
            for name, one in chosen.items():
                if one.compress_type not in READABLE or one.flag_bits & 1:
                    raise budget.error(f"{where}: {name:.60} is packed in another way than NumPy does; save it by numpy.savez")
            return {name: npy_array(file.read(one), f"{where}: {name:.60}", budget) for name, one in chosen.items()}


def npz_names(data: bytes, where: object, budget: Budget) -> tuple[str, ...]:
    """The names of the arrays in the bytes of an .npz file."""
    with border(where, budget):
        _expect_directory(data, where, budget)
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            return tuple(name.removesuffix(".npy") for name in file.namelist())


def _expect_directory(data: bytes, where: object, budget: Budget) -> None:
    """Raise if the list of members is long: a record is made of each before any is read."""
    at = data.rfind(b"PK\5\6", -(1 << 16) - 22)
    if at < 0 or len(data) < at + 22:
        raise budget.error(f"{where}: is not a zip file, or cut off; expected {budget.name}")
    (size,) = struct.unpack_from("<I", data, at + 12)
    if size > LARGEST_DIRECTORY or data[max(0, at - 20) : max(0, at - 16)] == b"PK\6\7":
        raise budget.error(f"{where}: lists too many arrays; expected at most {LARGEST_DIRECTORY:,} bytes of names")
