"""Activations, what may follow a sum: each with its formula, slope and range, defined once for all tools.

A new activation is one entry of `CURVES`. Its formula is written over `Maths`, so that the exact float forward, PyTorch and
an ONNX graph compute the same. One that the chip computes never falls: the compiler moves a maximum across it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from anna.base.arrays import Floats
from anna.base.errors import GraphError
from anna.base.frozen import Settled
from anna.native import exact_math

SCALED_TANH_HEIGHT = 1.7159  # P, papers 7 and 8: f(a) = 1.7159 tanh(2a/3), so that f(1) = 1 and f(-1) = -1 (to 2e-5)
SCALED_TANH_SLOPE = 2.0 / 3.0


@dataclass(frozen=True)
class Maths:
    """The functions that formulas are built from, for one kind of value: arrays, tensors or nodes of a graph."""

    tanh: Callable[[Any], Any]
    sigmoid: Callable[[Any], Any]
    relu: Callable[[Any], Any]
    clip: Callable[[Any, float, float], Any]
    exp: Callable[[Any], Any]
    log: Callable[[Any], Any]
    sqrt: Callable[[Any], Any]
    erf: Callable[[Any], Any]
    reciprocal: Callable[[Any], Any]
    step: Callable[[Any], Any]  # 1 above zero, else 0
    round: Callable[[Any], Any]  # halves to even numbers


def _clip(x: Floats, low: float, high: float) -> Floats:
    kind = x.dtype.type
    held: Floats = np.minimum(np.maximum(x, kind(low)), kind(high))
    return held


def _log(x: Floats) -> Floats:
    """The logarithm of any number, as IEEE 754 has it; `exact_math.log` takes positive finite ones."""
    regular = (x > 0) & np.isfinite(x)
    value = exact_math.log(np.where(regular, x, 1)).astype(x.dtype)
    ends = np.where(x == 0, -np.inf, np.where(x == np.inf, np.inf, np.nan))
    found: Floats = np.where(regular, value, ends.astype(x.dtype))
    return found


def _sqrt(x: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        root: Floats = np.sqrt(x)  # IEEE 754 rounds it exactly
    return root


EXACT = Maths(
    tanh=exact_math.tanh,
    sigmoid=exact_math.sigmoid,
    relu=lambda x: np.maximum(x, x.dtype.type(0)),
    clip=_clip,
    exp=exact_math.exp,
    log=_log,
    sqrt=_sqrt,
    erf=exact_math.erf,
    reciprocal=lambda x: x.dtype.type(1) / x,
    step=lambda x: (x > 0).astype(x.dtype),
    round=np.rint,
)


@dataclass(frozen=True)
class Straight:
    """Straight between two sums and flat beyond them: the ends of the ADC's range provide it."""

    low: float = -math.inf
    high: float = math.inf


@dataclass(frozen=True)
class Squash:
    """Bends smoothly towards both ends: a squashing ADC follows it, a linear one approximates it."""

    half_range: float  # sum at which the line through its steepest point would reach the upper end


@dataclass(frozen=True)
class Curve:
    """One activation: value, slope, range, and how the chip can compute it."""

    value: Callable[[Any, Maths], Any]
    slope: Callable[[Floats, Floats], Floats]  # from sums and values, as a share of the steepest slope
    range: tuple[float, float]  # least and greatest value
    adc: Straight | Squash | None  # None: the chip cannot compute it, the host does
    steepest: float = 1.0  # slope
    offset: float = 0.0  # the line through the steepest point is steepest x sum + offset
    onnx: str | None = None  # the ONNX operator that computes it


@dataclass(frozen=True)
class Family:
    """Curves that differ by the numbers that an `Activation` of their kind holds, each with its default."""

    parameters: dict[str, float]
    curve: Callable[..., Curve]
    onnx: str | None = None  # the ONNX operator, whose attributes have the names of the parameters


def _to_codes(low: float, high: float) -> Curve:
    """Rounded to whole numbers from low to high: an ADC of as many states does it, of fewer comes near."""
    return Curve(
        value=lambda x, maths: maths.clip(maths.round(x), low, high),
        slope=lambda x, y: np.where((x > low - 0.5) & (x < high + 0.5), 1.0, 0.0),
        range=(low, high),
        adc=Straight(low - 0.5, high + 0.5),
    )


def _clipped(low: float, high: float) -> Curve:
    return Curve(
        value=lambda x, maths: maths.clip(x, low, high),
        slope=lambda x, y: np.where((x > low) & (x < high), 1.0, 0.0),
        range=(low, high),
        adc=Straight(low, high),
    )


def _host_only(value: Callable[[Any, Maths], Any], onnx: str | None = None) -> Curve:
    """A function that only the host computes; nothing is quantised by its slope or its range."""
    return Curve(value, lambda x, y: np.ones_like(x), (-math.inf, math.inf), adc=None, onnx=onnx)


def _softplus(x: Any, maths: Maths) -> Any:
    """log(1 + e**x), so that nothing overflows."""
    return maths.relu(x) + maths.log(maths.exp(_size(x, maths) * -1.0) + 1.0)


def _size(x: Any, maths: Maths) -> Any:
    return maths.relu(x) + maths.relu(x * -1.0)


def _exponential(x: Any, maths: Maths, below: float, along: float = 1.0) -> Any:
    """x above zero, below x (e**(x / along) - 1) under it."""
    return maths.relu(x) + (maths.exp(maths.relu(x * -1.0) * (-1.0 / along)) + -1.0) * below


