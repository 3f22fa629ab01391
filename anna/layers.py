"""The layer vocabulary: every kind of layer a network may have, as frozen data that checks and counts itself.

A shape is `(maps, rows, columns)`; a flat vector of n units is `(n, 1, 1)`. Arrays name their axes: o output map, i input map,
y row, x column. Every layer offers

    output_shape(shape)    the shape it makes of `shape`, or a GraphError that names layer, value and expectation
    connections(shape)     connections with biases, as papers 7 and 8 count them (DECISIONS 23)
    multiply_adds(shape)   the same without biases
    parameters             trainable numbers
    tensors                its arrays by field name

and a field `activation` where something is squashed after the sum. Weights are read-only: a changed layer is a new layer
(`dataclasses.replace`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from anna.errors import GraphError

Shape = tuple[int, int, int]
Floats = npt.NDArray[np.floating[Any]]
Bools = npt.NDArray[np.bool_]
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


def _units(shape: Shape) -> int:
    return shape[0] * shape[1] * shape[2]


def _frozen_floats(name: str, what: str, value: Any, ndim: int | tuple[int, ...]) -> Floats:
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


def _expect(name: str, what: str, got: object, expected: object) -> None:
    if got != expected:
        raise GraphError(f"{name}: {what} is {got}; expected {expected}")


def _check_pair(name: str, what: str, pair: tuple[int, ...], length: int, least: int) -> None:
    if not isinstance(pair, tuple) or len(pair) != length or any(type(n) is not int or n < least for n in pair):
        raise GraphError(f"{name}: {what} is {pair!r}; expected a tuple of {length} whole numbers of at least {least}")


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not name or any(c.isspace() or c in "./\\" or not c.isprintable() for c in name):
        raise GraphError(f"layer name {name!r} cannot be used; expected printable text without blanks, dots or slashes")


def _window_shape(
    name: str, maps: int, shape: Shape, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int, int, int]
) -> Shape:
    rows = shape[1] + padding[0] + padding[1]
    columns = shape[2] + padding[2] + padding[3]
    if rows < kernel[0] or columns < kernel[1]:
        raise GraphError(
            f"{name}: a {kernel[0]}x{kernel[1]} window does not fit on {rows}x{columns} (input {shape_text(shape)} with padding); "
            "expected an input at least as large as the window"
        )
    return maps, (rows - kernel[0]) // stride[0] + 1, (columns - kernel[1]) // stride[1] + 1


@dataclass(frozen=True, eq=False)
class Prepare:
    """The host's step from a raw uint8 picture to the first states: crop, resize, pad, range (DECISIONS 20).

    The middle `crop` of the picture is kept, resized to `resize` (area means when it shrinks, straight lines between pixels
    when it grows, both with whole-number weights), set in the middle of `field`, and grey level 0..255 goes to low..high.
    What `field` adds around it is `low`, the paper. `None` leaves a step out.
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
        _check_name(self.name)
        for what in ("source", "crop", "resize", "field"):
            value = getattr(self, what)
            if value is not None or what == "source":
                _check_pair(self.name, what, value, 2, 1)
        if any(c > s for c, s in zip(self.cropped, self.source, strict=True)):
            raise GraphError(f"{self.name}: crop is {self.cropped}; expected at most the source {self.source}")
        if any(f < r for f, r in zip(self.fielded, self.resized, strict=True)):
            raise GraphError(f"{self.name}: field is {self.fielded}; expected at least the resized picture {self.resized}")
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
        """Rows and columns of the picture that the network sees."""
        return self.field or self.resized

    @property
    def tensors(self) -> Mapping[str, Floats]:
        return {}

    parameters: ClassVar[int] = 0

    def output_shape(self, shape: Shape) -> Shape:
        _expect(self.name, "the picture", shape_text(shape), shape_text((1, *self.source)))
        return (1, *self.fielded)

    def connections(self, shape: Shape) -> int:
        return 0

    def multiply_adds(self, shape: Shape) -> int:
        return 0


