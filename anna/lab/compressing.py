"""The knee of the summing wire through the pins: thresholds of wide ranges lie farther out than those of narrow ones.

With s the sum at which a threshold t is reached, s / sqrt(1 + (s / limit)^2) is what the ADC sees there. The limit is the one
that puts all thresholds of all ADCs on straight lines, each with a gain and an offset of its own.
"""

import math
from dataclasses import dataclass

import numpy as np

from anna.analog.knee import after
from anna.base.errors import SpecError
from anna.chip import codes
from anna.chip.codes import Floats
from anna.chip.spec import ANNA_1991, ChipSpec
from anna.lab.characterise import converters, measurable_scales
from anna.lab.pins import Resolution, line, quarter_products_per_lsb
from anna.machine.chip import Chip

RANGES = 3  # the widest that states can sweep and the wire lets through
HALVINGS = 60


@dataclass(frozen=True, eq=False)
class Compression:
    """Where the thresholds of the widest ranges lie."""

    spec: ChipSpec
    sums: Floats  # (sweeps, thresholds) in synapses at full drive
    lsbs: Floats  # (sweeps) the ADC's LSB, in synapses at full drive

    def away_lsb(self, limit_synapses: float) -> float:
        """How far the thresholds are from lines if the wire's limit is this one, in LSB rms."""
        ideal, squares = codes.unit_thresholds(self.spec), []
        for sums, lsb in zip(self.sums, self.lsbs.tolist(), strict=True):
            seen = after(sums, limit_synapses) / lsb
            slope, base = line(ideal, seen)
            squares += [(a - slope * b - base) ** 2 / slope**2 for a, b in zip(seen.tolist(), ideal.tolist(), strict=True)]
        return math.sqrt(math.fsum(squares) / len(squares))

    @property
    def limit_synapses(self) -> float:
        """The limit that fits best, in synapses at full drive; infinite if none fits better than no knee."""
        # In 1 / limit^2, between none and a limit at the outermost threshold. Ternary search: one minimum.
        low, high = 0.0, float(self.sums.max()) ** -2
        for _ in range(HALVINGS):
            third = (high - low) / 3.0
            if self._away(low + third) <= self._away(high - third):
                high -= third
            else:
                low += third
        return math.inf if self._away(0.0) <= self._away(low) else low**-0.5

    def _away(self, inverse_square: float) -> float:
        return self.away_lsb(math.inf if inverse_square <= 0.0 else inverse_square**-0.5)


def compression(
    chip: Chip,
    *,
    spec: ChipSpec = ANNA_1991,
    resolution: Resolution | None = None,
    noise_seed: int = 0,
    threads: int | None = None,
) -> Compression:
    """Measure all ADCs at the widest ranges that states can sweep and that the wire lets through."""
    resolution = resolution or Resolution(steps=128, repeats=64)
    full_drive = 4.0 * float(1 << (spec.weight_bits - 1)) * float(1 << (spec.state_bits - 1))  # in quarter products
    sums, lsbs = list[Floats](), list[float]()
    for code in reversed(measurable_scales(spec, resolution)):
        lsb = float(quarter_products_per_lsb(spec)[code]) / full_drive
        found = converters(chip, code, spec=spec, resolution=resolution, noise_seed=noise_seed, threads=threads)
        crossed = [s for s in found.sweeps if (s.reached[-1] == s.repeats).all() and not s.reached[0].any()]
        sums += [sweep.thresholds_lsb * lsb for sweep in crossed]
        lsbs += [lsb] * len(crossed)
        if len(set(lsbs)) == RANGES:
            break
    if not sums:
        raise SpecError("no ADC reaches all its thresholds at any range that states can sweep: the wire's limit is below them")
    return Compression(spec, np.array(sums), np.array(lsbs))
