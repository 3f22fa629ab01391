"""Turns a good file into a bad one, the same for the same random numbers: its bytes, or values of a format with a structure."""

import copy
import gzip
import io
import json
import re
import struct
import zipfile
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np

from anna.base import container

Mutator = Callable[[Random, Sequence[bytes]], bytes]

EXTREMES = (0, 1, 2, 7, 127, 128, 255, 256, 32767, 65535, 65536, 1 << 20, 1 << 24, 1 << 28, (1 << 31) - 1, 1 << 31,
            (1 << 32) - 1, 1 << 32, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, 10**30)  # fmt: skip
STRANGE = (None, True, False, "", "x", "\0", "../../x", "é\u202e", [], {}, [[]], [0], -1, 0.5, 1e308, -1e308, 5e-324,
           float("nan"), float("inf"), "1" * 5000, *EXTREMES, *(-number for number in EXTREMES[3:]))  # fmt: skip
WORDS = (b"0", b"-1", b"1", b"2", b"3", b"16", b"4096", b"65536", b"268435456", b"4294967296", b"18446744073709551616",
         b"9" * 30, b"1e999", b"nan", b"-inf", b"none", b"\xff", b"\0", b"=", b",", b"[", b"{", b"\"", b"[[[[",
         b"x")  # fmt: skip


