"""The instructions of a scan on a chip of one shifter, in order, as arrays.

Line by line and step by step: what the latches take in, then the CALCs, each with the OUTs of its results. All lines are alike
but for where they begin in memory, so a line is written once, with addresses from the beginning of what they lie in.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from anna.compiler.forms import Forms
from anna.compiler.ir import OWN_BIAS
from anna.compiler.latches import LatchScan, pitch_of, words_of
from anna.compiler.memory import Memory
from anna.compiler.place import Placed
from anna.program.isa import PUBLISHED

Ints = NDArray[np.int64]

# What an address lies in: the first is nothing, the units' stacks of partial sums or coarser digits follow the last.
NOTHING, SOURCE, OWN_BIASES, TARGET, STACKS = range(5)


class Item(NamedTuple):
    """An instruction of a line: its form, its address, and what that is counted from."""

    form: int
    place: int = 0
    begin: int = NOTHING


class ScanItems:
    """The instructions of one scan."""

    def __init__(self, forms: Forms, memory: Memory, placed: Placed, unit_base: int) -> None:
        scan = placed.scan
        assert isinstance(scan, LatchScan)
        self.spec, self.sequencer, self.forms = forms.spec, forms.sequencer, forms
        self.memory, self.placed, self.scan, self.unit_base = memory, placed, scan, unit_base
        self.source = memory.stacks[scan.layer.source]
        self.target = memory.stacks[scan.layer.stack].from_map(scan.layer.first_map)
        self.stacks = [memory.stacks[unit.stack] for unit in scan.units if unit != OWN_BIAS]
        self.in_shifter = -1  # the latch whose stream the shifter holds

    def arrays(self, lines: int | None = None) -> tuple[Ints, Ints]:
        """Form and place of each instruction, of all lines or of so many."""
        first = np.array([*self._constants], np.int64).reshape(-1, 3)
        line = np.array([*self._line()], np.int64).reshape(-1, 3)
        begins = self._begins[:lines]
        form = np.concatenate([first[:, 0], np.tile(line[:, 0], len(begins))])
        place = np.concatenate([first[:, 1], (line[:, 1] + begins[:, line[:, 2]]).reshape(-1)])
        return form, place

    @cached_property
    def _constants(self) -> list[Item]:
        """What comes before all lines: constants in a latch of their own."""
        scan = self.scan
        if scan.own is None or scan.unit_states:
            return []
        return list(self._fill(scan.own, self._constant_words(), fresh=True))

    @cached_property
    def _begins(self) -> Ints:
        """For each line, where it begins in each of what addresses are counted from."""
        scan, (sy, _) = self.scan, self.scan.layer.stride
        rows = np.array(scan.starts_y, np.int64)
        steps = np.arange(len(rows)) * len(scan.starts_x)
        each = pitch_of(self.spec, self.sequencer, len(scan.neurons)) * scan.own_biases
        found = [
            rows * 0,
            self.source.corner(scan.layer.padding) + rows * sy * self.source.steps[1],
            self.unit_base + steps * each,
            self.target.inside + rows * self.target.steps[1],
            *(stack.inside + rows * stack.steps[1] for stack in self.stacks),
        ]
        return np.stack(found, axis=1)

    def _line(self) -> Iterator[Item]:
        scan, before = self.scan, None
        for step, x in enumerate(scan.starts_x):
            if scan.own is not None and scan.unit_states:
                yield from self._fill(scan.own, [*self._constant_words(), *self._unit_words(x, step)], fresh=True)
            for latch in range(len(scan.layouts)):
                moved = None if before is None else x - before
                yield from self._fill(latch, self._words(latch, x, step, moved), fresh=moved is None or not scan.keeps)
            yield from self._works(x)
            before = x

    def _fill(self, latch: int, words: Sequence[tuple[int, int, int]], fresh: bool) -> Iterator[Item]:
        """SHIFTs of words into what a latch held, or into anything if `fresh`, then the STORE."""
        scan = self.scan
        kept = latch < self.spec.registers and scan.keeps
        # What no register keeps passes through the first, or through the first that keeps no window.
        free = min(len(scan.layouts), self.spec.registers - 1) if scan.keeps else 0
        register = latch if kept else free
        via = 1 << register if kept or scan.through_register else 0
        for k, (place, count, begin) in enumerate(words):
            named = register + 1 if scan.through_register or not (k or fresh or self.in_shifter == latch) else 0
            yield Item(self._shift(count, named), place, begin)
            if scan.through_register and k < len(words) - 1:
                yield Item(self.forms.number(PUBLISHED.op("STORE", registers=via)))
        self.in_shifter = latch
        yield Item(self.forms.number(PUBLISHED.op("STORE", registers=via, latches=1 << latch), (latch,)))

    def _shift(self, count: int, register: int) -> int:
        return self.forms.number(PUBLISHED.op("SHIFT", count=count, register=register, address=0))

    def _words(self, latch: int, x: int, step: int, moved: int | None) -> list[tuple[int, int, int]]:
        """Where every word that a latch takes in begins, its length, and what that is counted from."""
        (one, down, right), maps = self.source.steps, self.scan.layer.places
        place, found = x * self.scan.layer.stride[1] * right, list[tuple[int, int, int]]()
        for block in self.scan.entering(latch, moved):
            found += self._from(SOURCE, [place + maps[i] * one + v * down + u * right for i, v, u in block])
            if self.scan.layouts[latch].extras:
                found += [*self._constant_words(), *self._unit_words(x, step)]
        return found

    def _from(self, begin: int, addresses: Sequence[int]) -> list[tuple[int, int, int]]:
        return [(place, count, begin) for place, count in words_of(addresses, self.spec.word_states)]

    def _constant_words(self) -> list[tuple[int, int, int]]:
        count = self.scan.constants
        first = self.memory.constant_lists[count] if count else 0
        return self._from(NOTHING, range(first, first + count))

    def _unit_words(self, x: int, step: int) -> list[tuple[int, int, int]]:
        """The states of the units' own columns: biases from the constants, partial sums, coarser digits."""
        scan, found, stack = self.scan, list[tuple[int, int, int]](), 0
        count, biases = len(scan.neurons), scan.own_biases
        each = pitch_of(self.spec, self.sequencer, count)
        for number, unit in enumerate(scan.units):
            if unit == OWN_BIAS:
                first = (step * biases + number) * each
                found += self._from(OWN_BIASES, range(first, first + count))
                continue
            one, down, right = self.stacks[stack].steps
            places = [unit.maps[n.o] * one + n.dy * down + (x + n.dx) * right for n in scan.neurons]
            found += self._from(STACKS + stack, places)
            stack += 1
        return found

    def _works(self, x: int) -> Iterator[Item]:
        place = x * self.target.steps[2]
        for calc, outs in self._calcs:
            yield Item(calc)
            yield from (Item(form, place + first, TARGET) for form, first in outs)

    @cached_property
    def _calcs(self) -> list[tuple[int, list[tuple[int, int]]]]:
        """The form of each CALC of a step, and form and address of each of its OUTs."""
        scan, spec, row, found = self.scan, self.spec, self.placed.row, list[tuple[int, list[tuple[int, int]]]]()
        for at, count in scan.calcs:
            reads = scan.neurons[at].reads
            fan_in = spec.fan_ins.index(len(reads) * spec.columns)
            calc = PUBLISHED.op("CALC", fan_in=fan_in, row=row, neurons=count, latch=reads[0])
            outs = [(self.forms.number(PUBLISHED.op("OUT", count=n, address=0)), first)
                    for first, n in scan.outs(at, count, self.target.steps)]  # fmt: skip
            found.append((self.forms.number(calc, reads, [latch for latch in reads if latch in scan.latches]), outs))
            row += count * len(reads)
        return found
