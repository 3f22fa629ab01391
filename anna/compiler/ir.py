"""What the first passes work on: a network as chip layers that are all of one kind, and what the host does between them.

Every layer that the chip runs becomes a sum over a window with a mask of the taps that exist: a convolution with its
connection table, a subsampling as a convolution that reads one map, a full connection as a window as large as its input.

A value may be carried by several states, its *digits*, each of which converts what the coarser ones leave, and by several
*copies*. A stack holds the maps of all digits, the coarsest first, and the copies of a map side by side. Each digit is made by
a layer of its own; readers weigh all of them. Maps that are joined lie in one stack, each layer's in its place.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anna.network.activations import Activation
from anna.network.graph import Graph, Layer, Network, Prepare, Shape, shape_text

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
INPUT = "input"
Tap = tuple[int, int, int]  # input map, row and column within the window


class OwnColumn(NamedTuple):
    """What a unit of map o reads on a column of its own: the state at its place in map `maps[o]` of a stack."""

    stack: str
    maps: tuple[int, ...]


OWN_BIAS = OwnColumn("", ())  # no stack: the bias of that unit


@dataclass(frozen=True, eq=False)
class ChipLayer:
    """Output map o = post(activation(sum over the taps of mask_oiyx of weights x inputs, plus bias))."""

    name: str
    origin: str  # the network's layer that it comes from
    source: str  # the map stack that it reads: another chip layer, or INPUT
    input_shape: Shape
    output_shape: Shape
    weights_oiyx: Floats  # where the mask says so; the parts of a sum share them
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
    carries_values: bool = False  # adds what the carried stack's values are, not its sums: a residual, a step of a maximum
    carry_maps: tuple[int, ...] = ()  # the carried map of each of its maps, in one digit; (): all, in order
    lowest_border: bool = False  # its padding is the lowest value there is: a step of a maximum in digits
    input_maps: int = 0  # maps of one digit of what it reads; 0: of all, there is one digit
    synapses: int = 1  # that share each weight on a map of the coarsest digit, by reading it so often
    digits: int = 1  # states that carry a value of its maps
    step_digits: int = 1  # those of its partial sums, if it is split
    digit: int = 0  # which digit this layer makes
    target: str = ""  # the stack that it writes to, if that is not its own
    place: int = 0  # where its maps begin in one digit of that stack
    width: int = 0  # maps of one digit of that stack, if not its own alone
    copies: int = 1  # of each map, side by side
    surround: float | None = None  # the value that is around its maps for those that read them with a border
    steps_o: Floats | None = None  # of which the weights of each map are whole multiples, in a quantised network
    turned: bool = False  # every other pair of maps is carried upside down, its silence by the highest state

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
            return self.weights_oiyx * self.mask_oiyx
        coarsest = (self.weights_oiyx * self.mask_oiyx)[:, : self.synapses * self.input_maps]
        found: Floats = coarsest.reshape(len(coarsest), self.synapses, self.input_maps, *self.kernel).sum(axis=1)
        return found

    @property
    def sign_o(self) -> Floats:
        """-1 for each map that is carried upside down, 1 for the others; in pairs, since neighbours have their weights from
        two DACs, and errors of one DAC must cancel."""
        signs = np.ones(self.output_shape[0])
        if self.turned:
            signs[np.arange(len(signs)) % 4 > 1] = -1.0
        return signs

    @property
    def stack(self) -> str:
        """The map stack that it writes to."""
        return self.target or self.name

    @property
    def stack_width(self) -> int:
        """Maps of one digit of that stack."""
        return self.width or self.output_shape[0]

    @property
    def first_map(self) -> int:
        """Where its maps begin in that stack."""
        return self.digit * self.stack_width + self.place

    @property
    def stack_maps(self) -> int:
        """Maps of that stack."""
        return self.digits * self.stack_width

    @property
    def carried_maps(self) -> tuple[int, ...]:
        """The carried map of each of its maps, in one digit of the carried stack."""
        return self.carry_maps or tuple(range(self.output_shape[0]))

    @property
    def reads(self) -> tuple[str, ...]:
        """The stacks that it reads: as inputs, as partial sums, as coarser digits of its own values."""
        carried = () if self.carry is None else (self.carry,)
        return (self.source, *carried, *((self.stack,) if self.digit else ()))

    @property
    def bias_kind(self) -> str:
        """Whether there is a bias per map, per unit, or none."""
        return "none" if self.bias is None else "map" if self.bias.ndim == 1 else "unit"

    @cached_property
    def taps(self) -> tuple[tuple[Tap, ...], ...]:
        """What each map reads; maps that read the same share the object."""
        first, found = dict[bytes, tuple[Tap, ...]](), list[tuple[Tap, ...]]()
        for mask in self.mask_oiyx:
            key = mask.tobytes()
            if key not in first:
                first[key] = tuple((i, y, x) for i, y, x in np.argwhere(mask).tolist())
            found.append(first[key])
        return tuple(found)

    @cached_property
    def alike(self) -> tuple[int, ...]:
        """For each map, the first that reads the same."""
        first = dict[int, int]()
        return tuple(first.setdefault(id(taps), o) for o, taps in enumerate(self.taps))

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
        if self.width:
            parts.append(f"maps {self.place} on of {self.target}")
        if self.partial:
            parts.append(f"a part of {self.origin}")
        if self.synapses > 1:
            parts.append(f"{self.synapses} synapses a weight")
        if self.copies > 1:
            parts.append(f"{self.copies} copies")
        if self.turned:
            parts.append("every other pair of maps upside down")
        if self.digits > 1:
            parts.append(f"digit {self.digit + 1} of {self.digits}")
        return ", ".join(parts)


class Reading(NamedTuple):
    """Maps that the host reads, by the name that its layers know them by."""

    name: str
    stack: str
    maps: tuple[int, ...] = ()  # of one digit of the stack; (): all, in order


class Writing(NamedTuple):
    """What the host writes: the output of a layer, as a stack of maps."""

    output: str
    stack: str
    shape: Shape  # of one digit
    digits: int = 1


@dataclass(frozen=True, eq=False)
class HostStage:
    """Float layers on the host, each of which reads the one before it unless `links` says otherwise; the first one reads the
    first reading."""

    readings: tuple[Reading, ...]
    layers: tuple[Layer, ...]
    links: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()  # of layers or readings; (): the last layer's
    writings: tuple[Writing, ...] = ()

    @staticmethod
    def linked(
        readings: Iterable[Reading], layers: Iterable[tuple[Layer, tuple[str, ...]]], outputs: tuple[str, ...],
        writings: Iterable[Writing] = (),
    ) -> "HostStage":  # fmt: skip
        """Of layers and what each reads."""
        readings, pairs, links = tuple(readings), tuple(layers), dict[str, tuple[str, ...]]()
        before = (readings[0].name,)
        for layer, inputs in pairs:
            if inputs != before:
                links[layer.name] = inputs
            before = (layer.name,)
        return HostStage(readings, tuple(layer for layer, _ in pairs), links, () if outputs == before else outputs,
                         tuple(writings))  # fmt: skip

    @property
    def pairs(self) -> tuple[tuple[Layer, tuple[str, ...]], ...]:
        """Its layers, each with what it reads."""
        names = (self.readings[0].name, *(layer.name for layer in self.layers))
        return tuple((layer, self.links.get(layer.name, (names[k],))) for k, layer in enumerate(self.layers))

    @property
    def ends(self) -> tuple[str, ...]:
        """What it gives: layers or readings."""
        return self.outputs or ((self.layers[-1].name,) if self.layers else (self.readings[0].name,))

    def shapes(self, stacks: Mapping[str, Shape]) -> dict[str, Shape]:
        """The shapes of all that it reads and computes, given those of the stacks."""
        found = {name: (len(maps) or stacks[stack][0], *stacks[stack][1:]) for name, stack, maps in self.readings}
        for layer, inputs in self.pairs:
            found[layer.name] = layer.output_shape(*(found[one] for one in inputs))
        return found

    def through(self, number: int, layer: Layer) -> "HostStage":
        """With a layer between a reading and all that read it."""
        old, new = self.readings[number], f"/{self.readings[number].name}"

        def renamed(names: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(layer.name if name == old.name else name for name in names)

        pairs = [(layer, (new,)), *((one, renamed(inputs)) for one, inputs in self.pairs)]
        readings = list(self.readings)
        readings[number] = old._replace(name=new)
        writings = [one._replace(output=renamed((one.output,))[0]) for one in self.writings]
        return HostStage.linked(readings, pairs, renamed(self.ends), writings)


@dataclass(frozen=True, eq=False)
class Member:
    """One network of an ensemble (or the only one): chip layers and what the host does between them, in order, then its
    tail."""

    prefix: str  # "" or "<member>."
    graph: Graph
    steps: tuple[ChipLayer | HostStage, ...]
    tail: HostStage
    input_scale_m: Floats  # leading factors and offsets of the network, absorbed into what an input state means
    input_offset_m: Floats

    @cached_property
    def layers(self) -> tuple[ChipLayer, ...]:
        """Its chip layers in order."""
        return tuple(step for step in self.steps if isinstance(step, ChipLayer))

    @property
    def stages(self) -> tuple[HostStage, ...]:
        """All that the host does: rounds in order, then the tail."""
        return (*(step for step in self.steps if isinstance(step, HostStage)), self.tail)

    def with_layers(self, expanded: Callable[[ChipLayer], Iterable[ChipLayer]]) -> "Member":
        """With some layers in the place of each."""
        steps = [one for step in self.steps for one in ((step,) if isinstance(step, HostStage) else expanded(step))]
        return replace(self, steps=tuple(steps))

    @property
    def plain(self) -> ChipLayer | None:
        """The last layer, if the host's tail reads nothing but its maps."""
        last, readings = self.layers[-1], self.tail.readings
        alone = len(readings) == 1 and readings[0].stack == last.stack and not readings[0].maps and not last.width
        return last if alone and not any(last.stack in layer.reads for layer in self.layers) else None


