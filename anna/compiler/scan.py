"""A scan: one way to run some output maps of a layer over its input, as far as every chip does it alike.

A window covers `down` rows and `right` columns of output positions at once, so that each state is loaded once for all of
them. How a window lies in the registers of a wide chip says `anna.compiler.registers`, in the latches of one with a single
shifter `anna.compiler.latches`.
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, chain
from typing import ClassVar, NamedTuple, Self

from anna.chip.spec import ChipSpec
from anna.compiler.ir import OWN_BIAS, ChipLayer, OwnColumn


def ceil_div(a: int, b: int) -> int:
    """a / b rounded up."""
    return -(-a // b)


def first_positions(length: int, step: int) -> tuple[int, ...]:
    """Where windows of so many positions begin that cover a length; the last may overlap the one before."""
    return tuple(min(start, length - step) for start in range(0, length, step))


class Neuron(NamedTuple):
    """A logical neuron of a scan: its output, and what each of its rows reads, a register of the scan or a latch."""

    o: int
    dy: int
    dx: int
    reads: tuple[int, ...]

    @property
    def slot(self) -> tuple[int, int]:
        """Which of the positions of a window it computes."""
        return self.dy, self.dx


@dataclass(frozen=True, eq=False)
class Scan(ABC):
    """Some output maps of a layer, computed in one pass of a window over their input."""

    layer: ChipLayer
    spec: ChipSpec
    outputs: tuple[int, ...]
    down: int
    right: int
    constants: int  # columns of constants beside those of the window
    units: tuple[OwnColumn, ...]  # what each column of a neuron's own holds: its bias first, partial sums, coarser digits

    SHARED: ClassVar[tuple[str, ...]] = ("starts_y", "starts_x", "reads")  # cached properties that its parts have alike

    @cached_property
    def starts_y(self) -> tuple[int, ...]:
        """First output row of every line; the last line overlaps the one before if the rows do not divide evenly."""
        return first_positions(self.layer.output_shape[1], self.down)

    @cached_property
    def starts_x(self) -> tuple[int, ...]:
        """First output column of every step of a line."""
        return first_positions(self.layer.output_shape[2], self.right)

    @property
    def unit_columns(self) -> int:
        """Columns of a neuron's own."""
        return len(self.units)

    @property
    def own_biases(self) -> int:
        """Those of its bias."""
        return self.units.count(OWN_BIAS)

    @property
    def unit_states(self) -> int:
        """States on the own columns of the units of one step."""
        return self.unit_columns * len(self.outputs) * self.down * self.right

    @property
    def slots(self) -> list[tuple[int, int]]:
        """The positions of a window (dy, dx), in the order of its neurons."""
        return [(dy, dx) for dx in range(self.right) for dy in range(self.down)]

    @cached_property
    def reads(self) -> dict[int, list[tuple[int, ...]]]:
        """What each row of a neuron reads at each position, by the first output map that reads the same taps."""
        first, slots = self.layer.alike, self.slots
        return {one: [self._read(one, dy, dx) for dy, dx in slots] for one in sorted({first[o] for o in self.outputs})}

    @cached_property
    def neurons(self) -> tuple[Neuron, ...]:
        """All neurons: those that may share a CALC together, then by position, then by map."""
        outputs, first, reads = sorted(self.outputs), self.layer.alike, self.reads
        together = {one: self._together(one) for some in reads.values() for one in some}
        found = {key: list[Neuron]() for key in sorted(set(together.values()))}
        for k, (dy, dx) in enumerate(self.slots):
            for o in outputs:
                one = reads[first[o]][k]
                found[together[one]].append(Neuron(o, dy, dx, one))
        return tuple(chain.from_iterable(found.values()))

    @abstractmethod
    def _read(self, o: int, dy: int, dx: int) -> tuple[int, ...]:
        """What each row of a neuron reads."""

    @abstractmethod
    def _together(self, reads: tuple[int, ...]) -> tuple[Hashable, ...]:
        """What neurons that share a CALC have in common."""

    @cached_property
    def rows(self) -> int:
        """Rows of synapses."""
        return sum(self.rows_per_output.values())

    @cached_property
    def rows_per_output(self) -> dict[int, int]:
        """Rows of each output map, all positions together."""
        rows = {one: sum(map(len, some)) for one, some in self.reads.items()}
        return {o: rows[self.layer.alike[o]] for o in self.outputs}

    @cached_property
    def rows_before(self) -> list[int]:
        """Rows of the output maps before each, and of all."""
        return [0, *accumulate(self.rows_per_output[o] for o in self.outputs)]

    @property
    def heaviest(self) -> int:
        """Rows of the output map that has most."""
        return max(self.rows_per_output.values())

    def part(self, outputs: Sequence[int]) -> Self:
        """The same scan for fewer output maps, in their order."""
        wanted = tuple(outputs)
        if wanted not in self._parts:
            self._parts[wanted] = made = self._fewer(wanted)
            among = frozenset(wanted)
            made.__dict__.update({name: self.__dict__[name] for name in self.SHARED if name in self.__dict__})
            made.__dict__["rows_per_output"] = {o: self.rows_per_output[o] for o in wanted}
            if "neurons" in self.__dict__:
                made.__dict__["neurons"] = tuple(neuron for neuron in self.neurons if neuron.o in among)
        return self._parts[wanted]

    def of(self, layer: ChipLayer, units: tuple[OwnColumn, ...]) -> Self:
        """The same scan of another layer that is alike."""
        made = replace(self, layer=layer, units=units)
        alike = ("neurons", "reads", "rows", "rows_per_output", "rows_before")
        made.__dict__.update({name: self.__dict__[name] for name in alike if name in self.__dict__})
        made.__dict__["costs"] = self.costs
        return made

    def _fewer(self, outputs: tuple[int, ...]) -> Self:
        return replace(self, outputs=outputs)

    def cycles_of(self, first: int, end: int) -> int:
        """Estimated cycles of the part with these of its outputs."""
        if (first, end) not in self.costs:
            everything = end - first == len(self.outputs)
            self.costs[first, end] = self.cycles if everything else self.part(self.outputs[first:end]).cycles
        return self.costs[first, end]

    @cached_property
    def costs(self) -> dict[tuple[int, int], int]:
        """A cache of `cycles_of`, which scans share that are alike."""
        return {}

    @property
    @abstractmethod
    def cycles(self) -> int:
        """Estimated cycles of the scan."""

    @cached_property
    def _parts(self) -> dict[tuple[int, ...], Self]:
        """A cache: many ways to place a layer cut it alike."""
        return {}
