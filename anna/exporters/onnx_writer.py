"""An ONNX model being written: nodes, constants, inputs and outputs, as protocol-buffer messages without the onnx package."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.importers.onnx_file import TYPES

IR_VERSION, OPSET = 8, 17  # of 2022, which every runtime of today reads
KINDS = {kind: number for number, kind in TYPES.items()}

Attribute = int | str | Sequence[int]


class OnnxWriter:
    """A graph that grows node by node; every value has a name, and each method that makes one returns it."""

    def __init__(self, name: str, about: str) -> None:
        self.name, self.about = name, about
        self._nodes, self._constants, self._inputs, self._outputs = (list[bytes]() for _ in range(4))

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """A constant tensor."""
        kind = values.dtype.newbyteorder("<")
        dims = b"".join(_number(1, n) for n in values.shape)
        self._constants.append(dims + _number(2, KINDS[kind]) + _blob(8, name) + _blob(9, values.astype(kind).tobytes()))
        return name

    def node(self, op: str, inputs: Sequence[str], output: str, **attributes: Attribute) -> str:
        """An operation, named as what it makes."""
        ends = b"".join(_blob(1, one) for one in inputs) + _blob(2, output)
        more = b"".join(_blob(5, _attribute(name, value)) for name, value in attributes.items())
        self._nodes.append(ends + _blob(3, output) + _blob(4, op) + more)
        return output

    def input(self, name: str, kind: np.dtype[Any], shape: Sequence[int | str]) -> str:
        """A tensor that the graph is given; a size may be a name."""
        self._inputs.append(_value_info(name, kind, shape))
        return name

    def output(self, name: str, kind: np.dtype[Any], shape: Sequence[int | str]) -> None:
        """A tensor that the graph gives."""
        self._outputs.append(_value_info(name, kind, shape))

    def model(self) -> bytes:
        """The bytes of the model."""
        lists = ((1, self._nodes), (5, self._constants), (11, self._inputs), (12, self._outputs))
        graph = b"".join(_blob(field, one) for field, parts in lists for one in parts) + _blob(2, self.name)
        return _number(1, IR_VERSION) + _blob(2, "anna") + _blob(6, self.about) + _blob(7, graph) + _blob(8, _number(2, OPSET))


# --- messages (field numbers are those of onnx.proto3) ---------------------------------------------------------------
def _varint(value: int) -> bytes:
    out, left = bytearray(), value & (1 << 64) - 1
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*out, left])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _blob(field: int, data: bytes | str) -> bytes:
    data = data.encode() if isinstance(data, str) else data
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _attribute(name: str, value: Attribute) -> bytes:
    match value:
        case int():
            return _blob(1, name) + _number(3, value) + _number(20, 2)
        case str():
            return _blob(1, name) + _blob(4, value) + _number(20, 3)
    return _blob(1, name) + b"".join(_number(8, n) for n in value) + _number(20, 7)


def _value_info(name: str, kind: np.dtype[Any], shape: Sequence[int | str]) -> bytes:
    sizes = b"".join(_blob(1, _number(1, n) if isinstance(n, int) else _blob(2, n)) for n in shape)
    return _blob(1, name) + _blob(2, _blob(1, _number(1, KINDS[kind.newbyteorder("<")]) + _blob(2, sizes)))
