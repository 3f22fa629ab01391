"""The instructions of a scan on a wide chip, in order, as arrays.

Line by line and step by step: SHIFTs and a STORE that bring a window in, then its CALCs, each with its OUT. Steps are alike but
for where they begin in memory, so what a step takes in or gives out is written once, with addresses from that beginning.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from anna.compiler.forms import Forms
from anna.compiler.ir import Tap
from anna.compiler.memory import Memory, Stack
from anna.compiler.patterns import Pattern, longest, patterns
from anna.compiler.place import Placed
from anna.compiler.registers import RegisterScan
from anna.program import isa
from anna.program.isa import WIDE

Ints = NDArray[np.int64]
Item = tuple[int, int]  # the form of an instruction, and its address


class RegisterItems:
    """The instructions of one scan; `constants` are the constant columns that each register's shift stage has, before the scan
    and, changed in place, after it."""

    def __init__(self, forms: Forms, memory: Memory, placed: Placed, unit_base: int, constants: list[int]) -> None:
        assert isinstance(placed.scan, RegisterScan)
        self.scan, self.spec, self.forms, self.memory = placed.scan, forms.spec, forms, memory
        self.placed, self.unit_base, self.constants = placed, unit_base, constants
        self.source = memory.stacks[self.scan.layer.source]
        self.target = memory.stacks[self.scan.layer.stack].from_map(self.scan.layer.first_map)
        self._known = dict[tuple[int, int | None, int | None], list[Item]]()
        self._shifted = dict[tuple[int, bytes], list[Item]]()
        self._calcs = dict[int, list[Item]]()

    def arrays(self) -> tuple[Ints, Ints]:
        """Form and place of each instruction."""
        items = np.array(self._all(), np.int64).reshape(-1, 2)
        return np.ascontiguousarray(items[:, 0]), np.ascontiguousarray(items[:, 1])

    def _all(self) -> list[Item]:
        """SHIFTs and STOREs line by line, each followed by its CALCs."""
        scan, sets, step = self.scan, 1, 0
        spare = max(scan.array_cycles, scan.output_cycles) - scan.step_cycles
        if scan.can_prefill and spare > 0 and len(scan.starts_x) > 1:
            sets = 2
        count, first = len(scan.layouts), scan.starts_x[0]
        found, pending = self._constants(range(count * sets)), list[Item]()
        for line, y in enumerate(scan.starts_y):
            base, before = line % sets * count, first
            if line == 0 or sets == 1:
                found += self._entering(base, None, y, first)
            found += pending  # what the previous line had no time for
            pending = []
            if sets == 2 and line + 1 < len(scan.starts_y):
                ahead = (line + 1) % sets * count
                most = spare * self.spec.states_in_per_cycle
                pending = self._entering(ahead, None, scan.starts_y[line + 1], first, most)
            for x in scan.starts_x:
                if x != before:
                    found += self._entering(base, x - before, y, x)
                found += self._units(base, step)
                if pending and (x != first or len(scan.starts_x) == 1):
                    found.append(pending.pop(0))
                before = x
                found += self._works(base, y, x)
                step += 1
        return found

    def _constants(self, registers: Sequence[int] | range) -> list[Item]:
        scan, have, found = self.scan, self.constants, list[Item]()
        data = max(len(held.taps) for held in scan.layouts) + scan.unit_states
        address = self.memory.column_constants + self.memory.column_count - scan.constants
        for register in registers:
            if have[register] < scan.constants:
                lying = Pattern(address, scan.constants, 1, 1, 0)
                found.append(self._shift(register, self.spec.columns - scan.constants, scan.constants, lying))
                have[register] = scan.constants
            have[register] = min(have[register], self.spec.columns - data)
        return found

    def _shift(self, register: int, first: int, width: int, pattern: Pattern) -> Item:
        op = WIDE.op("SHIFT", register=register, first=first, width=width, address=0, count=pattern.length,
                    stride=pattern.stride, blocks=pattern.blocks, block_stride=pattern.block_stride)  # fmt: skip
        return self.forms.number(op), pattern.offset

    def _entering(self, base: int, moved: int | None, y: int, x: int, most: int | None = None) -> list[Item]:
        """What registers take in when the window has moved by so many positions to (y, x), all if None; in pieces of at most
        so many states."""
        key = base, moved, most
        if key not in self._known:
            self._known[key] = [item for r in range(len(self.scan.layouts)) for item in self._loads(base + r, r, moved, most)]
        (sy, sx), (_, down, right) = self.scan.layer.stride, self.source.steps
        place = self.source.corner(self.scan.layer.padding) + y * sy * down + x * sx * right
        return [(form, place + at) for form, at in self._known[key]]

    def _loads(self, register: int, number: int, moved: int | None, most: int | None) -> list[Item]:
        held, layer, (one, down, right) = self.scan.layouts[number], self.scan.layer, self.source.steps
        taps: Sequence[Tap] = held.taps
        if moved is not None:
            taps = taps[len(taps) - min(moved * layer.stride[1] * held.strips, len(taps)) :]
        relative = [layer.places[i] * one + y * down + x * right for i, y, x in taps]
        size = most or max(1, len(relative))  # none in a register of constants and partial sums alone
        return [self._shift(register, 0, len(held.taps), pattern)
                for at in range(0, len(relative), size) for pattern in patterns(relative[at : at + size])]  # fmt: skip

    def _units(self, base: int, step: int) -> list[Item]:
        """The states of the units' own columns: biases from the constants, partial sums, coarser digits."""
        if not self.scan.unit_states:
            return []
        last, begin = len(self.scan.layouts) - 1, int(self._unit_places[step, 0])
        relative = self._unit_places[step] - begin
        key = base, relative.tobytes()
        if key not in self._shifted:
            first = len(self.scan.layouts[last].taps)
            self._shifted[key] = [self._shift(base + last, first, self.scan.unit_states, pattern)
                                  for pattern in patterns(relative.tolist())]  # fmt: skip
        return [(form, begin + at) for form, at in self._shifted[key]]

    @cached_property
    def _unit_places(self) -> Ints:
        """The addresses of those of each step."""
        scan, biases = self.scan, self.scan.own_biases
        lines, columns = np.array(scan.starts_y)[:, None], np.array(scan.starts_x)
        found = np.empty((len(scan.starts_y), len(scan.starts_x), len(scan.neurons), len(scan.units)), np.int64)
        found[..., :biases] = self.unit_base + np.arange(found[..., :biases].size).reshape(*found.shape[:3], biases)
        for number, unit in enumerate(scan.units[biases:], biases):
            stack = self.memory.stacks[unit.stack]
            one, down, right = stack.steps
            own = np.array([unit.maps[n.o] * one + n.dy * down + n.dx * right for n in scan.neurons])
            found[..., number] = stack.inside + (lines * down + columns * right)[..., None] + own
        return found.reshape(-1, scan.unit_states)

    def _works(self, base: int, y: int, x: int) -> list[Item]:
        """The STORE of a window, and its CALCs, each with its OUT."""
        if base not in self._calcs:
            self._calcs[base] = self._works_of(base)
        _, down, right = self.target.steps
        place = self.target.inside + y * down + x * right
        return [(form, 0 if at < 0 else place + at) for form, at in self._calcs[base]]

    def _works_of(self, base: int) -> list[Item]:
        registers = range(base, base + len(self.scan.layouts))
        found = [(self.forms.number(WIDE.op("STORE", registers=sum(1 << one for one in registers)), registers), -1)]
        for fan_in, row, neurons, reads, pattern in _calcs(self.placed, self.target):
            named = tuple(base + register for register in reads)
            calc = WIDE.op("CALC", fan_in=self.spec.fan_ins.index(fan_in), row=row, neurons=neurons, registers=named)
            out = WIDE.op("OUT", address=0, count=pattern.length, stride=pattern.stride, blocks=pattern.blocks,
                         block_stride=pattern.block_stride)  # fmt: skip
            found += [(self.forms.number(calc, named), -1), (self.forms.number(out), pattern.offset)]
        return found


def _calcs(placed: Placed, target: Stack) -> list[tuple[int, int, int, tuple[int, ...], Pattern]]:
    """Fan-in, first row, neurons, registers and relative output addresses of the CALCs of one window."""
    scan, found = placed.scan, []
    assert isinstance(scan, RegisterScan)
    one, down, right = target.steps
    row, at = placed.row, 0
    neurons = scan.neurons
    while at < len(neurons):
        rows_each = len(neurons[at].reads)
        same = [n for n in neurons[at : at + scan.spec.neurons_at_once] if len(n.reads) == rows_each]
        pattern = longest([n.o * one + n.dy * down + n.dx * right for n in same], isa.largest_count(scan.spec))
        chosen = same[: pattern.states]
        registers = tuple(register for n in chosen for register in n.reads)
        found.append((rows_each * scan.spec.columns, row, len(chosen), registers, pattern))
        row, at = row + rows_each * len(chosen), at + len(chosen)
    return found
