"""Operations on constants in an ONNX model, evaluated once, on reading."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from anna.importers.onnx_file import LARGEST_TENSOR, TYPES, Array, Node

Inputs = list[Any]


def _axes(node: Node, inputs: Inputs, at: int = 1) -> tuple[int, ...]:
    axes = node.attributes.get("axes")
    if axes is None and len(inputs) > at and inputs[at] is not None:
        axes = inputs[at].reshape(-1).tolist()
    return tuple(int(axis) for axis in axes or ())


def _unsqueeze(node: Node, inputs: Inputs) -> Array:
    return np.expand_dims(inputs[0], _axes(node, inputs))


def _squeeze(node: Node, inputs: Inputs) -> Array:
    axes = _axes(node, inputs)
    found: Array = np.squeeze(inputs[0], axes or None)
    return found


def _constant(node: Node, inputs: Inputs) -> Array:
    for key in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        if node.attributes.get(key) is not None:
            kind = {"value": None, "value_float": np.float32, "value_floats": np.float32}.get(key, np.int64)
            return np.asarray(node.attributes[key], dtype=kind)
    raise ValueError("it has no value")


def _clip(node: Node, inputs: Inputs) -> Array:
    low, high = (inputs[k] if len(inputs) > k else node.attributes.get(name) for k, name in ((1, "min"), (2, "max")))
    found: Array = inputs[0] if low is None else np.maximum(inputs[0], low)
    return found if high is None else np.minimum(found, high)


def _reshape(node: Node, inputs: Inputs) -> Array:
    found: Array = np.reshape(inputs[0], [int(n) for n in inputs[1].reshape(-1)])
    return found


def _slice(node: Node, inputs: Inputs) -> Array:
    starts, ends = (inputs[k].reshape(-1).tolist() for k in (1, 2))
    axes = inputs[3].reshape(-1).tolist() if len(inputs) > 3 and inputs[3] is not None else range(len(starts))
    steps = inputs[4].reshape(-1).tolist() if len(inputs) > 4 and inputs[4] is not None else [1] * len(starts)
    index: list[slice] = [slice(None)] * inputs[0].ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        index[int(axis)] = slice(int(start), int(end), int(step))
    found: Array = inputs[0][tuple(index)]
    return found


def _gather(node: Node, inputs: Inputs) -> Array:
    found: Array = np.take(inputs[0], inputs[1].astype(np.int64), axis=int(node.attributes.get("axis", 0)))
    return found


def _constant_of_shape(node: Node, inputs: Inputs) -> Array:
    dims = _bounded(inputs[0])
    value = node.attributes.get("value")
    return np.full(dims, np.float32(0) if value is None else value.reshape(-1)[0])


def _reduce_prod(node: Node, inputs: Inputs) -> Array:
    found: Array = np.prod(inputs[0], axis=_axes(node, inputs) or None, keepdims=bool(node.attributes.get("keepdims", 1)))
    return found


def _bounded(shape: Array) -> list[int]:
    dims = [int(n) for n in shape.reshape(-1)]
    if prod(dims) > LARGEST_TENSOR or min(dims, default=0) < 0:
        raise ValueError(f"its shape is {dims}")
    return dims


def _range(node: Node, inputs: Inputs) -> Array:
    start, limit, step = (one.reshape(-1)[0] for one in inputs)
    if not step or (limit - start) / step > LARGEST_TENSOR:
        raise ValueError(f"it runs from {start} to {limit} by {step}")
    return np.arange(start, limit, step)


def _shape(node: Node, inputs: Inputs) -> Array:
    return np.array(inputs[0].shape[slice(node.attributes.get("start", 0), node.attributes.get("end"))], np.int64)


FOLDS: dict[str, Callable[[Node, Inputs], Array]] = {
    "Abs": lambda node, x: np.abs(x[0]),
    "Add": lambda node, x: x[0] + x[1],
    "And": lambda node, x: np.logical_and(x[0], x[1]),
    "Cast": lambda node, x: x[0].astype(TYPES[node.attributes["to"]]),
    "Ceil": lambda node, x: np.ceil(x[0]),
    "Clip": _clip,
    "Concat": lambda node, x: np.concatenate(x, axis=int(node.attributes["axis"])),
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Div": lambda node, x: x[0] / x[1] if x[0].dtype.kind == "f" else x[0] // x[1],
    "Equal": lambda node, x: np.equal(x[0], x[1]),
    "Exp": lambda node, x: np.exp(x[0]),
    "Expand": lambda node, x: x[0] * np.ones(_bounded(x[1]), x[0].dtype),
    "Floor": lambda node, x: np.floor(x[0]),
    "Gather": _gather,
    "Greater": lambda node, x: np.greater(x[0], x[1]),
    "Identity": lambda node, x: x[0],
    "Less": lambda node, x: np.less(x[0], x[1]),
    "Log": lambda node, x: np.log(x[0]),
    "Max": lambda node, x: np.max(np.broadcast_arrays(*x), axis=0),
    "Min": lambda node, x: np.min(np.broadcast_arrays(*x), axis=0),
    "Mod": lambda node, x: np.mod(x[0], x[1]),
    "Mul": lambda node, x: x[0] * x[1],
    "Neg": lambda node, x: -x[0],
    "Not": lambda node, x: np.logical_not(x[0]),
    "Or": lambda node, x: np.logical_or(x[0], x[1]),
    "Pow": lambda node, x: np.power(x[0], x[1]),
    "Range": _range,
    "Reciprocal": lambda node, x: 1 / x[0],
    "ReduceProd": _reduce_prod,
    "Reshape": _reshape,
    "Shape": _shape,
    "Size": lambda node, x: np.array(x[0].size, np.int64),
    "Slice": _slice,
    "Sqrt": lambda node, x: np.sqrt(x[0]),
    "Squeeze": _squeeze,
    "Sub": lambda node, x: x[0] - x[1],
    "Transpose": lambda node, x: np.transpose(x[0], node.attributes.get("perm")),
    "Unsqueeze": _unsqueeze,
    "Where": lambda node, x: np.asarray(np.where(x[0], x[1], x[2])),
}
