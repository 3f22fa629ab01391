"""How one layer can lie in the registers: windows for one or several positions, registers, rows and what that costs.

A window covers `down` rows and `right` columns of output positions at once, so that each state is brought in once for all
of them. A register holds, for each picture column of the window, the same strips (map, row) one after the other; moving on
shifts the oldest picture columns out. The topmost columns of a register keep constants, which carry the bias.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from anna.compiler.ir import Bools, ChipLayer
from anna.spec import ChipSpec

Tap = tuple[int, int, int]  # input map, row and column within the window
MOST_DOWN = 16
MOST_RIGHT = 4


def ceil_div(a: int, b: int) -> int:
    """a / b rounded up."""
    return -(-a // b)


@dataclass(frozen=True)
class RegisterPlan:
    """What one register holds: taps column by column of the window, each picture column with the same strips."""

    taps: tuple[Tap, ...]
    strips: int  # taps of one picture column

    @cached_property
    def column_of(self) -> dict[Tap, int]:
        """Where each tap lies."""
        return {tap: column for column, tap in enumerate(self.taps)}


@dataclass(frozen=True)
class Neuron:
    """A logical neuron of a job: which output, which registers its rows read (the job's own numbers)."""

    o: int
    dy: int
    dx: int
    registers: tuple[int, ...]

    @property
    def slot(self) -> tuple[int, int]:
        """Which of the positions of a window it computes."""
        return self.dy, self.dx


@dataclass(frozen=True, eq=False)
class Job:
    """Some output maps of a layer, computed in one scan over their input."""

    layer: ChipLayer
    spec: ChipSpec
    outputs: tuple[int, ...]
    down: int
    right: int
    registers: tuple[RegisterPlan, ...]
    constants: int  # constant columns of each register
    unit_columns: int  # columns of a neuron's own bias, 0 where it has none

    @property
    def starts_y(self) -> tuple[int, ...]:
        """First output row of every line; the last line moves up where the rows do not come out even."""
        return _starts(self.layer.output_shape[1], self.down)

    @property
    def starts_x(self) -> tuple[int, ...]:
        """First output column of every step of a line."""
        return _starts(self.layer.output_shape[2], self.right)

    @cached_property
    def neurons(self) -> tuple[Neuron, ...]:
        """All neurons, by fan-in, then position, then map."""
        sy, sx = self.layer.stride
        place = {tap: r for r, plan in enumerate(self.registers) for tap in plan.taps}
        found, last = [], len(self.registers) - 1
        for dx in range(self.right):
            for dy in range(self.down):
                for o in self.outputs:
                    taps = np.argwhere(self.layer.mask_oiyx[o]).tolist()
                    used = sorted({place[i, y + dy * sy, x + dx * sx] for i, y, x in taps})
                    used = sorted({*used, last}) if self.unit_columns else used or [0]
                    fan_in = fan_in_for(self.spec, len(used))
                    rows = fan_in // self.spec.columns
                    found.append(Neuron(o, dy, dx, tuple(used + used[-1:] * (rows - len(used)))))
        return tuple(sorted(found, key=lambda n: (len(n.registers), n.dx, n.dy, n.o)))

    @cached_property
    def rows(self) -> int:
        """Rows of synapses."""
        return sum(len(neuron.registers) for neuron in self.neurons)

    @property
    def rows_per_output(self) -> dict[int, int]:
        """Rows of each output map, all positions together."""
        rows = dict.fromkeys(self.outputs, 0)
        for neuron in self.neurons:
            rows[neuron.o] += len(neuron.registers)
        return rows

    @property
    def unit_states(self) -> int:
        """States that bring the biases of the units of one step."""
        return self.unit_columns * len(self.outputs) * self.down * self.right

    def part(self, outputs: Sequence[int]) -> "Job":
        """The same scan for fewer output maps."""
        return Job(self.layer, self.spec, tuple(outputs), self.down, self.right, self.registers, self.constants,
                   self.unit_columns)  # fmt: skip

    # --- what it costs -----------------------------------------------------------------------------------------------
    @cached_property
    def fill_cycles(self) -> int:
        """Input cycles of the first window of a line."""
        per = self.spec.states_in_per_cycle
        return sum(ceil_div(len(plan.taps), per) for plan in self.registers) + ceil_div(self.unit_states, per)

    @cached_property
    def step_cycles(self) -> int:
        """Input cycles from window to window."""
        per, columns = self.spec.states_in_per_cycle, self.right * self.layer.stride[1]
        moved = (min(plan.strips * columns, len(plan.taps)) for plan in self.registers)
        return sum(ceil_div(states, per) for states in moved) + ceil_div(self.unit_states, per)

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
        """Whether a second set of registers can take the next line's first window while a line runs."""
        return 2 * len(self.registers) <= self.spec.registers and len(self.starts_y) > 1 and not self.unit_columns

    @cached_property
    def cycles(self) -> int:
        """Estimate of the whole scan."""
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
        registers = "+".join(str(len(plan.taps)) for plan in self.registers)
        return (
            f"{self.layer.name}: {len(self.outputs)} maps, {self.down}x{self.right} positions at once, "
            f"registers of {registers} columns and {self.constants} constants, {len(self.neurons)} neurons on {self.rows} rows, "
            f"about {self.cycles} cycles"
        )


def _starts(length: int, step: int) -> tuple[int, ...]:
    return tuple(min(start, length - step) for start in range(0, length, step))


def fan_in_for(spec: ChipSpec, registers: int) -> int:
    """The smallest fan-in that reads so many registers."""
    return next(fan_in for fan_in in spec.fan_ins if fan_in >= registers * spec.columns)


def options(layer: ChipLayer, spec: ChipSpec, constants: int, unit_columns: int) -> Iterator[tuple[Job, ...]]:
    """Ways to compute a layer, each a tuple of jobs that together make all its maps."""
    rows, columns = layer.output_shape[1:]
    seen = set()
    for down in range(1, min(rows, MOST_DOWN) + 1):
        for right in range(1, min(columns, MOST_RIGHT) + 1):
            jobs = _jobs(layer, spec, constants, unit_columns, down, right)
            if jobs is not None and (key := tuple(job.text for job in jobs)) not in seen:
                seen.add(key)
                yield jobs
            elif jobs is None and right == 1:
                return


def _jobs(layer: ChipLayer, spec: ChipSpec, constants: int, unit_columns: int, down: int, right: int) -> tuple[Job, ...] | None:
    """The layer with so many positions at once: output maps share a scan as long as their inputs fit the registers."""
    strips_of = [frozenset((int(i), int(y)) for i, y in np.argwhere(row.any(axis=2))) for row in layer.mask_oiyx]
    groups: list[tuple[list[int], frozenset[tuple[int, int]]]] = []
    for o in sorted(range(len(strips_of)), key=lambda o: (sorted(strips_of[o]), o)):
        if groups:
            outputs, union = groups[-1]
            more, all_strips = [*outputs, o], union | strips_of[o]
            same = strips_of[o] == union and not unit_columns
            if same or _packed(layer, spec, all_strips, more, constants, unit_columns, down, right):
                groups[-1] = more, all_strips
                continue
        if not _packed(layer, spec, strips_of[o], [o], constants, unit_columns, down, right):
            return None
        groups.append(([o], strips_of[o]))
    jobs = []
    for outputs, union in groups:
        packed = _packed(layer, spec, union, outputs, constants, unit_columns, down, right)
        if packed is None:
            return None
        jobs.append(Job(layer, spec, tuple(sorted(outputs)), down, right, packed[0], packed[1], unit_columns))
    return tuple(jobs)


def _packed(
    layer: ChipLayer, spec: ChipSpec, strips: frozenset[tuple[int, int]], outputs: list[int], constants: int,
    unit_columns: int, down: int, right: int,
) -> tuple[tuple[RegisterPlan, ...], int] | None:  # fmt: skip
    """Registers that hold the strips of a window, and how many constant columns each has; None where they do not fit.

    Maps stay whole where that takes no more registers; maps that are read together come to lie together.
    """
    sy, sx = layer.stride
    width = layer.kernel[1] + (right - 1) * sx
    wide = frozenset((i, y + dy * sy) for i, y in strips for dy in range(down))
    extra = unit_columns * down * right * len(outputs)
    for count in range(1, spec.registers + 1):
        for groups in _shares(layer, wide, count, width, extra, spec.columns - 2):
            plans = tuple(_plan(group, width) for group in groups if group)
            if (reserve := _room(layer, spec, plans, outputs, constants, extra)) is not None:
                return plans, reserve
        if layer.output_shape[1:] == (1, 1):
            used: Bools = np.any(layer.mask_oiyx[outputs], axis=0)  # type: ignore[assignment]
            taps = [(i, y, x) for i, y in sorted(wide) for x in range(width) if used[i, y, x]]
            # The last register also holds what is the units' own.
            whole = len(taps) + extra
            edges = [min(whole * k // count, len(taps)) for k in range(count)] + [len(taps)]
            plans = tuple(RegisterPlan(tuple(taps[a:b]), b - a) for a, b in pairwise(edges) if b > a)
            if (reserve := _room(layer, spec, plans, outputs, constants, extra)) is not None:
                return plans, reserve
    return None


def _room(
    layer: ChipLayer, spec: ChipSpec, plans: tuple[RegisterPlan, ...], outputs: list[int], constants: int, extra: int
) -> int | None:
    """Constant columns of each register, so that every neuron reads as many as its bias needs; None where they do not fit.

    A register has one fine constant and otherwise coarse ones, so a neuron on r registers with c each has r (c - 1) coarse.
    """
    sizes = [len(plan.taps) for plan in plans]
    sizes[-1] += extra
    if max(sizes) + 2 > spec.columns:
        return None
    place = {(i, y, x): r for r, plan in enumerate(plans) for i, y, x in plan.taps}
    fewest = len(plans)
    if fewest > 1:
        by_strip = {(i, y): r for (i, y, _), r in place.items()}
        for o in outputs:
            fewest = min(fewest, len({by_strip[strip] for strip in by_strip if layer.mask_oiyx[o, strip[0]].any()}))
    reserve = 1 + ceil_div(constants - 1, max(1, fewest))
    return reserve if max(sizes) + reserve <= spec.columns else None


def _shares(
    layer: ChipLayer, strips: frozenset[tuple[int, int]], count: int, width: int, extra: int, room: int
) -> Iterator[list[list[tuple[int, int]]]]:
    """Ways to share strips among registers: whole maps first, then as evenly as can be; with columns of the units in the
    last register, that one gets fewer."""
    ids = _map_order(layer, sorted({i for i, _ in strips}))
    if len(ids) >= count:
        each = ceil_div(len(ids), count)
        groups = [ids[k : k + each] for k in range(0, len(ids), each)]
        yield [sorted(strip for strip in strips if strip[0] in group) for group in groups]
    ordered = sorted(strips)
    each = ceil_div(len(ordered), count)
    yield [ordered[k : k + each] for k in range(0, len(ordered), each)]
    if extra and count > 1:
        first = ceil_div(len(ordered) * width + extra, count) // width
        first = min(max(first, ceil_div(len(ordered) - max(0, room - extra) // width, count - 1)), len(ordered))
        if first:
            pieces = [ordered[k * first : (k + 1) * first] for k in range(count - 1)]
            yield [*(piece for piece in pieces if piece), ordered[(count - 1) * first :]]


def _map_order(layer: ChipLayer, ids: list[int]) -> list[int]:
    """Input maps so that those that output maps read together stand together."""
    group = {i: i for i in ids}
    for row in np.asarray(layer.mask_oiyx.any(axis=(2, 3))):
        together = {group[i] for i in ids if row[i]}
        for i in ids:
            if group[i] in together:
                group[i] = min(together)
    return sorted(ids, key=lambda i: (group[i], i))


def _plan(strips: list[tuple[int, int]], width: int) -> RegisterPlan:
    # In the order of memory within a picture column: row, then map.
    ordered = sorted(strips, key=lambda strip: (strip[1], strip[0]))
    return RegisterPlan(tuple((i, y, x) for x in range(width) for i, y in ordered), len(ordered))


__all__ = ["Job", "Neuron", "RegisterPlan", "Tap", "options"]