@dataclass(frozen=True, eq=False)
class Lowered:
    """A network as chip layers and host layers: what the check pass makes."""

    network: Network
    prepare: Prepare | None
    input_shape: Shape  # of what enters the first layer
    members: tuple[Member, ...]
    input_digits: int = 1  # states that carry a value of the image
    before: tuple[Layer, ...] = ()  # host layers between the prepared image and the first chip layer

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
        for step in self.steps:
            if isinstance(step, ChipLayer):
                found[step.stack] = (step.stack_maps, *step.output_shape[1:])
            else:
                for _, stack, shape, digits in step.writings:
                    found[stack] = (digits * shape[0], *shape[1:])
        return found

    @property
    def steps(self) -> tuple[ChipLayer | HostStage, ...]:
        """All chip layers and rounds of the host, in the order in which they run."""
        return tuple(step for member in self.members for step in member.steps)

    @property
    def results(self) -> frozenset[str]:
        """The stacks that the tails read."""
        return frozenset(reading.stack for member in self.members for reading in member.tail.readings)

    @property
    def read_by_host(self) -> frozenset[str]:
        """The stacks that the host reads anywhere."""
        return frozenset(reading.stack for member in self.members for stage in member.stages for reading in stage.readings)

    @property
    def written_by_host(self) -> frozenset[str]:
        """The stacks that the host writes, but for the image."""
        return frozenset(one.stack for member in self.members for stage in member.stages for one in stage.writings)

    def read_by_chip(self, source: str) -> bool:
        """Whether any layer reads a map stack in any way."""
        return any(source in layer.reads for layer in self.layers)

    def last_writer(self, stack: str) -> int:
        """The position of the last layer that writes to a map stack; -1 for the image."""
        return max((k for k, layer in enumerate(self.layers) if layer.stack == stack), default=-1)

    def last_reader(self, source: str) -> int:
        """The position of the last layer that reads a map stack in any way; one past the last layer if the host does."""
        found = [k for k, layer in enumerate(self.layers) if source in layer.reads]
        number = 0
        for step in self.steps:
            number += isinstance(step, ChipLayer)
            if isinstance(step, HostStage) and source in {reading.stack for reading in step.readings}:
                found.append(number)
        return len(self.layers) if source in self.results or not found else max(found)

    @property
    def text(self) -> str:
        """The canonical text."""
        lines = [f"network {self.network.name}: image {shape_text(self.input_shape)}"]
        lines += ["prepare on the host"] if self.prepare is not None else []
        for member in self.members:
            for step in (*member.steps, member.tail):
                if isinstance(step, ChipLayer):
                    lines.append(f"  chip {step.text}")
                    continue
                for layer, inputs in step.pairs:
                    reads = f" of {', '.join(inputs)}" if layer.name in step.links else ""
                    lines.append(f"  host {member.prefix}{layer.name}: {layer.kind}{reads}")
        return "\n".join(lines)


def conv_geometry(shape: Shape, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of the output."""
    rows, columns = shape[1] + padding[0] + padding[1], shape[2] + padding[2] + padding[3]
    return (rows - kernel[0]) // stride[0] + 1, (columns - kernel[1]) // stride[1] + 1


def as_floats(array: Any) -> Floats:
    """A float64 copy."""
    return np.array(array, dtype=np.float64)
