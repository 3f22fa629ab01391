"""An ONNX file as plain data: nodes with attributes, constants as arrays, the shape of the input. Nothing is executed."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.border import ONNX, border, expect_file, read_bytes
from anna.base.errors import FileError
from anna.importers.wire import Message

LARGEST_TENSOR = 1 << 28  # numbers

# The numbers are those of onnx.proto3: TensorProto.DataType.
TYPES: dict[int, Any] = {
    1: np.dtype("<f4"), 2: np.dtype("u1"), 3: np.dtype("i1"), 4: np.dtype("<u2"), 5: np.dtype("<i2"), 6: np.dtype("<i4"),
    7: np.dtype("<i8"), 9: np.dtype("?"), 10: np.dtype("<f2"), 11: np.dtype("<f8"),
}  # fmt: skip
BITS = "bits"  # of numbers that have fewer than their type here
HALVES: dict[int, Any] = {21: np.dtype("u1", metadata={BITS: 4}), 22: np.dtype("i1", metadata={BITS: 4})}  # two to a byte

FLOATS = {1: "float32", 10: "float16", 11: "float64"}

Array = NDArray[Any]


@dataclass(frozen=True)
class Node:
    """One operation."""

    name: str
    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OnnxModel:
    """The content of a file."""

    name: str
    opset: int
    nodes: tuple[Node, ...]
    constants: dict[str, Array]
    inputs: dict[str, tuple[int | str, ...]]  # shape of every input that is not a constant; open sizes by name
    outputs: tuple[str, ...]
    input_kinds: dict[str, int] = field(default_factory=dict)  # TensorProto.DataType


def read_onnx(path: Path) -> OnnxModel:
    """The model in a file; raises FileError if it is damaged or foreign."""
    with border(path, ONNX):
        expect_file(path, ONNX)
        return _model(Message(read_bytes(path, ONNX), str(path)), path)


def _model(model: Message, path: Path) -> OnnxModel:
    graph = model.message(7, "graph")
    if graph is None:
        raise FileError(f"{path}: holds no graph; expected an ONNX model")
    opsets = [one.integer(2) for one in model.messages(8, "operator set") if one.text(1) in ("", "ai.onnx")]
    constants = {}
    for one in graph.messages(5, "constant"):
        constants[one.text(8)] = tensor(one, path)
    nodes = tuple(_node(one, number, path) for number, one in enumerate(graph.messages(1, "node")))
    inputs, kinds = {}, {}
    for one in graph.messages(11, "input"):
        if one.text(1) not in constants:
            kinds[one.text(1)], inputs[one.text(1)] = _kind_and_shape(one)
    return OnnxModel(graph.text(2) or path.stem, max(opsets, default=0), nodes, constants, inputs,
                     tuple(one.text(1) for one in graph.messages(12, "output")), kinds)  # fmt: skip


def _node(message: Message, number: int, path: Path) -> Node:
    op = message.text(4)
    domain = message.text(7)
    name = message.text(3) or f"{op}_{number}"
    attributes = {}
    for one in message.messages(5, f"attribute of {name}"):
        attributes[one.text(1)] = _attribute(one, path)
    return Node(name, op if domain in ("", "ai.onnx") else f"{domain}.{op}", tuple(message.texts(1)), tuple(message.texts(2)),
                attributes)  # fmt: skip


def _attribute(message: Message, path: Path) -> Any:
    """A value by the kind that the attribute says it has (AttributeProto.AttributeType)."""
    match message.integer(20):
        case 1:
            return (message.floats(2) or [0.0])[-1]
        case 2:
            return message.integer(3)
        case 3:
            return message.text(4)
        case 4:
            found = message.message(5, "tensor")
            return None if found is None else tensor(found, path)
        case 6:
            return message.floats(7)
        case 7:
            return message.integers(8)
        case 8:
            return message.texts(9)
    return None


def _kind_and_shape(message: Message) -> tuple[int, tuple[int | str, ...]]:
    kind = message.message(2, "type")
    tensor_type = None if kind is None else kind.message(1, "tensor type")
    shape = None if tensor_type is None else tensor_type.message(2, "shape")
    if tensor_type is None or shape is None:
        return 1, ()
    return tensor_type.integer(1, 1), tuple(
        one.integer(1) if 1 in one.fields else (one.text(2) or "?") for one in shape.messages(1, "dimension")
    )


def tensor(message: Message, path: Path) -> Array:
    """The array of a tensor, also of one whose data lies in a file beside the model."""
    name, dims = message.text(8) or "a constant", message.integers(1)
    kind = (TYPES | HALVES).get(message.integer(2))
    if kind is None:
        raise FileError(f"{path}: {name} has numbers of kind {message.integer(2)}; expected floats or whole numbers")
    count = 1
    for length in dims:
        if not 0 <= length <= LARGEST_TENSOR:
            raise FileError(f"{path}: {name} has shape {dims}; expected at most {LARGEST_TENSOR} numbers")
        count *= length
    if count > LARGEST_TENSOR:
        raise FileError(f"{path}: {name} has {count} numbers; expected at most {LARGEST_TENSOR}")
    halves = message.integer(2) in HALVES
    size = -(-count // 2) if halves else count * kind.itemsize
    if message.integer(14) == 1:
        data = _external(message, name, path, size)
    elif 9 in message.fields:
        data = message.blobs(9)[-1]
    elif halves:
        data = (message.integer_array(5) & 0xFF).astype(np.uint8).tobytes()
    else:
        return _listed(message, name, path, kind, dims, count)
    if len(data) != size:
        raise FileError(f"{path}: {name} holds {len(data)} bytes; expected {size} for shape {dims}")
    return (_halves(data, count, kind) if halves else np.frombuffer(data, dtype=kind)).reshape(dims)


def _halves(data: bytes, count: int, kind: Any) -> Array:
    """Numbers of four bits, the lower half of a byte first."""
    pairs = np.frombuffer(data, np.uint8)
    found = np.stack([pairs & 15, pairs >> 4], axis=1).reshape(-1)[:count].astype(np.int16)
    return np.where((found > 7) & (kind.kind == "i"), found - 16, found).astype(kind)


def _listed(message: Message, name: str, path: Path, kind: Any, dims: list[int], count: int) -> Array:
    values: Array
    if kind == TYPES[1]:
        values = message.float_array(4)
    elif kind == TYPES[7]:
        values = message.integer_array(7)
    elif kind == TYPES[11]:
        values = np.frombuffer(b"".join(message.blobs(10)), "<f8")
    else:
        values = message.integer_array(5)
    if len(values) != count:
        raise FileError(f"{path}: {name} lists {len(values)} numbers; expected {count} for shape {dims}")
    found = values.astype(kind)
    if kind.kind in "iu" and (found != values).any():
        raise FileError(f"{path}: {name} lists numbers beyond {kind}")
    return found.reshape(dims)


def _external(message: Message, name: str, path: Path, size: int) -> bytes:
    """Data beside the model: only from the model's own folder."""
    entries = {one.text(1): one.text(2) for one in message.messages(13, "external data")}
    location, home = entries.get("location", ""), path.resolve().parent
    place = home if "\0" in location else (home / location).resolve()
    if place == home or home not in place.parents:
        raise FileError(
            f"{path}: {name} keeps its data in {location!r:.100}, outside the model's folder; move it into that folder"
        )
    try:
        offset, length = int(entries.get("offset", "0")), int(entries.get("length", str(size)))
        if offset < 0 or length != size:
            raise FileError(f"{path}: {name} declares {length} bytes of external data at {offset}; expected {size}")
        if place.exists() and not place.is_file():
            raise ValueError("it is not a file")
        if place.stat().st_size < offset + size:
            raise ValueError(f"it has {place.stat().st_size} bytes; expected {offset + size}")
        message.room.take_data(str(path), size)
        with place.open("rb") as file:
            file.seek(offset)
            return file.read(size)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise FileError(
            f"{path}: {name} keeps its data in {place.name}, which cannot be read ({why}); keep both files in one folder"
        ) from None
