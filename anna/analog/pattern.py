"""The fixed pattern of a die: its arrays, how each is drawn, and the limits of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.analog import adc, gradient, scale, synapse, weight_dac
from anna.analog.draws import Draws
from anna.analog.parameters import Analog
from anna.base.errors import SpecError
from anna.chip.codes import Floats
from anna.chip.spec import ChipSpec


@dataclass(frozen=True)
class PatternArray:
    """One array of the pattern: how it is drawn, and its limits."""

    draw: Callable[[ChipSpec, Analog, Draws], Floats]
    note: str
    low: float
    high: float
    since: int = 1  # the format of die files that has it


PATTERN: dict[str, PatternArray] = {
    "dac_levels_lsb": PatternArray(weight_dac.drawn_levels, "(DACs, codes) what each DAC writes, weight LSB", -1e5, 1e5),
    "synapse_gain": PatternArray(synapse.drawn_gains, "(rows, columns) gain of each synapse", -10, 10),
    "synapse_zero_lsb": PatternArray(synapse.drawn_zeros, "(rows, columns) added to each weight, weight LSB", -1e3, 1e3),
    "synapse_leak": PatternArray(synapse.drawn_leaks, "(rows, columns) leak relative to the average", 0, 1e3),
    "state_error_lsb": PatternArray(
        synapse.drawn_state_errors, "(1 or rows, 1 or columns, levels) error of each level, state LSB", -1e3, 1e3
    ),
    "scale_factor": PatternArray(scale.drawn_factors, "(ADCs, scale codes) factor on the range of the ADC", 0, 10),
    "adc_gain": PatternArray(adc.drawn_gains, "(ADCs) factor on the range", 0, 10),
    "adc_offset_lsb": PatternArray(adc.drawn_offsets, "(ADCs) ADC LSB", -1e3, 1e3),
    "adc_threshold_offset_lsb": PatternArray(adc.drawn_threshold_offsets, "(ADCs, thresholds) ADC LSB", -1e3, 1e3),
    "gain_slope": PatternArray(gradient.drawn_slopes, "(2) gain from edge to edge, along x and y", -1, 1, since=3),
}


def drawn_pattern(spec: ChipSpec, analog: Analog, draws: Draws) -> dict[str, Floats]:
    """The pattern of one die."""
    return {name: part.draw(spec, analog, draws) for name, part in PATTERN.items()}


@lru_cache(maxsize=8)
def _ideal(spec: ChipSpec) -> Mapping[str, Floats]:
    """The pattern of a chip without imperfections."""
    return drawn_pattern(spec, Analog(), Draws(0))


def complete_pattern(spec: ChipSpec, given: Mapping[str, NDArray[Any]]) -> dict[str, Floats]:
    """A complete pattern, checked and frozen; arrays that are not given are ideal."""
    unknown = sorted(set(given) - set(PATTERN))
    if unknown:
        raise SpecError(f"a die has no pattern {unknown[0]}; it has {', '.join(PATTERN)}")
    ideal = _ideal(spec)
    return {name: _checked(spec, name, given.get(name, ideal[name]), ideal[name]) for name in PATTERN}


def _checked(spec: ChipSpec, name: str, array: NDArray[Any], like: Floats) -> Floats:
    """A frozen array of the right shape and range; raises SpecError otherwise."""
    values = np.array(array, dtype=np.float64)
    part, shape = PATTERN[name], values.shape
    full = (spec.rows, spec.columns, 1 << spec.state_bits)
    allowed = [like.shape] if name != "state_error_lsb" else [like.shape, (1, *full[1:]), full]
    if shape not in allowed:
        expected = " or ".join(map(str, allowed))
        raise SpecError(f"pattern {name} has shape {shape}; expected {expected}: {part.note}")
    if values.size and not (values.min() >= part.low and values.max() <= part.high):  # of NaN neither holds
        raise SpecError(f"pattern {name} holds a value outside {part.low:g} to {part.high:g}")
    values.setflags(write=False)
    return values
