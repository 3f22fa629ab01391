"""A scan: one way to run some output maps of a layer over its input, with registers, rows and cost.

A window covers `down` rows and `right` columns of output positions at once, so that each state is loaded once for all of
them. A register holds, for each image column of the window, the same strips (map, row) one after the other; moving on
shifts the oldest image columns out. The topmost columns of a register keep constants, which carry the bias.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from anna.chip.spec import ChipSpec
from anna.compiler.ir import ChipLayer

Tap = tuple[int, int, int]  # input map, row and column within the window


def ceil_div(a: int, b: int) -> int:
    """a / b rounded up."""
    return -(-a // b)


@dataclass(frozen=True)
class RegisterLayout:
    """What one register holds: the taps of a window, column by column, the same strips in each."""

    taps: tuple[Tap, ...]
    strips: int  # taps of one image column

    @cached_property
    def column_of(self) -> dict[Tap, int]:
        """The column of each tap."""
        return {tap: column for column, tap in enumerate(self.taps)}


@dataclass(frozen=True)
class Neuron:
    """A logical neuron of a scan: its output, and the registers that its rows read (numbered within the scan)."""

    o: int
    dy: int
    dx: int
    registers: tuple[int, ...]

    @property
    def slot(self) -> tuple[int, int]:
        """Which of the positions of a window it computes."""
        return self.dy, self.dx


@dataclass(frozen=True, eq=False)
class Scan:
    """Some output maps of a layer, computed in one pass of a window over their input."""

    layer: ChipLayer
    spec: ChipSpec
    outputs: tuple[int, ...]
    down: int
    right: int
    registers: tuple[RegisterLayout, ...]
    constants: int  # constant columns of each register
    unit_columns: int  # columns of a neuron's own bias, 0 if it has none

    @property
    def starts_y(self) -> tuple[int, ...]:
        """First output row of every line; the last line overlaps the one before if the rows do not divide evenly."""
        return first_positions(self.layer.output_shape[1], self.down)

    @property
    def starts_x(self) -> tuple[int, ...]:
        """First output column of every step of a line."""
        return first_positions(self.layer.output_shape[2], self.right)

    @cached_property
    def neurons(self) -> tuple[Neuron, ...]:
        """All neurons, by fan-in, then position, then map."""
        seen: dict[tuple[bytes, int, int], tuple[int, ...]] = {}
        found = []
        for o in self.outputs:
            key = self.layer.mask_oiyx[o].tobytes()
            for dx in range(self.right):
                for dy in range(self.down):
                    if (key, dy, dx) not in seen:
                        seen[key, dy, dx] = self._read(o, dy, dx)
                    found.append(Neuron(o, dy, dx, seen[key, dy, dx]))
        return tuple(sorted(found, key=lambda n: (len(n.registers), n.dx, n.dy, n.o)))

    def _read(self, o: int, dy: int, dx: int) -> tuple[int, ...]:
        """The register of each row of a neuron."""
        sy, sx = self.layer.stride
        place = self._place
        if self.down * self.right == 1:
            used = {place[i, y, x] for i, y, x in np.argwhere(self.layer.mask_oiyx[o]).tolist()}
        else:  # a window that moves holds each strip in one register
            strips = np.argwhere(self.layer.mask_oiyx[o].any(axis=2)).tolist()
            used = {place[i, y + dy * sy, dx * sx] for i, y in strips}
        if self.unit_columns or not used:
            used.add(len(self.registers) - 1)
        named = sorted(used)
        rows = fan_in_for(self.spec, len(named)) // self.spec.columns
        return tuple(named + named[-1:] * (rows - len(named)))

    @cached_property
    def _place(self) -> dict[Tap, int]:
        return {tap: r for r, held in enumerate(self.registers) for tap in held.taps}

    @cached_property
    def rows(self) -> int:
        """Rows of synapses."""
        return sum(len(neuron.registers) for neuron in self.neurons)

    @cached_property
    def rows_per_output(self) -> dict[int, int]:
        """Rows of each output map, all positions together."""
        rows = dict.fromkeys(self.outputs, 0)
        for neuron in self.neurons:
            rows[neuron.o] += len(neuron.registers)
        return rows

    @property
    def unit_states(self) -> int:
        """States that carry the biases of the units of one step."""
        return self.unit_columns * len(self.outputs) * self.down * self.right

    def part(self, outputs: Sequence[int]) -> "Scan":
        """The same scan for fewer output maps."""
        wanted = tuple(outputs)
        if wanted not in self._parts:
            self._parts[wanted] = Scan(self.layer, self.spec, wanted, self.down, self.right, self.registers, self.constants,
                                      self.unit_columns)  # fmt: skip
        return self._parts[wanted]

    @cached_property
    def _parts(self) -> dict[tuple[int, ...], "Scan"]:
        """A cache: many ways to place a layer cut it alike."""
        return {}

    # --- what it costs -----------------------------------------------------------------------------------------------
    @cached_property
    def fill_cycles(self) -> int:
        """Input cycles of the first window of a line."""
        per = self.spec.states_in_per_cycle
        return sum(ceil_div(len(held.taps), per) for held in self.registers) + ceil_div(self.unit_states, per)

    @cached_property
    def step_cycles(self) -> int:
        """Input cycles from window to window."""
        return self._input_cycles(self.right)

    def _input_cycles(self, positions: int) -> int:
        """Input cycles of moving on by this many positions."""
        per, columns = self.spec.states_in_per_cycle, positions * self.layer.stride[1]
        moved = (min(held.strips * columns, len(held.taps)) for held in self.registers)
        return sum(ceil_div(states, per) for states in moved) + ceil_div(self.unit_states, per)

    @cached_property
    def input_cycles(self) -> int:
        """Input cycles of the scan; the last step of a line may be shorter."""
        steps = sum(self._input_cycles(b - a) for a, b in pairwise(self.starts_x))
        return len(self.starts_y) * (self.fill_cycles + steps)

    @cached_property
    def array_cycles(self) -> int:
        """CALC cycles of a window."""
        spec, by_fan_in = self.spec, dict[int, int]()
        for neuron in self.neurons:
            by_fan_in[len(neuron.registers)] = by_fan_in.get(len(neuron.registers), 0) + 1
        return spec.calc_cycles * sum(ceil_div(n, spec.neurons_at_once) for n in by_fan_in.values())

    @cached_property
    def output_cycles(self) -> int:
        """OUT cycles of a window."""
        return ceil_div(len(self.neurons), self.spec.states_out_per_cycle)

    @property
    def can_prefill(self) -> bool:
        """Whether a second set of registers can load the next line's first window while a line runs."""
        return 2 * len(self.registers) <= self.spec.registers and len(self.starts_y) > 1 and not self.unit_columns

    @cached_property
    def cycles(self) -> int:
        """Estimated cycles of the scan."""
        lines, steps = len(self.starts_y), len(self.starts_x)
        busy = max(self.array_cycles, self.output_cycles)
        spare = max(0, busy - self.step_cycles) * (steps - 1) if self.can_prefill else 0
        fill = max(0, self.fill_cycles - spare - busy)
        line = self.fill_cycles if steps == 1 else fill
        if steps > 1:
            line += max(busy, self.step_cycles) * (steps - 1) + busy * (self.step_cycles <= busy)
        else:
            line = max(line, busy)
        return lines * line + (self.fill_cycles if self.can_prefill else busy)

    @property
    def text(self) -> str:
        """The canonical line."""
        registers = "+".join(str(len(held.taps)) for held in self.registers)
        return (
            f"{self.layer.name}: {len(self.outputs)} maps, {self.down}x{self.right} positions at once, "
            f"registers of {registers} columns and {self.constants} constants, {len(self.neurons)} neurons on {self.rows} "
            f"rows, about {self.cycles} cycles"
        )


def first_positions(length: int, step: int) -> tuple[int, ...]:
    """Where windows of so many positions begin that cover a length; the last may overlap the one before."""
    return tuple(min(start, length - step) for start in range(0, length, step))


def fan_in_for(spec: ChipSpec, registers: int) -> int:
    """The smallest fan-in that reads this many registers."""
    return next(fan_in for fan_in in spec.fan_ins if fan_in >= registers * spec.columns)
