"""Float layers of the host between stacks of maps that leave the chip's memory and the stacks that they give.

They run in 32-bit floats with sums in a fixed order (`anna.network.forward`), so that results are the same on every machine,
for any number of images at once and of threads.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import GraphError
from anna.base.frozen import Settled
from anna.base.threads import share
from anna.chip import codes
from anna.chip.spec import ChipSpec
from anna.native.float_sums import engine
from anna.network.forward import run_layer
from anna.network.graph import LAYER_KINDS, Step, sized_output
from anna.network.layers import JOINING, Layer, Prepare
from anna.network.parts import Shape, check_stack, units

Floats = NDArray[np.float64]
# Images that the host layers take at once: whole vectors, but no multiple of a large power of two, which would crowd an
# image's numbers into a few sets of the cache.
PIECE = 13 * 64
PIECE_BYTES, FEWEST = 1 << 26, 16  # of the largest stack, where the maps are large
PIECES_A_TURN = 2  # pieces that a thread takes at once
Stack = NDArray[Any]  # maps, rows, columns, images


def check_meaning(what: str, maps: int, digits: int, gain_m: Floats, offset_m: Floats) -> None:
    """Raise unless there are a gain and an offset for each map, and the maps are so many digits of others."""
    for name, array in (("gain", gain_m), ("offset", offset_m)):
        if array.shape != (maps,) or array.dtype != np.float64 or not np.isfinite(array).all():
            raise GraphError(
                f"{what}: the {name} is {array.dtype} of shape {array.shape}; expected finite float64, one per map"
            )
    if type(digits) is not int or not 1 <= digits <= maps or maps % digits:
        raise GraphError(f"{what}: {maps} maps cannot be {digits!r} digits; expected a divisor")


@dataclass(frozen=True, eq=False)
class HostReading(Settled):
    """A stack of maps that leaves the chip's memory, as floats."""

    name: str  # by which the layers know it
    region: str  # of the program
    shape: Shape  # of that region: digits x maps, rows, columns
    gain_m: Floats  # what a state of map m of the region stands for: gain x state LSB + offset
    offset_m: Floats
    digits: int = 1  # a value is the sum of its digits: the maps of the coarsest come first

    def _settled(self) -> Mapping[str, Any]:
        if not isinstance(self.name, str) or not self.name or not self.name.isprintable():
            raise GraphError(f"reading {self.name!r}: expected printable text as its name")
        shape = self.shape
        if not isinstance(shape, tuple) or len(shape) != 3 or any(type(n) is not int or n < 1 for n in shape):
            raise GraphError(f"reading {self.name}: the shape is {shape!r}; expected maps, rows, columns of at least 1")
        check_stack(f"reading {self.name}", shape)
        check_meaning(f"reading {self.name}", shape[0], self.digits, self.gain_m, self.offset_m)
        return {}

    @property
    def output_shape(self) -> Shape:
        """Shape of its floats."""
        return self.shape[0] // self.digits, *self.shape[1:]

    def values(self, spec: ChipSpec, states: NDArray[np.generic]) -> NDArray[Any]:
        """What state codes (images, maps, rows, columns) stand for: 32-bit floats (maps, rows, columns, images)."""
        levels = codes.state_converter(spec).values(np.arange(1 << spec.state_bits))
        table = np.ascontiguousarray((levels * self.gain_m[:, None] + self.offset_m[:, None]).astype(np.float32))
        here = np.ascontiguousarray(states)
        native = engine() if here.dtype == np.uint8 else None
        if native is not None:
            flat = here.reshape(len(here), here.shape[1], -1)
            found: NDArray[Any] = np.empty((*flat.shape[1:], len(flat)), np.float32)
            native.codes_to_values(native.levels()[0], flat, table, found)
            found = found.reshape(*here.shape[1:], len(here))
        else:
            maps = np.arange(here.shape[1])[:, None, None]
            found = np.ascontiguousarray(table[maps, here].transpose(1, 2, 3, 0))
        if self.digits == 1:
            return found
        coarsest, *finer = found.reshape(self.digits, *self.output_shape, len(here))
        total: NDArray[Any] = coarsest.copy()
        for digit in finer:
            total += digit
        return total


