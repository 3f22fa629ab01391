"""Pass 6 for a chip of one shifter: which instruction goes next, so that what may run side by side does.

There are three lists of work, each in order: what brings windows into latches, CALCs, and OUTs. What can start earliest goes
next; of those that can start at once, the list that comes first in an order of preference, of which each scan has the best.
A STORE waits for the CALCs that read its latches, a CALC for its window, an OUT for its CALC, a SHIFT for the last OUT
before it that writes one of its states. A WAIT is inserted where the chip's interlocks would not wait by themselves.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from anna.chip.spec import ChipSpec, Sequencer
from anna.compiler.ir import OWN_BIAS
from anna.compiler.latches import LatchScan, pitch_of, words_of
from anna.compiler.memory import Memory
from anna.compiler.place import Placed
from anna.compiler.segment import NEVER, Segment
from anna.program.isa import PUBLISHED, Op
from anna.sequencer.timing import Scoreboard

Order = tuple[str, str, str]
ORDERS: tuple[Order, ...] = (
    ("out", "input", "calc"),
    ("out", "calc", "input"),
    ("input", "calc", "out"),
    ("calc", "input", "out"),
)
LINES_TRIED = 2  # of a scan, with each order


@dataclass(frozen=True, eq=False)
class Word:
    """A SHIFT of a word, once the OUT with number `after` (-1: none) has written the last of its states."""

    op: Op
    states: slice  # of the memory
    after: int = -1


@dataclass(frozen=True)
class Keep:
    """A STORE, once the CALC with number `after` (-1: none), which reads what its latches hold, has begun."""

    op: Op
    latches: tuple[int, ...]
    after: int = -1


@dataclass(frozen=True, eq=False)
class Work:
    """A CALC, once the input with number `after` has brought in its window, and the OUTs of its results."""

    calc: Op
    outs: tuple[tuple[Op, slice], ...]
    latches: tuple[int, ...]  # that it reads
    needs: tuple[int, ...]  # those of them that its scan fills; the others meet no weights
    after: int = -1


def schedule_segment(spec: ChipSpec, sequencer: Sequencer, memory: Memory, chosen: Sequence[tuple[Placed, int]]) -> Segment:
    """Schedule all scans of a segment; input may run ahead into the next scan."""
    orders = [_best_order(spec, sequencer, memory, one) for one in chosen]
    return _Greedy(spec, sequencer, memory.size, _Lists(spec, sequencer, memory, chosen), orders).run()


def _best_order(spec: ChipSpec, sequencer: Sequencer, memory: Memory, one: tuple[Placed, int]) -> Order:
    """The order in which the first lines of a scan take least time by themselves."""
    lists = _Lists(spec, sequencer, memory, [one], LINES_TRIED)
    return min(ORDERS, key=lambda order: _Greedy(spec, sequencer, memory.size, lists, [order]).run().cycles)


class _Lists:
    """What is to be done, in order, each with the scan that it belongs to."""

    def __init__(self, spec: ChipSpec, sequencer: Sequencer, memory: Memory, chosen: Sequence[tuple[Placed, int]],
                 lines: int | None = None) -> None:  # fmt: skip
        self.scans = len(chosen)
        self.inputs: list[tuple[int, Word | Keep]] = []
        self.works: list[tuple[int, Work]] = []
        self.outs: list[tuple[int, int, Op, slice]] = []  # scan, CALC, OUT, the memory that it writes
        last_writer = [-1] * memory.size
        reader = [-1] * spec.latches  # last CALC that reads each latch
        filled = [-1] * spec.latches  # input that filled it
        for number, (placed, unit_base) in enumerate(chosen):
            scan = placed.scan
            assert isinstance(scan, LatchScan)
            for item in _Items(spec, sequencer, memory, placed, scan, unit_base).all(lines):
                if isinstance(item, Work):
                    item = replace(item, after=max(filled[latch] for latch in item.needs))
                    for latch in item.latches:
                        reader[latch] = len(self.works)
                    for op, states in item.outs:
                        last_writer[states] = [len(self.outs)] * (states.stop - states.start)
                        self.outs.append((number, len(self.works), op, states))
                    self.works.append((number, item))
                    continue
                if isinstance(item, Word):
                    item = Word(item.op, item.states, max(last_writer[item.states]))
                else:
                    item = replace(item, after=max((reader[latch] for latch in item.latches), default=-1))
                    for latch in item.latches:
                        filled[latch] = len(self.inputs)
                self.inputs.append((number, item))


class _Greedy:
    """One run of the scheduler."""

    def __init__(self, spec: ChipSpec, sequencer: Sequencer, size: int, lists: _Lists, orders: Sequence[Order]) -> None:
        self.spec, self.lists, self.orders = spec, lists, orders
        self.alone = sequencer.overlap != "all"  # results leave before the next CALC, since nothing runs beside an OUT
        self.board = Scoreboard(spec, sequencer)
        self.readable = [0] * size  # first cycle in which a SHIFT may read each address
        self.held_until = [0] * spec.latches  # first cycle in which a STORE may replace what is held
        self.ops: list[Op] = []
        self.i = self.c = self.o = 0
        self.board.issue(PUBLISHED.op("PAGE", page=0))

    def run(self) -> Segment:
        """All instructions of the segment."""
        lists, spec = self.lists, self.spec
        begins, ends = [NEVER] * lists.scans, [0] * lists.scans
        while self.i < len(lists.inputs) or self.o < len(lists.outs):
            times = {"input": self._input_time(), "calc": self._calc_time(), "out": self._out_time()}
            what = min(self.orders[self._scan()], key=lambda name: times[name])
            when = times[what]
            assert when < NEVER, "nothing can start"
            if what == "input":
                number, item = lists.inputs[self.i]
                self._issue(item.op, when)
                begins[number] = min(begins[number], when)
                self.i += 1
            elif what == "calc":
                _, work = lists.works[self.c]
                start = self._issue(work.calc, when)
                for latch in work.latches:
                    self.held_until[latch] = start + spec.calc_cycles - spec.store_cycles
                self.c += 1
            else:
                number, _, op, states = lists.outs[self.o]
                start = self._issue(op, when)
                first, each = start + 1 + spec.memory_latency_cycles, spec.states_out_per_cycle
                self.readable[states] = [first + k // each for k in range(states.stop - states.start)]
                ends[number] = self.board.ends["OUT"]
                self.o += 1
        return Segment(self.ops, list(zip(begins, ends, strict=True)), self.board.idle)

    def _scan(self) -> int:
        """The scan whose CALC is next, or of the last one."""
        return self.lists.works[min(self.c, len(self.lists.works) - 1)][0] if self.lists.works else 0

    def _issue(self, op: Op, when: int) -> int:
        if self._natural(op) < when:
            self.ops.append(PUBLISHED.op("WAIT", cycles=when - self.board.now))
            self.board.issue(self.ops[-1])
        self.ops.append(op)
        return self.board.issue(op).start

    def _natural(self, op: Op) -> int:
        """When an instruction starts if nothing but the interlocks holds it."""
        board = self.board
        start = max(board.now, board.unit_free(op))
        return start + 1 if start == board.now and board.started_now >= self.spec.issue_width else start

    def _input_time(self) -> int:
        if self.i == len(self.lists.inputs):
            return NEVER
        item = self.lists.inputs[self.i][1]
        if isinstance(item, Word):
            if item.after >= self.o:
                return NEVER
            each = self.spec.states_in_per_cycle
            ready = max(cycle - k // each for k, cycle in enumerate(self.readable[item.states]))
            start = max(self._natural(item.op), ready)
        else:
            if item.after >= self.c:
                return NEVER
            start = max([self._natural(item.op), *(self.held_until[latch] for latch in item.latches)])
        return start if self._untaken() < 2 else NEVER

    def _untaken(self) -> int:
        """CALCs whose results are not all out."""
        return self.c - self.lists.outs[self.o][1] if self.o < len(self.lists.outs) else 0

    def _calc_time(self) -> int:
        if self.c == len(self.lists.works):
            return NEVER
        work, untaken = self.lists.works[self.c][1], self._untaken()
        if work.after >= self.i or untaken > (0 if self.alone else 1):
            return NEVER
        start = self._natural(work.calc)
        if untaken:  # the results still in the latch must be out before these arrive
            board, calc = self.board, self.lists.outs[self.o][1]
            taking, at = 0, self.o
            while at < len(self.lists.outs) and self.lists.outs[at][1] == calc:
                taking += max(board.cycles(self.lists.outs[at][2]), board.issue_cycles(self.lists.outs[at][2]))
                at += 1
            begins = max(start + 1, board.pending[0], board.ends["OUT"])
            start = max(start, begins + taking - self.spec.calc_cycles)
            if max(start + 1, board.pending[0], board.ends["OUT"]) + taking > start + self.spec.calc_cycles:
                return NEVER
        return start

    def _out_time(self) -> int:
        if self.o == len(self.lists.outs) or self.lists.outs[self.o][1] >= self.c:
            return NEVER
        return self._natural(self.lists.outs[self.o][2])


class _Items:
    """The instructions of one scan, in order."""

    def __init__(self, spec: ChipSpec, sequencer: Sequencer, memory: Memory, placed: Placed, scan: LatchScan,
                 unit_base: int) -> None:  # fmt: skip
        self.spec, self.sequencer, self.memory, self.placed, self.scan = spec, sequencer, memory, placed, scan
        self.source = memory.stacks[scan.layer.source]
        self.target = memory.stacks[scan.layer.stack].from_map(scan.layer.first_map)
        self.unit_base, self.step = unit_base, 0
        self.in_shifter = -1  # the latch whose stream the shifter holds

    def all(self, lines: int | None) -> Iterator[Word | Keep | Work]:
        """Line by line, or so many of them, and step by step: what the latches take in, then the CALCs."""
        scan = self.scan
        if scan.own is not None and not scan.unit_states:
            yield from self._fill(scan.own, self._constant_words(), fresh=True)
        for y in scan.starts_y[:lines]:
            before: int | None = None
            for x in scan.starts_x:
                if scan.own is not None and scan.unit_states:
                    words = [*self._constant_words(), *self._unit_words(y, x)]
                    yield from self._fill(scan.own, words, fresh=True)
                for latch in range(len(scan.layouts)):
                    moved = None if before is None else x - before
                    words = self._words(latch, y, x, moved)
                    yield from self._fill(latch, words, fresh=moved is None or not scan.keeps)
                yield from self._works(y, x)
                before = x
                self.step += 1

    def _fill(self, latch: int, words: Sequence[tuple[int, int]], fresh: bool) -> Iterator[Word | Keep]:
        """SHIFTs of words into what a latch held, or into anything if `fresh`, then the STORE."""
        scan = self.scan
        kept = latch < self.spec.registers and scan.keeps
        register = latch if kept else 0
        via = 1 << register if kept or scan.through_register else 0
        for k, (address, count) in enumerate(words):
            named = register + 1 if scan.through_register or not (k or fresh or self.in_shifter == latch) else 0
            op = PUBLISHED.op("SHIFT", count=count, register=named, address=address)
            yield Word(op, slice(address, address + count))
            if scan.through_register and k < len(words) - 1:
                yield Keep(PUBLISHED.op("STORE", registers=via), ())
        self.in_shifter = latch
        yield Keep(PUBLISHED.op("STORE", registers=via, latches=1 << latch), (latch,))

    def _words(self, latch: int, y: int, x: int, moved: int | None) -> list[tuple[int, int]]:
        """First address and length of every word that a latch takes in."""
        sy, sx = self.scan.layer.stride
        (one, down, right), maps = self.source.steps, self.scan.layer.places
        place, found = self.source.corner(self.scan.layer.padding) + y * sy * down + x * sx * right, list[tuple[int, int]]()
        for block in self.scan.entering(latch, moved):
            found += words_of([place + maps[i] * one + v * down + u * right for i, v, u in block], self.spec.word_states)
            if self.scan.layouts[latch].extras:
                found += [*self._constant_words(), *self._unit_words(y, x)]
        return found

    def _constant_words(self) -> list[tuple[int, int]]:
        count = self.scan.constants
        first = self.memory.constant_lists[count] if count else 0
        return words_of(range(first, first + count), self.spec.word_states)

    def _unit_words(self, y: int, x: int) -> list[tuple[int, int]]:
        """The states of the units' own columns: biases from the constants, partial sums, coarser digits."""
        scan, found = self.scan, list[tuple[int, int]]()
        count, biases = len(scan.neurons), scan.own_biases
        each = pitch_of(self.spec, self.sequencer, count)
        for number, unit in enumerate(scan.units):
            if unit == OWN_BIAS:
                first = self.unit_base + (self.step * biases + number) * each
                found += words_of(range(first, first + count), self.spec.word_states)
                continue
            stack = self.memory.stacks[unit.stack]
            one, down, right = stack.steps
            places = [stack.inside + unit.maps[n.o] * one + (y + n.dy) * down + (x + n.dx) * right for n in scan.neurons]
            found += words_of(places, self.spec.word_states)
        return found

    def _works(self, y: int, x: int) -> Iterator[Work]:
        scan, spec = self.scan, self.spec
        _, down, right = self.target.steps
        place, row = self.target.inside + y * down + x * right, self.placed.row
        for at, count in scan.calcs:
            latches = scan.neurons[at].reads
            fan_in = spec.fan_ins.index(len(latches) * spec.columns)
            calc = PUBLISHED.op("CALC", fan_in=fan_in, row=row, neurons=count, latch=latches[0])
            outs = [PUBLISHED.op("OUT", count=n, address=place + first) for first, n in scan.outs(at, count, self.target.steps)]
            needs = tuple(latch for latch in latches if latch in scan.latches)
            yield Work(calc, tuple((op, slice(op["address"], op["address"] + op["count"])) for op in outs), latches, needs)
            row += count * len(latches)
