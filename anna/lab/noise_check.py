"""Checks that every noise is Gaussian: how far mean, variance, kurtosis, distribution and correlations of samples are off.

    python -m anna.lab.noise_check            a million samples of each noise
    python -m anna.lab.noise_check --tails    and the tails of 2^30 raw draws

Noise of an evaluation and of a refresh is sampled where it acts, on the chip, by a program that reads it with an ADC of
12 bits. The fixed pattern of dies is sampled from the draws of every part. Deviations are in standard deviations of what
a true Gaussian would give; for Kolmogorov-Smirnov, the distance is D sqrt(n).
"""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anna.analog import noise, thermal
from anna.analog.draws import Part, Strength
from anna.analog.parameters import Analog
from anna.analog.slow_noise import OCTAVES
from anna.chip import codes
from anna.chip.codes import Floats
from anna.chip.spec import ANNA_1991, ChipSpec
from anna.lab.pins import pins_program, straight
from anna.machine.chip import Chip
from anna.program.file import blank_pages

# Mean, variance, kurtosis and correlations fail beyond 4.9 standard deviations: a false alarm once in 1,000,000 of them.
# Kolmogorov-Smirnov fails beyond D sqrt(n) = 2.7: once in 1,000,000 (2 exp(-2 x 2.7^2) = 9e-7).
LARGEST_Z = 4.9
LARGEST_KS = 2.7

WIDE = ANNA_1991.changed(state_bits=12, state_levels="mid-tread")
WIDE_SIGMA_LSB = 64.0


@dataclass(frozen=True)
class Row:
    """One noise: its samples, and how far each statistic is off."""

    noise: str
    samples: int
    mean_z: float
    variance_z: float
    kurtosis_z: float
    ks: float
    correlation_z: dict[str, float]

    @property
    def holds(self) -> bool:
        """Whether everything is within its threshold."""
        zs = (self.mean_z, self.variance_z, self.kurtosis_z, *self.correlation_z.values())
        return max(map(abs, zs)) <= LARGEST_Z and self.ks <= LARGEST_KS

    def __str__(self) -> str:
        worst = max(self.correlation_z, key=lambda name: abs(self.correlation_z[name]))
        return (
            f"{self.noise:24s} {self.samples:9,d}  {self.mean_z:+6.2f} {self.variance_z:+6.2f} {self.kurtosis_z:+6.2f} "
            f"{self.ks:6.2f}  {self.correlation_z[worst]:+6.2f} {worst:12s} {'holds' if self.holds else 'FAILS'}"
        )


def judged(name: str, samples: Floats, axes: tuple[str, ...], edges: Floats | None = None) -> Row:
    """Judge samples that should be standard normals, with an axis for each thing they must not depend on.

    `edges` are where the samples were rounded: there the distribution is known exactly. Correlations are between neighbours
    along each axis, of the samples and of their squares.
    """
    flat = samples.reshape(-1).astype(np.float64)
    n = flat.size
    mean, deviation = float(flat.mean()), float(flat.std())
    centred = (flat - mean) / deviation
    kurtosis = float((centred**4).mean()) - 3.0
    ordered = np.sort(flat)
    if edges is None:
        law = phi(ordered)
        empirical = np.arange(n) / n
        distance = float(max(np.abs(law - empirical).max(), np.abs(law - empirical - 1.0 / n).max()))
    else:
        distance = float(np.abs(np.searchsorted(ordered, edges) / n - phi(edges)).max())
    correlations = {}
    for axis, what in enumerate(axes):
        if samples.shape[axis] > 1:
            left = np.take(samples, range(samples.shape[axis] - 1), axis).reshape(-1)
            right = np.take(samples, range(1, samples.shape[axis]), axis).reshape(-1)
            correlations[what] = _correlation_z(left, right)
            correlations[what + "²"] = _correlation_z(left * left, right * right)
    root = math.sqrt(n)
    variance_z = (deviation * deviation - 1.0) * root / math.sqrt(2.0)
    return Row(name, n, mean * root, variance_z, kurtosis * root / math.sqrt(24.0), distance * root, correlations)


def _correlation_z(left: Floats, right: Floats) -> float:
    a, b = left - left.mean(), right - right.mean()
    return float((a * b).mean() / math.sqrt(float((a * a).mean()) * float((b * b).mean())) * math.sqrt(len(a)))


