"""The control plane: a program walked once, cycle by cycle, moving addresses instead of values.

ANNA's control flow never depends on data, so one walk tells what happens when, for every image: which values meet which
synapses in which cycle, how old each charge is, what leaves at the pins. A *value* is a state that exists at some time:
a pixel of the image, a constant, what a register holds after reset, or a result of a CALC; the walk numbers them.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.chip import codes, refresh
from anna.chip.spec import ChipSpec
from anna.program import isa
from anna.program.file import Program
from anna.program.instructions import Unit
from anna.program.isa import Op
from anna.sequencer.charge import Charges, Refresh, rows_read
from anna.sequencer.timing import Scoreboard, Span

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


@dataclass
class _Walk:
    """The state of the walk; `step` advances it by one instruction."""

    program: Program
    values: Values
    memory: NDArray[np.int32] = field(init=False)  # value at each address
    readable: Ints = field(init=False)  # cycle from which that value can be read
    last_read: Ints = field(init=False)  # last cycle in which a SHIFT reads the address
    shift: NDArray[np.int32] = field(init=False)  # (shifters, columns)
    stored_in: NDArray[np.int32] = field(init=False)  # (registers, columns), the state storage
    hold: NDArray[np.int32] = field(init=False)  # (latches, columns)
    hold_read_until: Ints = field(init=False)  # last cycle in which a CALC reads each latch
    hold_reader: Ints = field(init=False)
    board: Scoreboard = field(init=False)
    untaken: deque[Calc] = field(default_factory=deque)
    taken: int = 0  # results of the oldest of them that are out
    refreshes: list[Refresh] = field(default_factory=list)
    calcs: list[Calc] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    segment_of: list[int] = field(default_factory=list)
    stored: dict[int, Ints] = field(default_factory=dict)
    hazards: list[Hazard] = field(default_factory=list)

    def __post_init__(self) -> None:
        program, size = self.program, self.program.window_states
        self.memory = np.full(size, UNDEFINED, dtype=np.int32)
        self.memory[program.input.addresses.reshape(-1)] = np.arange(program.input.size)
        self.memory[program.constant_addresses] = self.values.inputs + np.arange(len(program.constant_addresses))
        self.constant = np.zeros(size, dtype=bool)
        self.constant[program.constant_addresses] = True
        self.live = codes.weight_converter(program.spec).numerators[program.weight_codes] != 0
        self._begin_segment()

    def _begin_segment(self) -> None:
        spec = self.program.spec
        self.readable = np.zeros(len(self.memory), dtype=np.int64)
        self.last_read = np.full(len(self.memory), -1, dtype=np.int64)
        self.shift = np.full((spec.shifters, spec.columns), self.values.reset, dtype=np.int32)
        self.stored_in = np.full((spec.registers, spec.columns), self.values.reset, dtype=np.int32)
        self.hold = np.full((spec.latches, spec.columns), self.values.reset, dtype=np.int32)
        self.hold_read_until = np.full(spec.latches, -1, dtype=np.int64)
        self.hold_reader = np.full(spec.latches, -1, dtype=np.int64)
        self.board = Scoreboard(spec, self.program.sequencer)

    def end_segment(self, index: int) -> None:
        for calc in self.untaken:
            self.hazard("results-taken", calc.index, by=index)
        self.untaken.clear()
        self.taken = 0
        if self.segments:
            self.segments[-1] = Segment(self.segments[-1].page, self.segments[-1].first, self.board.idle)

    def hazard(self, rule: str, index: int, **details: Any) -> None:
        self.hazards.append(Hazard(rule, index, details))

    def step(self, index: int, op: Op) -> None:
        if op.name == "PAGE":
            self.end_segment(index)
            self._begin_segment()
            self.segments.append(Segment(op["page"], index, 0))
        if op.name == "OUT" and not self.untaken:
            self.hazard("result-exists", index)
        before = self.board.now
        span = self.board.issue(op)
        self.late = span.start - before  # cycles of waiting that a WAIT before it has to cover first
        self.spans.append(span)
        self.segment_of.append(len(self.segments) - 1)
        match op.name:
            case "SHIFT":
                self._shift(index, op, span)
            case "STORE":
                self._store(index, op, span)
            case "CALC":
                self._calc(index, op, span)
            case "OUT" if self.untaken:
                self._out(index, op, span)
            case "RFSH":
                self.refreshes.append(Refresh(self.segment_of[-1], span.start, op["pair"]))
            case "STOP" | "END":
                self.end_segment(index)

    def _shift(self, index: int, op: Op, span: Span) -> None:
        addresses, n = op.addresses, op.states
        cycles = span.start + np.arange(n) // self.program.spec.states_in_per_cycle
        values = self.memory[addresses]
        for j in np.flatnonzero(values == UNDEFINED)[:1]:
            self.hazard("defined-before-read", index, address=int(addresses[j]))
        early = self.readable[addresses] - cycles
        if early.max() > 0:
            j = int(early.argmax())
            self.hazard("written-before-read", index, address=int(addresses[j]), cycle=int(cycles[j]),
                        ready=int(self.readable[addresses[j]]), wait=int(early[j]) + self.late)  # fmt: skip
        np.maximum.at(self.last_read, addresses, cycles)
        entering = np.where(values == UNDEFINED, self.values.reset, values)
        shifted(self.program.spec, op, self.shift, self.stored_in, entering)

    def _store(self, index: int, op: Op, span: Span) -> None:
        takes_effect = span.end - 1  # the last cycle in which the old states can still be read
        latches = latched(self.program.spec, op)
        for latch in latches:
            deficit = int(self.hold_read_until[latch]) - takes_effect
            if deficit > 0:
                what = "register" if self.program.spec.wide else "latch"
                self.hazard("register-held", index, what=what, register=latch, cycle=span.start, wait=deficit + self.late,
                            reader=int(self.hold_reader[latch]), until=int(self.hold_read_until[latch]))  # fmt: skip
        stored(self.program.spec, op, self.shift, self.stored_in, self.hold)

    def _calc(self, index: int, op: Op, span: Span) -> None:
        spec, fan_in, neurons = self.program.spec, isa.fan_in_of(self.program.spec, op), op["neurons"]
        if len(self.untaken) == 2:
            self.hazard("results-kept", self.untaken[0].index, by=index)
            self.untaken.popleft()
            self.taken = 0
            self.board.drop()
        named = isa.latches_of(spec, op)
        rows, columns = synapses_of(spec, fan_in, neurons)
        operands = self.hold[np.array(named)[rows], columns]
        calc = Calc(len(self.calcs), index, len(self.segments) - 1, self.segments[-1].page, span.start, fan_in,
                    op["row"], neurons, operands)  # fmt: skip
        place = calc.synapses(spec)
        unset = (operands == self.values.reset) & self.live[calc.page][place]
        if unset.any():
            k, i = (int(x) for x in np.argwhere(unset)[0])
            self.hazard("state-under-weight", index, neuron=k, row=int(place[0][k, i]), column=int(place[1][k, i]),
                        what="register" if spec.wide else "latch", register=named[int(rows[k, i])], page=calc.page)  # fmt: skip
        for register in set(named):
            self.hold_read_until[register] = span.end - 1
            self.hold_reader[register] = index
        self.calcs.append(calc)
        self.untaken.append(calc)

    def _out(self, index: int, op: Op, span: Span) -> None:
        spec, addresses, n = self.program.spec, op.addresses, op.states
        calc, taken = self.untaken[0], self.taken
        if spec.wide or taken + n >= calc.neurons:
            self.untaken.popleft()
            self.taken = 0
        else:
            self.taken += n
        if len(self.untaken) > (calc in self.untaken):
            after = self.untaken[-1]
            if span.end > (overwritten := self.spans[after.index].end):
                self.hazard("results-kept", calc.index, by=after.index, late=span.end - overwritten)
        if taken + n > calc.neurons:
            self.hazard("results-enough", index, wanted=n, neurons=calc.neurons - taken, calc=calc.index)
            return
        cycles = span.start + np.arange(n) // spec.states_out_per_cycle
        for j in np.flatnonzero(self.constant[addresses])[:1]:
            self.hazard("constants-kept", index, address=int(addresses[j]))
        over = self.last_read[addresses] - cycles
        if over.max() > 0:
            j = int(over.argmax())
            self.hazard("read-before-overwritten", index, address=int(addresses[j]), cycle=int(cycles[j]),
                        read=int(self.last_read[addresses[j]]), wait=int(over[j]) + self.late)  # fmt: skip
        values = self.values.result(calc.ordinal, taken) + np.arange(n, dtype=np.int64)
        self.memory[addresses] = values
        self.readable[addresses] = cycles + 1 + spec.memory_latency_cycles
        self.stored[index] = values


def shifted(spec: ChipSpec, op: Op, shift: NDArray[Any], registers: NDArray[Any], entering: NDArray[Any]) -> None:
    """What a SHIFT does to the shifters: states leave at the lower end, others enter at the upper one."""
    if spec.wide:
        lane = shift[op["register"], op["first"] : op["first"] + op["width"]]
        held = lane.copy()
    else:
        lane = shift[0]
        held = registers[op["register"] - 1].copy() if op["register"] and spec.shift_from != "shifter" else lane.copy()
    lane[:] = np.concatenate([held[len(entering) :], entering])


def latched(spec: ChipSpec, op: Op) -> tuple[int, ...]:
    """The latches that a STORE sets; in a wide chip the hold stages of its registers."""
    return op.members("registers" if spec.wide else "latches")


def stored(spec: ChipSpec, op: Op, shift: NDArray[Any], registers: NDArray[Any], latches: NDArray[Any]) -> None:
    """What a STORE does to registers and latches."""
    for latch in latched(spec, op):
        latches[latch] = shift[latch if spec.wide else 0]
    for register in () if spec.wide else op.members("registers"):
        registers[register] = shift[0]


def elaborate(program: Program) -> Timeline:
    """Walk a program whose instructions are well formed (see `anna.sequencer.rules`); hazards are recorded, not raised."""
    values = Values(program.input.size, len(program.constant_addresses), program.spec.neurons_at_once)
    walk = _Walk(program, values)
    for index, op in enumerate(program.ops):
        walk.step(index, op)
    outputs = {region.name: walk.memory[region.addresses].astype(np.int64) for region in program.readable}
    for name, held in outputs.items():
        if (held == UNDEFINED).any():
            place = tuple(int(i) for i in np.argwhere(held == UNDEFINED)[0])
            walk.hazard("outputs-written", len(program.ops) - 1, region=name, place=place)
    return Timeline(program, values, tuple(walk.spans), tuple(walk.segment_of), tuple(walk.segments), tuple(walk.calcs),
                    outputs, walk.stored, tuple(walk.refreshes), tuple(walk.hazards))  # fmt: skip
