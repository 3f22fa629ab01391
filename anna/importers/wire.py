"""Protocol-buffer messages as lists of fields: the few rules of the wire format that an ONNX file needs.

Read here rather than by a library, because a stranger's network is hostile until proven otherwise: every length is checked
against the data present, and a mismatch raises one sentence.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anna.base.border import ONNX
from anna.base.errors import FileError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
LONGEST_VARINT = 10
DEEPEST = 16
MOST_FIELDS = 1 << 20  # of a file; each becomes an object of some 300 bytes


@dataclass(frozen=True)
class Field:
    """One field: its number, how it was written, and its value (bytes, or a number's bits)."""

    number: int
    kind: int
    value: bytes | int


@dataclass
class Room:
    """What is left of a file's budget."""

    fields: int = MOST_FIELDS
    data_bytes: int = ONNX.memory_bytes  # of data that lies beside the model

    def take_field(self, what: str) -> None:
        """Room for one more field, or a FileError."""
        self.fields -= 1
        if self.fields < 0:
            raise FileError(f"{what}: has more than {MOST_FIELDS:,} fields; expected an ONNX model with its numbers packed")

    def take_data(self, what: str, size: int) -> None:
        """Room for so many bytes, or a FileError."""
        self.data_bytes -= size
        if self.data_bytes < 0:
            raise FileError(f"{what}: names more than {ONNX.memory_bytes:,} bytes of data beside the model")


class Message:
    """The fields of a message, looked up by number."""

    def __init__(self, data: bytes, what: str, depth: int = 0, room: Room | None = None) -> None:
        if depth > DEEPEST:
            raise FileError(f"{what}: is nested more than {DEEPEST} deep; expected an ONNX model")
        self.what, self.depth, self.room = what, depth, room or Room()
        self.fields: dict[int, list[Field]] = {}
        for field in _fields(data, what):
            self.room.take_field(what)
            self.fields.setdefault(field.number, []).append(field)

    def messages(self, number: int, what: str) -> list["Message"]:
        """Fields that are themselves messages."""
        return [self._inner(data, what) for data in self.blobs(number)]

    def message(self, number: int, what: str) -> "Message | None":
        """The last such message, if any."""
        found = self.blobs(number)
        return self._inner(found[-1], what) if found else None

    def _inner(self, data: bytes, what: str) -> "Message":
        return Message(data, f"{self.what}: {what}", self.depth + 1, self.room)

    def blobs(self, number: int) -> list[bytes]:
        """Fields of bytes."""
        found = []
        for field in self.fields.get(number, []):
            if not isinstance(field.value, bytes):
                raise FileError(f"{self.what}: field {number} is a number; expected bytes")
            found.append(field.value)
        return found

    def text(self, number: int) -> str:
        """The last text field, or an empty string."""
        found = self.blobs(number)
        return found[-1].decode("utf-8", "replace") if found else ""

    def texts(self, number: int) -> list[str]:
        """All text fields."""
        return [data.decode("utf-8", "replace") for data in self.blobs(number)]

    def integers(self, number: int) -> list[int]:
        """Integers, packed or not, as signed 64-bit values."""
        return [int(value) for value in self.integer_array(number)]

    def integer_array(self, number: int) -> NDArray[np.int64]:
        """The same as an array."""
        found = [np.zeros(0, np.uint64)]
        for field in self.fields.get(number, []):
            single = isinstance(field.value, int)
            found.append(np.array([field.value], np.uint64) if single else _varints(bytes(field.value), self.what))
        return np.concatenate(found).view(np.int64)

    def integer(self, number: int, default: int = 0) -> int:
        """The last integer."""
        found = self.integers(number)
        return found[-1] if found else default

    def floats(self, number: int) -> list[float]:
        """32-bit floats, packed or not."""
        return [float(value) for value in self.float_array(number)]

    def float_array(self, number: int) -> NDArray[np.float32]:
        """The same as an array."""
        found = [np.zeros(0, "<f4")]
        for field in self.fields.get(number, []):
            data = field.value if isinstance(field.value, bytes) else (field.value & 0xFFFFFFFF).to_bytes(4, "little")
            if len(data) % 4:
                raise FileError(f"{self.what}: a list of floats has {len(data)} bytes; expected a multiple of 4")
            found.append(np.frombuffer(data, "<f4"))
        return np.concatenate(found).astype(np.float32, copy=False)


def _fields(data: bytes, what: str) -> Iterator[Field]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at, what)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, at = _varint(data, at, what)
            yield Field(number, kind, value)
            continue
        if kind == BYTES:
            length, at = _varint(data, at, what)
        elif kind in (FIXED64, FIXED32):
            length = 8 if kind == FIXED64 else 4
        else:
            raise FileError(f"{what}: is not an ONNX model (unknown field type at byte {at})")
        if length > len(data) - at:
            raise FileError(f"{what}: ends after {len(data)} bytes, expected {at + length}; the file is cut short")
        piece, at = data[at : at + length], at + length
        yield Field(number, kind, piece if kind == BYTES else int.from_bytes(piece, "little"))


def _varint(data: bytes, at: int, what: str) -> tuple[int, int]:
    value = 0
    for k in range(LONGEST_VARINT):
        if at + k >= len(data):
            raise FileError(f"{what}: ends in the middle of a number; the file is cut short")
        byte = data[at + k]
        value |= (byte & 0x7F) << (7 * k)
        if not byte & 0x80:
            return value & ((1 << 64) - 1), at + k + 1
    raise FileError(f"{what}: is not an ONNX model (a number of more than {LONGEST_VARINT} bytes)")


def _varints(data: bytes, what: str) -> NDArray[np.uint64]:
    """All numbers of a packed list."""
    digits = np.frombuffer(data, np.uint8)
    last = np.flatnonzero(digits < 0x80)
    if not len(digits):
        return np.zeros(0, np.uint64)
    if not len(last) or last[-1] != len(digits) - 1:
        raise FileError(f"{what}: ends in the middle of a number; the file is cut short")
    first = np.concatenate([[0], last[:-1] + 1])
    if int((last - first).max()) >= LONGEST_VARINT:
        raise FileError(f"{what}: is not an ONNX model (a number of more than {LONGEST_VARINT} bytes)")
    found = np.zeros(len(first), np.uint64)
    for k in range(int((last - first).max()) + 1):
        mine = first + k <= last
        found[mine] |= (digits[first[mine] + k].astype(np.uint64) & np.uint64(0x7F)) << np.uint64(7 * k)
    return found
