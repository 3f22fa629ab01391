"""What a specification proves when it is made: every sum and threshold of the chip fits its integer type."""

import numpy as np
import pytest

import anna
from anna.analog.die import Die
from anna.base.errors import SpecError
from anna.chip import codes
from anna.chip.adc_curves import ADC_CURVES
from anna.chip.spec import ANNA_WIDE, LARGEST_THRESHOLD, LARGEST_WEIGHT_SUM, ChipSpec


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"scale_bits": 7},
            "chip: scale_bits 7 and scale_step 1.41421 give the ADC thresholds of up to 2.99e+24 accumulator units, more than "
            "9.01e+15; choose fewer scale_bits, a smaller scale_step or a smaller adc_full_scale",
        ),
        (
            {
                "scale_bits": 8,
                "scale_law": "linear",
                "weight_bits": 16,
                "state_bits": 16,
                "adc_curve": "squash",
                "adc_full_scale": 4096,
            },
            "chip: scale_bits 8 give the ADC thresholds of up to 1.33e+16 accumulator units, more than 9.01e+15; "
            "choose fewer scale_bits or a smaller adc_full_scale",
        ),
        (
            {"adc_full_scale": 1e-6},
            "chip: adc_full_scale 1e-06 makes an LSB of the ADC 0.0328 accumulator units, less than 1; "
            "choose an adc_full_scale of at least 3.05176e-05",
        ),
        (
            {"weight_bits": 16, "rows": 512, "registers": 64, "columns": 512, "fan_ins": (512, 32768)},
            "chip: a fan-in of 32768 weights of weight_bits 16 is beyond what a sum can hold; choose fan_ins of at most 16384",
        ),
    ],
)
def test_what_fits_no_integer_is_refused(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(SpecError) as caught:
        ANNA_WIDE.changed(**fields)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("curve", ["linear", "squash"])
@pytest.mark.parametrize("levels", ["mid-rise", "mid-tread"])
@pytest.mark.parametrize("bits", [1, 2, 3, 8, 16])
def test_no_threshold_is_beyond_the_one_that_is_proved(curve: str, levels: str, bits: int) -> None:
    spec = ANNA_WIDE.changed(adc_curve=curve, state_levels=levels, state_bits=bits)
    assert np.abs(codes.unit_thresholds(spec)).max() <= ADC_CURVES[spec.adc_curve].reach(bits)


def test_the_largest_chip_of_all_keeps_room_in_64_bits() -> None:
    largest_state = 1 << 16
    assert LARGEST_WEIGHT_SUM * largest_state < 2**47
    assert LARGEST_THRESHOLD < 2**54
    spec = ANNA_WIDE.changed(scale_bits=6)
    rising = np.diff([codes.thresholds(spec, code) for code in range(64)], axis=0)[:, -1]
    assert (rising > 0).all()


def test_a_die_whose_noise_fits_no_integer_is_refused() -> None:
    spec: ChipSpec = ANNA_WIDE.changed(scale_bits=6)
    quiet = Die.draw(spec, anna.Analog.typical(), seed=1)
    assert quiet.electronics.spec == spec
    loud = Die.draw(spec, anna.Analog(thermal_noise_lsb=1000, state_step_lsb=0.1), seed=1)
    with pytest.raises(SpecError, match=r"^die: sums of .*, beyond 4.61e\+18; choose a chip with a smaller adc_full_scale"):
        _ = loud.electronics
