"""A chip measured through its pins, with the instructions that any program uses.

A pins program fills the latches, waits as long as asked, and runs some CALCs. A sweep of states moves the sums over the
range of the ADC; the codes that come back, counted over many images, tell where each threshold lies: the area above the
curve of "code reached" is the mean threshold, whatever the noise. Counts are whole numbers, so that measurements have the
same bits on every machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anna.analog import noise
from anna.base.errors import SpecError
from anna.chip import codes
from anna.chip.codes import Floats, Ints
from anna.chip.spec import ChipSpec
from anna.machine.chip import Chip
from anna.program import isa
from anna.program.file import Codes, Program, Region, assemble_program, blank_pages
from anna.program.isa import Op
from anna.sequencer.timeline import synapses_of

OUTPUT = "codes"


@dataclass(frozen=True)
class Layout:
    """One CALC: which neurons on which rows, reading which registers of a wide chip, or latches."""

    fan_in: int
    row: int
    neurons: int
    registers: tuple[int, ...]

    def operands(self, spec: ChipSpec) -> Ints:
        """The state of the image (register x columns + column) that each synapse reads, (neurons, fan_in)."""
        rows, columns = synapses_of(spec, self.fan_in, self.neurons)
        return np.array(self.registers, dtype=np.int64)[rows] * spec.columns + columns

    def places(self, spec: ChipSpec) -> tuple[Ints, Ints]:
        """Rows and columns of the synapses, (neurons, fan_in)."""
        rows, columns = synapses_of(spec, self.fan_in, self.neurons)
        return rows + self.row, columns


def straight(spec: ChipSpec, fan_in: int, row: int, neurons: int) -> Layout:
    """Neurons whose rows read registers or latches 0, 1, ... in turn."""
    per_neuron = max(1, fan_in // spec.columns)
    rows = isa.rows_of(spec, fan_in, neurons)
    return Layout(fan_in, row, neurons, tuple(i % per_neuron for i in range(rows)))


def pins_program(
    spec: ChipSpec,
    layouts: Sequence[Layout],
    weight_codes: Codes,
    scale_codes: Codes,
    *,
    page: int = 0,
    wait_cycles: int = 0,
    name: str = "pins",
) -> Program:
    """Fill all latches from the image, wait, run the CALCs; one output region per CALC."""
    states, put = spec.latches * spec.columns, isa.of(spec).op
    ops = [put("PAGE", page=page), *(_wide_fill(spec) if spec.wide else _fill(spec))]
    if wait_cycles:
        ops.append(put("WAIT", cycles=wait_cycles))
    for i, layout in enumerate(layouts):
        which = {"registers": layout.registers} if spec.wide else {"latch": layout.registers[0]}
        fan_in, address = spec.fan_ins.index(layout.fan_in), states + i * spec.neurons_at_once
        ops.append(put("CALC", fan_in=fan_in, row=layout.row, neurons=layout.neurons, **which))
        most = layout.neurons if spec.wide else spec.word_states * spec.out_words
        for at in range(0, layout.neurons, most):
            ops.append(put("OUT", address=address + at, count=min(most, layout.neurons - at)))
    ops.append(isa.stop(spec))
    regions = [Region(name="states", kind="input", address=0, shape=(spec.latches, spec.columns))]
    for i, layout in enumerate(layouts):
        regions.append(Region(name=f"{OUTPUT}{i}", kind="output", address=states + i * spec.neurons_at_once,
                              shape=(layout.neurons,)))  # fmt: skip
    return assemble_program(name, spec, ops, weight_codes, scale_codes, regions, {})


def _wide_fill(spec: ChipSpec) -> list[Op]:
    """Each register in one SHIFT, all stored at once."""
    put, all_registers = isa.WIDE.op, range(spec.registers)
    shifts = [put("SHIFT", register=r, width=spec.columns, address=r * spec.columns, count=spec.columns) for r in all_registers]
    return [*shifts, put("STORE", registers=(1 << spec.registers) - 1)]


def _fill(spec: ChipSpec) -> list[Op]:
    """Each latch word by word. A chip that shifts registers only keeps the words before in one of them."""
    put, ops, word = isa.PUBLISHED.op, list[Op](), min(spec.word_states, spec.columns)
    through = 1 if spec.shift_from == "register" else 0
    for latch in range(spec.latches):
        for at in range(0, spec.columns, word):
            count = min(word, spec.columns - at)
            ops.append(put("SHIFT", count=count, register=through, address=latch * spec.columns + at))
            if through and at + count < spec.columns:
                ops.append(put("STORE", registers=1))
        ops.append(put("STORE", latches=1 << latch))
    return ops


def uniform_pages(spec: ChipSpec, weight_code: int, scale_code: int) -> tuple[Codes, Codes]:
    """One page on which all synapses have the same weight and all neurons the same scale."""
    weights, scales = blank_pages(spec)
    return np.full_like(weights, weight_code), np.full_like(scales, scale_code)


# --- sweeps ----------------------------------------------------------------------------------------------------------
def random_words(seed: int, count: int, stream: int) -> Ints:
    """Random 32-bit numbers from a counter, to choose states by."""
    counter = np.zeros((-(-count // 4), 4), dtype=np.uint32)
    counter[:, 0] = np.arange(len(counter))
    counter[:, 2] = stream
    counter[:, 3] = 15 << 28
    return noise.philox4x32(counter, (seed & 0xFFFFFFFF, 0)).reshape(-1)[:count].astype(np.int64)


NEAR_LSB = 1 / 64  # a sum this near its target is good enough for a sweep


def states_for_sums(spec: ChipSpec, weights: Ints, targets: Ints, seed: int, tolerance: float = 0.0) -> tuple[Ints, Ints]:
    """State codes (targets, inputs) that are random but whose sums come near the targets, and the sums.

    Weights are whole numbers of half weight LSBs, targets and sums of quarter products. Starting from random states, one
    input after the other, from a random one on, takes the level that brings the sum nearest, until it is within the
    tolerance.
    """
    numerators = codes.state_converter(spec).numerators
    count, inputs = len(targets), len(weights)
    words = random_words(seed, (count + 1) * (inputs + 1), inputs).reshape(count + 1, inputs + 1)
    chosen = words[:count, :inputs] % len(numerators)
    first = words[:count, inputs] % inputs
    order = np.argsort(words[count, :inputs], kind="stable")
    sums = (numerators[chosen] * weights).sum(axis=1)
    for turn in range(inputs):
        open_ = np.flatnonzero(np.abs(sums - targets) > tolerance)
        if not open_.size:
            break
        column = order[(first[open_] + turn) % inputs]
        weight = weights[column]
        before = chosen[open_, column]
        rest = sums[open_] - weight * numerators[before]
        off = np.abs(rest[:, None] + weight[:, None] * numerators - targets[open_, None])
        best = off.argmin(axis=1)
        better = off[np.arange(len(best)), best] < np.abs(sums[open_] - targets[open_])
        after = np.where(better, best, before)
        chosen[open_, column] = after
        sums[open_] = rest + weight * numerators[after]
    return chosen, sums


@dataclass(frozen=True, eq=False)
class Sweep:
    """One neuron moved over its range: how often each code was reached at each step."""

    steps_lsb: Floats  # (steps) sums as the codes mean them, in ADC LSB, evenly apart
    reached: Ints  # (steps, thresholds) images whose code reached each threshold
    repeats: int

    @property
    def step_lsb(self) -> float:
        """Distance between two steps."""
        return float(self.steps_lsb[1] - self.steps_lsb[0])

    @property
    def thresholds_lsb(self) -> Floats:
        """Where each threshold lies, on average over noise: the area above the curve."""
        missed = (self.repeats - self.reached).sum(axis=0)
        return np.asarray(self.steps_lsb[0] - 0.5 * self.step_lsb + self.step_lsb * (missed / self.repeats))

    @property
    def noise_lsb(self) -> Floats:
        """Standard deviation of each threshold's position, from the width of the curve."""
        share = self.reached / self.repeats
        rise = np.diff(np.vstack([np.zeros(share.shape[1]), share, np.ones(share.shape[1])]), axis=0)
        at = np.append(self.steps_lsb - 0.5 * self.step_lsb, self.steps_lsb[-1] + 0.5 * self.step_lsb)
        mean = (rise * at[:, None]).sum(axis=0)
        variance = (rise * (at[:, None] - mean) ** 2).sum(axis=0) - self.step_lsb**2 / 12
        deviation: Floats = np.sqrt(np.maximum(variance, 0.0))
        return deviation


