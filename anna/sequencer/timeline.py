"""What happens when, for every image: what the walk of a program yields.

A *value* is a state that exists at some time: a pixel of the image, a state that the host writes, a constant, what a register
holds after reset, or a result of a CALC; values are numbered. A timeline tells which values meet which synapses in which cycle,
how old each charge is, and what leaves at the pins.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.chip import codes, refresh
from anna.chip.spec import ChipSpec
from anna.program import isa
from anna.program.file import Program
from anna.program.instructions import Unit
from anna.program.issued import moves
from anna.sequencer.charge import Charges, Refresh
from anna.sequencer.timing import Span

Ints = NDArray[np.int64]
UNDEFINED = -1


@dataclass(frozen=True)
class Hazard:
    """A rule that an instruction breaks in time or data; `anna.sequencer.rules` has its message."""

    rule: str
    index: int
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Values:
    """How values are numbered: pixels, states that the host writes, constants, the reset value, then neurons_at_once results
    for each CALC."""

    inputs: int
    constants: int
    neurons: int
    host: int = 0

    @property
    def given(self) -> int:
        """Values that come from outside the chip, image by image: pixels and what the host writes."""
        return self.inputs + self.host

    @property
    def reset(self) -> int:
        """What shifters, registers and latches hold before anything enters them."""
        return self.given + self.constants

    @property
    def fixed(self) -> int:
        """Values that exist before the first CALC."""
        return self.reset + 1

    def result(self, calc: int, neuron: int) -> int:
        """A result of the CALC with that ordinal."""
        return self.fixed + calc * self.neurons + neuron

    def total(self, calcs: int) -> int:
        """The number of values of a program with this many CALCs."""
        return self.fixed + calcs * self.neurons

    def origin(self, value: int) -> str:
        """Where a value comes from, in words."""
        if value < self.inputs:
            return f"pixel {value}"
        if value < self.given:
            return f"state {value - self.inputs} of the host"
        if value < self.reset:
            return f"constant {value - self.given}"
        if value == self.reset:
            return "reset"
        calc, neuron = divmod(value - self.fixed, self.neurons)
        return f"CALC {calc} neuron {neuron}"


@lru_cache(maxsize=256)
def synapses_of(spec: ChipSpec, fan_in: int, neurons: int) -> tuple[Ints, Ints]:
    """Rows (from the CALC's first one) and columns of each neuron's synapses, both (neurons, fan_in)."""
    place = np.arange(neurons * fan_in, dtype=np.int64).reshape(neurons, fan_in)
    return place // spec.columns, place % spec.columns


@dataclass(frozen=True)
class Calc:
    """One CALC of the timeline: when, on which synapses, on which values."""

    ordinal: int
    index: int  # instruction
    segment: int
    page: int
    cycle: int  # of the segment
    fan_in: int
    row: int
    neurons: int
    operands: NDArray[np.int32]  # (neurons, fan_in) values

    def synapses(self, spec: ChipSpec) -> tuple[Ints, Ints]:
        """Row and column of every synapse, (neurons, fan_in)."""
        rows, columns = synapses_of(spec, self.fan_in, self.neurons)
        return rows + self.row, columns

    def scale_places(self, spec: ChipSpec) -> tuple[Ints, Ints]:
        """Row and group of each neuron's scale code."""
        rows, columns = self.synapses(spec)
        return rows[:, 0], columns[:, 0] * spec.groups // spec.columns


@dataclass(frozen=True, eq=False)
class Calcs:
    """The CALCs of a timeline in turn, an array for each property of them."""

    index: Ints
    segment: Ints
    page: Ints
    cycle: Ints
    fan_in: Ints
    row: Ints
    neurons: Ints
    values: NDArray[np.int32]  # their operands, CALC after CALC and neuron after neuron

    def __len__(self) -> int:
        return len(self.index)

    def first_place(self, spec: ChipSpec) -> Ints:
        """The place of the first synapse of each in the weight RAM, page after page and row after row; the others follow."""
        return (self.page * spec.rows + self.row) * spec.columns

    def rows(self, spec: ChipSpec) -> Ints:
        """How many rows each takes."""
        return -(-self.neurons * self.fan_in // spec.columns)

    def of_segment(self, segment: int) -> slice:
        """Those of a page segment."""
        first, last = np.searchsorted(self.segment, [segment, segment + 1]).tolist()
        return slice(first, last)


@dataclass(frozen=True)
class Segment:
    """An image's time on one page."""

    page: int
    first: int  # instruction
    cycles: int


@dataclass(frozen=True)
class Exchange:
    """A round of the host: the values that it reads and writes, by region, before a page segment begins."""

    segment: int
    reads: dict[str, Ints]  # in the regions' shapes
    writes: dict[str, Ints]


@dataclass(frozen=True, eq=False)
class Timeline:
    """What happens in which cycle, the same for every image."""

    program: Program
    values: Values
    start: Ints  # of each instruction, in cycles of its segment
    end: Ints
    stall: Ints  # cycles that it waited for its unit
    segment: Ints
    segments: tuple[Segment, ...]
    columns: Calcs
    outputs: Mapping[str, Ints]  # region -> values, in the region's shape
    first_result: Ints  # of each instruction, the first of the values that it stored, -1: none
    hazards: tuple[Hazard, ...]
    exchanges: tuple[Exchange, ...] = ()

    def __repr__(self) -> str:
        return f"Timeline({self.program.name}: {len(self.columns)} CALCs, {self.cycles_per_image:,g} cycles an image)"

    @property
    def spec(self) -> ChipSpec:
        """The chip."""
        return self.program.spec

    @property
    def run_cycles(self) -> int:
        """Cycles of one image, without page loads."""
        return sum(segment.cycles for segment in self.segments)

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """The cycles of each instruction."""
        return tuple(map(Span, self.start.tolist(), self.end.tolist(), self.stall.tolist()))

    @cached_property
    def segment_of(self) -> tuple[int, ...]:
        """The segment of each instruction."""
        return tuple(self.segment.tolist())

    @cached_property
    def calcs(self) -> tuple[Calc, ...]:
        """The CALCs one by one."""
        of, found, begin = self.columns, list[Calc](), 0
        parts = (of.index, of.segment, of.page, of.cycle, of.fan_in, of.row, of.neurons)
        for index, segment, page, cycle, fan_in, row, neurons in np.stack(parts, axis=1).tolist():
            operands = of.values[begin : begin + neurons * fan_in].reshape(neurons, fan_in)
            found.append(Calc(len(found), index, segment, page, cycle, fan_in, row, neurons, operands))
            begin += operands.size
        return tuple(found)

    @cached_property
    def stored(self) -> Mapping[int, Ints]:
        """The values that each OUT stored."""
        issued, found = self.program.issued, np.flatnonzero(self.first_result >= 0)
        states = issued.of_form([form.states if moves(form) else 0 for form in issued.forms])
        return {int(index): self.first_result[index] + np.arange(states[index]) for index in found}

    @cached_property
    def refreshes(self) -> tuple[Refresh, ...]:
        """Every RFSH."""
        mine = self.program.issued.named("RFSH")
        parts = (self.segment, self.start, self.program.issued.place)
        return tuple(map(Refresh, *(part[mine].tolist() for part in parts)))

    @cached_property
    def charges(self) -> Charges:
        """Who wrote the charges of the weights, and when."""
        spec, of = self.spec, self.columns
        row = np.zeros((len(self.segments), spec.rows + 1), np.int64)  # first the change from row to row, then summed up
        np.add.at(row, (of.segment, of.row), 1)
        np.add.at(row, (of.segment, of.row + of.rows(spec)), -1)
        rows = tuple(np.flatnonzero(used) for used in np.cumsum(row, axis=1))
        cycles = tuple(segment.cycles for segment in self.segments)
        return Charges(spec, self.refreshes, rows, cycles, self.program.sequencer.issue_cycles(spec))

    @cached_property
    def load_cycles(self) -> tuple[int, ...]:
        """Cycles of the page load before each segment, of one batch in steady state.

        Each segment's page is loaded once a batch, which also refreshes it; a wide chip refreshes by itself, and a page that
        stays from segment to segment needs no load.
        """
        pages = [segment.page for segment in self.segments]
        stays = [self.spec.wide and page == pages[k - 1] for k, page in enumerate(pages)]
        return tuple(0 if stay else self.charges.load_cycles(k) for k, stay in enumerate(stays))

    @property
    def page_load_cycles(self) -> int:
        """Cycles of the page loads of one batch in steady state."""
        return sum(self.load_cycles)

    @property
    def page_loads(self) -> int:
        """Page loads of one batch in steady state: none for a program of one page on a wide chip."""
        pages = [segment.page for segment in self.segments]
        return sum(not self.spec.wide or page != before for page, before in zip(pages, pages[-1:] + pages[:-1], strict=True))

    @property
    def batch_cycles(self) -> int:
        """Cycles of a whole batch in steady state, page loads included."""
        return self.program.batch * self.run_cycles + self.page_load_cycles

    @property
    def page_load_cycles_per_image(self) -> float:
        """An image's share of the page loads of its batch."""
        return self.page_load_cycles / self.program.batch

    @property
    def cycles_per_image(self) -> float:
        """Cycles of one image at the program's batch size, with its share of the page loads."""
        return self.batch_cycles / self.program.batch

    @property
    def seconds_per_image(self) -> float:
        """Chip time of one image."""
        return self.cycles_per_image / self.spec.clock_hz

    @cached_property
    def busy_cycles(self) -> dict[str, int]:
        """Cycles in which each unit is busy, for one image."""
        units = {"SHIFT": Unit.INPUT, "CALC": Unit.ARRAY, "OUT": Unit.OUTPUT}
        busy = {unit.value: int((self.end - self.start)[self._named(name)].sum()) for name, unit in units.items()}
        if not self.spec.wide:
            busy["refresh"] = len(self.refreshes)
            return busy
        # The DACs rest only in the overhead at the end of each period.
        period, writes = self.spec.refresh_period_cycles, self.spec.refresh_write_cycles
        periods, rest = divmod(self.run_cycles, period)
        busy["refresh"] = periods * writes + min(rest, writes)
        return busy

    @property
    def stall_cycles(self) -> dict[str, int]:
        """Cycles that instructions waited for each unit."""
        stalls = {unit.value: 0 for unit in (Unit.INPUT, Unit.ARRAY, Unit.OUTPUT)}
        for unit in Unit:
            names = [one.name for one in isa.of(self.spec).table if one.unit is unit]
            if waited := int(self.stall[self._named(*names)].sum()):
                stalls[unit.value] = waited
        return stalls

    def _named(self, *names: str) -> NDArray[np.bool_]:
        return self.program.issued.named(*names)

    @cached_property
    def live_products(self) -> int:
        """Products with a weight that carries current, for one image: biases and partial sums included, weights that
        were rounded to zero not. A network's own count is its `multiply_adds`."""
        numerators = codes.weight_converter(self.spec).numerators
        before = np.append(0, np.cumsum(numerators[self.program.weight_codes] != 0))  # each place of the weight RAM
        first, count = self.columns.first_place(self.spec), self.columns.neurons * self.columns.fan_in
        return int((before[first + count] - before[first]).sum())

    def ages(self, calc: Calc, moment: int = 0) -> Ints:
        """Age of the charge of every synapse of a CALC, in cycles, (neurons, fan_in)."""
        rows, columns = calc.synapses(self.spec)
        return self.charges.ages(np.array(calc.segment), np.array(calc.cycle), rows, columns, moment)

    def events(self, segment: int, first: int, last: int) -> Iterator[str]:
        """What happens in cycles first .. last of a segment, one line each."""
        ops = self.program.ops
        mine = [i for i, s in enumerate(self.segment_of) if s == segment]
        for cycle in range(first, last + 1):
            busy = [f"{i}:{ops[i].name}" for i in mine if self.spans[i].start <= cycle < self.spans[i].end]
            written = [f"{r}.{c}" for r, c in self._written_in(segment, cycle)]
            yield f"{cycle:6d}  {' '.join(busy) or '-':40s}  refresh {' '.join(written) or '-'}"

    def _written_in(self, segment: int, cycle: int) -> list[tuple[int, int]]:
        """The synapses that are written in a cycle."""
        if self.spec.wide:
            return refresh.written_in(self.spec, cycle)
        dacs = self.spec.dacs
        pairs = [one.pair for one in self.refreshes if (one.segment, one.cycle) == (segment, cycle)]
        return [divmod(pair * dacs + dac, self.spec.columns) for pair in pairs for dac in range(dacs)]