@dataclass(frozen=True, eq=False)
class HostPart(Settled):
    """Float layers between stacks that are read and stacks that are given; raises GraphError unless every shape fits.

    A layer reads the one before it, the first layer the first reading, unless `links` names what it reads: layers before it,
    or readings. `outputs` names what is given; if it is empty, that is the last layer, or the first reading if there is none.
    """

    readings: tuple[HostReading, ...]
    layers: tuple[Layer, ...] = ()
    links: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    steps: tuple[Step, ...] = field(init=False, repr=False)
    shapes: Mapping[str, Shape] = field(init=False, repr=False)  # by name, of every reading and layer

    @classmethod
    def chain(cls, region: str, shape: Shape, gain_m: Floats, offset_m: Floats, layers: tuple[Layer, ...]) -> Self:
        """One layer after another behind one stack, which has the name of its region."""
        return cls((HostReading(_name_in_chain(region, layers), region, shape, gain_m, offset_m),), layers)

    def _settled(self) -> Mapping[str, Any]:
        if not self.readings:
            raise GraphError("a host part reads no stack; expected at least one")
        shapes = dict[str, Shape]()
        for reading in self.readings:
            _expect_new(reading.name, shapes)
            shapes[reading.name] = reading.output_shape
        steps, links, before = list[Step](), dict[str, tuple[str, ...]](), (self.readings[0].name,)
        for layer in self.layers:
            if not isinstance(layer, tuple(LAYER_KINDS.values())) or isinstance(layer, Prepare):
                raise GraphError(f"a host part holds a {type(layer).__name__}; expected layers that take floats")
            _expect_new(layer.name, shapes)
            inputs = tuple(self.links.get(layer.name, before))
            if unknown := [one for one in inputs if one not in shapes]:
                raise GraphError(
                    f"{layer.name} reads {unknown[0]!r}; expected layers before it or readings: {', '.join(shapes)}"
                )
            if not inputs or (len(inputs) > 1 and not isinstance(layer, JOINING)):
                raise GraphError(f"{layer.name}, a {layer.kind} layer, reads {len(inputs)} stacks; expected one")
            if inputs != before:
                links[layer.name] = inputs
            ins = tuple(shapes[one] for one in inputs)
            shapes[layer.name] = sized_output(layer, ins)
            steps.append(Step(layer, inputs, ins, shapes[layer.name]))
            before = (layer.name,)
        outputs = tuple(self.outputs) or before
        if unknown := [name for name in (*outputs, *self.links) if name not in shapes]:
            raise GraphError(f"a host part has no {unknown[0]!r}; it has {', '.join(shapes)}")
        if len(set(outputs)) != len(outputs):
            raise GraphError(f"a host part names an output twice; expected each of {', '.join(outputs)} once")
        return {
            "readings": tuple(self.readings), "layers": tuple(self.layers), "links": links, "outputs": outputs,
            "steps": tuple(steps), "shapes": shapes,
        }  # fmt: skip

    @property
    def is_chain(self) -> bool:
        """Whether it is what `chain` makes, as every part was once."""
        first = self.readings[0]
        named = first.name == _name_in_chain(first.region, self.layers)
        plain = len(self.readings) == 1 and named and first.digits == 1
        return plain and not self.links and self.outputs == (self.steps[-1].layer.name if self.steps else first.name,)

    @property
    def output_shape(self) -> Shape:
        """Shape of the first output."""
        return self.shapes[self.outputs[0]]

    @property
    def states_read(self) -> int:
        """States that leave the chip's memory for one image."""
        return sum(int(np.prod(shape)) for shape in {one.region: one.shape for one in self.readings}.values())

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds for one image."""
        return sum(step.multiply_adds for step in self.steps)

    @property
    def connections(self) -> int:
        """Connections with biases for one image."""
        return sum(step.connections for step in self.steps)

    def run(
        self, spec: ChipSpec, states: Mapping[str, NDArray[np.generic]], threads: int = 1
    ) -> dict[str, NDArray[np.float32]]:
        """Every output by name (images, maps, rows, columns), from the state codes (images, maps, rows, columns) of regions."""
        images = len(states[self.readings[0].region])
        given = {name: np.empty((images, *self.shapes[name]), np.float32) for name in self.outputs}

        def take(here: slice, name: str, stack: Stack) -> None:
            given[name][here] = stack.transpose(3, 0, 1, 2)

        self.run_pieces(spec, states, threads, self.outputs, take)
        return given

    def run_pieces(
        self,
        spec: ChipSpec,
        states: Mapping[str, NDArray[np.generic]],
        threads: int,
        wanted: tuple[str, ...],
        take: Callable[[slice, str, Stack], None],
    ) -> None:
        """Hand over each layer or reading that is wanted, for some images after others, as (maps, rows, columns, images)."""
        images = len(states[self.readings[0].region])
        piece = max(FEWEST, min(PIECE, PIECE_BYTES // (4 * max(units(shape) for shape in self.shapes.values()))))
        last_reader = {one: number for number, step in enumerate(self.steps) for one in step.inputs}

        def run_piece(here: slice) -> None:
            stacks: dict[str, Stack] = {one.name: one.values(spec, states[one.region][here]) for one in self.readings}
            for name in stacks.keys() & set(wanted):
                take(here, name, stacks[name])
            for number, step in enumerate(self.steps):
                name = step.layer.name
                _, stacks[name] = run_layer(step.layer, *(stacks[one] for one in step.inputs))
                if name in wanted:
                    take(here, name, stacks[name])
                for one in {*step.inputs, name}:
                    if last_reader.get(one, number) <= number:
                        del stacks[one]

        def run_turn(start: int) -> None:
            for first in range(start, min(start + piece * PIECES_A_TURN, images), piece):
                run_piece(slice(first, min(first + piece, images)))

        share(run_turn, range(0, images, piece * PIECES_A_TURN), threads)


def _name_in_chain(region: str, layers: tuple[Layer, ...]) -> str:
    """The region's name, or one that no layer has."""
    return f"/{region}" if any(layer.name == region for layer in layers) else region


def _expect_new(name: str, known: Mapping[str, Shape]) -> None:
    if name in known:
        raise GraphError(f"a host part has two stacks called {name}; expected unique names")
