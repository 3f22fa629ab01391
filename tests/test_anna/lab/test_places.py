"""Gain by place and the knee of the wire, found through the pins alone.

Predicted before the first measurement: slopes within 0.004 and a drop within 0.009 on dies whose synapses are alike, three
deviations of what noise leaves of 4,096 synapses in 512 blocks; a knee within 5 %.
"""

import math

import numpy as np
import pytest

import anna
from anna.base.errors import SpecError
from anna.chip.spec import ANNA_1991, ANNA_WIDE, ChipSpec
from anna.lab import compression, gain_map
from anna.lab.pins import Resolution

BOTH = [ANNA_1991, ANNA_WIDE]
QUIET = anna.Analog.typical().alone("noise")


@pytest.mark.parametrize("spec", BOTH)
@pytest.mark.parametrize("seed", [7, 8, 9])
def test_the_pins_tell_a_gradient_from_a_drop(seed: int, spec: ChipSpec) -> None:
    chip = anna.Chip(seed=seed, analog=QUIET.changed(gain_gradient=0.04, row_drop=0.02))
    along_x, along_y, drop = gain_map(chip, spec=spec).law
    assert (along_x, along_y) == pytest.approx(chip.die(spec).pattern["gain_slope"], abs=0.004)
    assert drop == pytest.approx(0.02, abs=0.009)


def test_a_die_without_them_shows_none_whatever_its_adcs() -> None:
    analog = QUIET.changed(adc_gain_mismatch=0.1, adc_offset_lsb=0.2, scale_mismatch=0.05)
    along_x, along_y, drop = gain_map(anna.Chip(seed=4, analog=analog)).law
    assert (along_x, along_y) == pytest.approx((0, 0), abs=0.004)
    assert drop == pytest.approx(0, abs=0.009)


def test_slopes_are_shares_of_the_gain_whatever_an_adc_makes_of_it() -> None:
    die = anna.Chip(seed=7, analog=QUIET.changed(gain_gradient=0.04)).die()
    wide = die.changed(adc_gain=np.linspace(1.2, 1.3, 8))
    along_x, along_y, _ = gain_map(anna.Chip(die=wide)).law
    assert (along_x, along_y) == pytest.approx(die.pattern["gain_slope"], abs=0.004)


@pytest.mark.slow
def test_slopes_of_many_dies_are_as_large_as_stated_and_their_drop_is_the_same() -> None:
    """40 dies, synapses 5 % apart: moments of what is measured, within four standard errors."""
    analog, dies = anna.Analog.worst().alone("noise", "synapse_gain", "gradient", "row_drop"), 40
    found = np.array([gain_map(anna.Chip(seed=seed, analog=analog), noise_seed=seed).law for seed in range(dies)])
    slopes, drops = found[:, :2], found[:, 2]
    assert np.abs(slopes.mean(axis=0)).max() < 4 * 0.04 / math.sqrt(dies)
    assert np.sqrt((slopes**2).mean()) == pytest.approx(0.04, rel=4 / math.sqrt(4 * dies))
    assert abs(np.corrcoef(slopes.T)[0, 1]) < 4 / math.sqrt(dies)
    assert drops.mean() == pytest.approx(0.02, abs=4 * drops.std() / math.sqrt(dies))
    assert drops.std() < 0.02


def test_a_chip_whose_blocks_do_not_fit_is_refused() -> None:
    with pytest.raises(
        SpecError, match="blocks of 8 columns and CALCs of 8 rows; the chip has 64 rows, 64 columns and 4 pages"
    ):
        gain_map(anna.Chip(), spec=ANNA_1991.changed(max_pages=4))


@pytest.mark.parametrize("spec", BOTH)
@pytest.mark.parametrize("limit", [20.0, 30.0, 48.0])
def test_the_pins_find_the_knee_of_the_wire(limit: float, spec: ChipSpec) -> None:
    found = compression(anna.Chip(seed=7, analog=QUIET.changed(sum_knee=limit)), spec=spec)
    assert found.limit_synapses == pytest.approx(limit, rel=0.05)
    assert found.away_lsb(found.limit_synapses) < 0.5 * found.away_lsb(math.inf)
    assert found.away_lsb(0.01) > 0.5  # a wire that lets nothing through would not put anything right


def test_a_wire_without_a_knee_shows_none_within_its_widest_range() -> None:
    assert compression(anna.Chip(seed=7, analog=QUIET)).limit_synapses > 150
    mismatched = QUIET.changed(adc_gain_mismatch=0.1, adc_offset_lsb=0.3, scale_mismatch=0.05)
    assert compression(anna.Chip(seed=7, analog=mismatched)).limit_synapses > 150


def test_a_wire_that_carries_less_than_any_range_is_refused() -> None:
    with pytest.raises(SpecError, match="no ADC reaches all its thresholds at any range that states can sweep"):
        compression(anna.Chip(seed=7, analog=anna.Analog(sum_knee=0.5)), resolution=Resolution(steps=32, repeats=4))