# --- bytes of any file ------------------------------------------------------------------------------------------------
def of_bytes(rng: Random, seeds: Sequence[bytes]) -> bytes:
    """One to four small changes, most of them near the beginning, where headers are."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = rng.choice(_CHANGES)(rng, data, seeds)
    return bytes(data)


def _place(rng: Random, data: bytearray) -> int:
    return rng.randrange(min(len(data), rng.choice((16, 64, 512, len(data), len(data)))) or 1) if data else 0


def _flipped(rng: Random, data: bytearray, _: Sequence[bytes]) -> bytearray:
    if data:
        data[_place(rng, data)] ^= 1 << rng.randrange(8)
    return data


def _cut(rng: Random, data: bytearray, _: Sequence[bytes]) -> bytearray:
    return data[: _place(rng, data)]


def _number(rng: Random, data: bytearray, _: Sequence[bytes]) -> bytearray:
    at, size = _place(rng, data), rng.choice((1, 2, 4, 8))
    value = rng.choice(EXTREMES) & (1 << 8 * size) - 1
    data[at : at + size] = value.to_bytes(size, rng.choice(("little", "big")))
    return data


def _spliced(rng: Random, data: bytearray, seeds: Sequence[bytes]) -> bytearray:
    other = rng.choice(seeds)
    return data[: _place(rng, data)] + other[rng.randrange(len(other) + 1) :]


def _repeated(rng: Random, data: bytearray, _: Sequence[bytes]) -> bytearray:
    at, size = _place(rng, data), rng.choice((1, 4, 16, 256))
    return data[:at] + data[at : at + size] * rng.choice((2, 3, 17)) + data[at + size :]


def _removed(rng: Random, data: bytearray, _: Sequence[bytes]) -> bytearray:
    at = _place(rng, data)
    return data[:at] + data[at + rng.choice((1, 2, 4, 8, 64)) :]


def _digits(rng: Random, data: bytearray, _: Sequence[bytes]) -> bytearray:
    """Another word in the place of a number in a text."""
    found = list(re.finditer(rb"[0-9]+", bytes(data[:65536])))
    if found:
        one = rng.choice(found)
        data[one.start() : one.end()] = rng.choice(WORDS)
    return data


_CHANGES = (_flipped, _flipped, _flipped, _cut, _number, _number, _spliced, _repeated, _removed, _digits)


# --- texts ------------------------------------------------------------------------------------------------------------
def of_text(rng: Random, seeds: Sequence[bytes]) -> bytes:
    """Lines and words moved, repeated, left out, or replaced."""
    lines = rng.choice(seeds).splitlines() or [b""]
    for _ in range(rng.choice((1, 1, 2, 3))):
        at = rng.randrange(len(lines))
        match rng.randrange(6):
            case 0:
                lines.insert(at, rng.choice(rng.choice(seeds).splitlines() or [b""]))
            case 1:
                lines[at : at + 1] = []
                lines = lines or [b""]
            case 2:
                lines[at] = lines[at] * rng.choice((2, 50))
            case _:
                words = re.split(rb"([^A-Za-z0-9.+-]+)", lines[at])
                words[rng.randrange(len(words))] = rng.choice(WORDS) if rng.random() < 0.8 else rng.choice(lines)
                lines[at] = b"".join(words)
    return b"\n".join(lines) + b"\n"


# --- JSON, and safetensors with JSON in front, the checksum made right again ------------------------------------------
def changed_json(rng: Random, value: Any) -> Any:
    """A JSON value with one of its parts changed."""
    value, places = copy.deepcopy(value), list[tuple[Any, Any]]()
    _collect(value, places)
    if not places:
        return rng.choice(STRANGE)
    parent, key = rng.choice(places)
    old = parent[key]
    match rng.randrange(6):
        case 0 if isinstance(parent, dict):
            del parent[key]
        case 1:
            parent[key] = [old, old] if not isinstance(old, list) else old * rng.choice((0, 2, 40))
        case 2 if type(old) is int:
            parent[key] = rng.choice((old + 1, old - 1, -old, old * 2, old * 1000))
        case 3:
            other, name = rng.choice(places)
            parent[key] = copy.deepcopy(other[name])
        case _:
            parent[key] = rng.choice(STRANGE)
    return value


def _collect(value: Any, places: list[tuple[Any, Any]]) -> None:
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        places.append((value, key))
        _collect(value[key], places)


def of_json(rng: Random, seeds: Sequence[bytes]) -> bytes:
    """A JSON file with one to three of its values changed."""
    value = json.loads(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 2, 3))):
        value = changed_json(rng, value)
    return json.dumps(value).encode()


def of_container(rng: Random, seeds: Sequence[bytes]) -> bytes:
    """A file of ours with changed content or tensors, and a checksum that fits them."""
    key, content, tensors = opened(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if rng.random() < 0.65 or not tensors:
            content = changed_json(rng, content)
        else:
            name = rng.choice(sorted(tensors))
            match rng.randrange(6):
                case 0:
                    del tensors[name]
                case 1:
                    tensors[rng.choice((name + "x", "a", *tensors))] = tensors[name]
                case _:
                    tensors[name] = changed_array(rng, tensors[name])
    if not isinstance(content, dict):
        content = {"format": content}
    try:
        if rng.random() < 0.9 and {"spec", "curve"} & content.keys():  # a network has no checksum: one too many is refused
            content = {**content, container.CHECKSUM: container.checksum(content, tensors)}
        return container.save({name: np.ascontiguousarray(one) for name, one in tensors.items()}, {key: json.dumps(content)})
    except (TypeError, ValueError, KeyError):  # not-a-number in JSON, or a type that safetensors has no name for
        return of_bytes(rng, seeds)


def opened(data: bytes) -> tuple[str, Any, dict[str, Any]]:
    """The one metadata key, its JSON and the tensors of a good file."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    ((key, text),) = header.pop("__metadata__").items()
    kinds = {"F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8", "U8": "u1", "U16": "<u2", "U32": "<u4", "U64": "<u8"}
    tensors = {}
    for name, one in header.items():
        begin, end = (8 + size + offset for offset in one["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:end], kinds[one["dtype"]]).reshape(one["shape"]).copy()
    return key, json.loads(text), tensors


def changed_array(rng: Random, array: Any) -> Any:
    """An array of another type, shape or content."""
    flat = array.reshape(-1)
    match rng.randrange(8):
        case 0:
            with np.errstate(all="ignore"):
                return array.astype(rng.choice(("<f4", "<f8", "<i4", "<u2", "u1", "<u8")))
        case 1:
            return flat
        case 2:
            return array[: rng.randrange(len(array) + 1)] if array.ndim else array
        case 3:
            return array[None]
        case 4:
            return np.concatenate([array, array]) if array.ndim else array
        case _:
            if flat.size:
                where = [rng.randrange(flat.size) for _ in range(rng.choice((1, 1, 3, 50)))]
                if array.dtype.kind == "f":
                    flat[where] = rng.choice((0.0, -0.0, np.nan, np.inf, 1e30, -1e30, 1e-40, 0.5))
                else:
                    top = np.iinfo(array.dtype)
                    values = (flat[where[0]] ^ (1 << rng.randrange(8 * array.itemsize - 1)), top.max, top.min, 0, 1)
                    flat[where] = np.array(int(rng.choice(values)) & int(top.max), array.dtype)
            return array


# --- packed files -----------------------------------------------------------------------------------------------------
def within_gzip(mutate: Mutator) -> Mutator:
    """A gzip file whose content is changed; now and then that of the gzip file itself."""

    def mutated(rng: Random, seeds: Sequence[bytes]) -> bytes:
        if rng.random() < 0.4:
            return of_bytes(rng, seeds)
        return gzip.compress(mutate(rng, [gzip.decompress(one) for one in seeds]), 1, mtime=0)

    return mutated


def of_npy(rng: Random, seeds: Sequence[bytes]) -> bytes:
    """An .npy file with another header."""
    data = rng.choice(seeds)
    (size,) = struct.unpack_from("<H", data, 8)
    header, body = data[10 : 10 + size], data[10 + size :]
    header = bytes(_digits(rng, bytearray(header), ())) if rng.random() < 0.6 else of_bytes(rng, [header])
    return data[:8] + struct.pack("<H", len(header) & 0xFFFF) + header + body


def of_npz(rng: Random, seeds: Sequence[bytes]) -> bytes:
    """An .npz file with changed members, packed in some way."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(rng.choice(seeds))) as given:
        members = {name: given.read(name) for name in given.namelist()}
    ways = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2)
    way = rng.choice((*ways[:2], *ways))
    with zipfile.ZipFile(out, "w") as file:
        for name, data in members.items():
            if rng.random() < 0.85:
                changed = rng.choice((of_npy, of_bytes))(rng, [data]) if rng.random() < 0.6 else data
                file.writestr(zipfile.ZipInfo(name), changed, way)  # without the time, which would be another each time
    return of_bytes(rng, [out.getvalue()]) if rng.random() < 0.3 else out.getvalue()


# --- protocol buffers -------------------------------------------------------------------------------------------------
def of_onnx(rng: Random, seeds: Sequence[bytes]) -> bytes:
    """An ONNX file with some fields changed, and all lengths made right again."""
    data = rng.choice(seeds)
    for _ in range(rng.choice((1, 1, 2, 3))):
        data = _changed_message(rng, data, rng.choice(seeds), 0)
    return data


def _changed_message(rng: Random, data: bytes, other: bytes, depth: int) -> bytes:
    fields = _wire(data)
    if not fields:
        return bytes(rng.choice(_CHANGES)(rng, bytearray(data), [data, other]))
    at = rng.randrange(len(fields))
    number, kind, value = fields[at]
    deeper = kind == 2 and isinstance(value, bytes) and depth < 5 and rng.random() < 0.85
    match rng.randrange(8):
        case _ if deeper:
            assert isinstance(value, bytes)
            fields[at] = number, kind, _changed_message(rng, value, other, depth + 1)
        case 0:
            del fields[at]
        case 1:
            fields.insert(rng.randrange(len(fields)), fields[at])
        case 2:
            fields[at] = rng.choice((1, 2, 3, 5, 7, 8, 9, 20, number + 1)), kind, value
        case _ if isinstance(value, int):
            fields[at] = number, kind, rng.choice(EXTREMES) & (1 << 64) - 1
        case _:
            fields[at] = number, kind, bytes(rng.choice(_CHANGES)(rng, bytearray(value), [data]))
    return b"".join(_wired(*field) for field in fields)


def _wire(data: bytes) -> list[tuple[int, int, int | bytes]]:
    """The fields of a message; none if it is no message."""
    fields, at = list[tuple[int, int, int | bytes]](), 0
    try:
        while at < len(data):
            key, at = _varint(data, at)
            if key & 7 == 0:
                value, at = _varint(data, at)
                fields.append((key >> 3, 0, value))
                continue
            size, at = _varint(data, at) if key & 7 == 2 else ({1: 8, 5: 4}[key & 7], at)
            if at + size > len(data):
                return []
            fields.append((key >> 3, key & 7, data[at : at + size]))
            at += size
    except (IndexError, KeyError):
        return []
    return fields


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if not data[at - 1] & 0x80:
            return value & (1 << 64) - 1, at


def _wired(number: int, kind: int, value: int | bytes) -> bytes:
    head = _as_varint(number << 3 | kind)
    if isinstance(value, int):
        return head + _as_varint(value)
    return head + (_as_varint(len(value)) if kind == 2 else b"") + value


def _as_varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
