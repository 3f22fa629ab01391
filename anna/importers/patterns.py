"""Activations that exporters write as several operations: x times a function of x, found again as one.

SiLU as x sigmoid(x), HardSwish as x clip(x / 6 + 1/2), Mish as x tanh(softplus(x)), GELU as x / 2 (1 + erf(x / sqrt 2)). So a
network of such activations stays a chain.
"""

import math
from dataclasses import dataclass

import numpy as np

from anna.importers.draft import Draft
from anna.importers.onnx_file import Node
from anna.importers.tensor import Tensor
from anna.network.activations import NONE, SIGMOID, TANH, Activation
from anna.network.graph import Affine

NEAR = 1e-5  # constants in files are rounded to 32 bits, or written with a few digits


@dataclass(frozen=True)
class Line:
    """A layer that is activation(scale x + offset), with one scale and one offset, of another layer."""

    of: str
    scale: float
    offset: float
    activation: Activation

    def is_near(self, scale: float, offset: float) -> bool:
        return abs(self.scale - scale) < NEAR and abs(self.offset - offset) < NEAR


def _line(draft: Draft, layer: str) -> Line | None:
    found = draft.layers.get(layer)
    if not isinstance(found, Affine) or np.ptp(found.scale_m) or np.ptp(found.offset_m):
        return None
    return Line(draft.links[layer][0], float(found.scale_m[0]), float(found.offset_m[0]), found.activation)


def _gate(draft: Draft, gate: str, base: str) -> tuple[Activation, float] | None:
    """The activation that base x gate is, and the factor before it."""
    line = _line(draft, gate)
    inner = None if line is None else _line(draft, line.of)
    if line is None:
        return None
    if line.of == base and line.activation == SIGMOID and line.offset == 0:
        return Activation("silu", alpha=line.scale), 1.0
    if line.of == base and line.activation.kind == "clip" and line.activation.low == 0:
        top = line.activation.high
        return (Activation("hard_swish"), top) if line.is_near(top / 6, top / 2) else None
    if inner is None or inner.of != base:
        return None
    if line.activation == TANH and inner.activation.kind == "softplus" and line.is_near(1, 0) and inner.is_near(1, 0):
        return Activation("mish"), 1.0
    if line.activation == NONE and inner.activation.kind == "erf" and inner.is_near(math.sqrt(0.5), 0):
        return (Activation("gelu"), 2 * line.scale) if line.is_near(line.scale, line.scale) else None
    return None


def gated(draft: Draft, node: Node, one: Tensor, other: Tensor) -> Tensor | None:
    """A product of two tensors as one activation, if it is one."""
    if one.filled or one.dims != other.dims or not np.array_equal(one.units, other.units):
        return None
    for values, gate in ((one.layer, other.layer), (other.layer, one.layer)):
        line = _line(draft, values)
        bases = [(values, 1.0)]
        if line is not None and line.activation == NONE and line.offset == 0:
            bases.append((line.of, line.scale))
        for base, factor in bases:
            if (found := _gate(draft, gate, base)) is not None:
                activation, more = found
                made = draft.activate(Tensor(base, one.units, alone=False), node, activation)
                return made if factor * more == 1 else draft.affine(made, node, factor * more, 0.0)
    return None
