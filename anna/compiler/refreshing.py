"""Pass 7, refresh: no weight may have lost more of its charge than is allowed when it is read.

Each segment's page is written before the first image of a batch. So a batch is kept as short as charges last, where a program
has one page; where a batch is given, or an image alone takes too long, RFSH goes into the program: for the rows whose charge
would be too old, just before it would be, and in them for the pairs that carry a weight. Rows that will be too old soon go
with them, for a burst of RFSH has to wait until the units have ended. A wide chip refreshes by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from anna.analog.leak import oldest_charge_cycles
from anna.analog.parameters import Analog
from anna.base.errors import CompileError
from anna.chip.codes import weight_converter
from anna.compiler.forms import Forms
from anna.compiler.options import CompileOptions
from anna.compiler.retention import PRESET, oldest_in_segment
from anna.compiler.schedule import Schedule
from anna.compiler.segment import WAITED
from anna.native.loader import compiled
from anna.program.file import Program
from anna.program.isa import PUBLISHED
from anna.program.issued import Issued, moves
from anna.sequencer.timeline import Timeline
from anna.sequencer.timing import UNITS, waits_table
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
        program = replace(program, words=_planted(bare, schedule.issued, needs, program.batch).encoded(spec))
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


def _planted(bare: Timeline, issued: Issued, needs: Sequence[_Need | None], batch: int) -> Issued:
    """The instructions with RFSH where rows need it, before a SHIFT or STORE: there it delays no result for long."""
    spec, sequencer = bare.spec, bare.program.sequencer
    forms, refresh = Forms(spec, sequencer), len(issued.forms)
    for op in (*issued.forms, PUBLISHED.op("RFSH", pair=0)):
        forms.number(op)
    chip = {"issue_width": spec.issue_width, "calc_cycles": spec.calc_cycles, "waits": waits_table(spec, sequencer)}
    planter, arrays = compiled("anna.compiler.planting").Planter(chip, refresh), forms.arrays()
    form = np.where(issued.named(*UNITS), issued.form, WAITED)
    waited = issued.of_form([op.get("cycles", 0) for op in issued.forms])
    places = np.flatnonzero(issued.named("SHIFT", "STORE") & (_untaken(issued) <= 1))
    before, pairs = list[int](), list[int]()
    for segment, need in enumerate(needs):
        if need is None:
            continue
        rows = _Rows(bare, segment, places[bare.segment[places] == segment], need, batch)
        first, end = np.searchsorted(bare.segment, [segment, segment + 1]).tolist()
        mine = slice(first, end)
        for index, row in planter.run(arrays, form[mine], waited[mine], bare.start[mine], rows.arrays(first), need.age):
            written = rows.pairs(row)
            before += [first + index] * len(written)
            pairs += written
    return Issued.of(forms.ops, np.insert(issued.form, before, refresh), np.insert(issued.place, before, pairs))


class _Rows:
    """When each row of a segment was written, and when it has to be again: at the last of some places before it is read."""

    def __init__(self, bare: Timeline, segment: int, places: Ints, need: _Need, batch: int) -> None:
        spec, page, mine = bare.spec, bare.segments[segment].page, bare.columns.of_segment(segment)
        self.places, self.each = places, spec.columns // spec.dacs
        numerators = weight_converter(spec).numerators[bare.program.weight_codes[page]]
        self.carries = (numerators != 0).reshape(spec.rows, self.each, spec.dacs).any(axis=2)  # each pair
        count = bare.columns.rows(spec)[mine]
        row = np.concatenate([np.arange(first, first + n) for first, n in zip(bare.columns.row[mine], count, strict=True)])
        place = np.searchsorted(places, bare.columns.index[mine]) - 1
        self.read = np.full((len(places), spec.rows), -1, np.int64)  # when a row is read last before the next place
        np.maximum.at(self.read, (np.repeat(place, count), row), np.repeat(bare.columns.cycle[mine], count))
        self.read[:, ~self.carries.any(axis=1)] = -1
        # The first place whose rows are not written with those that must be.
        self.soon = np.searchsorted(bare.start[places], bare.start[places] + int(SOON * need.age), side="right")
        columns = np.arange(0, spec.columns, spec.dacs)
        loaded = bare.charges.ages(np.array(segment), np.array(0), np.arange(spec.rows)[:, None], columns).max(axis=1)
        self.written = -loaded
        if batch > 1:  # what an image writes is there for the next, but each writes it before it is read
            oldest = loaded + self.read.max(axis=0) + need.cycles - bare.segments[segment].cycles + (batch - 1) * need.cycles
            self.written = np.where(oldest > need.age, -LONG_AGO, LONG_AGO)

    def arrays(self, first: int) -> dict[str, Ints]:
        """What the loop has to know, with instructions counted from the segment's first."""
        return {"index": self.places - first, "soon": self.soon, "read": self.read, "written": self.written,
                "pairs": self.carries.sum(axis=1)}  # fmt: skip

    def pairs(self, row: int) -> list[int]:
        """Those of a row that carry a weight."""
        return (row * self.each + np.flatnonzero(self.carries[row])).tolist()


def _untaken(issued: Issued) -> Ints:
    """Before each instruction, how many CALCs have results that are not all out."""
    neurons = np.where(issued.named("CALC"), issued.of_form([op.get("neurons", 0) for op in issued.forms]), 0)
    out = np.where(issued.named("OUT"), issued.of_form([op.states if moves(op) else 0 for op in issued.forms]), 0)
    taken = np.searchsorted(np.cumsum(neurons[neurons > 0]), np.cumsum(out), side="right")
    left: Ints = np.cumsum(neurons > 0) - taken
    return np.concatenate([[0], left[:-1]])