def line(x: Floats, y: Floats) -> tuple[float, float]:
    """Slope and base of the least-squares line; sums in a fixed order, for the same bits everywhere."""
    xs, ys, count = x.tolist(), y.tolist(), len(x)
    mean_x = mean_y = 0.0
    for a, b in zip(xs, ys, strict=True):
        mean_x, mean_y = mean_x + a / count, mean_y + b / count
    both = square = 0.0
    for a, b in zip(xs, ys, strict=True):
        both, square = both + (b - mean_y) * (a - mean_x), square + (a - mean_x) * (a - mean_x)
    slope = both / square if square else 1.0  # a state of one bit has one threshold and shows no gain
    return slope, mean_y - slope * mean_x


CROSSED_LSB = 1.0  # a threshold counts if the sweep goes this far beyond its ideal place
FEW = 0.5  # share of the thresholds below which their own offsets would pass for a gain


def gain_and_offset(sweep: Sweep, ideal_lsb: Floats) -> tuple[float, float] | None:
    """The straight line through the thresholds: the ADC sees gain x sum + offset where its thresholds are ideal.

    Thresholds that the sweep does not cross completely are ignored; None if fewer than two are left. If fewer than half are,
    the gain is taken for one, since two neighbours say little about it.
    """
    crossed = np.abs(ideal_lsb) <= float(np.abs(sweep.steps_lsb).max()) - CROSSED_LSB
    crossed &= (sweep.reached[0] * 20 <= sweep.repeats) & (sweep.reached[-1] * 20 >= 19 * sweep.repeats)
    if crossed.sum() < min(2, len(ideal_lsb)):
        return None
    slope, base = line(ideal_lsb[crossed], sweep.thresholds_lsb[crossed])
    if crossed.sum() < FEW * len(ideal_lsb):
        away = ideal_lsb[crossed] - sweep.thresholds_lsb[crossed]
        return 1.0, line(np.zeros(len(away)), away)[1]
    return 1.0 / slope, -base / slope


