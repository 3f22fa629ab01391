"""Gain by place through the pins: how much the synapses of each row give, in blocks of neighbouring columns.

One block of a row carries weights at a time, states move its sum over the range of the row's ADC, and the ADC's own gain
cancels, since it reads eight rows and all their blocks. A gradient across the die and a voltage drop along the rows are then
three numbers.
"""

import math
from dataclasses import dataclass

import numpy as np

from anna.analog.row_drop import shares
from anna.base.errors import SpecError
from anna.chip import codes
from anna.chip.codes import Floats
from anna.chip.spec import ANNA_1991, ChipSpec
from anna.lab.pins import (
    CROSSED_LSB,
    Sweep,
    count_reached,
    gain_and_offset,
    pins_program,
    quarter_products_per_lsb,
    states_for_sums,
    straight,
)
from anna.machine.chip import Chip
from anna.program.file import blank_pages

BLOCK = 8  # columns


@dataclass(frozen=True, eq=False)
class GainMap:
    """Gain of each block of columns in each row, relative to the mean of all that the same ADC reads."""

    spec: ChipSpec
    gains: Floats  # (rows, blocks)

    @property
    def law(self) -> tuple[float, float, float]:
        """What fits best, as shares of the mean gain: the gain from edge to edge along x and along y, and the drop along a row.

        Least squares; exact sums, for the same bits everywhere.
        """
        rows, blocks = self.gains.shape
        across = np.arange(self.spec.columns) / max(1, self.spec.columns - 1) - 0.5
        x, drop = (part.reshape(blocks, BLOCK).mean(axis=1) for part in (across, -shares(self.spec.columns)))
        y = np.arange(rows) / max(1, rows - 1) - 0.5
        kinds = [_less_mean(self.spec, np.broadcast_to(kind, self.gains.shape)) for kind in (x, y[:, None], drop)]
        squares = np.array([[_dot(one, other) for other in kinds] for one in kinds])
        along_x, along_y, lost = _solved(squares, [_dot(kind, self.gains - 1.0) for kind in kinds])
        return along_x, along_y, lost


def gain_map(
    chip: Chip, *, spec: ChipSpec = ANNA_1991, repeats: int = 32, noise_seed: int = 0, threads: int | None = None
) -> GainMap:
    """Measure the gain of every block of columns in every row, with the largest weight.

    The steps between two sums are about 1/6 LSB: noise of that size or more smooths them.
    """
    blocks = spec.columns // BLOCK
    if spec.columns % BLOCK or spec.rows % spec.neurons_at_once or blocks > spec.max_pages:
        raise SpecError(
            f"gains by place are measured on blocks of {BLOCK} columns and CALCs of {spec.neurons_at_once} rows; the chip has "
            f"{spec.rows} rows, {spec.columns} columns and {spec.max_pages} pages"
        )
    numerators = codes.state_converter(spec).numerators
    half = int(codes.weight_converter(spec).numerators[-1])
    reach = BLOCK * int(numerators[-1])
    scale_code = _widest(spec, float(half * reach))
    lsb = float(quarter_products_per_lsb(spec)[scale_code])
    steps = np.arange(-reach, reach + 1, 2)
    steps_lsb: Floats = steps.astype(np.float64) * (half / lsb)
    chosen, sums = states_for_sums(spec, np.ones(BLOCK, np.int64), np.repeat(steps, repeats), noise_seed)
    assert (sums == np.repeat(steps, repeats)).all(), "every step within reach is a sum"

    weights, scales = blank_pages(spec, blocks)
    scales[:] = scale_code
    layouts = [straight(spec, spec.columns, row, spec.neurons_at_once) for row in range(0, spec.rows, spec.neurons_at_once)]
    measured = np.zeros((spec.rows, blocks))
    for block in range(blocks):
        columns = np.arange(block * BLOCK, (block + 1) * BLOCK)
        weights[block][:, columns] = codes.weight_converter(spec).size - 1
        images = np.zeros((len(sums), spec.latches, spec.columns), dtype=np.int64)
        images[:, :, columns] = chosen[:, None]
        program = pins_program(spec, layouts, weights, scales, page=block)
        found = chip.run_codes(program, images, noise_seed=noise_seed, threads=threads)
        for i, part in enumerate(found.codes.values()):
            reached = part.astype(np.int64).reshape(len(steps), repeats, -1)
            for k in range(spec.neurons_at_once):
                sweep = Sweep(steps_lsb, count_reached(spec, reached[:, :, k]), repeats)
                fit = gain_and_offset(sweep, codes.unit_thresholds(spec))
                measured[i * spec.neurons_at_once + k, block] = 1.0 if fit is None else fit[0]
    return GainMap(spec, measured / _means(spec, measured))


def _widest(spec: ChipSpec, reach: float) -> int:
    """The widest range whose thresholds a sum of so many quarter products crosses with a margin."""
    need = float(np.abs(codes.unit_thresholds(spec)).max()) + CROSSED_LSB
    fits = np.flatnonzero(quarter_products_per_lsb(spec) * need <= reach)
    if not fits.size:
        raise SpecError(f"{BLOCK} synapses do not reach the range of any scale code of this chip")
    return int(fits[-1])


def _means(spec: ChipSpec, rows_of: Floats) -> Floats:
    """For every row the mean of all that its ADC reads, (rows, 1)."""
    adc = np.arange(len(rows_of)) % spec.neurons_at_once
    means = [math.fsum(rows_of[adc == k].reshape(-1).tolist()) / rows_of[adc == k].size for k in range(spec.neurons_at_once)]
    return np.array(means)[adc, None]


def _less_mean(spec: ChipSpec, rows_of: Floats) -> Floats:
    return np.asarray(rows_of - _means(spec, rows_of))


def _dot(one: Floats, other: Floats) -> float:
    return math.fsum((one * other).reshape(-1).tolist())


def _solved(squares: Floats, right: list[float]) -> list[float]:
    """The solution of a small symmetric system, by elimination: the same bits everywhere."""
    rows = [[*map(float, line), value] for line, value in zip(squares, right, strict=True)]
    for i, pivot in enumerate(rows):
        for j, other in enumerate(rows):
            if j != i:
                share = other[i] / pivot[i]
                rows[j] = [a - share * b for a, b in zip(other, pivot, strict=True)]
    return [line[-1] / line[i] for i, line in enumerate(rows)]
