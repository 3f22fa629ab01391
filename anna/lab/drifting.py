"""Slow noise of the converters through the pins: how far two images apart their errors are.

An image reads each ADC eight times, with sums spread evenly over one LSB, so that the mean of the codes tells its error far
more finely than one code does. Half the mean square of the difference of two images d apart is

    white + slow² x (1 - rho(d)),      rho(d) the mean over the octaves of max(0, 1 - d / 2^k)

where `white` is what is new in every image. Offsets, which every image has, cancel.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anna.analog.slow_noise import OCTAVES
from anna.base.errors import SpecError
from anna.chip import codes
from anna.chip.codes import Floats, Ints
from anna.chip.spec import ANNA_1991, ChipSpec
from anna.lab.pins import finest_scale, line, pins_program, quarter_products_per_lsb, straight
from anna.machine.chip import Chip
from anna.program.file import blank_pages

LAGS = (1, 2, 4, 8, 16, 32, 64, 128)


@dataclass(frozen=True, eq=False)
class Drift:
    """How errors of the ADCs differ from image to image."""

    lags: Ints  # images apart
    variogram: Floats  # half the mean square of the difference, over images and ADCs, in LSB²
    errors_lsb: Floats  # (images, ADCs)

    @property
    def slow_lsb(self) -> float:
        """Slow noise, rms, of the law that fits best."""
        return math.sqrt(max(0.0, self._fit[0]))

    @property
    def white_lsb(self) -> float:
        """What is new in every image, rms, of the mean of its codes."""
        return math.sqrt(max(0.0, self._fit[1]))

    @property
    def fitted(self) -> Floats:
        """What the law says of each lag."""
        slope, base = self._fit
        return np.asarray(base + slope * (1.0 - correlation(self.lags)))

    @property
    def _fit(self) -> tuple[float, float]:
        return line(1.0 - correlation(self.lags), self.variogram)


def correlation(lags: Sequence[int] | Ints) -> Floats:
    """Of the slow noise of two images so far apart."""
    lasts = 2.0 ** np.arange(OCTAVES)
    return np.asarray(np.maximum(0.0, 1.0 - np.asarray(lags)[:, None] / lasts).sum(axis=1) / OCTAVES)


def drift(
    chip: Chip,
    images: int = 8192,
    lags: Sequence[int] = LAGS,
    *,
    spec: ChipSpec = ANNA_1991,
    first_image: int = 0,
    noise_seed: int = 0,
    threads: int | None = None,
) -> Drift:
    """Run the same states again and again, and look at how the codes drift."""
    if not lags or min(lags) < 1 or max(lags) >= images:
        raise SpecError(f"lags {', '.join(map(str, lags))} of {images} images: expected numbers from 1 to {images - 1}")
    adcs, calcs = spec.neurons_at_once, spec.rows // spec.neurons_at_once
    numerators, weight = codes.state_converter(spec).numerators, codes.weight_converter(spec)
    state = int(np.flatnonzero(numerators > 0)[0])  # the least that is positive
    step = float(quarter_products_per_lsb(spec)[finest_scale(spec)]) / calcs / float(numerators[state])
    weights, scales = blank_pages(spec)
    scales[:] = finest_scale(spec)
    for calc in range(calcs):
        weights[0, calc * adcs : (calc + 1) * adcs, 0] = weight.nearest((calc - (calcs - 1) / 2) * step / 2.0)
    program = pins_program(spec, [straight(spec, spec.columns, calc * adcs, adcs) for calc in range(calcs)], weights, scales)
    states = np.full((images, spec.latches, spec.columns), state)
    ids = np.arange(first_image, first_image + images, dtype=np.uint64)
    result = chip.run_codes(program, states, noise_seed=noise_seed, image_ids=ids, threads=threads)
    sums = np.stack(list(result.codes.values())).astype(np.int64).sum(axis=0)  # (images, ADCs), whole numbers
    squares = [float(((sums[lag:] - sums[:-lag]) ** 2).sum()) / 2.0 / ((images - lag) * adcs * calcs**2) for lag in lags]
    return Drift(np.array(lags), np.array(squares), np.asarray(sums / calcs - sums.mean() / calcs))
