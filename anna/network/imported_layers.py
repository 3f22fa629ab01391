"""Layers that only imported networks have: pooling without parameters, a factor and offset per map, softmax."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from anna.base.arrays import Floats
from anna.base.errors import GraphError
from anna.base.frozen import Settled
from anna.network.activations import NONE, Activation
from anna.network.parts import (
    LATER,
    Shape,
    check_name,
    check_over,
    check_pair,
    expect,
    frozen_floats,
    units,
    window_shape,
)


@dataclass(frozen=True, eq=False)
class Pool:
    """Mean or maximum over windows, without parameters, as imported networks have it. Padding never counts.

    `dilation` is how far apart a window's rows and columns lie.
    """

    name: str
    mode: Literal["average", "max"]
    window: tuple[int, int] = (2, 2)
    stride: tuple[int, int] = (2, 2)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    activation: Activation = NONE
    dilation: tuple[int, int] = field(default=(1, 1), metadata=LATER)
    kind: ClassVar[str] = "pool"
    parameters: ClassVar[int] = 0

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.mode not in ("average", "max"):
            raise GraphError(f"{self.name}: pooling mode is {self.mode!r}; expected 'average' or 'max'")
        check_pair(self.name, "window", self.window, 2, 1)
        check_pair(self.name, "stride", self.stride, 2, 1)
        check_pair(self.name, "padding", self.padding, 4, 0)
        check_pair(self.name, "dilation", self.dilation, 2, 1)
        if any(p >= self.extent[n // 2] for n, p in enumerate(self.padding)):
            raise GraphError(f"{self.name}: padding is {self.padding}; expected less than the window {self.extent}")

    @property
    def extent(self) -> tuple[int, int]:
        """Rows and columns from one side of a window to the other."""
        return (self.window[0] - 1) * self.dilation[0] + 1, (self.window[1] - 1) * self.dilation[1] + 1

    @property
    def tensors(self) -> Mapping[str, Floats]:
        return {}

    def output_shape(self, shape: Shape) -> Shape:
        return window_shape(self.name, shape[0], shape, self.extent, self.stride, self.padding)

    def connections(self, shape: Shape) -> int:
        return units(self.output_shape(shape)) * self.window[0] * self.window[1]

    def multiply_adds(self, shape: Shape) -> int:
        return self.connections(shape) if self.mode == "average" else 0


@dataclass(frozen=True, eq=False)
class Affine(Settled):
    """Map m becomes activation(scale_m * x + offset_m): a batch normalisation that cannot be folded, or an activation
    alone."""

    name: str
    scale_m: Floats
    offset_m: Floats
    activation: Activation = field(default=NONE)
    kind: ClassVar[str] = "affine"

    def _settled(self) -> Mapping[str, Any]:
        check_name(self.name)
        scale = frozen_floats(self.name, "scale", self.scale_m, 1)
        offset = frozen_floats(self.name, "offset", self.offset_m, 1)
        expect(self.name, "number of offsets", offset.shape[0], scale.shape[0])
        expect(self.name, "type of the offset", offset.dtype, scale.dtype)
        return {"scale_m": scale, "offset_m": offset}

    @property
    def tensors(self) -> Mapping[str, Floats]:
        return {"scale_m": self.scale_m, "offset_m": self.offset_m}

    @property
    def parameters(self) -> int:
        return 2 * len(self.scale_m)

    def output_shape(self, shape: Shape) -> Shape:
        expect(self.name, "number of input maps", shape[0], len(self.scale_m))
        return shape

    def connections(self, shape: Shape) -> int:
        return 2 * units(self.output_shape(shape))

    def multiply_adds(self, shape: Shape) -> int:
        return units(self.output_shape(shape))


@dataclass(frozen=True, eq=False)
class Softmax:
    """exp(x) over its sum, across the maps of each position or over other axes, or its logarithm. As a last step on the
    host it changes no label."""

    name: str
    log: bool = False
    over: str = field(default="m", metadata=LATER)
    activation: ClassVar[Activation] = NONE
    kind: ClassVar[str] = "softmax"
    parameters: ClassVar[int] = 0

    def __post_init__(self) -> None:
        check_name(self.name)
        expect(self.name, "type of log", type(self.log), bool)
        check_over(self.name, self.over)

    @property
    def tensors(self) -> Mapping[str, Floats]:
        return {}

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def connections(self, shape: Shape) -> int:
        return 0

    def multiply_adds(self, shape: Shape) -> int:
        return 0
