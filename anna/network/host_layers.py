"""Layers that only the host computes, as imported networks have them: joining maps, moving units, sums and norms over axes.

`Combination` and `Concatenation` read any number of stacks, all others one. `over` names axes by their letters, m maps,
y rows, x columns: `m` is across the maps of each position, `yx` within each map, `myx` over all units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from anna.base.arrays import Floats
from anna.base.errors import GraphError
from anna.base.frozen import Settled
from anna.network.activations import NONE, Activation
from anna.network.parts import Shape, check_name, check_over, expect, frozen_floats, reduced_shape, shape_text, units

CombinationMode = Literal["sum", "product", "max", "min"]
ReductionMode = Literal["sum", "mean", "max", "min", "product"]
COMBINATION_MODES = ("sum", "product", "max", "min")
REDUCTION_MODES = ("sum", "mean", "max", "min", "product")


@dataclass(frozen=True, eq=False)
class Combination(Settled):
    """activation(sum, product, maximum or minimum, unit by unit, of all stacks read and of a constant, if there is one).

    A residual sum, a gate. An axis of length 1 is repeated to fit the others.
    """

    name: str
    mode: CombinationMode
    constant_myx: Floats | None = None
    activation: Activation = NONE
    kind: ClassVar[str] = "combination"
    parameters: ClassVar[int] = 0

    def _settled(self) -> Mapping[str, Any]:
        check_name(self.name)
        if self.mode not in COMBINATION_MODES:
            raise GraphError(f"{self.name}: mode is {self.mode!r}; expected one of {', '.join(COMBINATION_MODES)}")
        constant = None if self.constant_myx is None else frozen_floats(self.name, "constant", self.constant_myx, 3)
        return {"constant_myx": constant}

    @property
    def tensors(self) -> Mapping[str, Floats]:
        return {} if self.constant_myx is None else {"constant_myx": self.constant_myx}

    def output_shape(self, *shapes: Shape) -> Shape:
        every = [*shapes] + ([] if self.constant_myx is None else [self.constant_myx.shape])
        if len(every) < 2:
            raise GraphError(
                f"{self.name}: combines {shape_text(shapes[0])} with nothing; expected another stack or a constant"
            )
        try:
            maps, rows, columns = np.broadcast_shapes(*every)
        except ValueError:
            texts = ", ".join(shape_text(one) for one in every)
            raise GraphError(f"{self.name}: combines {texts}; expected equal shapes, or axes of length 1") from None
        return maps, rows, columns

    def connections(self, *shapes: Shape) -> int:
        return self.multiply_adds(*shapes)

    def multiply_adds(self, *shapes: Shape) -> int:
        return units(self.output_shape(*shapes)) * (len(shapes) - (self.constant_myx is None))


@dataclass(frozen=True, eq=False)
class Concatenation:
    """The maps of all stacks read, one after another; one vector of all units where rows and columns differ."""

    name: str
    activation: ClassVar[Activation] = NONE
    kind: ClassVar[str] = "concatenation"
    parameters: ClassVar[int] = 0

    def __post_init__(self) -> None:
        check_name(self.name)

    @property
    def tensors(self) -> Mapping[str, Floats]:
        return {}

    def output_shape(self, *shapes: Shape) -> Shape:
        if len({shape[1:] for shape in shapes}) > 1:
            return sum(units(shape) for shape in shapes), 1, 1
        return sum(shape[0] for shape in shapes), shapes[0][1], shapes[0][2]

    def connections(self, *shapes: Shape) -> int:
        return 0

    def multiply_adds(self, *shapes: Shape) -> int:
        return 0


@dataclass(frozen=True, eq=False)
class Arrangement(Settled):
    """Every unit is a copy of one input unit, by its number in the order map, row, column, or `value` where that is -1.

    A slice, a transposition, a padding, an enlargement by repetition: whatever only moves.
    """

    name: str
    units_myx: np.ndarray[Any, np.dtype[np.int32]]
    value: float = 0.0
    activation: ClassVar[Activation] = NONE
    kind: ClassVar[str] = "arrangement"
    parameters: ClassVar[int] = 0

    def _settled(self) -> Mapping[str, Any]:
        check_name(self.name)
        numbers = np.array(self.units_myx, order="C")
        if numbers.dtype.kind != "i" or numbers.ndim != 3 or not numbers.size:
            raise GraphError(f"{self.name}: units are {numbers.dtype} of shape {numbers.shape}; expected integers with 3 axes")
        if int(numbers.min()) < -1 or int(numbers.max()) > np.iinfo(np.int32).max:
            raise GraphError(f"{self.name}: units run from {numbers.min()} to {numbers.max()}; expected -1 or more")
        if not np.isfinite(self.value):
            raise GraphError(f"{self.name}: value is {self.value}; expected a finite number")
        numbers = numbers.astype(np.int32)
        numbers.setflags(write=False)
        return {"units_myx": numbers}

    @property
    def tensors(self) -> Mapping[str, Any]:
        return {"units_myx": self.units_myx}

    def output_shape(self, shape: Shape) -> Shape:
        if int(self.units_myx.max()) >= units(shape):
            raise GraphError(f"{self.name}: copies unit {self.units_myx.max()}; expected units below {units(shape)}")
        maps, rows, columns = self.units_myx.shape
        return maps, rows, columns

    def connections(self, shape: Shape) -> int:
        return 0

    def multiply_adds(self, shape: Shape) -> int:
        return 0


@dataclass(frozen=True, eq=False)
class Reduction:
    """The sum, mean, greatest, least or product over axes, whose length becomes 1."""

    name: str
    mode: ReductionMode
    over: str = "m"
    activation: Activation = NONE
    kind: ClassVar[str] = "reduction"
    parameters: ClassVar[int] = 0

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.mode not in REDUCTION_MODES:
            raise GraphError(f"{self.name}: mode is {self.mode!r}; expected one of {', '.join(REDUCTION_MODES)}")
        check_over(self.name, self.over)

    @property
    def tensors(self) -> Mapping[str, Floats]:
        return {}

    def output_shape(self, shape: Shape) -> Shape:
        return reduced_shape(shape, self.over)

    def connections(self, shape: Shape) -> int:
        return units(shape)

    def multiply_adds(self, shape: Shape) -> int:
        return units(shape)


@dataclass(frozen=True, eq=False)
class Normalisation:
    """x over the root of its mean square plus epsilon, over axes; `centred`, after the mean is taken away.

    At run time, image by image: what layer, instance, group and root-mean-square normalisations share. Factors and
    offsets are layers of their own.
    """

    name: str
    over: str = "m"
    epsilon: float = 1e-5
    centred: bool = True
    activation: Activation = NONE
    kind: ClassVar[str] = "normalisation"
    parameters: ClassVar[int] = 0

    def __post_init__(self) -> None:
        check_name(self.name)
        check_over(self.name, self.over)
        expect(self.name, "type of centred", type(self.centred), bool)
        if not (np.isfinite(self.epsilon) and self.epsilon >= 0):
            raise GraphError(f"{self.name}: epsilon is {self.epsilon}; expected a finite number of at least 0")

    @property
    def tensors(self) -> Mapping[str, Floats]:
        return {}

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def connections(self, shape: Shape) -> int:
        return self.multiply_adds(shape)

    def multiply_adds(self, shape: Shape) -> int:
        return 3 * units(shape)  # mean, mean square, factor


@dataclass(frozen=True, eq=False)
class Prelu(Settled):
    """x above zero, slope times x below, with a slope of its own for each map or each unit (He et al., 2015)."""

    name: str
    slope_myx: Floats
    activation: Activation = NONE
    kind: ClassVar[str] = "prelu"

    def _settled(self) -> Mapping[str, Any]:
        check_name(self.name)
        return {"slope_myx": frozen_floats(self.name, "slope", self.slope_myx, 3)}

    @property
    def tensors(self) -> Mapping[str, Floats]:
        return {"slope_myx": self.slope_myx}

    @property
    def parameters(self) -> int:
        return int(self.slope_myx.size)

    def output_shape(self, shape: Shape) -> Shape:
        if any(n not in (1, size) for n, size in zip(self.slope_myx.shape, shape, strict=True)):
            raise GraphError(
                f"{self.name}: slopes have shape {self.slope_myx.shape}; expected 1 or as many as {shape_text(shape)}"
            )
        return shape

    def connections(self, shape: Shape) -> int:
        return self.multiply_adds(shape)

    def multiply_adds(self, shape: Shape) -> int:
        return units(self.output_shape(shape))
