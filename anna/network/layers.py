"""The layer vocabulary: every kind of layer a network may have, as frozen data that checks and counts itself.

A shape is `(maps, rows, columns)`; a flat vector of n units is `(n, 1, 1)`. Arrays name their axes: o output map, i
input map, y row, x column. Every layer offers

    output_shape(shape)    the output for an input `shape`, or a GraphError that names layer, value and what was expected;
                           layers that read several stacks take the shape of each
    connections(shape)     connections with biases, as papers 7 and 8 count them
    multiply_adds(shape)   the same without biases
    parameters             trainable numbers
    tensors                its arrays by field name

and a field `activation` if a function follows the sum. Weights are read-only: a changed layer is a new layer
(`dataclasses.replace`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from anna.base.arrays import Bools, Floats
from anna.base.errors import GraphError
from anna.base.frozen import Settled
from anna.network.activations import NONE, Activation
from anna.network.host_layers import Arrangement, Combination, Concatenation, Normalisation, Prelu, Reduction
from anna.network.imported_layers import Affine, Pool, Softmax
from anna.network.parts import (
    LATER,
    Shape,
    check_name,
    check_pair,
    check_stack,
    checked_steps,
    expect,
    frozen_floats,
    given,
    shape_text,
    units,
    window_shape,
)

LARGEST_SIDE = 1 << 11  # rows or columns of an image that is resized: every pair of old and new ones has a weight


@dataclass(frozen=True, eq=False)
class Prepare:
    """The host's step from a raw uint8 image to the first states: crop, resize, pad, range.

    The central `crop` is kept, resized to `resize` (area means to shrink, linear interpolation to grow, both with integer
    weights) and centred in `field`; grey levels 0..255 become low..high. The border that `field` adds is `low`, the paper.
    `None` skips a step.
    """

    source: tuple[int, int]
    crop: tuple[int, int] | None = None
    resize: tuple[int, int] | None = None
    field: tuple[int, int] | None = None
    low: float = -1.0
    high: float = 1.0
    name: str = "prepare"
    kind: ClassVar[str] = "prepare"
    activation: ClassVar[Activation] = NONE

    def __post_init__(self) -> None:
        check_name(self.name)
        for what in ("source", "crop", "resize", "field"):
            value = getattr(self, what)
            if value is not None or what == "source":
                check_pair(self.name, what, value, 2, 1)
            if value is not None:
                check_stack(self.name, value, what)
        for size, new_size in zip(self.cropped, self.resized, strict=True):
            if size != new_size and max(size, new_size) > LARGEST_SIDE:
                raise GraphError(f"{self.name}: resizes {size} to {new_size}; expected sides of at most {LARGEST_SIDE:,}")
        if any(c > s for c, s in zip(self.cropped, self.source, strict=True)):
            raise GraphError(f"{self.name}: crop is {self.cropped}; expected at most the source {self.source}")
        if any(f < r for f, r in zip(self.fielded, self.resized, strict=True)):
            raise GraphError(f"{self.name}: field is {self.fielded}; expected at least the resized image {self.resized}")
        if not (np.isfinite(self.low) and np.isfinite(self.high)) or self.low == self.high:
            raise GraphError(f"{self.name}: range is {self.low:g}..{self.high:g}; expected two different finite numbers")

    @property
    def cropped(self) -> tuple[int, int]:
        """Rows and columns after the crop."""
        return self.crop or self.source

    @property
    def resized(self) -> tuple[int, int]:
        """Rows and columns after the resize."""
        return self.resize or self.cropped

    @property
    def fielded(self) -> tuple[int, int]:
        """Rows and columns of the image that the network sees."""
        return self.field or self.resized

    @property
    def tensors(self) -> Mapping[str, Floats]:
        return {}

    parameters: ClassVar[int] = 0

    def output_shape(self, shape: Shape) -> Shape:
        expect(self.name, "the image", shape_text(shape), shape_text((1, *self.source)))
        return (1, *self.fielded)

    def connections(self, shape: Shape) -> int:
        return 0

    def multiply_adds(self, shape: Shape) -> int:
        return 0


@dataclass(frozen=True, eq=False)
class Convolution(Settled):
    """Sum over windows of the maps that `table_oi` names, plus a bias per map (shape o) or per unit (shape oyx) or
    none.

    `padding` is (above, below, left, right), filled with `padding_value`. Weights off the table must be zero.
    """

    name: str
    weights_oiyx: Floats
    bias: Floats | None = None
    table_oi: Bools | None = None  # None: every output map reads every input map
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    padding_value: float = 0.0
    activation: Activation = NONE
    steps_o: Floats | None = field(default=None, metadata=LATER)  # of a quantised network: weights are codes times these
    kind: ClassVar[str] = "convolution"

    def _settled(self) -> Mapping[str, Any]:
        check_name(self.name)
        weights = frozen_floats(self.name, "weights", self.weights_oiyx, 4)
        bias = None if self.bias is None else frozen_floats(self.name, "bias", self.bias, (1, 3))
        if bias is not None:
            expect(self.name, "number of biased maps", bias.shape[0], weights.shape[0])
            expect(self.name, "type of the bias", bias.dtype, weights.dtype)
        table = np.array(np.ones(weights.shape[:2], bool) if self.table_oi is None else self.table_oi)
        expect(self.name, "type of the connection table", table.dtype, np.dtype(bool))
        expect(self.name, "shape of the connection table", table.shape, weights.shape[:2])
        empty = np.flatnonzero(~table.any(axis=1))
        if empty.size:
            raise GraphError(
                f"{self.name}: map {int(empty[0])} reads no input map; expected at least one in its connection table"
            )
        if weights[~table].any():
            raise GraphError(f"{self.name}: weights are set where the connection table has no connection; expected zeros there")
        table.setflags(write=False)
        check_pair(self.name, "stride", self.stride, 2, 1)
        check_pair(self.name, "padding", self.padding, 4, 0)
        if not np.isfinite(self.padding_value):
            raise GraphError(f"{self.name}: padding value is {self.padding_value}; expected a finite number")
        return {
            "weights_oiyx": weights,
            "bias": bias,
            "table_oi": table,
            "steps_o": checked_steps(self.name, self.steps_o, weights),
        }

    @property
    def kernel(self) -> tuple[int, int]:
        return self.weights_oiyx.shape[2], self.weights_oiyx.shape[3]

    @property
    def table(self) -> Bools:
        """The connection table, output maps by input maps."""
        assert self.table_oi is not None
        return self.table_oi

    @property
    def kernels(self) -> int:
        """How many pairs of output and input map are connected: 20 for the recogniser's C3."""
        return int(np.count_nonzero(self.table))

    @property
    def bias_kind(self) -> Literal["none", "map", "unit"]:
        return "none" if self.bias is None else "map" if self.bias.ndim == 1 else "unit"

    @property
    def tensors(self) -> Mapping[str, Floats]:
        return {"weights_oiyx": self.weights_oiyx} | given(bias=self.bias, steps_o=self.steps_o)

    @property
    def parameters(self) -> int:
        return self.kernels * self.kernel[0] * self.kernel[1] + (0 if self.bias is None else int(self.bias.size))

    def output_shape(self, shape: Shape) -> Shape:
        expect(self.name, "number of input maps", shape[0], self.weights_oiyx.shape[1])
        out = window_shape(self.name, self.weights_oiyx.shape[0], shape, self.kernel, self.stride, self.padding)
        if self.bias is not None and self.bias.ndim == 3:
            expect(self.name, "shape of the bias per unit", self.bias.shape, out)
        return out

    def connections(self, shape: Shape) -> int:
        return self.multiply_adds(shape) + (0 if self.bias is None else units(self.output_shape(shape)))

    def multiply_adds(self, shape: Shape) -> int:
        _, rows, columns = self.output_shape(shape)
        return self.kernels * self.kernel[0] * self.kernel[1] * rows * columns