@dataclass(frozen=True, eq=False)
class Convolution:
    """Sum over windows of the maps that `table_oi` names, plus a bias per map (shape o) or per unit (shape oyx) or none.

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
    kind: ClassVar[str] = "convolution"

    def __post_init__(self) -> None:
        _check_name(self.name)
        weights = _frozen_floats(self.name, "weights", self.weights_oiyx, 4)
        object.__setattr__(self, "weights_oiyx", weights)
        if self.bias is not None:
            bias = _frozen_floats(self.name, "bias", self.bias, (1, 3))
            _expect(self.name, "number of biased maps", bias.shape[0], weights.shape[0])
            _expect(self.name, "type of the bias", bias.dtype, weights.dtype)
            object.__setattr__(self, "bias", bias)
        table = np.array(np.ones(weights.shape[:2], bool) if self.table_oi is None else self.table_oi)
        _expect(self.name, "type of the connection table", table.dtype, np.dtype(bool))
        _expect(self.name, "shape of the connection table", table.shape, weights.shape[:2])
        empty = np.flatnonzero(~table.any(axis=1))
        if empty.size:
            raise GraphError(f"{self.name}: map {int(empty[0])} reads no input map; expected at least one in its connection table")
        if weights[~table].any():
            raise GraphError(f"{self.name}: weights are set where the connection table has no connection; expected zeros there")
        table.setflags(write=False)
        object.__setattr__(self, "table_oi", table)
        _check_pair(self.name, "stride", self.stride, 2, 1)
        _check_pair(self.name, "padding", self.padding, 4, 0)
        if not np.isfinite(self.padding_value):
            raise GraphError(f"{self.name}: padding value is {self.padding_value}; expected a finite number")

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
        return {"weights_oiyx": self.weights_oiyx} | ({} if self.bias is None else {"bias": self.bias})

    @property
    def parameters(self) -> int:
        return self.kernels * self.kernel[0] * self.kernel[1] + (0 if self.bias is None else int(self.bias.size))

    def output_shape(self, shape: Shape) -> Shape:
        _expect(self.name, "number of input maps", shape[0], self.weights_oiyx.shape[1])
        out = _window_shape(self.name, self.weights_oiyx.shape[0], shape, self.kernel, self.stride, self.padding)
        if self.bias is not None and self.bias.ndim == 3:
            _expect(self.name, "shape of the bias per unit", self.bias.shape, out)
        return out

    def connections(self, shape: Shape) -> int:
        return self.multiply_adds(shape) + (0 if self.bias is None else _units(self.output_shape(shape)))

    def multiply_adds(self, shape: Shape) -> int:
        _, rows, columns = self.output_shape(shape)
        return self.kernels * self.kernel[0] * self.kernel[1] * rows * columns


@dataclass(frozen=True, eq=False)
class Subsample:
    """Output map o = activation(coefficient_o * (sum of a window of input map source_o) + bias_o); 2x2 windows, side by side.

    `source_o` is None when map o reads map o; LeNet-4's S2 feeds each C1 map to two output maps.
    """

    name: str
    coefficient_o: Floats
    bias_o: Floats
    source_o: tuple[int, ...] | None = None
    window: tuple[int, int] = (2, 2)
    activation: Activation = NONE
    kind: ClassVar[str] = "subsample"

    def __post_init__(self) -> None:
        _check_name(self.name)
        coefficient = _frozen_floats(self.name, "coefficient", self.coefficient_o, 1)
        bias = _frozen_floats(self.name, "bias", self.bias_o, 1)
        _expect(self.name, "number of biases", bias.shape[0], coefficient.shape[0])
        _expect(self.name, "type of the bias", bias.dtype, coefficient.dtype)
        object.__setattr__(self, "coefficient_o", coefficient)
        object.__setattr__(self, "bias_o", bias)
        source = tuple(range(len(coefficient))) if self.source_o is None else self.source_o
        _check_pair(self.name, "source", source, len(coefficient), 0)
        object.__setattr__(self, "source_o", source)
        _check_pair(self.name, "window", self.window, 2, 1)

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
            raise GraphError(f"{self.name}: reads input map {max(self.source)}; expected maps below {shape[0]}, the input has no more")
        for size, window, what in zip(shape[1:], self.window, ("rows", "columns"), strict=True):
            if size % window or size < window:
                raise GraphError(f"{self.name}: input has {size} {what}; expected a multiple of the window's {window}")
        return len(self.coefficient_o), shape[1] // self.window[0], shape[2] // self.window[1]

    def connections(self, shape: Shape) -> int:
        return self.multiply_adds(shape) + _units(self.output_shape(shape))

    def multiply_adds(self, shape: Shape) -> int:
        return _units(self.output_shape(shape)) * self.window[0] * self.window[1]


@dataclass(frozen=True, eq=False)
class Pool:
    """Mean or maximum over windows, without parameters, as imported networks have it. Padding counts in no mean and no maximum."""

    name: str
    mode: Literal["average", "max"]
    window: tuple[int, int] = (2, 2)
    stride: tuple[int, int] = (2, 2)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    activation: Activation = NONE
    kind: ClassVar[str] = "pool"
    parameters: ClassVar[int] = 0

    def __post_init__(self) -> None:
        _check_name(self.name)
        if self.mode not in ("average", "max"):
            raise GraphError(f"{self.name}: pooling mode is {self.mode!r}; expected 'average' or 'max'")
        _check_pair(self.name, "window", self.window, 2, 1)
        _check_pair(self.name, "stride", self.stride, 2, 1)
        _check_pair(self.name, "padding", self.padding, 4, 0)
        if any(p >= self.window[n // 2] for n, p in enumerate(self.padding)):
            raise GraphError(f"{self.name}: padding is {self.padding}; expected less than the window {self.window}")

    @property
    def tensors(self) -> Mapping[str, Floats]:
        return {}

    def output_shape(self, shape: Shape) -> Shape:
        return _window_shape(self.name, shape[0], shape, self.window, self.stride, self.padding)

    def connections(self, shape: Shape) -> int:
        return _units(self.output_shape(shape)) * self.window[0] * self.window[1]

    def multiply_adds(self, shape: Shape) -> int:
        return self.connections(shape) if self.mode == "average" else 0


@dataclass(frozen=True, eq=False)
class FullConnection:
    """Every output unit reads every input unit; input axes are taken in the order map, row, column."""

    name: str
    weights_oi: Floats
    bias_o: Floats | None = None
    activation: Activation = NONE
    kind: ClassVar[str] = "full"

    def __post_init__(self) -> None:
        _check_name(self.name)
        weights = _frozen_floats(self.name, "weights", self.weights_oi, 2)
        object.__setattr__(self, "weights_oi", weights)
        if self.bias_o is not None:
            bias = _frozen_floats(self.name, "bias", self.bias_o, 1)
            _expect(self.name, "number of biases", bias.shape[0], weights.shape[0])
            _expect(self.name, "type of the bias", bias.dtype, weights.dtype)
            object.__setattr__(self, "bias_o", bias)

    @property
    def tensors(self) -> Mapping[str, Floats]:
        return {"weights_oi": self.weights_oi} | ({} if self.bias_o is None else {"bias_o": self.bias_o})

    @property
    def parameters(self) -> int:
        return int(self.weights_oi.size) + (0 if self.bias_o is None else int(self.bias_o.size))

    def output_shape(self, shape: Shape) -> Shape:
        _expect(self.name, f"number of inputs (of {shape_text(shape)})", _units(shape), self.weights_oi.shape[1])
        return self.weights_oi.shape[0], 1, 1

    def connections(self, shape: Shape) -> int:
        return self.multiply_adds(shape) + (0 if self.bias_o is None else self.weights_oi.shape[0])

    def multiply_adds(self, shape: Shape) -> int:
        self.output_shape(shape)
        return int(self.weights_oi.size)


@dataclass(frozen=True, eq=False)
class Rbf:
    """Euclidean radial basis units: score_o = - sum over i of (x_i - centre_oi)^2, at every position of the maps.

    Paper 8 gives the distance, the smallest winning; the sign here makes the greatest score win, as everywhere else.
    """

    name: str
    centres_oi: Floats
    trainable: bool = False  # LeNet-5's are fixed bitmaps (P, paper 8), and count as connections but not as parameters
    activation: ClassVar[Activation] = NONE
    kind: ClassVar[str] = "rbf"

    def __post_init__(self) -> None:
        _check_name(self.name)
        object.__setattr__(self, "centres_oi", _frozen_floats(self.name, "centres", self.centres_oi, 2))

    @property
    def tensors(self) -> Mapping[str, Floats]:
        return {"centres_oi": self.centres_oi}

    @property
    def parameters(self) -> int:
        return int(self.centres_oi.size) if self.trainable else 0

    def output_shape(self, shape: Shape) -> Shape:
        _expect(self.name, "number of input maps", shape[0], self.centres_oi.shape[1])
        return self.centres_oi.shape[0], shape[1], shape[2]

    def connections(self, shape: Shape) -> int:
        return self.multiply_adds(shape)

    def multiply_adds(self, shape: Shape) -> int:
        return _units(self.output_shape(shape)) * int(self.centres_oi.shape[1])


@dataclass(frozen=True, eq=False)
class Affine:
    """Map m becomes activation(scale_m * x + offset_m): a batch normalisation that folds nowhere, or an activation alone."""

    name: str
    scale_m: Floats
    offset_m: Floats
    activation: Activation = field(default=NONE)
    kind: ClassVar[str] = "affine"

    def __post_init__(self) -> None:
        _check_name(self.name)
        scale = _frozen_floats(self.name, "scale", self.scale_m, 1)
        offset = _frozen_floats(self.name, "offset", self.offset_m, 1)
        _expect(self.name, "number of offsets", offset.shape[0], scale.shape[0])
        _expect(self.name, "type of the offset", offset.dtype, scale.dtype)
        object.__setattr__(self, "scale_m", scale)
        object.__setattr__(self, "offset_m", offset)

    @property
    def tensors(self) -> Mapping[str, Floats]:
        return {"scale_m": self.scale_m, "offset_m": self.offset_m}

    @property
    def parameters(self) -> int:
        return 2 * len(self.scale_m)

    def output_shape(self, shape: Shape) -> Shape:
        _expect(self.name, "number of input maps", shape[0], len(self.scale_m))
        return shape

    def connections(self, shape: Shape) -> int:
        return 2 * _units(self.output_shape(shape))

    def multiply_adds(self, shape: Shape) -> int:
        return _units(self.output_shape(shape))


@dataclass(frozen=True, eq=False)
class Softmax:
    """exp(x_m) over its sum, across the maps of each position: a last step on the host that changes no label."""

    name: str
    activation: ClassVar[Activation] = NONE
    kind: ClassVar[str] = "softmax"
    parameters: ClassVar[int] = 0

    def __post_init__(self) -> None:
        _check_name(self.name)

    @property
    def tensors(self) -> Mapping[str, Floats]:
        return {}

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def connections(self, shape: Shape) -> int:
        return 0

    def multiply_adds(self, shape: Shape) -> int:
        return 0


Layer = Prepare | Convolution | Subsample | Pool | FullConnection | Rbf | Affine | Softmax
LAYER_KINDS: dict[str, type[Layer]] = {
    layer.kind: layer for layer in (Prepare, Convolution, Subsample, Pool, FullConnection, Rbf, Affine, Softmax)
}
