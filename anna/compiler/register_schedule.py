"""Pass 6 for a wide chip: which instruction starts in which cycle, so that input, array and output work at once.

There are three lists of work, one for each unit, each in order; what can start earliest goes next. A STORE waits for the
last cycle of the CALCs that read its registers, a CALC for its window, an OUT for its CALC, a SHIFT for the last OUT before
it that writes one of its states: lines overlap if rows do not divide evenly, and maps may share memory. A WAIT is inserted
where the chip's interlocks would not wait by themselves. What is issued ahead of an OUT leaves it time enough, and a place
in its cycle, to take its results before the next CALC replaces them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from anna.chip.spec import ALL_AT_ONCE, ChipSpec
from anna.compiler.memory import Memory, Stack
from anna.compiler.patterns import Pattern, longest, patterns
from anna.compiler.place import Placed
from anna.compiler.registers import RegisterScan
from anna.compiler.segment import NEVER, Load, Segment
from anna.program import isa
from anna.program.isa import WIDE, Op
from anna.program.issued import Issued
from anna.sequencer.timing import Scoreboard


@dataclass(frozen=True)
class Store:
    """Makes a window readable by the array."""

    op: Op
    registers: tuple[int, ...]
    window: int


@dataclass(frozen=True, eq=False)
class CalcOut:
    """A CALC and where its results go."""

    calc: Op
    out: Op
    window: int
    registers: tuple[int, ...]
    addresses: NDArray[np.int64]


def schedule_segment(spec: ChipSpec, memory: Memory, chosen: Sequence[tuple[Placed, int]]) -> Segment:
    """Schedule all scans of a segment; a unit may run ahead of the others into the next scan."""
    segment = _Segment(spec, memory)
    return Segment(Issued.of_ops(segment.run(chosen)), segment.spans, segment.board.idle)


class _Segment:
    """One page segment being scheduled."""

    def __init__(self, spec: ChipSpec, memory: Memory) -> None:
        self.spec, self.memory = spec, memory
        self.readable = np.zeros(memory.size, dtype=np.int64)  # first cycle in which a SHIFT may read each address
        self.board = Scoreboard(spec, ALL_AT_ONCE)
        self.ops: list[Op] = []
        self.spans: list[tuple[int, int]] = []
        self.held_until = [0] * spec.registers  # first cycle in which a STORE may replace what is held
        self.window_of = [-1] * spec.registers  # window that a register holds
        self.constants = [0] * spec.registers  # constant columns that a register's shift stage has
        self.window = 0
        self.last_stored = -1
        self.calcs_left: dict[int, int] = {}  # CALCs of a window that are still to come

    def run(self, chosen: Sequence[tuple[Placed, int]]) -> list[Op]:
        """Schedule all scans of the segment; a unit may run ahead of the others into the next scan."""
        inputs: list[tuple[int, Load | Store]] = []
        works: list[tuple[int, CalcOut]] = []
        last_writer = np.full(self.memory.size, -1, dtype=np.int64)
        for number, (placed, unit_base) in enumerate(chosen):
            for item in _Items(self, placed, unit_base).all():
                if isinstance(item, CalcOut):
                    last_writer[item.addresses] = len(works)
                    works.append((number, item))
                    self.calcs_left[item.window] = self.calcs_left.get(item.window, 0) + 1
                else:
                    if isinstance(item, Load):
                        item = replace(item, after=int(last_writer[item.addresses].max()))
                    inputs.append((number, item))
        begins, ends = [NEVER] * len(chosen), [0] * len(chosen)
        i = c = o = 0
        while i < len(inputs) or o < len(works):
            times = (
                self._input_time(inputs[i][1], works, c, o) if i < len(inputs) else NEVER,
                self._calc_time(works, c, o) if c < len(works) else NEVER,
                self._out_time(c, o) if o < c else NEVER,
            )
            when = min(times)
            assert when < NEVER, "nothing can start"
            if times[0] == when:
                number, item = inputs[i]
                self._issue(item.op, when)
                begins[number] = min(begins[number], when)
                if isinstance(item, Store):
                    for register in item.registers:
                        self.window_of[register] = item.window
                    self.last_stored = item.window
                i += 1
            elif times[1] == when:
                work = works[c][1]
                self._issue(work.calc, when)
                for register in work.registers:
                    self.held_until[register] = when + self.spec.calc_cycles - self.spec.store_cycles
                self.calcs_left[work.window] -= 1
                c += 1
            else:
                number, work = works[o]
                start = self._issue(work.out, when)
                cycles = start + np.arange(len(work.addresses)) // self.spec.states_out_per_cycle
                self.readable[work.addresses] = cycles + 1 + self.spec.memory_latency_cycles
                ends[number] = self.board.ends["OUT"]
                o += 1
        self.spans = list(zip(begins, ends, strict=True))
        return self.ops

    def _issue(self, op: Op, when: int) -> int:
        """Start an instruction in a given cycle."""
        board = self.board
        if self._starts(board.unit_free(op)) < when:
            self.ops.append(WIDE.op("WAIT", cycles=when - board.now))
            board.issue(self.ops[-1])
        self.ops.append(op)
        return board.issue(op).start

    def _starts(self, ready: int) -> int:
        """When an instruction that is ready can start, given those issued before it."""
        start = max(self.board.now, ready)
        full = start == self.board.now and self.board.started_now >= self.spec.issue_width
        return start + 1 if full else start

    def _next_start(self, start: int) -> int:
        """When the instruction after one that starts then can start at the earliest: later only if the cycle is full."""
        before = self.board.started_now if start == self.board.now else 0
        return start + 1 if before + 1 >= self.spec.issue_width else start

    def _out_cycles(self, work: CalcOut) -> int:
        return self.spec.cycles_out(work.out.states)

    def _input_time(self, item: Load | Store, works: Sequence[tuple[int, CalcOut]], c: int, o: int) -> int:
        start = self._input_ready(item, o)
        # With two results untaken, the array replaces the older ones when it ends: nothing may delay their OUT beyond that.
        late = c - o == 2 and self._next_start(start) + self._out_cycles(works[o][1]) > self.board.pending[1]
        return NEVER if late else start

    def _input_ready(self, item: Load | Store, o: int) -> int:
        start = self._starts(self.board.ends["SHIFT"])
        if isinstance(item, Load):
            if item.after >= o:
                return NEVER
            ready = self.readable[item.addresses]
            return max(start, int((ready - np.arange(len(ready)) // self.spec.states_in_per_cycle).max()))
        for register in item.registers:
            before = self.window_of[register]
            if before >= 0 and self.calcs_left.get(before, 0):
                return NEVER
            start = max(start, self.held_until[register])
        return start

    def _calc_time(self, works: Sequence[tuple[int, CalcOut]], c: int, o: int) -> int:
        work, board, spec = works[c][1], self.board, self.spec
        if work.window > self.last_stored or c - o > 1:
            return NEVER
        start = self._starts(max(board.ends["CALC"], board.ends["STORE"], board.ends["OUT"] - spec.calc_cycles))
        if c - o == 1:
            # The results still in the latch must be out before these arrive.
            taking = self._out_cycles(works[o][1])
            start = max(start, board.ends["OUT"] + taking - spec.calc_cycles, board.pending[0] + taking - spec.calc_cycles)
            spare = spec.calc_cycles - taking
            if self._next_start(start) - start > spare:
                start += 1  # in a cycle of its own
            if self._next_start(start) - start > spare:
                return NEVER  # before they are
        return start

    def _out_time(self, c: int, o: int) -> int:
        return self._starts(max(self.board.ends["OUT"], self.board.pending[0]))


class _Items:
    """The instructions of one scan, in order."""

    def __init__(self, segment: _Segment, placed: Placed, unit_base: int) -> None:
        self.segment, self.placed, self.unit_base = segment, placed, unit_base
        assert isinstance(placed.scan, RegisterScan)
        self.scan = placed.scan
        self.spec, self.memory = segment.spec, segment.memory
        self.source = self.memory.stacks[self.scan.layer.source]
        self.target = self.memory.stacks[self.scan.layer.stack].from_map(self.scan.layer.first_map)
        self.calcs = _calcs(placed, self.target)
        self.step = 0

    def all(self) -> Iterator[Load | Store | CalcOut]:
        """SHIFTs and STOREs line by line, each followed by its CALCs."""
        scan, sets = self.scan, 1
        busy = max(scan.array_cycles, scan.output_cycles)
        spare = busy - scan.step_cycles
        if scan.can_prefill and spare > 0 and len(scan.starts_x) > 1:
            sets = 2
        count = len(scan.layouts)
        yield from self._constants(range(count * sets))
        pending: list[Load] = []
        for line, y in enumerate(scan.starts_y):
            base = line % sets * count
            if line == 0 or sets == 1:
                yield from self._fill(base, y, None)
            yield from pending  # what the previous line had no time for
            pending = []
            if sets == 2 and line + 1 < len(scan.starts_y):
                other = (line + 1) % sets * count
                pending = list(self._fill(other, scan.starts_y[line + 1], spare * self.spec.states_in_per_cycle))
            before = scan.starts_x[0]
            for x in scan.starts_x:
                if x != before:
                    yield from self._advance(base, y, before, x)
                yield from self._units(base, y, x)
                if pending and (x != scan.starts_x[0] or len(scan.starts_x) == 1):
                    yield pending.pop(0)
                before = x
                yield self._store(base)
                yield from self._work(base, y, x)
                self.step += 1

    def _constants(self, registers: Sequence[int] | range) -> Iterator[Load]:
        scan, have = self.scan, self.segment.constants
        for register in registers:
            data = max(len(held.taps) for held in scan.layouts) + scan.unit_states
            if have[register] < scan.constants:
                address = self.memory.column_constants + self.memory.column_count - scan.constants
                yield self._shift(register, self.spec.columns - scan.constants, scan.constants,
                                  Pattern(address, scan.constants, 1, 1, 0))  # fmt: skip
                have[register] = scan.constants
            have[register] = min(have[register], self.spec.columns - data)

    def _shift(self, register: int, first: int, width: int, pattern: Pattern) -> Load:
        op = WIDE.op("SHIFT", register=register, first=first, width=width, address=pattern.offset, count=pattern.length,
                    stride=pattern.stride, blocks=pattern.blocks, block_stride=pattern.block_stride)  # fmt: skip
        return Load(op, op.addresses)

    def _place(self, y: int, x: int) -> int:
        sy, sx = self.scan.layer.stride
        _, down, right = self.source.steps
        return self.source.corner(self.scan.layer.padding) + y * sy * down + x * sx * right

    def _load(
        self, register: int, number: int, taps: Sequence[tuple[int, int, int]], place: int, most: int | None
    ) -> Iterator[Load]:
        one, down, right = self.source.steps
        width = len(self.scan.layouts[number].taps)
        places = self.scan.layer.places
        relative = [places[i] * one + y * down + x * right for i, y, x in taps]
        size = most or max(1, len(relative))  # none in a register of constants and partial sums alone
        for at in range(0, len(relative), size):
            for pattern in patterns(relative[at : at + size]):
                yield self._shift(register, 0, width, pattern._replace(offset=place + pattern.offset))

    def _fill(self, base: int, y: int, most: int | None) -> Iterator[Load]:
        for r, held in enumerate(self.scan.layouts):
            yield from self._load(base + r, r, held.taps, self._place(y, self.scan.starts_x[0]), most)

    def _advance(self, base: int, y: int, before: int, x: int) -> Iterator[Load]:
        moved = (x - before) * self.scan.layer.stride[1]
        for r, held in enumerate(self.scan.layouts):
            states = min(moved * held.strips, len(held.taps))
            yield from self._load(base + r, r, held.taps[len(held.taps) - states :], self._place(y, x), None)

    def _units(self, base: int, y: int, x: int) -> Iterator[Load]:
        """The states of the units' own columns: biases from the constants, partial sums, coarser digits."""
        states = self.scan.unit_states
        if not states:
            return
        last = len(self.scan.layouts) - 1
        first = len(self.scan.layouts[last].taps)
        places, biases = list[int](), self.scan.own_biases
        bias = self.unit_base + self.step * biases * len(self.scan.neurons)
        for n in self.scan.neurons:
            places += range(bias, bias + biases)
            bias += biases
            for unit in self.scan.units[biases:]:
                stack = self.memory.stacks[unit.stack]
                one, down, right = stack.steps
                places.append(stack.inside + unit.maps[n.o] * one + (y + n.dy) * down + (x + n.dx) * right)
        for pattern in patterns(places):
            yield self._shift(base + last, first, states, pattern)

    def _store(self, base: int) -> Store:
        registers = tuple(base + r for r in range(len(self.scan.layouts)))
        self.segment.window += 1
        op = WIDE.op("STORE", registers=sum(1 << register for register in registers))
        return Store(op, registers, self.segment.window)

    def _work(self, base: int, y: int, x: int) -> Iterator[CalcOut]:
        _, down, right = self.target.steps
        place = self.target.inside + y * down + x * right
        for fan_in, row, neurons, registers, pattern in self.calcs:
            named = tuple(base + register for register in registers)
            calc = WIDE.op("CALC", fan_in=self.spec.fan_ins.index(fan_in), row=row, neurons=neurons, registers=named)
            out = WIDE.op("OUT", address=place + pattern.offset, count=pattern.length, stride=pattern.stride,
                         blocks=pattern.blocks, block_stride=pattern.block_stride)  # fmt: skip
            yield CalcOut(calc, out, self.segment.window, tuple(set(named)), out.addresses)


def _calcs(placed: Placed, target: Stack) -> list[tuple[int, int, int, tuple[int, ...], Pattern]]:
    """Fan-in, first row, neurons, registers and relative output addresses of the CALCs of one window."""
    scan, found = placed.scan, []
    assert isinstance(scan, RegisterScan)
    one, down, right = target.steps
    row, at = placed.row, 0
    neurons = scan.neurons
    while at < len(neurons):
        rows_each = len(neurons[at].reads)
        same = [n for n in neurons[at : at + scan.spec.neurons_at_once] if len(n.reads) == rows_each]
        pattern = longest([n.o * one + n.dy * down + n.dx * right for n in same], isa.largest_count(scan.spec))
        chosen = same[: pattern.states]
        registers = tuple(register for n in chosen for register in n.reads)
        found.append((rows_each * scan.spec.columns, row, len(chosen), registers, pattern))
        row, at = row + rows_each * len(chosen), at + len(chosen)
    return found
