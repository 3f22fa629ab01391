"""Levels, ties and saturation of every converter, as the table in `anna.chip.codes` states them."""

import math
from fractions import Fraction
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anna.base.errors import SpecError
from anna.chip.adc_curves import ADC_CURVES, AdcCurve
from anna.chip.codes import (
    Converter,
    adc_lsb,
    full_scales,
    scale_code_for,
    state_converter,
    thresholds,
    unit_thresholds,
    units_per_lsb_product,
    weight_converter,
)
from anna.chip.refresh_orders import REFRESH_ORDERS, RefreshOrder
from anna.chip.spec import ANNA_WIDE

CONVERTERS = st.builds(
    Converter, st.sampled_from(["weight", "state"]), st.integers(1, 16), st.sampled_from(["mid-rise", "mid-tread"])
)


def test_the_eight_states_of_the_chip() -> None:
    assert state_converter(ANNA_WIDE).values(range(8)).tolist() == [-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5]


def test_the_weights_of_the_chip() -> None:
    converter = weight_converter(ANNA_WIDE)
    assert (converter.values(0), converter.values(63), converter.zero_code) == (-32, 31, 32)


@given(CONVERTERS)
def test_levels_rise_by_one_lsb(converter: Converter) -> None:
    assert (np.diff(converter.numerators) == 2).all()


@given(CONVERTERS)
def test_every_level_has_its_code(converter: Converter) -> None:
    codes = np.arange(converter.size)
    assert (converter.nearest(converter.values(codes)) == codes).all()


@given(CONVERTERS, st.floats(-1e9, 1e9))
def test_the_nearest_level_is_nearest(converter: Converter, value: float) -> None:
    found = float(converter.values(int(converter.nearest(value))))
    low, high = float(converter.values(0)), float(converter.values(converter.size - 1))
    assert abs(found - min(max(value, low), high)) <= 0.5


@given(CONVERTERS, st.data())
def test_ties_go_up(converter: Converter, data: st.DataObject) -> None:
    code = data.draw(st.integers(0, converter.size - 2))
    assert converter.nearest(converter.values(code) + 0.5) == code + 1


@given(CONVERTERS)
def test_beyond_the_range_is_the_end_code(converter: Converter) -> None:
    assert converter.nearest([-1e12, 1e12]).tolist() == [0, converter.size - 1]


def test_a_value_between_levels_is_refused() -> None:
    with pytest.raises(SpecError, match=r"0.5 is not a level of a 6-bit weight \(whole numbers from -32 to 31\)"):
        weight_converter(ANNA_WIDE).exact(0.5)
    with pytest.raises(SpecError, match="a weight must be a finite number"):
        weight_converter(ANNA_WIDE).nearest(math.nan)


@given(st.integers(2, 16), st.integers(1, 10), st.sampled_from(["mid-rise", "mid-tread"]), st.integers(0, 15))
def test_linear_thresholds_lie_half_way_between_levels(bits: int, states: int, levels: str, scale: int) -> None:
    spec = ANNA_WIDE.changed(weight_bits=bits, state_bits=states, state_levels=levels)
    half_way = np.convolve(state_converter(spec).values(range(1 << states)), [0.5, 0.5], mode="valid")
    assert (unit_thresholds(spec) == half_way).all()
    assert np.abs(thresholds(spec, scale) - half_way * adc_lsb(spec)[scale]).max() <= 0.5


@given(st.integers(1, 12), st.sampled_from(["mid-rise", "mid-tread"]))
def test_squash_thresholds_follow_a_tanh(states: int, levels: str) -> None:
    spec = ANNA_WIDE.changed(state_bits=states, state_levels=levels, adc_curve="squash")
    half = 2.0 ** (states - 1)
    linear = unit_thresholds(spec.changed(adc_curve="linear"))
    np.testing.assert_allclose(half * np.tanh(unit_thresholds(spec) / half), linear, rtol=0, atol=half * 1e-15)


def test_every_name_of_a_curve_and_of_an_order_has_its_entry() -> None:
    assert list(ADC_CURVES) == list(get_args(AdcCurve))
    assert list(REFRESH_ORDERS) == list(get_args(RefreshOrder))


@pytest.mark.parametrize("curve", ADC_CURVES)
@pytest.mark.parametrize("levels", ["mid-rise", "mid-tread"])
def test_every_curve_has_slope_one_at_zero(curve: str, levels: str) -> None:
    near = unit_thresholds(ANNA_WIDE.changed(state_bits=12, state_levels=levels, adc_curve=curve))[2038:2058]
    np.testing.assert_allclose(np.diff(near), 1.0, atol=1e-4)


@given(st.integers(1, 16), st.sampled_from(list(ADC_CURVES)))
def test_thresholds_rise(states: int, curve: str) -> None:
    spec = ANNA_WIDE.changed(state_bits=states, adc_curve=curve, weight_bits=16)
    assert (np.diff(thresholds(spec, 0)) > 0).all()


def test_the_range_of_the_adc_in_its_own_units() -> None:
    assert full_scales(ANNA_WIDE)[0] == 256  # weight LSB x state LSB
    assert full_scales(ANNA_WIDE)[15] / full_scales(ANNA_WIDE)[0] == pytest.approx(math.sqrt(2) ** 15)
    assert full_scales(ANNA_WIDE.changed(scale_law="linear"))[15] == 16 * 256
    assert len(full_scales(ANNA_WIDE.changed(scale_bits=0))) == 1


def test_the_smallest_range_that_holds_a_sum_is_chosen() -> None:
    assert [scale_code_for(ANNA_WIDE, wanted) for wanted in (1, 256, 257, 46_000)] == [0, 0, 1, 15]
    with pytest.raises(SpecError, match="no scale code reaches a range of 1e"):
        scale_code_for(ANNA_WIDE, 1e6)


def test_rounding_of_fixed_point_weights_stays_below_a_64th_of_an_adc_lsb() -> None:
    """256 inputs, each weight off by half of 2^-10 LSB, each state at its end, at the finest scale: 0.4375 < 0.5."""
    spec = ANNA_WIDE
    worst = spec.max_inputs * Fraction(1, 2) * (2**spec.state_bits - 1)  # in accumulator units: half a unit each
    assert worst < Fraction(int(adc_lsb(spec)[0])) / 64
    assert units_per_lsb_product(spec) == 2048
