"""The summing wire: the currents of a neuron's synapses add up on it.

    interface   sum -> sum, in accumulator units; limit and noise separately, since the evaluators apply them
    ideal       the sum itself
    real        a largest current (hard limit, before the noise) and thermal noise

The noise is stated where it can be measured: at the ADC, in LSB of the scale in use. Noise of the wire and noise of the
converter are both Gaussian and independent, so one draw with the root of the sum of squares stands for both.
"""

import math

from anna.analog.parameters import Analog
from anna.chip.codes import units_per_lsb_product
from anna.chip.spec import ChipSpec


def limit_units(spec: ChipSpec, analog: Analog) -> float | None:
    """Largest sum in accumulator units, either sign; None: unlimited."""
    if analog.sum_limit is None:
        return None
    full_drive = float(1 << (spec.weight_bits - 1)) * float(1 << (spec.state_bits - 1))
    return analog.sum_limit * full_drive * units_per_lsb_product(spec)


def noise_lsb(analog: Analog) -> float:
    """What is added to a sum at each evaluation, in LSB rms of the ADC. Thermal noise grows with the root of T."""
    thermal = analog.thermal_noise_lsb * math.sqrt(analog.temperature_k / analog.reference_temperature_k)
    return math.sqrt(thermal * thermal + analog.adc_noise_lsb * analog.adc_noise_lsb)
