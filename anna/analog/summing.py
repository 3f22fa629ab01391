"""The summing wire: the currents of a neuron's synapses add up on it.

    interface   sum -> sum, in accumulator units; limit and noise separately, since the evaluators apply them
    ideal       the sum itself
    real        a largest current (hard limit, before the noise) and thermal noise

Each synapse that carries a weight adds noise to the wire, whatever its state and however the sum is scaled afterwards: in
weight LSB x state LSB it grows as the root of their number. Noise of the converter is measured in LSB of the range in use. All
of it is Gaussian and independent, so one draw with the root of the sum of squares stands for all. The soft knee behind it has a
file of its own (`anna.analog.knee`).
"""

import math

from anna.analog.parameters import Analog
from anna.chip.codes import units_per_lsb_product
from anna.chip.spec import ChipSpec

SYNAPSES_OF_WIRE_NOISE = 64  # that carry a weight, in the definition of `wire_noise_products`


def limit_units(spec: ChipSpec, analog: Analog) -> float | None:
    """Largest sum in accumulator units, either sign; None: unlimited."""
    return None if analog.sum_limit is None else analog.sum_limit * full_drive_units(spec)


def full_drive_units(spec: ChipSpec) -> float:
    """What one synapse gives at full drive, in accumulator units."""
    full_drive = float(1 << (spec.weight_bits - 1)) * float(1 << (spec.state_bits - 1))
    return full_drive * units_per_lsb_product(spec)


def wire_noise_units(spec: ChipSpec, analog: Analog) -> float:
    """What one synapse that carries a weight adds to a sum at each evaluation, in accumulator units rms."""
    per_synapse = analog.wire_noise_products / math.sqrt(SYNAPSES_OF_WIRE_NOISE)
    return per_synapse * _hotter(analog) * units_per_lsb_product(spec)


def noise_lsb(analog: Analog) -> float:
    """What is added at each evaluation and measured in LSB of the range in use, rms: of the sum, and of the converter."""
    thermal = analog.thermal_noise_lsb * _hotter(analog)
    return math.sqrt(thermal * thermal + analog.adc_noise_lsb * analog.adc_noise_lsb)


def _hotter(analog: Analog) -> float:
    """Thermal noise grows with the root of the temperature."""
    return math.sqrt(analog.temperature_k / analog.reference_temperature_k)