def _gelu_tanh(x: Any, maths: Maths) -> Any:
    return x * 0.5 * (maths.tanh((x + x * x * x * 0.044715) * math.sqrt(2 / math.pi)) + 1.0)


# By name, as in files.
CURVES: dict[str, Curve | Family] = {
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
    "clip": Family({"low": -1.0, "high": 1.0}, _clipped),
    "rounded": Family({"low": -128.0, "high": 127.0}, _to_codes),  # a quantised network's codes
    # Those below run on the host only.
    "leaky_relu": Family(
        {"alpha": 0.01}, lambda alpha: _host_only(lambda x, m: m.relu(x) + m.relu(x * -1.0) * -alpha), "LeakyRelu"
    ),
    "elu": Family({"alpha": 1.0}, lambda alpha: _host_only(lambda x, m: _exponential(x, m, alpha)), "Elu"),
    "selu": Family(
        {"alpha": 1.6732632423543772, "gamma": 1.0507009873554805},  # Klambauer et al., 2017
        lambda alpha, gamma: _host_only(lambda x, m: _exponential(x, m, alpha) * gamma),
        "Selu",
    ),
    "celu": Family({"alpha": 1.0}, lambda alpha: _host_only(lambda x, m: _exponential(x, m, alpha, alpha)), "Celu"),
    "thresholded_relu": Family(
        {"alpha": 1.0}, lambda alpha: _host_only(lambda x, m: x * m.step(x + -alpha)), "ThresholdedRelu"
    ),
    "silu": Family({"alpha": 1.0}, lambda alpha: _host_only(lambda x, m: x * m.sigmoid(x * alpha)), "Swish"),
    "gelu": _host_only(lambda x, m: x * 0.5 * (m.erf(x * math.sqrt(0.5)) + 1.0)),
    "gelu_tanh": _host_only(_gelu_tanh),
    "mish": _host_only(lambda x, m: x * m.tanh(_softplus(x, m)), "Mish"),
    "hard_swish": _host_only(lambda x, m: x * m.clip(x * (1 / 6) + 0.5, 0.0, 1.0), "HardSwish"),
    "softplus": _host_only(_softplus, "Softplus"),
    "softsign": _host_only(lambda x, m: x * m.reciprocal(_size(x, m) + 1.0), "Softsign"),
    "absolute": _host_only(_size, "Abs"),
    "exp": _host_only(lambda x, m: m.exp(x), "Exp"),
    "log": _host_only(lambda x, m: m.log(x), "Log"),
    "sqrt": _host_only(lambda x, m: m.sqrt(x), "Sqrt"),
    "erf": _host_only(lambda x, m: m.erf(x), "Erf"),
    "square": _host_only(lambda x, m: x * x),
    "reciprocal": _host_only(lambda x, m: m.reciprocal(x), "Reciprocal"),
}


@dataclass(frozen=True)
class Activation(Settled):
    """What follows a sum. `scaled_tanh` is 1.7159 tanh(2a/3) (P, papers 7 and 8); `clip` holds the sum in low..high.

    Only the numbers that a kind has are given, by their names in `CURVES`; one that is left out takes its default.
    """

    kind: str = "none"
    low: float = -1.0
    high: float = 1.0
    alpha: float | None = None
    gamma: float | None = None

    def _settled(self) -> Mapping[str, float]:
        if self.kind not in CURVES:
            raise GraphError(f"activation {self.kind!r} is not known; expected one of {', '.join(CURVES)}")
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise GraphError(f"activation clip runs from {self.low:g} to {self.high:g}; expected finite low < high")
        defaults, left_out = self._defaults, dict[str, float]()
        for name in ("alpha", "gamma"):
            value = getattr(self, name)
            if value is None and name in defaults:
                left_out[name] = defaults[name]
            elif value is not None and (name not in defaults or not np.isfinite(value)):
                expected = "a finite number" if name in defaults else f"no {name} for this kind"
                raise GraphError(f"activation {self.kind} has {name} {value!r}; expected {expected}")
        return left_out

    @property
    def _defaults(self) -> dict[str, float]:
        found = CURVES[self.kind]
        return found.parameters if isinstance(found, Family) else {}

    @property
    def parameters(self) -> dict[str, float]:
        """The numbers that its kind has."""
        return {name: float(getattr(self, name)) for name in self._defaults}

    @property
    def named(self) -> dict[str, float]:
        """Those that a file of former versions does not have."""
        return {name: value for name, value in self.parameters.items() if name not in ("low", "high")}

    def __str__(self) -> str:
        numbers = ", ".join(repr(value) for value in self.parameters.values())
        return f"{self.kind}({numbers})" if numbers else self.kind

    @property
    def curve(self) -> Curve:
        """Its value, slope and range."""
        found = CURVES[self.kind]
        return found.curve(**self.parameters) if isinstance(found, Family) else found

    def value(self, sums: Any, maths: Maths = EXACT) -> Any:
        """The activation of every element, in exact arithmetic or in that of another tool."""
        return self.curve.value(sums, maths)


NONE = Activation()
SCALED_TANH = Activation("scaled_tanh")
TANH = Activation("tanh")
SIGMOID = Activation("sigmoid")
RELU = Activation("relu")


def by_onnx_operator() -> dict[str, Activation]:
    """The activations that ONNX has an operator without attributes for."""
    return {
        curve.onnx: Activation(kind) for kind, curve in CURVES.items() if isinstance(curve, Curve) and curve.onnx is not None
    }
