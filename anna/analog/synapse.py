"""The synapse: a multiplying DAC that turns a 3-bit state and a stored charge into a current.

    interface   weight = level of the DAC -> weight LSB that the synapse shows now
                state levels -> numerators of each state code, per synapse
    ideal       the level itself; the levels of the codes
    real        gain x level x what is left of the charge + zero error; levels with errors of their own

A charge leaks exponentially towards zero, so that a weight of zero stays zero. The leak doubles every few kelvin.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from anna.analog.draws import Draws, Part, Strength
from anna.analog.parameters import Analog
from anna.base.errors import SpecError
from anna.chip import codes
from anna.chip.codes import Floats, Ints
from anna.chip.spec import ChipSpec
from anna.native.exact_math import exp
from anna.native.float_sums import engine

# Bits below half a state LSB, used when state levels have errors.
STATE_FRACTION_BITS = 8
LARGEST_STATE_TABLES = 1 << 25  # numbers; beyond that, an error per synapse is refused

BOLTZMANN_J_PER_K = 1.380649e-23


# --- what is drawn ---------------------------------------------------------------------------------------------------
def drawn_gains(spec: ChipSpec, analog: Analog, draws: Draws) -> Floats:
    """Gain of every synapse, (rows, columns)."""
    return 1.0 + analog.synapse_gain_mismatch * draws.normals(Part.SYNAPSE_GAIN, spec.rows, spec.columns)


def drawn_zeros(spec: ChipSpec, analog: Analog, draws: Draws) -> Floats:
    """What every synapse adds to its weight, in weight LSB."""
    return analog.synapse_zero_lsb * draws.normals(Part.SYNAPSE_ZERO, spec.rows, spec.columns)


def drawn_leaks(spec: ChipSpec, analog: Analog, draws: Draws) -> Floats:
    """Leak of every synapse relative to the average of the median die."""
    z = draws.normals(Part.SYNAPSE_LEAK, spec.rows, spec.columns)
    return np.maximum(0.0, 1.0 + analog.leak_mismatch * z) * draws.strength(Strength.LEAK, analog.leak_die_spread)


def drawn_state_errors(spec: ChipSpec, analog: Analog, draws: Draws) -> Floats:
    """Error of every state level in state LSB: (1, columns, levels) if rows are alike, else (rows, columns, levels); zeros
    (1, 1, levels) if there are none."""
    levels = 1 << spec.state_bits
    if analog.state_step_lsb == 0.0 and analog.synapse_step_lsb == 0.0:
        return np.zeros((1, 1, levels))
    if spec.synapses * levels > LARGEST_STATE_TABLES:
        raise SpecError(
            f"state steps of {spec.synapses} synapses with {levels} levels need {spec.synapses * levels} numbers; "
            f"expected at most {LARGEST_STATE_TABLES}"
        )
    errors = analog.state_step_lsb * draws.normals(Part.STATE_STEP, 1, spec.columns, levels)
    if analog.synapse_step_lsb:
        own = draws.normals(Part.SYNAPSE_STEP, spec.rows, spec.columns, levels)
        errors = errors + analog.synapse_step_lsb * own
    nothing = codes.state_converter(spec).numerators == 0
    return np.where(nothing, 0.0, errors)  # a state of zero drives nothing


# --- what it does ----------------------------------------------------------------------------------------------------
def weight_now(levels: Floats, gains: Floats, zeros: Floats, kept: Floats) -> Floats:
    """Effective weights in weight LSB: what is left of what the DAC wrote, through the synapse's gain."""
    return levels * gains * kept + zeros