@dataclass(frozen=True)
class Resolution:
    """How finely a sweep measures."""

    steps: int = 96
    repeats: int = 32
    beyond_lsb: float = 2.0  # how far the sweep goes beyond the outermost thresholds

    def __post_init__(self) -> None:
        if self.steps < 8 or self.repeats < 1 or not 0 < self.beyond_lsb <= 100:
            raise SpecError(f"a sweep needs at least 8 steps, 1 repeat and a margin of 0 to 100 LSB; got {self}")

    def grid_lsb(self, spec: ChipSpec) -> Floats:
        """The steps, in ADC LSB."""
        edge = float(np.abs(codes.unit_thresholds(spec)).max()) + self.beyond_lsb
        # From whole numbers: the same bits everywhere.
        return (2.0 * np.arange(self.steps) / (self.steps - 1) - 1.0) * edge


def quarter_products_per_lsb(spec: ChipSpec) -> Floats:
    """One LSB of the ADC at each scale code, in quarters of weight LSB x state LSB."""
    return codes.adc_lsb(spec) / (codes.units_per_lsb_product(spec) / 4)


FINE_QUARTERS = 128  # of an LSB: what states of whole codes can make lies within 1/32 LSB of any sum


def finest_scale(spec: ChipSpec) -> int:
    """The scale code of the smallest range that states can sweep finely; the last one if none can be."""
    fine = np.flatnonzero(quarter_products_per_lsb(spec) >= FINE_QUARTERS)
    return int(fine[0]) if fine.size else (1 << spec.scale_bits) - 1


