"""Pass 6 for a chip of one shifter: which instruction starts in which cycle, so that input, array and output work at once.

There are three lists, each in order: SHIFTs and STOREs that bring windows into latches, CALCs, and OUTs. What can start
earliest goes next; of those that can start at once, the list that comes first in an order of preference, of which each scan has
the best. A STORE waits for the CALCs that read its latches, a CALC for its window, an OUT for its CALC, a SHIFT for the last
OUT before it that writes one of its states. A WAIT is inserted where the chip's interlocks would not wait by themselves. The
loop is compiled (`anna.compiler.greedy`), and its work grows with the instructions of a segment alone.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from anna.chip.spec import ChipSpec, Sequencer
from anna.compiler.forms import Forms
from anna.compiler.latch_items import ScanItems
from anna.compiler.memory import Memory
from anna.compiler.place import Placed
from anna.compiler.segment import Segment
from anna.native.loader import compiled
from anna.sequencer.timing import waits_table

INPUT, CALC, OUT = range(3)
ORDERS = np.array([(OUT, INPUT, CALC), (OUT, CALC, INPUT), (INPUT, CALC, OUT), (CALC, INPUT, OUT)], np.int8)
LINES_TRIED = 2  # of a scan, with each order

Ints = NDArray[np.int64]


class LatchScheduler:
    """Schedules the segments of a program, one after the other; `forms` are those of all its instructions."""

    def __init__(self, spec: ChipSpec, sequencer: Sequencer, memory: Memory) -> None:
        self.memory, self.forms = memory, Forms(spec, sequencer)
        chip = {"issue_width": spec.issue_width, "states_in": spec.states_in_per_cycle, "states_out": spec.states_out_per_cycle,
                "latency": spec.memory_latency_cycles, "calc_cycles": spec.calc_cycles, "store_cycles": spec.store_cycles,
                "latches": spec.latches, "waits": waits_table(spec, sequencer),
                # Results leave before the next CALC where nothing runs beside an OUT.
                "alone": sequencer.overlap != "all"}  # fmt: skip
        self.greedy = compiled("anna.compiler.greedy").Greedy(chip, memory.size)

    def segment(self, chosen: Sequence[tuple[Placed, int]]) -> Segment:
        """Schedule all scans of a segment; input may run ahead into the next scan."""
        items = [ScanItems(self.forms, self.memory, *one) for one in chosen]
        orders = np.stack([self._best_order(item) for item in items])
        arrays = [item.arrays() for item in items]
        scan = np.repeat(np.arange(len(items)), [len(form) for form, _ in arrays])
        form, place = (np.concatenate(part) for part in zip(*arrays, strict=True))
        return Segment.of(self.forms, *self._run(form, place, scan, orders))

    def _best_order(self, items: ScanItems) -> NDArray[np.int8]:
        """The order in which the first lines of a scan take least time by themselves."""
        form, place = items.arrays(LINES_TRIED)
        scan = np.zeros(len(form), np.int64)
        cycles = [self._run(form, place, scan, order[None])[-1] for order in ORDERS]
        best: NDArray[np.int8] = ORDERS[int(np.argmin(cycles))]
        return best

    def _run(self, form: Ints, place: Ints, scan: Ints, orders: NDArray[np.int8]) -> tuple[Ints, Ints, Ints, int]:
        found: tuple[Ints, Ints, Ints, int] = self.greedy.run(self.forms.arrays(), form, place, scan, orders)
        return found
