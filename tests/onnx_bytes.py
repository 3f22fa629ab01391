"""ONNX files written by hand, for tests of what no exporter writes."""

import numpy as np


def varint(value: int) -> bytes:
    out = bytearray()
    while True:
        out.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


def blob(number: int, data: bytes | str) -> bytes:
    data = data.encode() if isinstance(data, str) else data
    return varint(number << 3 | 2) + varint(len(data)) + data


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value & (1 << 64) - 1)


def constant(name: str, array: np.ndarray, extra: bytes = b"") -> bytes:
    dims = b"".join(number(1, n) for n in array.shape)
    data = b"" if extra else blob(9, array.astype("<f4").tobytes())
    return blob(5, dims + number(2, 1) + blob(8, name) + data + extra)


def attribute(name: str, value: int | float | str | list[int]) -> bytes:
    match value:
        case int():
            return blob(5, blob(1, name) + number(3, value) + number(20, 2))
        case float():
            return blob(5, blob(1, name) + varint(2 << 3 | 5) + np.float32(value).tobytes() + number(20, 1))
        case str():
            return blob(5, blob(1, name) + blob(4, value) + number(20, 3))
    return blob(5, blob(1, name) + b"".join(number(8, n) for n in value) + number(20, 7))


def node(op: str, inputs: list[str], outputs: list[str], **attributes: int | float | str | list[int]) -> bytes:
    ends = b"".join(blob(1, i) for i in inputs) + b"".join(blob(2, o) for o in outputs)
    more = b"".join(attribute(name, value) for name, value in attributes.items())
    return blob(1, ends + blob(3, f"the_{op}") + blob(4, op) + more)


def ints(name: str, *values: int) -> bytes:
    """A constant list of integers."""
    return blob(5, number(1, len(values)) + number(2, 7) + blob(8, name) + blob(9, np.array(values, "<i8").tobytes()))


def value_info(field: int, name: str, dims: list[int | str], kind: int = 1) -> bytes:
    shape = b"".join(blob(1, number(1, n) if isinstance(n, int) else blob(2, n)) for n in dims)
    return blob(field, blob(1, name) + blob(2, blob(1, number(1, kind) + blob(2, shape))))


def model(*parts: bytes, dims: list[int | str] | None = None, output: str = "y", kind: int = 1, opset: int = 17) -> bytes:
    graph = b"".join(parts) + blob(2, "net") + value_info(11, "x", dims or [1, 1, 8, 8], kind) + value_info(12, output, [1, 10])
    return number(1, 8) + blob(7, graph) + blob(8, number(2, opset))
