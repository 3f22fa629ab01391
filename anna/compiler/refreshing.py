"""Pass 7, refresh: no weight may have lost more of its charge than is allowed when it is read.

Each segment's page is written before the first image of a batch. So a batch is kept as short as charges last, where a program
has one page; where a batch is given, or an image alone takes too long, RFSH goes into the program: entire sweeps over the
rows that the segment uses, as few as will do. A wide chip refreshes by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from anna.analog.leak import oldest_charge_cycles
from anna.analog.parameters import Analog
from anna.base.errors import CompileError
from anna.compiler.options import CompileOptions
from anna.compiler.retention import PRESET, oldest_in_segment
from anna.compiler.schedule import Schedule
from anna.program.file import Program
from anna.program.isa import PUBLISHED, Op, encode
from anna.sequencer.timeline import Timeline
from anna.sequencer.walk import elaborate

LONGEST_BATCH = 1024  # images, of a batch that is chosen here
MOST_SWEEPS = 4096  # of a segment


@dataclass(frozen=True, eq=False)
class Refreshed:
    """The program with its batch, and RFSH where it needs them."""

    program: Program
    sweeps: tuple[int, ...]  # of RFSH over its rows, for each segment

    @property
    def text(self) -> str:
        """The canonical text."""
        return f"a batch of {self.program.batch}, sweeps of RFSH in each page segment: {' '.join(map(str, self.sweeps))}"


def refreshed(draft: Program, schedule: Schedule, options: CompileOptions, window_states: int) -> Refreshed:
    """A draft of one image a batch, with the batch and the refresh that keep its charges."""
    spec = draft.spec
    if spec.wide:
        return Refreshed(replace(draft, batch=options.batch or 1), (0,) * len(schedule.segment_cycles))
    limit = oldest_charge_cycles(spec, Analog.preset(PRESET), options.max_charge_lost)
    timeline = elaborate(draft)
    batch = options.batch or _batch(timeline, limit, window_states)
    if limit is None:
        return Refreshed(replace(draft, batch=batch), (0,) * len(timeline.segments))
    sweeps = [0] * len(timeline.segments)
    ops: Sequence[Op] = schedule.ops
    while True:
        program = replace(draft, words=encode(spec, ops), batch=batch)
        timeline = elaborate(program)
        ages = [oldest_in_segment(timeline, segment, batch - 1) for segment in range(len(timeline.segments))]
        late = [segment for segment, age in enumerate(ages) if age > limit]
        if not late:
            return Refreshed(program, tuple(sweeps))
        for segment in late:
            cycles, writing = timeline.segments[segment].cycles, timeline.charges.load_cycles(segment)
            # One more, or a quarter more of many: each try walks the whole program.
            more = sweeps[segment] + 1 + sweeps[segment] // 4
            sweeps[segment] = max(more, -(-cycles // max(1, limit))) if sweeps[segment] == 0 else more
            if sweeps[segment] > MOST_SWEEPS or writing >= limit:
                raise CompileError([
                    f"{draft.name}: writing the weights of a page takes {writing} cycles, in which the first ones lose "
                    f"more than max_charge_lost = {options.max_charge_lost:g} of their charge; allow more"
                ])  # fmt: skip
        ops = planted(draft, schedule.ops, sweeps)


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


def planted(draft: Program, ops: Sequence[Op], sweeps: Sequence[int]) -> list[Op]:
    """The instructions with so many sweeps of RFSH in each segment, spread evenly over its time."""
    timeline = elaborate(draft)
    found, untaken = list[Op](), _untaken(ops)
    due: list[int] = []
    segment = -1
    for index, op in enumerate(ops):
        if op.name == "PAGE":
            segment += 1
            cycles, count = timeline.segments[segment].cycles, sweeps[segment]
            due = [k * cycles // count for k in range(count)]
        elif due and timeline.spans[index].start >= due[0] and untaken[index] <= 1 and op.name in ("SHIFT", "STORE"):
            due.pop(0)
            found += _sweep(timeline, segment)
        found.append(op)
    return found


def _sweep(timeline: Timeline, segment: int) -> list[Op]:
    """RFSH of every pair in the rows that a segment uses."""
    each = timeline.spec.columns // timeline.spec.dacs
    rows = timeline.charges.loaded_rows[segment].tolist()
    return [PUBLISHED.op("RFSH", pair=row * each + k) for row in rows for k in range(each)]


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
