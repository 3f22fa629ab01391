"""The ADC: eight converters that turn a scaled sum into a 3-bit state, saturating at the end codes.

    interface   thresholds (n, levels - 1) in units of one LSB, for n conversions; the code is how many the sum reaches
    ideal       half-way between two levels (`anna.chip.codes.unit_thresholds`)
    real        gain x threshold + offset of the ADC + offset of the threshold

A code counts the comparators that fire, so comparators whose offsets make them cross merely swap roles: a code becomes
narrow or missing, but the curve never falls. Sorting the thresholds gives the same count.
"""

import numpy as np

from anna.analog.draws import Draws, Part
from anna.analog.parameters import Analog
from anna.chip import codes
from anna.chip.codes import Floats
from anna.chip.spec import ChipSpec


def drawn_gains(spec: ChipSpec, analog: Analog, draws: Draws) -> Floats:
    """Gain of each ADC's range."""
    return 1.0 + analog.adc_gain_mismatch * draws.normals(Part.ADC_GAIN, spec.neurons_at_once)


def drawn_offsets(spec: ChipSpec, analog: Analog, draws: Draws) -> Floats:
    """Offset of each ADC, in LSB."""
    return analog.adc_offset_lsb * draws.normals(Part.ADC_OFFSET, spec.neurons_at_once)


def drawn_threshold_offsets(spec: ChipSpec, analog: Analog, draws: Draws) -> Floats:
    """Individual offset of each threshold, (ADCs, thresholds), in LSB."""
    thresholds = (1 << spec.state_bits) - 1
    return analog.adc_threshold_offset_lsb * draws.normals(Part.ADC_THRESHOLD, spec.neurons_at_once, thresholds)


def real_thresholds(spec: ChipSpec, gains: Floats, offsets_lsb: Floats, threshold_offsets_lsb: Floats) -> Floats:
    """Thresholds of each ADC, (ADCs, thresholds), in LSB, rising."""
    ideal = codes.unit_thresholds(spec)
    return np.sort(ideal * gains[:, None] + offsets_lsb[:, None] + threshold_offsets_lsb, axis=1)
