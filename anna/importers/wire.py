"""Protocol-buffer messages as lists of fields: the few rules of the wire format that an ONNX file needs.

Read here rather than by a library, because a stranger's network is hostile until proven otherwise: every length is checked
against the data present, and a mismatch raises one sentence.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from anna.base.errors import FileError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
LONGEST_VARINT = 10
DEEPEST = 16


@dataclass(frozen=True)
class Field:
    """One field: its number, how it was written, and its value (bytes, or a number's bits)."""

    number: int
    kind: int
    value: bytes | int


class Message:
    """The fields of a message, looked up by number."""

    def __init__(self, data: bytes, what: str, depth: int = 0) -> None:
        if depth > DEEPEST:
            raise FileError(f"{what}: is nested more than {DEEPEST} deep; expected an ONNX model")
        self.what, self.depth = what, depth
        self.fields: dict[int, list[Field]] = {}
        for field in _fields(data, what):
            self.fields.setdefault(field.number, []).append(field)

    def messages(self, number: int, what: str) -> list["Message"]:
        """Fields that are themselves messages."""
        return [Message(data, f"{self.what}: {what}", self.depth + 1) for data in self.blobs(number)]

    def message(self, number: int, what: str) -> "Message | None":
        """The last such message, if any."""
        found = self.blobs(number)
        return Message(found[-1], f"{self.what}: {what}", self.depth + 1) if found else None

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
        found = []
        for field in self.fields.get(number, []):
            if isinstance(field.value, int):
                found.append(field.value)
            else:
                at, data = 0, field.value
                while at < len(data):
                    value, at = _varint(data, at, self.what)
                    found.append(value)
        return [value - (1 << 64) if value >= 1 << 63 else value for value in found]

    def integer(self, number: int, default: int = 0) -> int:
        """The last integer."""
        found = self.integers(number)
        return found[-1] if found else default

    def floats(self, number: int) -> list[float]:
        """32-bit floats, packed or not."""
        found = []
        for field in self.fields.get(number, []):
            data = field.value if isinstance(field.value, bytes) else struct.pack("<I", field.value & 0xFFFFFFFF)
            if len(data) % 4:
                raise FileError(f"{self.what}: a list of floats has {len(data)} bytes; expected a multiple of 4")
            found += [value for (value,) in struct.iter_unpack("<f", data)]
        return found


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