def count_reached(spec: ChipSpec, found: Ints) -> Ints:
    """How many of the codes (steps, repeats) reached each threshold: (steps, thresholds)."""
    thresholds = np.arange(1, 1 << spec.state_bits)
    return np.asarray((found[..., None] >= thresholds).sum(axis=1))


@dataclass(frozen=True, eq=False)
class Sweeps:
    """Neurons of one CALC moved over their ranges, on a program's weights and scales; the images are made once."""

    program: Program
    neurons: tuple[int, ...]
    grids_lsb: tuple[Floats, ...]  # of each neuron
    images: Codes  # (neurons x steps x repeats, registers, columns)
    resolution: Resolution

    @staticmethod
    def prepare(
        program: Program, layout: Layout, neurons: Sequence[int], *, page: int = 0, resolution: Resolution | None = None,
        seed: int = 0,
    ) -> "Sweeps":  # fmt: skip
        """Choose the states. A neuron that cannot cover the whole range is moved as far as its weights reach."""
        resolution, spec = resolution or Resolution(), program.spec
        through = pins_program(spec, [layout], program.weight_codes, program.scale_codes, page=page)
        numerators, operands = codes.weight_converter(spec).numerators, layout.operands(spec)
        top_state = int(np.abs(codes.state_converter(spec).numerators).min(initial=1 << 30, where=_ends(spec)))
        rows, columns = layout.places(spec)
        grid, lsbs = resolution.grid_lsb(spec), quarter_products_per_lsb(spec)
        grids, states = list[Floats](), list[Codes]()
        for neuron in neurons:
            halves = numerators[program.weight_codes[page, rows[neuron], columns[neuron]].astype(np.int64)]
            group = columns[neuron, 0] * spec.groups // spec.columns
            lsb = float(lsbs[int(program.scale_codes[page, rows[neuron, 0], group])])
            reach = int(np.abs(halves).sum()) * top_state / lsb
            mine = grid * min(1.0, 0.97 * reach / float(grid[-1]))
            targets = np.repeat(np.rint(mine * lsb).astype(np.int64), resolution.repeats)
            chosen, _ = states_for_sums(spec, halves, targets, seed, lsb * NEAR_LSB)
            image = np.zeros((len(targets), spec.latches * spec.columns), dtype=np.uint16)
            image[:, operands[neuron]] = chosen
            grids.append(mine)
            states.append(image)
        images = np.concatenate(states).reshape(-1, spec.latches, spec.columns)
        return Sweeps(through, tuple(neurons), tuple(grids), images, resolution)

    def run(self, chip: Chip, *, noise_seed: int = 0, threads: int | None = None) -> list[Sweep]:
        """Run them on a chip."""
        spec, resolution = self.program.spec, self.resolution
        found = chip.run_codes(self.program, self.images, noise_seed=noise_seed, threads=threads).codes[f"{OUTPUT}0"]
        codes_nsrk = found.astype(np.int64).reshape(len(self.neurons), resolution.steps, resolution.repeats, -1)
        return [
            Sweep(grid, count_reached(spec, codes_nsrk[i, :, :, neuron]), resolution.repeats)
            for i, (neuron, grid) in enumerate(zip(self.neurons, self.grids_lsb, strict=True))
        ]


def _ends(spec: ChipSpec) -> NDArray[np.bool_]:
    """The lowest and the highest state."""
    return np.isin(np.arange(1 << spec.state_bits), (0, (1 << spec.state_bits) - 1))
