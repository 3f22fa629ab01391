"""Trim: gain and offset of each neuron, measured at the pins of one chip, and a program that compensates them.

A neuron's ADC sees `gain x sum + offset` instead of the sum that the codes stand for. The gain is compensated by
requantising that neuron's weights, the offset by the weights on its constant states, and a gain beyond half a step of the
scale by another scale code. Neurons are identified by page, first row, group within the row, and ADC. A neuron that several
ADCs convert gets the mean of what they need.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from anna.base import container
from anna.base.border import JSON, border
from anna.base.errors import FileError, SpecError
from anna.base.renamed import renamed
from anna.chip import codes
from anna.chip.codes import Floats, Ints
from anna.chip.spec import Record, first_sentence
from anna.lab.pins import Layout, Resolution, Sweeps, gain_and_offset
from anna.machine.chip import Chip
from anna.program import isa
from anna.program.file import Program
from anna.sequencer.timeline import Timeline
from anna.sequencer.walk import elaborate

Place = tuple[int, int, int]  # page, first row, group
FORMAT = 1  # files do not name it
UPGRADES: container.Upgrades = {}  # none is older
TIMELINES = 4  # whose synapses are kept: a program is trimmed again and again, for layers and for chips


class NeuronTrim(Record):
    """One neuron under one ADC: what that ADC sees is gain x sum + offset."""

    page: int = Field(ge=0)
    row: int = Field(ge=0, description="first row of the neuron's synapses")
    group: int = Field(ge=0, description="which neuron of that row")
    adc: int = Field(ge=0)
    scale_code: int = Field(ge=0)
    gain: float = Field(gt=0.1, lt=10, description="ratio")
    offset_lsb: float = Field(gt=-1000, lt=1000, description="ADC LSB at that scale code")


class Trim(Record):
    """What was measured on one chip running one program."""

    program: str = Field(description="SHA-256 of the program")
    chip_seed: str | None = Field(description="seed of the chip, for the record")
    neurons: tuple[NeuronTrim, ...]

    def by_place(self) -> dict[Place, tuple[float, float, int]]:
        """Gain, offset in LSB and scale code of each neuron, averaged over the ADCs that convert it."""
        found = defaultdict[Place, list[NeuronTrim]](list)
        for one in self.neurons:
            found[one.page, one.row, one.group].append(one)
        table = dict[Place, tuple[float, float, int]]()
        for place, ones in found.items():
            gain = offset = 0.0
            for one in ones:  # in a fixed order: the same bits everywhere
                gain, offset = gain + one.gain, offset + one.offset_lsb
            table[place] = gain / len(ones), offset / len(ones), ones[0].scale_code
        return table

    def save(self, path: Path | str) -> None:
        """Write it as JSON."""
        container.write_beside(Path(path), (container.canonical_json(self.model_dump(mode="json")) + "\n").encode())

    @staticmethod
    def load(path: Path | str) -> "Trim":
        """Read what `save` wrote."""
        content = container.read_json(Path(path), "trim")
        with border(path, JSON):
            try:
                return Trim.model_validate(container.upgraded(path, "trim", content, FORMAT, UPGRADES, unmarked=1))
            except ValidationError as error:
                raise FileError(f"{path}: is not a trim: {first_sentence(error)}") from None


# --- measuring -------------------------------------------------------------------------------------------------------
OWN_NOISE_SEED = 1 << 63  # far from the small numbers that users choose for their runs


class TrimMeter:
    """Measures all neurons that a program uses, on the program's own weights and scales; the images are made once, for any
    number of chips."""

    def __init__(self, program: Program, *, resolution: Resolution | None = None, timeline: Timeline | None = None) -> None:
        self.program, self.timeline = program, timeline or elaborate(program)
        self._sweeps = list[tuple[Sweeps, list[Place]]]()
        done = set[tuple[Place, int]]()
        for calc in self.timeline.calcs:
            where = zip(*calc.scale_places(program.spec), strict=True)
            places = [(calc.page, int(row), int(group)) for row, group in where]
            wanted = [k for k, place in enumerate(places) if (place, k) not in done]
            done.update((places[k], k) for k in wanted)
            if wanted:
                layout = Layout(calc.fan_in, calc.row, calc.neurons, isa.latches_of(program.spec, program.ops[calc.index]))
                sweeps = Sweeps.prepare(program, layout, wanted, page=calc.page, resolution=resolution)
                self._sweeps.append((sweeps, [places[k] for k in wanted]))

    def measure(self, chip: Chip, *, noise_seed: int = OWN_NOISE_SEED, threads: int | None = None) -> Trim:
        """Gain and offset of every neuron, except those whose weights cannot move them over two thresholds."""
        ideal, found = codes.unit_thresholds(self.program.spec), list[NeuronTrim]()
        for sweeps, places in self._sweeps:
            results = sweeps.run(chip, noise_seed=noise_seed, threads=threads)
            for sweep, adc, (page, row, group) in zip(results, sweeps.neurons, places, strict=True):
                fit = gain_and_offset(sweep, ideal)
                if fit is not None:
                    found.append(NeuronTrim(
                        page=page, row=row, group=group, adc=adc, gain=fit[0], offset_lsb=fit[1],
                        scale_code=int(self.program.scale_codes[page, row, group])))  # fmt: skip
        seed = None if chip.seed is None else str(chip.seed)
        return Trim(program=self.program.digest, chip_seed=seed, neurons=tuple(found))


@renamed(plan="resolution")
def measure_trim(
    chip: Chip,
    program: Program,
    *,
    resolution: Resolution | None = None,
    noise_seed: int = OWN_NOISE_SEED,
    threads: int | None = None,
) -> Trim:
    """Measure gain and offset of every neuron that a program uses; for many chips, keep an `anna.lab.TrimMeter`."""
    return TrimMeter(program, resolution=resolution).measure(chip, noise_seed=noise_seed, threads=threads)


# --- compensating ----------------------------------------------------------------------------------------------------
@renamed(calibration="measured", schedule="timeline")
def trim(
    program: Program,
    measured: Trim,
    weights_lsb: NDArray[np.float64] | None = None,
    *,
    timeline: Timeline | None = None,
) -> Program:
    """The program with weights, biases and scales that compensate what was measured.

    `weights_lsb` (pages, rows, columns) are the weights before quantisation; default: the levels of their codes.
    """
    if measured.program != program.digest:
        raise SpecError(f"this trim was not measured with program {program.name}; measure it again (measure_trim)")
    walked, spec = timeline or elaborate(program), program.spec
    converter = codes.weight_converter(spec)
    wanted = converter.values(program.weight_codes) if weights_lsb is None else np.asarray(weights_lsb, np.float64)
    if wanted.shape != program.weight_codes.shape or not np.isfinite(wanted).all():
        raise SpecError(f"weights have shape {wanted.shape}; expected finite numbers in shape {program.weight_codes.shape}")
    weight_codes, scale_codes = program.weight_codes.astype(np.int64), program.scale_codes.astype(np.int64)
    ranges = codes.full_scales(spec)
    constants = _constant_states(walked)
    by_place = measured.by_place()
    for place, (rows, columns) in _synapses(walked).items():
        if place not in by_place:
            continue
        gain, offset_lsb, scale_code = by_place[place]
        page = place[0]
        held = constants[page][rows, columns]
        fixed = held != 0
        weights = wanted[page, rows, columns]
        new_code = _best_scale(ranges, scale_code, gain, weights[~fixed], converter)
        total = gain * float(ranges[scale_code] / ranges[new_code])
        scale_codes[page, rows[0], place[2]] = new_code
        weight_codes[page, rows, columns] = _requantised(converter, weights / total, weights, ~fixed)
        lsb_products = float(ranges[scale_code]) / (1 << spec.state_bits)
        bias = _bias_sum(weights, held) - offset_lsb * lsb_products
        _set_bias(converter, weight_codes[page], rows, columns, held, bias / total)
    return replace(program, weight_codes=weight_codes.astype(np.uint16), scale_codes=scale_codes.astype(np.uint16))


@lru_cache(maxsize=TIMELINES)
def _synapses(timeline: Timeline) -> dict[Place, tuple[Ints, Ints]]:
    """Rows and columns of each neuron, except places that serve neurons of different fan-ins."""
    found, mixed = dict[Place, tuple[Ints, Ints]](), set[Place]()
    for calc in timeline.calcs:
        rows, columns = calc.synapses(timeline.spec)
        for k, (row, group) in enumerate(zip(*calc.scale_places(timeline.spec), strict=True)):
            place = calc.page, int(row), int(group)
            if place in found and len(found[place][0]) != calc.fan_in:
                mixed.add(place)
            found[place] = rows[k], columns[k]
    return {place: synapses for place, synapses in found.items() if place not in mixed}


@lru_cache(maxsize=TIMELINES)
def _constant_states(timeline: Timeline) -> Mapping[int, Ints]:
    """For each page, (rows, columns): the numerator of the state that a synapse always reads, 0 if it varies."""
    spec, values, program = timeline.spec, timeline.values, timeline.program
    numerators = codes.state_converter(spec).numerators
    held: dict[int, Ints] = {}
    for page in {calc.page for calc in timeline.calcs}:
        seen = np.zeros((spec.rows, spec.columns), dtype=np.int64)
        varies = np.zeros((spec.rows, spec.columns), dtype=bool)
        for calc in timeline.calcs:
            if calc.page != page:
                continue
            place = calc.synapses(spec)
            which = calc.operands.astype(np.int64) - values.given
            constant = (which >= 0) & (which < values.constants)
            now = np.zeros(which.shape, dtype=np.int64)
            now[constant] = numerators[program.constant_codes[which[constant]].astype(np.int64)]
            before = seen[place]
            varies[place] |= ~constant | ((before != 0) & (before != now))
            seen[place] = now
        held[page] = np.where(varies, 0, seen)
    return held


def _best_scale(ranges: Floats, scale_code: int, gain: float, weights: Floats, converter: codes.Converter) -> int:
    """The scale code that corrects most of a gain: the one whose range, seen through the gain, is nearest to the range
    wanted, or a narrower one if the weights would exceed their codes."""

    def off(code: int) -> tuple[float, int]:
        ratio = float(ranges[code] / ranges[scale_code]) / gain
        return max(ratio, 1.0 / ratio), abs(code - scale_code)

    best = min(range(len(ranges)), key=off)
    largest, limit = float(np.abs(weights).max(initial=0.0)), float(converter.values(converter.size - 1)) + 0.5
    while best > 0 and largest * float(ranges[best] / ranges[scale_code]) / gain > limit:
        best -= 1
    return best


def _requantised(converter: codes.Converter, targets: Floats, weights: Floats, moving: NDArray[np.bool_]) -> Ints:
    """Weight codes that make the neuron's total gain come out right.

    Rounding each weight alone leaves an error in the gain, the sum of (error x weight). Weights are rounded the other way,
    the one with the best ratio of gain to added error first, until that sum is a thousandth of the sum of squares, or no
    step makes it smaller.
    """
    new = converter.nearest(targets)
    levels = converter.numerators / 2.0
    goal = 0.001 * _ordered_sum(weights * weights, moving)
    while abs(total := _ordered_sum((targets - levels[new]) * weights, moving)) > goal:
        error = targets - levels[new]
        step = np.where(error >= 0, 1, -1)  # the other way to round
        better = abs(total) - np.abs(total - step * weights)
        price = np.maximum((error - step) ** 2 - error**2, 1e-9)
        allowed = moving & (better > 0) & (new + step >= 0) & (new + step < converter.size)
        if not allowed.any():
            break
        best = int(np.where(allowed, better / price, -np.inf).argmax())
        new[best] += step[best]
    return new


def _ordered_sum(values: Floats, counted: NDArray[np.bool_]) -> float:
    """A sum in a fixed order, for the same bits everywhere."""
    total = 0.0
    for value in values[counted].tolist():
        total += value
    return total


def _bias_sum(weights: Floats, held: Ints) -> float:
    """What the constant states add, in weight LSB x state LSB."""
    total = 0.0
    for weight, numerator in zip(weights.tolist(), held.tolist(), strict=True):
        total += weight * numerator / 2.0
    return total


def _set_bias(converter: codes.Converter, page: Ints, rows: Ints, columns: Ints, held: Ints, wanted: float) -> None:
    """Set the weights on the constant states so that their sum comes nearest to `wanted`, shared evenly."""
    places = np.flatnonzero(held)
    rest = wanted
    for i, at in enumerate(places):
        state = float(held[at]) / 2.0
        share = rest / (len(places) - i)
        code = int(converter.nearest(share / state))
        page[rows[at], columns[at]] = code
        rest -= float(converter.values(code)) * state