@dataclass(frozen=True, eq=False)
class Subsample(Settled):
    """Output map o = activation(coefficient_o * (sum of a window of input map source_o) + bias_o); 2x2 windows, side
    by side.

    `source_o` is None when map o reads map o; LeNet-4's S2 feeds each C1 map to two output maps.
    """

    name: str
    coefficient_o: Floats
    bias_o: Floats
    source_o: tuple[int, ...] | None = None
    window: tuple[int, int] = (2, 2)
    activation: Activation = NONE
    kind: ClassVar[str] = "subsample"

    def _settled(self) -> Mapping[str, Any]:
        check_name(self.name)
        coefficient = frozen_floats(self.name, "coefficient", self.coefficient_o, 1)
        bias = frozen_floats(self.name, "bias", self.bias_o, 1)
        expect(self.name, "number of biases", bias.shape[0], coefficient.shape[0])
        expect(self.name, "type of the bias", bias.dtype, coefficient.dtype)
        source = tuple(range(len(coefficient))) if self.source_o is None else self.source_o
        check_pair(self.name, "source", source, len(coefficient), 0)
        check_pair(self.name, "window", self.window, 2, 1)
        return {"coefficient_o": coefficient, "bias_o": bias, "source_o": source}

    @property
    def source(self) -> tuple[int, ...]:
        """Which input map each output map reads."""
        assert self.source_o is not None
        return self.source_o

    @property
    def tensors(self) -> Mapping[str, Floats]:
        return {"coefficient_o": self.coefficient_o, "bias_o": self.bias_o}

    @property
    def parameters(self) -> int:
        return 2 * len(self.coefficient_o)

    def output_shape(self, shape: Shape) -> Shape:
        if max(self.source) >= shape[0]:
            raise GraphError(f"{self.name}: reads input map {max(self.source)}; expected maps below {shape[0]}")
        for size, window, what in zip(shape[1:], self.window, ("rows", "columns"), strict=True):
            if size % window or size < window:
                raise GraphError(f"{self.name}: input has {size} {what}; expected a multiple of the window's {window}")
        return len(self.coefficient_o), shape[1] // self.window[0], shape[2] // self.window[1]

    def connections(self, shape: Shape) -> int:
        return self.multiply_adds(shape) + units(self.output_shape(shape))

    def multiply_adds(self, shape: Shape) -> int:
        return units(self.output_shape(shape)) * self.window[0] * self.window[1]


