"""What a test lab measures on a chip, through its pins, with ordinary programs.

Nothing here looks into the die: each function builds programs, runs them and reads codes. Gains are relative to the ideal,
which is what the codes mean (`anna.chip.codes`). `anna.lab.curves` runs all measurements and draws them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from anna.base.errors import SpecError
from anna.base.renamed import renamed
from anna.chip import codes, refresh
from anna.chip.codes import Floats, Ints
from anna.chip.spec import ANNA_1991, ChipSpec
from anna.lab.pins import (
    NEAR_LSB,
    Layout,
    Resolution,
    Sweep,
    count_reached,
    finest_scale,
    gain_and_offset,
    line,
    pins_program,
    quarter_products_per_lsb,
    random_words,
    states_for_sums,
    straight,
    uniform_pages,
)  # fmt: skip
from anna.machine.chip import Chip
from anna.program.file import Codes, Program, blank_pages
from anna.sequencer.rules import verified


# --- the ADCs --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class Converters:
    """What the ADCs do with a sum at one scale code; row i of an array is ADC i."""

    spec: ChipSpec
    scale_code: int
    sweeps: tuple[Sweep, ...]

    @property
    def thresholds_lsb(self) -> Floats:
        """(ADCs, thresholds)"""
        return np.array([sweep.thresholds_lsb for sweep in self.sweeps])

    @property
    def gains_and_offsets(self) -> Floats:
        """(ADCs, 2): the ADC sees gain x sum + offset [LSB]."""
        fits = [gain_and_offset(sweep, codes.unit_thresholds(self.spec)) for sweep in self.sweeps]
        return np.array([(1.0, 0.0) if fit is None else fit for fit in fits])

    @property
    def inl_lsb(self) -> Floats:
        """(ADCs, thresholds): distance of each threshold from the line through all."""
        ideal = codes.unit_thresholds(self.spec)
        fits = self.gains_and_offsets
        return self.thresholds_lsb * fits[:, :1] + fits[:, 1:] - ideal

    @property
    def dnl_lsb(self) -> Floats:
        """(ADCs, thresholds - 1): width of each code relative to the average, minus one; -1 is a missing code."""
        ideal = np.diff(codes.unit_thresholds(self.spec))
        return np.diff(self.thresholds_lsb, axis=1) * self.gains_and_offsets[:, :1] / ideal - 1.0

    @property
    def noise_lsb(self) -> Floats:
        """(ADCs): noise referred to the sum."""
        return np.array([float(sweep.noise_lsb.mean()) for sweep in self.sweeps])


@renamed(plan="resolution")
def converters(
    chip: Chip,
    scale_code: int | None = None,
    *,
    spec: ChipSpec = ANNA_1991,
    resolution: Resolution | None = None,
    wait_cycles: int = 0,
    row: int = 0,
    noise_seed: int = 0,
    threads: int | None = None,
) -> Converters:
    """Sweep all ADCs at one scale code (default: the finest that states resolve): all synapses have the same weight, the
    states make the sum."""
    resolution = resolution or Resolution()
    scale_code = finest_scale(spec) if scale_code is None else scale_code
    fan_in, weight = _drive(spec, scale_code, resolution)
    weights, scales = uniform_pages(spec, codes.weight_converter(spec).exact(weight), scale_code)
    layout = straight(spec, fan_in, row, spec.neurons_at_once)
    program = pins_program(spec, [layout], weights, scales, wait_cycles=wait_cycles)
    lsb, grid = float(quarter_products_per_lsb(spec)[scale_code]), resolution.grid_lsb(spec)
    targets = np.repeat(np.rint(grid * lsb).astype(np.int64), resolution.repeats)
    halves = np.full(fan_in, int(codes.weight_converter(spec).numerators[weights[0, 0, 0]]), dtype=np.int64)
    chosen, _ = states_for_sums(spec, halves, targets, noise_seed, lsb * NEAR_LSB)
    images = np.zeros((len(targets), spec.latches * spec.columns), dtype=np.int64)
    images[:, layout.operands(spec)[0]] = chosen  # every neuron reads the same states
    found = _codes(chip, program, images, noise_seed, threads).reshape(resolution.steps, resolution.repeats, -1)
    sweeps = [Sweep(grid, count_reached(spec, found[:, :, k]), resolution.repeats) for k in range(spec.neurons_at_once)]
    return Converters(spec, scale_code, tuple(sweeps))


def measurable_scales(spec: ChipSpec, resolution: Resolution) -> list[int]:
    """The scale codes whose ranges sums of this chip can sweep finely from end to end."""
    return [code for code in range(finest_scale(spec), 1 << spec.scale_bits) if _reach(spec, code, resolution)]


def _drive(spec: ChipSpec, scale_code: int, resolution: Resolution) -> tuple[int, float]:
    """The smallest fan-in of full rows, and the smallest weight, that move a sum over the range."""
    found = _reach(spec, scale_code, resolution)
    if found is None:
        raise SpecError(f"the range of scale code {scale_code} is beyond what this chip's synapses reach")
    return found


def _reach(spec: ChipSpec, scale_code: int, resolution: Resolution) -> tuple[int, float] | None:
    need = float(resolution.grid_lsb(spec)[-1]) * float(quarter_products_per_lsb(spec)[scale_code])
    top_state = int(codes.state_converter(spec).numerators[-1])
    for fan_in in (fan_in for fan_in in spec.fan_ins if fan_in >= spec.columns):
        for half in codes.weight_converter(spec).numerators.tolist():
            if half > 0 and half * top_state * fan_in >= need:
                return fan_in, half / 2.0
    return None


def _codes(chip: Chip, program: Program, images: Ints, noise_seed: int, threads: int | None) -> Ints:
    spec = program.spec
    states = images.reshape(-1, spec.latches, spec.columns)
    result = chip.run_codes(program, states, noise_seed=noise_seed, threads=threads)
    return np.stack(list(result.codes.values()), axis=1).astype(np.int64)


# --- droop -----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class Droop:
    """Gain of the synapses after the refresh stops."""

    age_cycles: Floats  # mean age of the charges that were read
    gain: Floats  # relative to the first


@renamed(plan="resolution")
def droop(
    chip: Chip, waits_cycles: Sequence[int], *, spec: ChipSpec = ANNA_1991, resolution: Resolution | None = None
) -> Droop:
    """Stop the refresh, wait, and measure the gain: mean over the ADCs, from row 0 on."""
    die, resolution = chip.die(spec), resolution or Resolution(steps=128, beyond_lsb=6.0)
    stopped = Chip(die=replace(die, faults=die.faults.changed(refresh_stops_at_cycle=0)))
    ages, gains = [], []
    for wait in waits_cycles:
        found = converters(stopped, spec=spec, resolution=resolution, wait_cycles=wait)
        gains.append(float(found.gains_and_offsets[:, 0].mean()))
        layout = straight(spec, spec.columns, 0, spec.neurons_at_once)
        timeline = verified(pins_program(spec, [layout], *blank_pages(spec), wait_cycles=wait))
        rows, columns = layout.places(spec)
        cycle = np.array(timeline.calcs[0].cycle)
        ages.append(float(timeline.charges.ages(np.array(0), cycle, rows, columns, 0, stops=0).mean()))
    return Droop(np.array(ages), np.array(gains) / gains[0])


# --- the weight DACs -------------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class DacLevels:
    """Levels of one weight DAC, each measured on several synapses."""

    dac: int
    ideal_lsb: Floats  # (codes)
    measured_lsb: Floats

    @property
    def inl_lsb(self) -> Floats:
        """Distance from the line that fits best."""
        slope, base = line(self.ideal_lsb, self.measured_lsb)
        return np.asarray(self.measured_lsb - slope * self.ideal_lsb - base)

    @property
    def dnl_lsb(self) -> Floats:
        """Error of each step."""
        return np.asarray(np.diff(self.measured_lsb) - np.diff(self.ideal_lsb))


UNDER_TEST = 16  # synapses of a row that carry the code under test


@renamed(plan="resolution")
def dac_levels(
    chip: Chip,
    dac: int = 0,
    *,
    spec: ChipSpec = ANNA_1991,
    pages: int = 4,
    resolution: Resolution | None = None,
    noise_seed: int = 0,
    threads: int | None = None,
) -> DacLevels:
    """Weigh every code against known weights in the same row, until the sum is on the ADC's thresholds.

    Row r of page p carries code r, shifted from page to page. Each is measured with both signs of the states, so that what
    does not change sign, above all offsets, cancels. More pages weigh each code on more rows, which averages synapse mismatch.
    """
    resolution = resolution or Resolution(steps=48, repeats=8)
    levels = codes.weight_converter(spec).values(np.arange(1 << spec.weight_bits))
    columns = _columns_of(spec, dac)
    if len(columns) < UNDER_TEST or len(levels) > spec.rows or spec.columns < 4 * UNDER_TEST:
        raise SpecError(
            f"measuring DAC {dac} needs {UNDER_TEST} of {4 * UNDER_TEST} columns that it writes in every row, and a row for "
            f"each of {len(levels)} codes; the chip has {len(columns)} of {spec.columns} such columns and {spec.rows} rows"
        )
    weights, scales, tested, others = _weighing_pages(spec, dac, pages)
    numerators = codes.weight_converter(spec).numerators
    lsb, grid = float(quarter_products_per_lsb(spec)[finest_scale(spec)]), resolution.grid_lsb(spec)
    top = codes.state_converter(spec).size - 1
    drive = UNDER_TEST * int(codes.state_converter(spec).numerators[-1])  # in half state LSB
    totals = np.zeros(len(levels))
    for page in range(pages):
        for row in range(len(levels)):
            code = int(weights[page, row, tested[0]])
            program = pins_program(spec, [straight(spec, spec.columns, row, 1)], weights, scales, page=page)
            crossings = []
            for sign in (1, -1):
                wanted = np.rint(grid * lsb).astype(np.int64) - sign * int(numerators[code]) * drive
                halves = numerators[weights[page, row, others].astype(np.int64)]
                targets = np.repeat(wanted, resolution.repeats)
                chosen, sums = states_for_sums(spec, halves, targets, noise_seed + row, lsb * NEAR_LSB)
                images = np.zeros((len(sums), spec.latches * spec.columns), dtype=np.int64)
                images[:, others], images[:, tested] = chosen, top if sign > 0 else 0
                found = _codes(chip, program, images, noise_seed, threads)[:, 0, 0].reshape(resolution.steps, -1)
                sweep = Sweep(grid, count_reached(spec, found), resolution.repeats)
                crossings.append(float(sweep.thresholds_lsb.mean()))
            # A level that is too high crosses the thresholds earlier with one sign, later with the other.
            totals[code] += -(crossings[0] - crossings[1]) / 2.0 * lsb / (2.0 * drive)
    return DacLevels(dac, levels, levels + totals / pages)


def _columns_of(spec: ChipSpec, dac: int) -> Ints:
    """Columns that a DAC writes in every row."""
    return np.flatnonzero((refresh.writers(spec) == dac).all(axis=0))


def _weighing_pages(spec: ChipSpec, dac: int, pages: int) -> tuple[Codes, Codes, Ints, Ints]:
    """Pages with one code per row on some synapses of a DAC, and known weights, coarse and fine, elsewhere."""
    converter = codes.weight_converter(spec)
    tested = _columns_of(spec, dac)[:UNDER_TEST]
    others = np.setdiff1d(np.arange(spec.columns), tested)
    weights, scales = blank_pages(spec, pages)
    scales[:] = finest_scale(spec)
    weights[:, :, others[: len(others) // 2]] = converter.size - 1
    weights[:, :, others[len(others) // 2 :]] = converter.nearest(1.0)
    rows = np.arange(spec.rows)
    for page in range(pages):
        shifted = (rows + page * (spec.rows // pages)) % spec.rows
        weights[page][:, tested] = np.where(shifted < converter.size, shifted, 0)[:, None]
    return weights, scales, tested, others


# --- dot products ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class EffectiveBits:
    """Dot products through the pins: how far the states that come out are from the sums that the codes stand for."""

    fan_in: int
    samples: int
    error_lsb: float  # rms distance of the state from the sum, within the range of the ADC
    ideal_error_lsb: float  # the same for a chip without imperfections: rounding to a state
    bits: float  # of an ideal converter with that error

    @property
    def analog_error_lsb(self) -> float:
        """What the imperfections add, rms."""
        return float(np.sqrt(max(0.0, self.error_lsb**2 - self.ideal_error_lsb**2)))


def effective_bits(
    chip: Chip,
    fan_in: int = 64,
    *,
    spec: ChipSpec = ANNA_1991,
    products: int = 64,
    images: int = 256,
    seed: int = 0,
    threads: int | None = None,
) -> EffectiveBits:
    """Measure random weights and states, at the scale where most sums lie within the range of the ADC.

    Effective bits are the bits of a state minus log2 of (error / error of a chip without imperfections).
    """
    weights, scales = blank_pages(spec)
    converter = codes.weight_converter(spec)
    words = random_words(seed, weights.size, 1).reshape(weights.shape)
    span = converter.size - (converter.levels == "mid-tread")
    weights[:] = words % span + (converter.levels == "mid-tread")  # symmetric
    spread = float(np.sqrt((converter.values(weights) ** 2).mean() * (codes.state_converter(spec).values(
        np.arange(1 << spec.state_bits)) ** 2).mean() * fan_in))  # fmt: skip
    scale_code = min(codes.scale_code_for(spec, 4.0 * spread), (1 << spec.scale_bits) - 1)
    scales[:] = scale_code
    layouts, row = list[Layout](), 0
    per_calc = max(1, spec.neurons_at_once * fan_in // spec.columns)
    while len(layouts) * spec.neurons_at_once < products and row + per_calc <= spec.rows:
        layouts.append(straight(spec, fan_in, row, spec.neurons_at_once))
        row += per_calc
    program = pins_program(spec, layouts, weights, scales)
    states = random_words(seed, images * spec.latches * spec.columns, 2).reshape(images, -1) % (1 << spec.state_bits)
    lsb = float(quarter_products_per_lsb(spec)[scale_code])
    numerators = codes.state_converter(spec).numerators
    sums = []
    for layout in layouts:
        rows, columns = layout.places(spec)
        halves = converter.numerators[weights[0, rows, columns].astype(np.int64)]
        sums.append((numerators[states[:, layout.operands(spec)]] * halves).sum(axis=2) / lsb)
    exact = np.stack(sums, axis=1)
    within = np.abs(exact) < float(1 << (spec.state_bits - 1))

    def error(of: Chip) -> float:
        found = codes.state_converter(spec).values(_codes(of, program, states, seed, threads))
        squares = (found - exact)[within] ** 2
        return math.sqrt(math.fsum(squares.tolist()) / squares.size)  # an exact sum: the same bits everywhere

    real, ideal = error(chip), error(Chip())
    return EffectiveBits(fan_in, int(within.sum()), real, ideal, spec.state_bits - math.log2(real / ideal))
