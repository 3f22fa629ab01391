"""How old the charge of a synapse is when it is read: what RFSH wrote and when, or where a free-running refresh stood.

With RFSH, every pair of weights in rows that the segment's CALCs use is written before the first image of a batch, row by
row, and again by each RFSH in the program; a CALC that starts in the same cycle still reads the old charge. The images of a
batch run one after another, each in a *slot* of its own: what RFSH wrote during one is there for the next. All images of a
run are given the ages of one slot, so that no result depends on an image's place. A wide chip's refresh runs by itself
(`anna.chip.refresh`) and is phase-locked to the image.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import MachineError
from anna.chip import refresh
from anna.chip.spec import ChipSpec

Ints = NDArray[np.int64]

FIRST_ORDINAL = 1 << 16  # of an RFSH in the program; below lie the writes before the image


@dataclass(frozen=True)
class Refresh:
    """One RFSH of a program."""

    segment: int
    cycle: int  # of the segment
    pair: int


@dataclass(frozen=True, eq=False)
class Charges:
    """Who wrote the charges of a program's weights, and when.

    `moment` is the slot of the batch; on a wide chip the cycle of the refresh period in which an image begins. With
    `stops`, nothing is written from that cycle of a segment on.
    """

    spec: ChipSpec
    refreshes: tuple[Refresh, ...]
    loaded_rows: tuple[Ints, ...]  # of each segment: the rows that its CALCs use
    segment_cycles: tuple[int, ...]
    write_cycles: int  # cycles of one RFSH of a page load

    def ages(self, segment: Ints, cycle: Ints, rows: Ints, columns: Ints, moment: int = 0, stops: int | None = None) -> Ints:
        """Cycles since each synapse was written, at a cycle of its segment."""
        if self.spec.wide:
            return refresh.ages(self.spec, cycle, rows, columns, moment, stops)
        return self._written(segment, cycle, rows, columns, moment, stops)[0]

    def ordinals(self, segment: Ints, cycle: Ints, rows: Ints, columns: Ints, moment: int, stops: int | None) -> Ints:
        """The number of the write of each charge, by which its noise is drawn."""
        if self.spec.wide:
            return refresh.ordinal(segment, refresh.laps(self.spec, cycle, rows, columns, moment, stops))
        return self._written(segment, cycle, rows, columns, moment, stops)[1]

    def load_cycles(self, segment: int) -> int:
        """Cycles of loading a segment's page."""
        if self.spec.wide:
            return self.spec.refresh_period_cycles
        return len(self.loaded_rows[segment]) * self._row_pairs * self.write_cycles

    @property
    def _row_pairs(self) -> int:
        return self.spec.columns // self.spec.dacs

    @cached_property
    def _loads(self) -> Ints:
        """When each pair is written before a segment begins (segments, pairs): a cycle below zero."""
        found = np.full((len(self.segment_cycles), self.spec.pairs), -1, np.int64)
        for segment, rows in enumerate(self.loaded_rows):
            pairs = (rows[:, None] * self._row_pairs + np.arange(self._row_pairs)).reshape(-1)
            found[segment, pairs] = self.write_cycles * (np.arange(len(pairs)) - len(pairs))
        return found

    @cached_property
    def _events(self) -> tuple[Ints, Ints, Ints]:
        """Every RFSH: its key, cycle and number, in order of segment, pair and cycle."""
        table = np.array([(one.segment, one.pair, one.cycle) for one in self.refreshes], np.int64).reshape(-1, 3)
        order = np.lexsort((table[:, 2], table[:, 1], table[:, 0]))
        segment, pair, cycle = table[order].T
        return segment * self.spec.pairs + pair, cycle, order

    def _written(
        self, segment: Ints, cycle: Ints, rows: Ints, columns: Ints, slot: int, stops: int | None
    ) -> tuple[Ints, Ints]:
        """Age and number of each charge."""
        segment, cycle, rows, columns = np.broadcast_arrays(segment, cycle, rows, columns)
        pair = rows * self._row_pairs + columns // self.spec.dacs
        lengths = np.array(self.segment_cycles, np.int64)[segment]
        age = cycle - self._loads[segment, pair] + slot * lengths
        number = segment.astype(np.int64)
        if not self.refreshes:
            return age, number
        keys, cycles, order = self._events
        alive = slice(None) if stops is None else cycles < stops
        keys, cycles, order = keys[alive], cycles[alive], order[alive]
        if not len(keys):
            return age, number
        span = max(int(lengths.max(initial=0)), int(cycles.max(initial=0)), int(cycle.max(initial=0))) + 2
        place, mine = keys * span + cycles, segment * self.spec.pairs + pair
        if slot:  # what the image before this one left
            before = np.searchsorted(place, mine * span + span - 1, side="right") - 1
            there = (before >= 0) & (keys[before] == mine)
            age = np.where(there, cycle + lengths - cycles[before], age)
        last = np.searchsorted(place, mine * span + cycle) - 1  # written before that cycle
        there = (last >= 0) & (keys[last] == mine)
        return np.where(there, cycle - cycles[last], age), np.where(there, FIRST_ORDINAL + order[last], number)


def moment(spec: ChipSpec, batch: int, phase_cycles: int = 0, slot: int | None = None) -> int:
    """What decides the age of charges besides the program: the slot of its batch (default: the last one, whose charges are
    oldest); on a wide chip the phase of its refresh."""
    if spec.wide:
        if slot:
            raise MachineError(f"slot is {slot}, but a wide chip refreshes by itself, whatever the slot; leave slot out")
        return phase_cycles
    if phase_cycles:
        raise MachineError(f"phase_cycles is {phase_cycles}, but this chip is refreshed by its program; choose a slot instead")
    if slot is not None and not 0 <= slot < batch:
        raise MachineError(f"slot is {slot}; this program has a batch of {batch}, slots 0 to {batch - 1}")
    return batch - 1 if slot is None else slot
