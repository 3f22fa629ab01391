"""A scan on a wide chip: windows in registers that can each be shifted, with rows and cost.

A register holds, for each image column of the window, the same strips (map, row) one after the other; moving on shifts the
oldest image columns out. The topmost columns of a register keep constants, which carry the bias.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from anna.chip.spec import ChipSpec
from anna.compiler.ir import Tap
from anna.compiler.scan import Scan, ceil_div


@dataclass(frozen=True)
class RegisterLayout:
    """What one register holds: the taps of a window, column by column, the same strips in each."""

    taps: tuple[Tap, ...]
    strips: int  # taps of one image column

    @cached_property
    def column_of(self) -> dict[Tap, int]:
        """The column of each tap."""
        return {tap: column for column, tap in enumerate(self.taps)}


@dataclass(frozen=True, eq=False)
class RegisterScan(Scan):
    """A scan whose window lies in registers; `constants` are columns of each."""

    layouts: tuple[RegisterLayout, ...]

    def _together(self, reads: tuple[int, ...]) -> tuple[int]:
        """Neurons of one fan-in share a CALC: each row names its register."""
        return (len(reads),)

    def _read(self, o: int, dy: int, dx: int) -> tuple[int, ...]:
        """The register of each row of a neuron."""
        sy, sx = self.layer.stride
        place, taps = self._place, self.layer.taps[o]
        if len(self.layouts) == 1:
            used = {0}
        elif self.down * self.right == 1:
            used = {place[tap] for tap in taps}
        else:  # a window that moves holds each strip in one register
            used = {place[i, y + dy * sy, dx * sx] for i, y, _ in taps}
        if self.unit_columns or not used:
            used.add(len(self.layouts) - 1)
        named = sorted(used)
        rows = fan_in_for(self.spec, len(named)) // self.spec.columns
        return tuple(named + named[-1:] * (rows - len(named)))

    @cached_property
    def _place(self) -> dict[Tap, int]:
        return {tap: r for r, held in enumerate(self.layouts) for tap in held.taps}

    # --- what it costs -----------------------------------------------------------------------------------------------
    @cached_property
    def fill_cycles(self) -> int:
        """Input cycles of the first window of a line."""
        per = self.spec.states_in_per_cycle
        return sum(ceil_div(len(held.taps), per) for held in self.layouts) + ceil_div(self.unit_states, per)

    @cached_property
    def step_cycles(self) -> int:
        """Input cycles from window to window."""
        return self._input_cycles(self.right)

    def _input_cycles(self, positions: int) -> int:
        """Input cycles of moving on by this many positions."""
        per, columns = self.spec.states_in_per_cycle, positions * self.layer.stride[1]
        moved = (min(held.strips * columns, len(held.taps)) for held in self.layouts)
        return sum(ceil_div(states, per) for states in moved) + ceil_div(self.unit_states, per)

    @cached_property
    def input_cycles(self) -> int:
        """Input cycles of the scan; the last step of a line may be shorter."""
        steps = sum(self._input_cycles(b - a) for a, b in pairwise(self.starts_x))
        return len(self.starts_y) * (self.fill_cycles + steps)

    @cached_property
    def array_cycles(self) -> int:
        """CALC cycles of a window."""
        spec, by_rows, alike = self.spec, Counter[int](), Counter(self.layer.alike[o] for o in self.outputs)
        for one, outputs in alike.items():
            for reads in self.reads[one]:
                by_rows[len(reads)] += outputs
        return spec.calc_cycles * sum(ceil_div(n, spec.neurons_at_once) for n in by_rows.values())

    @cached_property
    def output_cycles(self) -> int:
        """OUT cycles of a window."""
        return ceil_div(len(self.outputs) * self.down * self.right, self.spec.states_out_per_cycle)

    @property
    def can_prefill(self) -> bool:
        """Whether a second set of registers can load the next line's first window while a line runs."""
        return 2 * len(self.layouts) <= self.spec.registers and len(self.starts_y) > 1 and not self.unit_columns

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
        registers = "+".join(str(len(held.taps)) for held in self.layouts)
        return (
            f"{self.layer.name}: {len(self.outputs)} maps, {self.down}x{self.right} positions at once, "
            f"registers of {registers} columns and {self.constants} constants, {len(self.neurons)} neurons on {self.rows} "
            f"rows, about {self.cycles} cycles"
        )


def fan_in_for(spec: ChipSpec, registers: int) -> int:
    """The smallest fan-in that reads this many registers."""
    return next(fan_in for fan_in in spec.fan_ins if fan_in >= registers * spec.columns)
