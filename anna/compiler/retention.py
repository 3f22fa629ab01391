"""How old charges are when they are read, and what they have lost by then: in the first and the last slot of a batch."""

from typing import Any

import numpy as np

from anna.analog.leak import charge_lost_at
from anna.analog.parameters import Analog
from anna.chip import codes
from anna.program import isa
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
    spec, program = timeline.spec, timeline.program
    numerators = codes.weight_converter(spec).numerators
    pages, rows, columns = program.weight_codes.shape
    carries = (numerators[program.weight_codes] != 0).reshape(pages, rows, columns // spec.dacs, spec.dacs).any(axis=3)
    first_column = np.arange(0, columns, spec.dacs)
    oldest = 0
    for segment in range(len(timeline.segments)):
        reads = [
            (row, calc.cycle)
            for calc in timeline.calcs
            if calc.segment == segment
            for row in range(calc.row, calc.row + isa.rows_of(spec, calc.fan_in, calc.neurons))
        ]
        if not reads:
            continue
        row, cycle = np.array(reads, np.int64).T[:, :, None]
        ages = timeline.charges.ages(np.array(segment), cycle, row, first_column, slot)
        mine = carries[timeline.segments[segment].page, row[:, 0]]
        oldest = max(oldest, int(ages[mine].max(initial=0)))
    return oldest
