"""What happens when, for every image: what the walk of a program yields.

A *value* is a state that exists at some time: a pixel of the image, a constant, what a register holds after reset, or a
result of a CALC; values are numbered. A timeline tells which values meet which synapses in which cycle, how old each charge
is, and what leaves at the pins.
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
from anna.sequencer.charge import Charges, Refresh, rows_read
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
    """How values are numbered: pixels, constants, the reset value, then neurons_at_once results for each CALC."""

    inputs: int
    constants: int
    neurons: int

    @property
    def reset(self) -> int:
        """What shifters, registers and latches hold before anything enters them."""
        return self.inputs + self.constants

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
        if value < self.reset:
            return f"constant {value - self.inputs}"
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


@dataclass(frozen=True)
class Segment:
    """An image's time on one page."""

    page: int
    first: int  # instruction
    cycles: int


@dataclass(frozen=True, eq=False)
class Timeline:
    """What happens in which cycle, the same for every image."""

    program: Program
    values: Values
    spans: tuple[Span, ...]  # of each instruction, in cycles of its segment
    segment_of: tuple[int, ...]
    segments: tuple[Segment, ...]
    calcs: tuple[Calc, ...]
    outputs: Mapping[str, Ints]  # region -> values, in the region's shape
    stored: Mapping[int, Ints]  # OUT instruction -> values it stored
    refreshes: tuple[Refresh, ...]
    hazards: tuple[Hazard, ...]

    def __repr__(self) -> str:
        return f"Timeline({self.program.name}: {len(self.calcs)} CALCs, {self.cycles_per_image:,g} cycles an image)"

    @property
    def spec(self) -> ChipSpec:
        """The chip."""
        return self.program.spec

    @property
    def run_cycles(self) -> int:
        """Cycles of one image, without page loads."""
        return sum(segment.cycles for segment in self.segments)

    @cached_property
    def charges(self) -> Charges:
        """Who wrote the charges of the weights, and when."""
        spec, used = self.spec, [set[tuple[int, int]]() for _ in self.segments]
        for calc in self.calcs:
            used[calc.segment].add((calc.row, isa.rows_of(spec, calc.fan_in, calc.neurons)))
        rows = tuple(rows_read(spans) for spans in used)
        cycles = tuple(segment.cycles for segment in self.segments)
        return Charges(spec, self.refreshes, rows, cycles, self.program.sequencer.issue_cycles(spec))

    @cached_property
    def page_load_cycles(self) -> int:
        """Cycles of the page loads of one batch in steady state.

        Each segment's page is loaded once a batch, which also refreshes it; a wide chip refreshes by itself, and a page that
        stays from segment to segment needs no load.
        """
        pages = [segment.page for segment in self.segments]
        loaded = [k for k, page in enumerate(pages) if not self.spec.wide or page != pages[k - 1]]
        return sum(self.charges.load_cycles(k) for k in loaded)

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
        busy = {unit.value: 0 for unit in (Unit.INPUT, Unit.ARRAY, Unit.OUTPUT)}
        for op, span in zip(self.program.ops, self.spans, strict=True):
            if op.name in ("SHIFT", "CALC", "OUT"):
                busy[op.instruction.unit.value] += span.end - span.start
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
        for op, span in zip(self.program.ops, self.spans, strict=True):
            if span.stall:
                unit = op.instruction.unit.value
                stalls[unit] = stalls.get(unit, 0) + span.stall
        return stalls

    @cached_property
    def live_products(self) -> int:
        """Products with a weight that carries current, for one image: biases and partial sums included, weights that
        were rounded to zero not. A network's own count is its `multiply_adds`."""
        numerators = codes.weight_converter(self.spec).numerators
        live = numerators[self.program.weight_codes] != 0
        return sum(int(live[calc.page][calc.synapses(self.spec)].sum()) for calc in self.calcs)

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
