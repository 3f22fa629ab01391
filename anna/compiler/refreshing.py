"""Pass 7, refresh: no weight may have lost more of its charge than is allowed when it is read.

Each segment's page is written before the first image of a batch. So a batch is kept as short as charges last, where a program
has one page; where a batch is given, or an image alone takes too long, RFSH goes into the program: for the rows whose charge
would be too old, just before it would be, and in them for the pairs that carry a weight. Rows that will be too old soon go
with them, for a burst of RFSH has to wait until the units have ended. A wide chip refreshes by itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from anna.analog.leak import oldest_charge_cycles
from anna.analog.parameters import Analog
from anna.base.errors import CompileError
from anna.chip.codes import weight_converter
from anna.compiler.options import CompileOptions
from anna.compiler.retention import PRESET, oldest_in_segment
from anna.compiler.schedule import Schedule
from anna.program.file import Program
from anna.program.isa import PUBLISHED, Op, encode
from anna.sequencer.timeline import Timeline
from anna.sequencer.timing import Scoreboard
from anna.sequencer.walk import elaborate

LONGEST_BATCH = 1024  # images, of a batch that is chosen here
MOST_TRIES = 32  # each more careful than the one before, for a burst of RFSH makes later reads later
SOON = 1 / 16  # of the age allowed: how much sooner than it must a row is written, with others that must

LONG_AGO = 1 << 60  # cycles

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Refreshed:
    """The program with its batch, and RFSH where it needs them."""

    program: Program
    writes: tuple[int, ...]  # RFSH in each segment

    @property
    def text(self) -> str:
        """The canonical text."""
        return f"a batch of {self.program.batch}, RFSH in each page segment: {' '.join(map(str, self.writes))}"


@dataclass(frozen=True)
class _Need:
    """What is planned for a segment whose charges would get too old."""

    age: int  # that a charge may reach; less than is allowed by what RFSH delays
    cycles: int  # of the segment, RFSH included


def refreshed(draft: Program, schedule: Schedule, options: CompileOptions, window_states: int) -> Refreshed:
    """A draft of one image a batch, with the batch and the refresh that keep its charges."""
    spec = draft.spec
    if spec.wide:
        return Refreshed(replace(draft, batch=options.batch or 1), (0,) * len(schedule.segment_cycles))
    limit = oldest_charge_cycles(spec, Analog.preset(PRESET), options.max_charge_lost)
    bare = timeline = elaborate(draft)
    program = replace(draft, batch=options.batch or _batch(bare, limit, window_states))
    needs: list[_Need | None] = [None] * len(bare.segments)
    for _ in range(MOST_TRIES):
        ages = [oldest_in_segment(timeline, segment, program.batch - 1) for segment in range(len(needs))]
        late = [] if limit is None else [segment for segment, age in enumerate(ages) if age > limit]
        if limit is None or not late:
            writes = np.bincount(timeline.segment[program.issued.named("RFSH")], minlength=len(needs))
            return Refreshed(program, tuple(writes.tolist()))
        for segment in late:
            cycles, need = timeline.segments[segment].cycles, needs[segment]
            over = ages[segment] - limit if need is not None and cycles == need.cycles else 0
            needs[segment] = _Need((limit if need is None else need.age) - over, cycles)
        program = replace(program, words=encode(spec, _planted(bare, schedule.issued.ops, needs, program.batch)))
        timeline = elaborate(program)
    writing = max(timeline.charges.load_cycles(segment) for segment in late)
    raise CompileError([
        f"{draft.name}: RFSH cannot keep its charges: writing the weights of a page takes {writing} cycles, and within {limit} "
        f"they lose max_charge_lost = {options.max_charge_lost:g} of their charge; allow more"
    ])  # fmt: skip


def _batch(timeline: Timeline, limit: int | None, window_states: int) -> int:
    """The longest batch of a program of one page that keeps its charges and fits the memory; one image otherwise."""
    spec = timeline.spec
    if len(timeline.segments) > 1:
        return 1
    longest = LONGEST_BATCH if spec.memory_states is None else min(LONGEST_BATCH, spec.memory_states // window_states)
    if limit is None:
        return max(1, longest)
    first, cycles = oldest_in_segment(timeline, 0, 0), timeline.run_cycles
    return max(1, min(longest, 1 + (limit - first) // max(1, cycles)))


def _planted(bare: Timeline, ops: Sequence[Op], needs: Sequence[_Need | None], batch: int) -> list[Op]:
    """The instructions with RFSH where rows need it, before a SHIFT or STORE: there it delays no result for long."""
    begins = bare.program.issued.named("SHIFT", "STORE") & (np.array(_untaken(ops)) <= 1)
    found, segment, rows = list[Op](), -1, None
    for index, op in enumerate(ops):
        if op.name == "PAGE":
            segment += 1
            need, board = needs[segment], Scoreboard(bare.spec, bare.program.sequencer)
            rows = None if need is None else _Rows(bare, segment, np.flatnonzero(begins), need, batch)
        if rows is not None:
            for row in rows.due(index, board.now) if begins[index] else ():
                writes = [PUBLISHED.op("RFSH", pair=pair) for pair in rows.pairs(row)]
                starts = [board.issue(one).start for one in writes]
                rows.written[row] = starts[0]
                found += writes
            board.issue(op)
        found.append(op)
    return found


class _Rows:
    """When each row of a segment was written, and when it has to be again: at the last of some places before it is read."""

    def __init__(self, bare: Timeline, segment: int, places: Ints, need: _Need, batch: int) -> None:
        spec, page, mine = bare.spec, bare.segments[segment].page, bare.columns.of_segment(segment)
        inside = bare.segment[places] == segment
        self.bare, self.places, self.need, self.each = bare, places[inside], need, spec.columns // spec.dacs
        numerators = weight_converter(spec).numerators[bare.program.weight_codes[page]]
        self.carries = (numerators != 0).reshape(spec.rows, self.each, spec.dacs).any(axis=2)  # each pair
        count = bare.columns.rows(spec)[mine]
        row = np.concatenate([np.arange(first, first + n) for first, n in zip(bare.columns.row[mine], count, strict=True)])
        place = np.searchsorted(self.places, bare.columns.index[mine]) - 1
        self.read = np.full((len(self.places), spec.rows), -1, np.int64)  # when a row is read last before the next place
        np.maximum.at(self.read, (np.repeat(place, count), row), np.repeat(bare.columns.cycle[mine], count))
        self.read[:, ~self.carries.any(axis=1)] = -1
        columns = np.arange(0, spec.columns, spec.dacs)
        loaded = bare.charges.ages(np.array(segment), np.array(0), np.arange(spec.rows)[:, None], columns).max(axis=1)
        self.written = -loaded
        if batch > 1:  # what an image writes is there for the next, but each writes it before it is read
            oldest = loaded + self.read.max(axis=0) + need.cycles - bare.segments[segment].cycles + (batch - 1) * need.cycles
            self.written = np.where(oldest > need.age, -LONG_AGO, LONG_AGO)

    def due(self, index: int, now: int) -> Iterator[int]:
        """The rows to be written before an instruction, if the one before it started now."""
        start, place = self.bare.start, int(np.searchsorted(self.places, index))
        delay = now - int(start[index - 1])
        if not self._late(self.read[place], delay).any():
            return
        soon = np.searchsorted(start[self.places], start[index] + int(SOON * self.need.age), side="right")
        yield from np.flatnonzero(self._late(self.read[place : max(place + 1, int(soon))].max(axis=0), delay)).tolist()

    def _late(self, read: Ints, delay: int) -> NDArray[np.bool_]:
        return np.asarray((read >= 0) & (read + delay - self.written > self.need.age))

    def pairs(self, row: int) -> list[int]:
        """Those of a row that carry a weight."""
        return (row * self.each + np.flatnonzero(self.carries[row])).tolist()


def _untaken(ops: Sequence[Op]) -> list[int]:
    """Before each instruction, how many CALCs have results that are not all out."""
    found, left = list[int](), list[int]()
    for op in ops:
        found.append(len(left))
        if op.name == "CALC":
            left.append(op["neurons"])
        elif op.name == "OUT":
            left[0] -= op.states
            if left[0] <= 0:
                left.pop(0)
    return found
