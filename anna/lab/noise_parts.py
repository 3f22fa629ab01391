"""Noise of a sum through the pins: against the synapses that carry a weight, and against the range in use.

Noise of the wire grows as the root of the synapses and does not know the range; noise of the converter is a share of the
range. So a few measurements at the finest range, and a few at wider ones, tell the two apart.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anna.analog.summing import SYNAPSES_OF_WIRE_NOISE
from anna.base.errors import SpecError
from anna.chip import codes
from anna.chip.codes import Floats, Ints
from anna.chip.spec import ANNA_1991, ChipSpec
from anna.lab.pins import (
    Resolution,
    Sweep,
    count_reached,
    finest_scale,
    pins_program,
    quarter_products_per_lsb,
    states_for_sums,
    straight,
)
from anna.machine.chip import Chip
from anna.program.file import blank_pages

SYNAPSES = (8, 16, 32, 64, 128, 256)  # at the finest range that states resolve
COARSER = (2, 4, 6, 8)  # scale codes above that one, with 64 synapses
STEP_LSB = 1 / 32  # between two sums of a sweep, or as near as the weights allow


@dataclass(frozen=True, eq=False)
class NoiseLaw:
    """Noise of several kinds of neurons, rms over the ADCs and their thresholds, and the law that fits best:
    noise² = wire² x synapses / 64 + (converter x LSB)²."""

    synapses: Ints  # that carry a weight, of each measurement
    lsb_products: Floats  # of the ADC in weight LSB x state LSB, of each measurement
    noise_products: Floats  # referred to the sum, in weight LSB x state LSB

    @property
    def noise_lsb(self) -> Floats:
        """The same in LSB of the range in use."""
        return self.noise_products / self.lsb_products

    @property
    def parts(self) -> tuple[float, float]:
        """Noise of the wire of 64 synapses in weight LSB x state LSB, and of the converter in LSB of the range in use.

        Least squares of the relative errors of the variances; exact sums, for the same bits everywhere.
        """
        variance = self.noise_products * self.noise_products
        shares = np.stack([self.synapses / SYNAPSES_OF_WIRE_NOISE, self.lsb_products * self.lsb_products]) / variance
        a, b, c = (math.fsum((shares[i] * shares[j]).tolist()) for i, j in ((0, 0), (0, 1), (1, 1)))
        p, q = (math.fsum(share.tolist()) for share in shares)
        determinant = a * c - b * b
        wire, converter = (p * c - q * b) / determinant, (q * a - p * b) / determinant
        return math.sqrt(max(0.0, wire)), math.sqrt(max(0.0, converter))

    @property
    def fitted_products(self) -> Floats:
        """What the law says of each measurement."""
        wire, converter = self.parts
        at_adc = converter * self.lsb_products
        return np.sqrt(wire * wire * self.synapses / SYNAPSES_OF_WIRE_NOISE + at_adc * at_adc)


def noise_law(
    chip: Chip,
    synapses: Sequence[int] = SYNAPSES,
    scale_codes: Sequence[int] | None = None,
    *,
    spec: ChipSpec = ANNA_1991,
    resolution: Resolution | None = None,
    noise_seed: int = 0,
    threads: int | None = None,
) -> NoiseLaw:
    """Measure neurons with so many synapses at the finest range that states resolve, and with 64 at these scale codes (default:
    some above it)."""
    finest = finest_scale(spec)
    coarser = scale_codes or [finest + more for more in COARSER if finest + more < 1 << spec.scale_bits]
    kinds = [*((count, finest) for count in synapses), *((SYNAPSES_OF_WIRE_NOISE, code) for code in coarser)]
    resolution = resolution or Resolution(repeats=16)
    found = [_noise_products(chip, spec, count, code, resolution, noise_seed, threads) for count, code in kinds]
    lsbs = quarter_products_per_lsb(spec)[[code for _, code in kinds]] / 4
    return NoiseLaw(np.array([count for count, _ in kinds]), lsbs, np.array(found))


def _noise_products(
    chip: Chip, spec: ChipSpec, synapses: int, scale_code: int, resolution: Resolution, noise_seed: int, threads: int | None
) -> float:
    """Noise of neurons with so many synapses of equal weight, whose sums are moved over the range in exact steps."""
    layout = straight(spec, _fan_in(spec, synapses), 0, spec.neurons_at_once)
    lsb, edge = float(quarter_products_per_lsb(spec)[scale_code]), float(resolution.grid_lsb(spec)[-1])
    half = _half_weight(spec, synapses, scale_code, edge * lsb)
    turn = 2 * half  # quarter products: one state moved by one level
    step = turn * max(1, round(STEP_LSB * lsb / turn))
    turns = np.arange(-int(edge * lsb / step), int(edge * lsb / step) + 1)
    chosen, sums = states_for_sums(spec, np.full(synapses, half), np.repeat(turns * step, resolution.repeats), noise_seed)
    assert (sums == np.repeat(turns * step, resolution.repeats)).all(), "every multiple of a step within reach is a sum"

    weights, scales = blank_pages(spec)
    rows, columns = (places[:, :synapses] for places in layout.places(spec))
    weights[0, rows, columns] = codes.weight_converter(spec).exact(half / 2.0)
    scales[:] = scale_code
    images = np.zeros((len(sums), spec.latches * spec.columns), dtype=np.int64)
    images[:, layout.operands(spec)[0, :synapses]] = chosen
    program = pins_program(spec, [layout], weights, scales)
    result = chip.run_codes(program, images.reshape(-1, spec.latches, spec.columns), noise_seed=noise_seed, threads=threads)
    reached = result.codes["codes0"].astype(np.int64).reshape(len(turns), resolution.repeats, -1)
    squares = [
        noise * noise
        for k in range(spec.neurons_at_once)
        for noise in Sweep(turns * step / lsb, count_reached(spec, reached[:, :, k]), resolution.repeats).noise_lsb.tolist()
    ]
    return math.sqrt(math.fsum(squares) / len(squares)) * lsb / 4


def _fan_in(spec: ChipSpec, synapses: int) -> int:
    """The smallest fan-in of full rows that has so many synapses."""
    fan_in = next((fan_in for fan_in in spec.fan_ins if fan_in >= max(synapses, spec.columns)), None)
    if fan_in is None or codes.weight_converter(spec).zero_code is None or synapses % 2:
        raise SpecError(
            f"noise of {synapses} synapses cannot be measured; expected an even number up to {spec.max_inputs}, on a chip with "
            "a weight of zero"
        )
    return fan_in


def _half_weight(spec: ChipSpec, synapses: int, scale_code: int, need: float) -> int:
    """The smallest weight, in half LSBs, that moves the sum of so many synapses over the range."""
    top_state = int(codes.state_converter(spec).numerators[-1])
    for half in codes.weight_converter(spec).numerators.tolist():
        if half > 0 and half * top_state * synapses >= need:
            return int(half)
    raise SpecError(f"{synapses} synapses do not reach the range of scale code {scale_code}; choose more, or a smaller range")