def phi(x: Floats) -> Floats:
    """The normal distribution function."""
    grid = np.linspace(-7.0, 7.0, 56_001)
    law = np.array([0.5 * math.erfc(-value / math.sqrt(2.0)) for value in grid.tolist()])
    return np.asarray(np.interp(x, grid, law), dtype=np.float64)


# --- noise where it acts ---------------------------------------------------------------------------------------------
CHIPS, NOISE_SEEDS, CALCS = (1, 2), (11, 12), 8


def _read_widely(analog: Analog, state_lsb: float, samples: int, synapses: int = 0, apart: int = 1) -> NDArray[np.int64]:
    """Codes (chips, seeds, images, calcs, neurons) minus that of zero, of neurons with one driven synapse each; so many
    others carry a weight under a state of zero. The numbers of the images are so far `apart`."""
    spec, neurons = WIDE, WIDE.neurons_at_once
    images = -(-samples // (len(CHIPS) * len(NOISE_SEEDS) * CALCS * neurons))
    layouts = [straight(spec, spec.columns, neurons * i, neurons) for i in range(CALCS)]
    weights, scales = blank_pages(spec)
    weights[:, :, spec.columns - synapses :] = codes.weight_converter(spec).exact(1.0)
    program = pins_program(spec, layouts, weights, scales)
    zero = codes.state_converter(spec).exact(0.0)
    states = np.full((images, *program.input.shape), zero, dtype=np.uint16)
    states[:, 0, 0] = codes.state_converter(spec).exact(state_lsb)
    ids = apart * np.arange(images)
    runs = [Chip(seed=seed, analog=analog).run_codes(program, states, noise_seed=noise_seed, image_ids=ids)
            for seed in CHIPS for noise_seed in NOISE_SEEDS]  # fmt: skip
    found = np.array([np.stack(list(result.codes.values()), axis=1) for result in runs]).astype(np.int64) - zero
    return found.reshape(len(CHIPS), len(NOISE_SEEDS), images, CALCS, neurons)


def _edges(sigma_lsb: float) -> Floats:
    half = np.arange(-400.0, 400.0)
    return (half + 0.5) / sigma_lsb


_EVALUATIONS = ("chip", "seed", "image", "instruction", "neuron")


def converter(samples: int) -> Row:
    """Noise of the converter, of 64 LSB of a 12-bit ADC."""
    found = _read_widely(Analog(adc_noise_lsb=WIDE_SIGMA_LSB), 0.0, samples)
    return judged("noise of the converter", found / WIDE_SIGMA_LSB, _EVALUATIONS, _edges(WIDE_SIGMA_LSB))


def wire(samples: int) -> Row:
    """Noise of a wire with 32 synapses that carry a weight, 64 LSB of the ADC."""
    found = _read_widely(Analog(wire_noise_products=_wide_products(math.sqrt(2.0))), 0.0, samples, synapses=32)
    return judged("noise of the wire", found / WIDE_SIGMA_LSB, _EVALUATIONS, _edges(WIDE_SIGMA_LSB))


def both(samples: int) -> Row:
    """Noise of wire and converter, 0.6 and 0.8 of 64 LSB: variances add if the parts are independent."""
    analog = Analog(wire_noise_products=_wide_products(0.6), adc_noise_lsb=0.8 * WIDE_SIGMA_LSB)
    found = _read_widely(analog, 0.0, samples, synapses=64)
    return judged("noise of both", found / WIDE_SIGMA_LSB, _EVALUATIONS, _edges(WIDE_SIGMA_LSB))


def _wide_products(share: float) -> float:
    """A share of 64 LSB of the ADC, in weight LSB x state LSB."""
    return share * WIDE_SIGMA_LSB * float(codes.adc_lsb(WIDE)[0]) / codes.units_per_lsb_product(WIDE)


def slow(samples: int) -> Row:
    """Slow noise of 64 LSB, of images so far apart that no octave is shared; all CALCs of an image have the same."""
    found = _read_widely(Analog(slow_noise_lsb=WIDE_SIGMA_LSB), 0.0, CALCS * samples, apart=1 << OCTAVES)
    assert (found == found[:, :, :, :1]).all(), "one level an image"
    axes = ("chip", "seed", "image", "neuron")
    return judged("slow noise", found[:, :, :, 0] / WIDE_SIGMA_LSB, axes, _edges(WIDE_SIGMA_LSB))


def charge(samples: int) -> Row:
    """Noise of a refresh, of 2 weight LSB, under a state that makes it 64 LSB of the ADC."""
    found = _read_widely(Analog(injection_noise_lsb=2.0), _wide_products(0.5), samples)
    axes = ("chip", "seed", "image", "row", "neighbour")
    return judged("charge noise", found / WIDE_SIGMA_LSB, axes, _edges(WIDE_SIGMA_LSB))


# --- the fixed pattern -----------------------------------------------------------------------------------------------
_SIZES: dict[Part, Callable[[ChipSpec], int]] = {
    Part.DAC_BOW: lambda spec: 2 * spec.dacs,
    Part.DAC_STEP: lambda spec: spec.dacs << spec.weight_bits,
    Part.DAC_ORDER: lambda spec: spec.dacs,
    Part.SYNAPSE_GAIN: lambda spec: spec.synapses,
    Part.SYNAPSE_ZERO: lambda spec: spec.synapses,
    Part.SYNAPSE_LEAK: lambda spec: spec.synapses,
    Part.STATE_STEP: lambda spec: spec.columns << spec.state_bits,
    Part.SYNAPSE_STEP: lambda spec: spec.synapses << spec.state_bits,
    Part.SCALE_STEP: lambda spec: spec.neurons_at_once << spec.scale_bits,
    Part.ADC_GAIN: lambda spec: spec.neurons_at_once,
    Part.ADC_OFFSET: lambda spec: spec.neurons_at_once,
    Part.ADC_THRESHOLD: lambda spec: spec.neurons_at_once * ((1 << spec.state_bits) - 1),
    Part.STRENGTH: lambda spec: len(Strength),
    Part.GRADIENT: lambda spec: 2,
}


def pattern(part: Part, samples: int) -> Row:
    """Draws of one part, over two die seeds, many chips on a board, and all places of the part."""
    size = _SIZES[part](ANNA_1991)
    chips = max(2, -(-samples // (2 * size)))
    z = np.stack([
        noise.normals(seed, np.arange(chips)[:, None], int(part), noise.DIE, np.arange(size)[None]) for seed in (21, 22)
    ])  # fmt: skip
    return judged(f"die: {part.name.lower()}", z.astype(np.float64), ("seed", "chip", "place"))


def rows(samples: int = 1_000_000) -> list[Row]:
    """Every noise."""
    noises = [converter(samples), wire(samples), both(samples), slow(samples), charge(samples)]
    return [*noises, *(pattern(part, samples) for part in Part)]


# --- tails -----------------------------------------------------------------------------------------------------------
def tails(draws: int = 1 << 30) -> dict[str, list[tuple[float, int, float]]]:
    """Of thermal noise, and of all other: distance in sigma, raw draws beyond it, and how many are expected."""
    from anna.engine import simd_levels
    from anna.native.loader import native

    edges = np.arange(4.0, 6.51, 0.5, dtype=np.float32)
    beyond, moments, counts = np.zeros(len(edges), np.int64), np.zeros(5), np.zeros(1 << 16, np.int64)
    native().census(simd_levels()[0], 31, 0, draws // 1024, 256, edges, beyond, moments)
    native().thermal_counts(simd_levels()[0], 31, 0, draws // 2048, 256, counts)
    z = np.abs(np.arange(-(1 << 15), 1 << 15) + 0.5) / thermal.CELLS
    thermally = np.array([counts[z > edge].sum() for edge in edges])
    return {name: [(edge, count, draws * math.erfc(edge / math.sqrt(2.0)))
                   for edge, count in zip(edges.tolist(), found.tolist(), strict=True)]
            for name, found in (("thermal noise", thermally), ("other noise", beyond))}  # fmt: skip


def main(arguments: list[str]) -> int:
    """Print the table; 1 if anything fails."""
    print("noise                      samples    mean    var   kurt     KS  correlation (worst)")
    failed = 0
    for row in rows():
        print(row, flush=True)
        failed += not row.holds
    if "--tails" in arguments:
        print(f"\ntails of {1 << 30:,d} raw draws: beyond, found, expected")
        for name, found in tails().items():
            for edge, count, expected in found:
                # Poisson, as a Gaussian with a margin for low counts: a false alarm about once in 100,000.
                fine = abs(count - expected) <= 4.4 * math.sqrt(expected) + 5
                print(f"{name:14s} {edge:4.1f} sigma {count:9,d} {expected:11.1f}  {'holds' if fine else 'FAILS'}")
                failed += not fine
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
