"""What may follow a sum: every activation with its formula, slope and range, said once for all tools that meet it.

A new activation is one entry of `CURVES`. Its formula is written over `Maths`, so that the exact float forward, PyTorch and
an ONNX graph compute the same. It must never fall: the compiler moves a maximum across it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from anna.base.arrays import Floats
from anna.base.errors import GraphError
from anna.native import exact_math

SCALED_TANH_HEIGHT = 1.7159  # P, papers 7 and 8: f(a) = 1.7159 tanh(2a/3), so that f(1) = 1 and f(-1) = -1 (to 2e-5)
SCALED_TANH_SLOPE = 2.0 / 3.0


@dataclass(frozen=True)
class Maths:
    """The functions that formulas are made of, over one kind of value: arrays, tensors or what stands for them."""

    tanh: Callable[[Any], Any]
    sigmoid: Callable[[Any], Any]
    relu: Callable[[Any], Any]
    clip: Callable[[Any, float, float], Any]


def _clip(x: Floats, low: float, high: float) -> Floats:
    kind = x.dtype.type
    held: Floats = np.minimum(np.maximum(x, kind(low)), kind(high))
    return held


EXACT = Maths(exact_math.tanh, exact_math.sigmoid, lambda x: np.maximum(x, x.dtype.type(0)), _clip)


@dataclass(frozen=True)
class Straight:
    """Straight between two sums and flat beyond them: the ends of the ADC's range do it."""

    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True)
class Squash:
    """Bends smoothly to both ends: an ADC that bends too follows it, a straight one comes near it."""

    half_range: float  # sum at which the line through its steepest point would reach the upper end


@dataclass(frozen=True)
class Curve:
    """One activation: value, slope, range, and what the chip can make of it."""

    value: Callable[[Any, Maths], Any]
    slope: Callable[[Floats, Floats], Floats]  # from sums and values, as a share of the steepest slope
    range: tuple[float, float]  # least and greatest value
    adc: Straight | Squash | None  # None: the chip cannot make it, the host does
    steepest: float = 1.0  # slope
    offset: float = 0.0  # the line through the steepest point is steepest x sum + offset
    onnx: str | None = None  # the ONNX operator, one without attributes, that computes it


def _held(low: float, high: float) -> Curve:
    return Curve(
        value=lambda x, maths: maths.clip(x, low, high),
        slope=lambda x, y: np.where((x > low) & (x < high), 1.0, 0.0),
        range=(low, high),
        adc=Straight(low, high),
    )


# By name, as files have it; what depends on the ends `low` and `high` of an activation is a function of them.
CURVES: dict[str, Curve | Callable[[float, float], Curve]] = {
    "none": Curve(
        value=lambda x, maths: x,
        slope=lambda x, y: np.ones_like(x),
        range=(-math.inf, math.inf),
        adc=Straight(),
    ),
    "scaled_tanh": Curve(
        value=lambda x, maths: SCALED_TANH_HEIGHT * maths.tanh(x * SCALED_TANH_SLOPE),
        slope=lambda x, y: 1.0 - (y / SCALED_TANH_HEIGHT) ** 2,
        range=(-SCALED_TANH_HEIGHT, SCALED_TANH_HEIGHT),
        adc=Squash(1.0 / SCALED_TANH_SLOPE),
        steepest=SCALED_TANH_HEIGHT * SCALED_TANH_SLOPE,
    ),
    "tanh": Curve(
        value=lambda x, maths: maths.tanh(x),
        slope=lambda x, y: 1.0 - y**2,
        range=(-1.0, 1.0),
        adc=Squash(1.0),
        onnx="Tanh",
    ),
    "sigmoid": Curve(
        value=lambda x, maths: maths.sigmoid(x),
        slope=lambda x, y: 4.0 * y * (1.0 - y),
        range=(0.0, 1.0),
        adc=Squash(2.0),
        steepest=0.25,
        offset=0.5,
        onnx="Sigmoid",
    ),
    "relu": Curve(
        value=lambda x, maths: maths.relu(x),
        slope=lambda x, y: np.where(x > 0, 1.0, 0.0),
        range=(0.0, math.inf),
        adc=Straight(low=0.0),
        onnx="Relu",
    ),
    "clip": _held,
}


@dataclass(frozen=True)
class Activation:
    """What follows a sum. `scaled_tanh` is 1.7159 tanh(2a/3) (P, papers 7 and 8); `clip` holds the sum in low..high."""

    kind: str = "none"
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in CURVES:
            raise GraphError(f"activation {self.kind!r} is not known; expected one of {', '.join(CURVES)}")
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise GraphError(f"activation clip runs from {self.low:g} to {self.high:g}; expected finite low < high")

    def __str__(self) -> str:
        return self.kind if isinstance(CURVES[self.kind], Curve) else f"{self.kind}({self.low!r}, {self.high!r})"

    @property
    def curve(self) -> Curve:
        """Its value, slope and range."""
        found = CURVES[self.kind]
        return found if isinstance(found, Curve) else found(self.low, self.high)

    def value(self, sums: Any, maths: Maths = EXACT) -> Any:
        """The activation of every element, in exact arithmetic or in that of another tool."""
        return self.curve.value(sums, maths)


NONE = Activation()
SCALED_TANH = Activation("scaled_tanh")
TANH = Activation("tanh")
SIGMOID = Activation("sigmoid")
RELU = Activation("relu")


def by_onnx_operator() -> dict[str, Activation]:
    """The activations that ONNX has an operator for."""
    found = {kind: curve.onnx for kind, curve in CURVES.items() if isinstance(curve, Curve)}
    return {operator: Activation(kind) for kind, operator in found.items() if operator is not None}