@dataclass(frozen=True, eq=False)
class FullConnection(Settled):
    """Every output unit reads every input unit; input axes are taken in the order map, row, column."""

    name: str
    weights_oi: Floats
    bias_o: Floats | None = None
    activation: Activation = NONE
    steps_o: Floats | None = field(default=None, metadata=LATER)  # as of a convolution
    kind: ClassVar[str] = "full"

    def _settled(self) -> Mapping[str, Any]:
        check_name(self.name)
        weights = frozen_floats(self.name, "weights", self.weights_oi, 2)
        bias = None if self.bias_o is None else frozen_floats(self.name, "bias", self.bias_o, 1)
        if bias is not None:
            expect(self.name, "number of biases", bias.shape[0], weights.shape[0])
            expect(self.name, "type of the bias", bias.dtype, weights.dtype)
        return {"weights_oi": weights, "bias_o": bias, "steps_o": checked_steps(self.name, self.steps_o, weights)}

    @property
    def tensors(self) -> Mapping[str, Floats]:
        return {"weights_oi": self.weights_oi} | given(bias_o=self.bias_o, steps_o=self.steps_o)

    @property
    def parameters(self) -> int:
        return int(self.weights_oi.size) + (0 if self.bias_o is None else int(self.bias_o.size))

    def output_shape(self, shape: Shape) -> Shape:
        expect(self.name, f"number of inputs (of {shape_text(shape)})", units(shape), self.weights_oi.shape[1])
        return self.weights_oi.shape[0], 1, 1

    def connections(self, shape: Shape) -> int:
        return self.multiply_adds(shape) + (0 if self.bias_o is None else self.weights_oi.shape[0])

    def multiply_adds(self, shape: Shape) -> int:
        self.output_shape(shape)
        return int(self.weights_oi.size)


@dataclass(frozen=True, eq=False)
class Rbf(Settled):
    """Euclidean radial basis units: score_o = - sum over i of (x_i - centre_oi)^2, at every position of the maps.

    Paper 8 gives the distance, where the smallest wins; the sign here makes the greatest score win, as everywhere else.
    """

    name: str
    centres_oi: Floats
    trainable: bool = False  # LeNet-5's are fixed bitmaps (P, paper 8), and count as connections but not as parameters
    activation: ClassVar[Activation] = NONE
    kind: ClassVar[str] = "rbf"

    def _settled(self) -> Mapping[str, Any]:
        check_name(self.name)
        return {"centres_oi": frozen_floats(self.name, "centres", self.centres_oi, 2)}

    @property
    def tensors(self) -> Mapping[str, Floats]:
        return {"centres_oi": self.centres_oi}

    @property
    def parameters(self) -> int:
        return int(self.centres_oi.size) if self.trainable else 0

    def output_shape(self, shape: Shape) -> Shape:
        expect(self.name, "number of input maps", shape[0], self.centres_oi.shape[1])
        return self.centres_oi.shape[0], shape[1], shape[2]

    def connections(self, shape: Shape) -> int:
        return self.multiply_adds(shape)

    def multiply_adds(self, shape: Shape) -> int:
        return units(self.output_shape(shape)) * int(self.centres_oi.shape[1])


Layer = (
    Prepare | Convolution | Subsample | Pool | FullConnection | Rbf | Affine | Softmax
    | Combination | Concatenation | Arrangement | Reduction | Normalisation | Prelu
)  # fmt: skip
LAYER_KINDS: dict[str, type[Layer]] = {
    layer.kind: layer
    for layer in (
        Prepare, Convolution, Subsample, Pool, FullConnection, Rbf, Affine, Softmax,
        Combination, Concatenation, Arrangement, Reduction, Normalisation, Prelu,
    )
}  # fmt: skip
JOINING = (Combination, Concatenation)  # may read several stacks
