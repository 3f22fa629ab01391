"""How old charges are when they are read, and what they have lost by then: in the first and the last slot of a batch."""

from typing import Any

import numpy as np

from anna.analog.leak import charge_lost_at
from anna.analog.parameters import Analog
from anna.chip import codes
from anna.chip.codes import Ints
from anna.sequencer.timeline import Timeline

PRESET = "typical"  # the electronics by which losses are judged


def report(timeline: Timeline) -> list[dict[str, Any]]:
    """The oldest charge that carries a weight when it is read, and its loss on a chip of typical leak: a row for the first
    slot of the batch and one for the last. Empty for a wide chip, which refreshes by itself."""
    spec, last = timeline.spec, timeline.program.batch - 1
    if spec.wide:
        return []
    analog, rows = Analog.preset(PRESET), list[dict[str, Any]]()
    for slot in sorted({0, last}):
        oldest = oldest_read_cycles(timeline, slot)
        lost = round(charge_lost_at(spec, analog, oldest), 9)
        rows.append({"slot": slot, "oldest_cycles": oldest, "oldest_us": oldest * 1e6 / spec.clock_hz, "lost": lost})
    return rows


def oldest_read_cycles(timeline: Timeline, slot: int) -> int:
    """The age of the oldest charge that carries a weight when a CALC of this slot reads it."""
    return max((oldest_in_segment(timeline, segment, slot) for segment in range(len(timeline.segments))), default=0)


def oldest_in_segment(timeline: Timeline, segment: int, slot: int) -> int:
    """The same for one page segment; 0 if none of its charges carries a weight."""
    spec, program = timeline.spec, timeline.program
    row, cycle = _last_reads(timeline, segment)
    first_column = np.arange(0, spec.columns, spec.dacs)  # of each pair
    ages = timeline.charges.ages(np.array(segment), cycle[:, None], row[:, None], first_column, slot)
    numerators = codes.weight_converter(spec).numerators[program.weight_codes[timeline.segments[segment].page]]
    carries = (numerators != 0).reshape(spec.rows, -1, spec.dacs).any(axis=2)
    return int(ages[carries[row]].max(initial=0))


def _last_reads(timeline: Timeline, segment: int) -> tuple[Ints, Ints]:
    """Row and cycle of the reads of a segment that find the oldest charges: the last of a row before each RFSH of it, and the
    last of all, for charges only get older in between."""
    spec, of, issued = timeline.spec, timeline.columns, timeline.program.issued
    mine, written = of.of_segment(segment), issued.named("RFSH") & (timeline.segment == segment)
    rows = of.rows(spec)[mine]
    row = np.repeat(of.row[mine] - np.cumsum(rows) + rows, rows) + np.arange(rows.sum())
    cycle = np.repeat(of.cycle[mine], rows)
    span = timeline.segments[segment].cycles + 1
    writes = np.sort(issued.place[written] // (spec.columns // spec.dacs) * span + timeline.start[written])
    between = np.searchsorted(writes, row * span + cycle) + row * (len(writes) + 1)  # an RFSH of that cycle comes later
    order = np.argsort(between, kind="stable")  # reads come in turn
    last = order[np.diff(between[order], append=-1) != 0]
    return row[last], cycle[last]