@dataclass(frozen=True, eq=False)
class Synapses:
    """The synapses of a die, flat, row by row: one index is faster than two for hundreds of thousands of reads."""

    columns: int
    dac: Ints  # that writes each synapse
    level: Floats  # (DACs, codes) weight LSB
    gain: Floats
    zero: Floats  # weight LSB
    leak: Floats  # of the average
    rate: float  # of the average leak, a cycle
    one: float  # units of a weight LSB

    def levels(self, at: Ints, codes: Ints) -> Floats:
        """What the DACs write to synapses for these codes, in weight LSB."""
        return np.asarray(self.level.reshape(-1)[self.dac[at] * self.level.shape[1] + codes])

    @cached_property
    def fade(self) -> Floats:
        """The charge of each is e^(fade x age)."""
        return -(self.rate * self.leak)

    def fixed(self, codes: Ints, rows: Ints, columns: Ints, ages_cycles: Ints, simd: str | None = None) -> Ints:
        """Weights of synapses whose charges have an age, in units: by the engine if it is built."""
        reads, native = (codes, rows, columns, ages_cycles), engine()
        shapes = {np.shape(part) for part in reads}
        if native is None or len(shapes) > 1:
            return self.fixed_by_numpy(*reads)
        found = np.empty(np.size(ages_cycles), np.int64)
        flat = tuple(np.ascontiguousarray(part, np.int64).reshape(-1) for part in reads)
        own = (self.columns, self.dac, self.level, self.gain, self.fade, self.zero, self.one)
        native.weights(simd or native.levels()[0], flat, *own, found)
        return found.reshape(shapes.pop())

    def fixed_by_numpy(self, codes: Ints, rows: Ints, columns: Ints, ages_cycles: Ints) -> Ints:
        """The definition of `fixed`."""
        at = rows * self.columns + columns
        kept = charge_kept(self.rate, self.leak[at], ages_cycles)
        now = weight_now(self.levels(at, codes), self.gain[at], self.zero[at], kept)
        return np.rint(now * self.one).astype(np.int64)


def leak_per_cycle(spec: ChipSpec, analog: Analog) -> float:
    """Rate at which charges leak: exp(-rate x age in cycles) is left."""
    cycles = analog.charge_lost_after_us * 1e-6 * spec.clock_hz
    warmer = (analog.temperature_k - analog.reference_temperature_k) / analog.leak_doubling_k
    faster = float(exp(warmer * 0.6931471805599453)) if warmer else 1.0
    return minus_log_of_rest(analog.charge_lost) / cycles * faster


def charge_kept(rate: float, leaks: Floats, ages_cycles: Ints) -> Floats:
    """Share of the charges that is left."""
    if rate == 0.0:
        return np.ones(np.broadcast_shapes(leaks.shape, ages_cycles.shape))
    return np.asarray(exp(-(rate * leaks) * ages_cycles), dtype=np.float64)


def state_numerators(spec: ChipSpec, errors_lsb: Floats) -> Ints:
    """What each state code drives a synapse with, in 2^-STATE_FRACTION_BITS of half a state LSB."""
    halves = codes.state_converter(spec).numerators + 2.0 * errors_lsb
    return np.rint(halves * float(1 << STATE_FRACTION_BITS)).astype(np.int64)


def charge_noise_lsb(analog: Analog) -> float:
    """What one refresh adds to a weight, in weight LSB rms: kT/C of two capacitors (the weight is differential), and
    injection."""
    thermal = 0.0 if analog.storage_capacitance_ff is None else ktc_lsb(
        analog.storage_capacitance_ff, analog.weight_lsb_mv, analog.temperature_k)  # fmt: skip
    return math.sqrt(thermal * thermal + analog.injection_noise_lsb * analog.injection_noise_lsb)


def ktc_lsb(capacitance_ff: float, weight_lsb_mv: float, temperature_k: float) -> float:
    """Noise of a differential charge on capacitors of this size, in weight LSB rms."""
    variance = 2.0 * BOLTZMANN_J_PER_K * temperature_k / (capacitance_ff * 1e-15)
    return math.sqrt(variance) / (weight_lsb_mv * 1e-3)


def minus_log_of_rest(lost: float) -> float:
    """-ln(1 - lost) from + - * / alone, so that its bits are the same everywhere."""
    mantissa, exponent = math.frexp(1.0 - lost)
    if exponent == 0 and mantissa > 0.75:  # close to one: no cancellation
        return 2.0 * _atanh(lost / (2.0 - lost))
    return -(2.0 * _atanh((mantissa - 0.75) / (mantissa + 0.75)) + exponent * 0.6931471805599453 - 0.2876820724517809)


def _atanh(x: float) -> float:
    """For |x| <= 1/5."""
    square, series = x * x, 0.0
    for power in range(25, -1, -2):
        series = series * square + 1.0 / power
    return x * series
