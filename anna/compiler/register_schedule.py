"""Pass 6 for a wide chip: which instruction starts in which cycle, so that input, array and output work at once.

There are three lists of work, one for each unit, each in order; what can start earliest goes next. A STORE waits for the
last cycle of the CALCs that read its registers, a CALC for its window, an OUT for its CALC, a SHIFT for the last OUT before
it that writes one of its states: lines overlap if rows do not divide evenly, and maps may share memory. A WAIT is inserted
where the chip's interlocks would not wait by themselves. What is issued ahead of an OUT leaves it time enough, and a place
in its cycle, to take its results before the next CALC replaces them. The loop is compiled (`anna.compiler.windows`).
"""

from collections.abc import Sequence

import numpy as np

from anna.chip.spec import ALL_AT_ONCE, ChipSpec
from anna.compiler.forms import Forms
from anna.compiler.memory import Memory
from anna.compiler.place import Placed
from anna.compiler.register_items import RegisterItems
from anna.compiler.segment import Segment
from anna.native.loader import compiled
from anna.sequencer.timing import waits_table


class RegisterScheduler:
    """Schedules the segments of a program, one after the other; a unit may run ahead of the others into the next scan."""

    def __init__(self, spec: ChipSpec, memory: Memory) -> None:
        self.spec, self.memory, self.forms = spec, memory, Forms(spec, ALL_AT_ONCE)
        chip = {"issue_width": spec.issue_width, "states_in": spec.states_in_per_cycle, "states_out": spec.states_out_per_cycle,
                "latency": spec.memory_latency_cycles, "calc_cycles": spec.calc_cycles, "store_cycles": spec.store_cycles,
                "registers": spec.registers, "waits": waits_table(spec, ALL_AT_ONCE)}  # fmt: skip
        self.windows = compiled("anna.compiler.windows").Windows(chip, memory.size)

    def segment(self, chosen: Sequence[tuple[Placed, int]]) -> Segment:
        """Schedule all scans of a segment."""
        constants = [0] * self.spec.registers
        arrays = [RegisterItems(self.forms, self.memory, *one, constants).arrays() for one in chosen]
        scan = np.repeat(np.arange(len(arrays)), [len(form) for form, _ in arrays])
        form, place = (np.concatenate(part) for part in zip(*arrays, strict=True))
        return Segment.of(self.forms, *self.windows.run(self.forms.arrays(), form, place, scan, len(arrays)))
