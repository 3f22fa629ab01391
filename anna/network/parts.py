"""What the layers share: shapes, activations, and the checks that refuse a wrong value in one sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from anna.base.arrays import Floats
from anna.base.errors import GraphError

Shape = tuple[int, int, int]
ActivationKind = Literal["none", "scaled_tanh", "tanh", "sigmoid", "relu", "clip"]
ACTIVATION_KINDS: tuple[ActivationKind, ...] = ("none", "scaled_tanh", "tanh", "sigmoid", "relu", "clip")


@dataclass(frozen=True)
class Activation:
    """What follows a sum. `scaled_tanh` is 1.7159 tanh(2a/3) (P, papers 7 and 8); `clip` holds the sum in low..high."""

    kind: ActivationKind = "none"
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in ACTIVATION_KINDS:
            raise GraphError(f"activation {self.kind!r} is not known; expected one of {', '.join(ACTIVATION_KINDS)}")
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise GraphError(f"activation clip runs from {self.low:g} to {self.high:g}; expected finite low < high")

    def __str__(self) -> str:
        return f"clip({self.low!r}, {self.high!r})" if self.kind == "clip" else self.kind


NONE = Activation()
SCALED_TANH = Activation("scaled_tanh")
TANH = Activation("tanh")
SIGMOID = Activation("sigmoid")
RELU = Activation("relu")


def shape_text(shape: Shape) -> str:
    """`4@28x28`, as the papers write it."""
    return f"{shape[0]}@{shape[1]}x{shape[2]}"


def units(shape: Shape) -> int:
    return shape[0] * shape[1] * shape[2]


def frozen_floats(name: str, what: str, value: Any, ndim: int | tuple[int, ...]) -> Floats:
    array = np.array(value, order="C")
    if array.dtype not in (np.float32, np.float64):
        raise GraphError(f"{name}: {what} is {array.dtype}; expected float32 or float64")
    allowed = (ndim,) if isinstance(ndim, int) else ndim
    if array.ndim not in allowed:
        expected = " or ".join(str(n) for n in allowed)
        raise GraphError(f"{name}: {what} has {array.ndim} axes (shape {array.shape}); expected {expected}")
    if array.size == 0:
        raise GraphError(f"{name}: {what} is empty (shape {array.shape}); expected at least one number")
    if not np.isfinite(array).all():
        bad = int(np.count_nonzero(~np.isfinite(array)))
        raise GraphError(f"{name}: {what} holds {bad} of {array.size} numbers that are NaN or infinite; expected finite ones")
    array.setflags(write=False)
    return array


def expect(name: str, what: str, got: object, expected: object) -> None:
    if got != expected:
        raise GraphError(f"{name}: {what} is {got}; expected {expected}")


def check_pair(name: str, what: str, pair: tuple[int, ...], length: int, least: int) -> None:
    if not isinstance(pair, tuple) or len(pair) != length or any(type(n) is not int or n < least for n in pair):
        raise GraphError(f"{name}: {what} is {pair!r}; expected a tuple of {length} whole numbers of at least {least}")


def check_name(name: str) -> None:
    if not isinstance(name, str) or not name or any(c.isspace() or c in "./\\" or not c.isprintable() for c in name):
        raise GraphError(f"layer name {name!r} cannot be used; expected printable text without blanks, dots or slashes")


def window_shape(
    name: str,
    maps: int,
    shape: Shape,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
) -> Shape:
    rows = shape[1] + padding[0] + padding[1]
    columns = shape[2] + padding[2] + padding[3]
    if rows < kernel[0] or columns < kernel[1]:
        raise GraphError(
            f"{name}: a {kernel[0]}x{kernel[1]} window does not fit on {rows}x{columns} "
            f"(input {shape_text(shape)} with padding); "
            "expected an input at least as large as the window"
        )
    return maps, (rows - kernel[0]) // stride[0] + 1, (columns - kernel[1]) // stride[1] + 1
