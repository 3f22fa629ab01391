"""What the first passes work on: a network as chip layers that are all of one kind, and a host tail.

Every layer that the chip runs becomes a sum over a window with a mask of the taps that exist: a convolution with its
connection table, a subsampling as a convolution that reads one map, a full connection as a window as large as its input.

A value may be carried by several states, its *digits*, each of which converts what the coarser ones leave, and by several
*copies*. A stack holds the maps of all digits, the coarsest first, and the copies of a map side by side. Each digit is made by
a layer of its own; readers weigh all of them.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anna.network.activations import Activation
from anna.network.graph import Graph, Layer, Network, Prepare, Shape, shape_text

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
INPUT = "input"


class OwnColumn(NamedTuple):
    """What a unit of map o reads on a column of its own: the state at its place in map `first_map + o` of a stack."""

    stack: str
    first_map: int


OWN_BIAS = OwnColumn("", 0)  # no stack: the bias of that unit


@dataclass(frozen=True, eq=False)
class ChipLayer:
    """Output map o = post(activation(sum over the taps of mask_oiyx of weights x inputs, plus bias))."""

    name: str
    origin: str  # the network's layer that it comes from
    source: str  # the map stack that it reads: another chip layer, or INPUT
    input_shape: Shape
    output_shape: Shape
    weights_oiyx: Floats
    mask_oiyx: Bools
    bias: Floats | None  # (o) or (o, y, x)
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]  # above, below, left, right
    padding_value: float
    activation: Activation
    post_scale_o: Floats | None = None  # a factor and an offset per map after the activation
    post_offset_o: Floats | None = None
    carry: str | None = None  # a stack of partial sums: map o of it is added to map o's sum, unit by unit
    carry_sign: int = 1
    partial: bool = False  # whether another layer continues its sums
    on_states: bool = False  # weighs states, not what they stand for: a step of a maximum
    carries_values: bool = False  # adds what the carried stack's values are, not its sums: a step of a maximum in digits
    lowest_border: bool = False  # its padding is the lowest value there is: a step of a maximum in digits
    input_maps: int = 0  # maps of one digit of what it reads; 0: of all, there is one digit
    synapses: int = 1  # that share each weight on a map of the coarsest digit, by reading it so often
    digits: int = 1  # states that carry a value of its maps
    step_digits: int = 1  # those of its partial sums, if it is split
    digit: int = 0  # which digit this layer makes
    target: str = ""  # the stack of all digits, if that is another layer's
    copies: int = 1  # of each map, side by side
    turned: bool = False  # every other map is carried upside down, its silence by the highest state

    @property
    def kernel(self) -> tuple[int, int]:
        """Rows and columns of the window."""
        return self.mask_oiyx.shape[2], self.mask_oiyx.shape[3]

    @cached_property
    def places(self) -> tuple[int, ...]:
        """The map of the source's stack that each of its input maps is: those of the coarsest digit may come several times."""
        maps, again = self.input_shape[0], (self.synapses - 1) * self.input_maps
        return (*(*range(self.input_maps),) * (self.synapses - 1), *range(maps - again))

    @property
    def value_weights_oiyx(self) -> Floats:
        """Weights on the values that it reads, whatever carries them: all of a value is in its coarsest digit here."""
        if not self.input_maps:
            return self.weights_oiyx
        coarsest = self.weights_oiyx[:, : self.synapses * self.input_maps]
        found: Floats = coarsest.reshape(len(coarsest), self.synapses, self.input_maps, *self.kernel).sum(axis=1)
        return found

    @property
    def sign_o(self) -> Floats:
        """-1 for each map that is carried upside down, 1 for the others."""
        signs = np.ones(self.output_shape[0])
        if self.turned:
            signs[1::2] = -1.0
        return signs

    @property
    def stack(self) -> str:
        """The map stack that it writes to."""
        return self.target or self.name

    @property
    def first_map(self) -> int:
        """Where its maps begin in that stack."""
        return self.digit * self.output_shape[0]

    @property
    def stack_maps(self) -> int:
        """Maps of that stack."""
        return self.digits * self.output_shape[0]

    @property
    def reads(self) -> tuple[str, ...]:
        """The stacks that it reads: as inputs, as partial sums, as coarser digits of its own values."""
        carried = () if self.carry is None else (self.carry,)
        return (self.source, *carried, *((self.stack,) if self.digit else ()))

    @property
    def bias_kind(self) -> str:
        """Whether there is a bias per map, per unit, or none."""
        return "none" if self.bias is None else "map" if self.bias.ndim == 1 else "unit"

    @property
    def inputs_o(self) -> NDArray[np.int64]:
        """Inputs of a neuron of each map, without biases."""
        counts: NDArray[np.int64] = self.mask_oiyx.sum(axis=(1, 2, 3)).astype(np.int64)
        return counts

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds for one image, without biases."""
        return int(self.inputs_o.sum()) * self.output_shape[1] * self.output_shape[2]

    @property
    def text(self) -> str:
        """The canonical line."""
        inputs = sorted(set(self.inputs_o.tolist()))
        parts = [
            f"{self.name}: {self.source} {shape_text(self.input_shape)} -> {shape_text(self.output_shape)}",
            f"window {self.kernel[0]}x{self.kernel[1]} stride {self.stride[0]}x{self.stride[1]}",
            f"inputs {'/'.join(map(str, inputs))}",
            f"bias {self.bias_kind}",
            f"{self.activation}",
        ]
        if any(self.padding):
            parts.insert(2, f"padding {' '.join(map(str, self.padding))} of {self.padding_value!r}")
        if self.post_scale_o is not None:
            parts.append("then a factor and an offset per map")
        if self.carry is not None:
            parts.append(f"{'added to' if self.carry_sign > 0 else 'less'} {self.carry}")
        if self.partial:
            parts.append(f"a part of {self.origin}")
        if self.synapses > 1:
            parts.append(f"{self.synapses} synapses a weight")
        if self.copies > 1:
            parts.append(f"{self.copies} copies")
        if self.turned:
            parts.append("every other map upside down")
        if self.digits > 1:
            parts.append(f"digit {self.digit + 1} of {self.digits}")
        return ", ".join(parts)


@dataclass(frozen=True, eq=False)
class Member:
    """One network of an ensemble (or the only one): its chip layers in order, then its host layers."""

    prefix: str  # "" or "<member>."
    graph: Graph
    layers: tuple[ChipLayer, ...]
    host: tuple[Layer, ...]
    input_scale_m: Floats  # leading factors and offsets of the network, absorbed into what an input state means
    input_offset_m: Floats

    @property
    def last(self) -> str:
        """The map stack that the host reads."""
        return self.layers[-1].stack


@dataclass(frozen=True, eq=False)
class Lowered:
    """A network as chip layers and host layers: what the check pass makes."""

    network: Network
    prepare: Prepare | None
    input_shape: Shape  # of what enters the first layer
    members: tuple[Member, ...]
    input_digits: int = 1  # states that carry a value of the image

    @property
    def layers(self) -> tuple[ChipLayer, ...]:
        """All chip layers, in the order in which they run."""
        return tuple(layer for member in self.members for layer in member.layers)

    def readers(self, source: str) -> tuple[ChipLayer, ...]:
        """The layers whose windows read a map stack."""
        return tuple(layer for layer in self.layers if layer.source == source)

    @property
    def stacks(self) -> dict[str, Shape]:
        """Every map stack and its shape, in the order in which they are written."""
        maps, rows, columns = self.input_shape
        found: dict[str, Shape] = {INPUT: (self.input_digits * maps, rows, columns)}
        for layer in self.layers:
            found[layer.stack] = (layer.stack_maps, *layer.output_shape[1:])
        return found

    def read_by_chip(self, source: str) -> bool:
        """Whether any layer reads a map stack in any way."""
        return any(source in layer.reads for layer in self.layers)

    def last_writer(self, stack: str) -> int:
        """The position of the last layer that writes to a map stack; -1 for the image."""
        return max((k for k, layer in enumerate(self.layers) if layer.stack == stack), default=-1)

    def last_reader(self, source: str) -> int:
        """The position of the last layer that reads a map stack in any way; one past the last layer if the host does."""
        found = [k for k, layer in enumerate(self.layers) if source in layer.reads]
        outputs = {member.last for member in self.members}
        return len(self.layers) if source in outputs or not found else found[-1]

    @property
    def text(self) -> str:
        """The canonical text."""
        lines = [f"network {self.network.name}: image {shape_text(self.input_shape)}"]
        lines += ["prepare on the host"] if self.prepare is not None else []
        for member in self.members:
            lines += [f"  chip {layer.text}" for layer in member.layers]
            lines += [f"  host {member.prefix}{layer.name}: {layer.kind}" for layer in member.host]
        return "\n".join(lines)


def conv_geometry(shape: Shape, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of the output."""
    rows, columns = shape[1] + padding[0] + padding[1], shape[2] + padding[2] + padding[3]
    return (rows - kernel[0]) // stride[0] + 1, (columns - kernel[1]) // stride[1] + 1


def as_floats(array: Any) -> Floats:
    """A float64 copy."""
    return np.array(array, dtype=np.float64)
