"""Coupling, settling and slow noise, measured through the pins: what is measured is what the chip has."""

import numpy as np
import pytest

import anna
from anna.base.errors import SpecError
from anna.chip.spec import ANNA_1991, ANNA_WIDE, ChipSpec
from anna.lab.drifting import drift
from anna.lab.pins import Resolution
from anna.lab.wires import coupling, settling

BOTH = pytest.mark.parametrize("spec", [ANNA_1991, ANNA_WIDE])
NOISE = anna.Analog(adc_noise_lsb=0.18, wire_noise_products=8.5)
OFTEN = Resolution(repeats=320, beyond_lsb=4.0)  # what is sampled is off by 1e-4 then, where the share is 0.1


@BOTH
@pytest.mark.parametrize("share", [0.005, 0.02, 0.1])
def test_the_pins_tell_how_much_of_each_neighbour_a_neuron_takes(share: float, spec: ChipSpec) -> None:
    found = coupling(anna.Chip(seed=7, analog=NOISE.changed(neighbour_coupling=share)), spec=spec, resolution=OFTEN)
    np.testing.assert_allclose(found.from_left, [0, *[share] * 7], atol=4e-4)
    np.testing.assert_allclose(found.from_right, [*[share] * 7, 0], atol=4e-4)


@BOTH
@pytest.mark.parametrize("share", [0.005, 0.03, 0.1])
def test_the_pins_tell_what_a_wire_still_holds(share: float, spec: ChipSpec) -> None:
    found = settling(anna.Chip(seed=7, analog=NOISE.changed(sum_unsettled=share)), spec=spec, resolution=OFTEN)
    np.testing.assert_allclose(found.left, share, atol=4e-4)


@BOTH
def test_neither_is_taken_for_the_other(spec: ChipSpec) -> None:
    both = anna.Chip(seed=7, analog=anna.Analog(neighbour_coupling=0.05, sum_unsettled=0.1))
    found = coupling(both, spec=spec)
    np.testing.assert_allclose([found.from_left[1:], found.from_right[:-1]], 0.05, atol=1e-3)
    assert found.from_left[0] == found.from_right[-1] == 0
    np.testing.assert_allclose(settling(both, spec=spec).left, 0.1, atol=1e-3)


def test_a_typical_chip_has_neither() -> None:
    typical = anna.Chip(seed=7)
    found = coupling(typical)
    assert max(np.abs(found.from_left).max(), np.abs(found.from_right).max(), np.abs(settling(typical).left).max()) < 4e-4


def test_a_slower_clock_leaves_less() -> None:
    spec = ANNA_1991.changed(clock_hz=10_000_000)
    found = settling(anna.Chip(seed=1, analog=anna.Analog(sum_unsettled=0.2)), spec=spec, resolution=Resolution(beyond_lsb=6.0))
    np.testing.assert_allclose(found.left, 0.04, atol=1e-3)


@BOTH
@pytest.mark.parametrize("slow_lsb", [0.1, 0.3])
def test_the_pins_tell_slow_noise_from_white(slow_lsb: float, spec: ChipSpec) -> None:
    """Images in a row follow the law of the octaves, offsets and mismatch or not."""
    analog = NOISE.changed(slow_noise_lsb=slow_lsb, adc_offset_lsb=0.1, synapse_gain_mismatch=0.02)
    found = drift(anna.Chip(seed=7, analog=analog), spec=spec)
    assert found.slow_lsb == pytest.approx(slow_lsb, rel=0.08)
    np.testing.assert_allclose(found.variogram, found.fitted, rtol=0.05)
    still = drift(anna.Chip(seed=7, analog=analog.without("slow_noise")), spec=spec)
    assert still.slow_lsb < 0.03  # the slope of eight variograms of 65,536 differences each, good to 2e-4 LSB²
    assert found.white_lsb == pytest.approx(still.white_lsb, rel=0.1)


def test_lags_beyond_the_images_are_refused() -> None:
    with pytest.raises(SpecError, match="lags 1, 64 of 64 images: expected numbers from 1 to 63"):
        drift(anna.Chip(), 64, (1, 64))
