"""Effective bits of a sum in digits and copies, through the pins: what an ideal chip reaches, and what drawn ones leave."""

import math

import pytest

from anna.analog.parameters import Analog
from anna.base.errors import SpecError
from anna.lab import digits as lab
from anna.lab.digits import digit_bits
from anna.machine.chip import Chip

# What must be reached, and the bits of a number of so many digits: 8 levels, then a factor of the ratio for each finer one.
LEAST = {(1, True): 2.9, (2, False): 5.8, (2, True): 4.9, (3, False): 8.7, (3, True): 6.8}


@pytest.mark.parametrize(("digits", "overlap"), LEAST)
def test_an_ideal_chip_has_the_bits_of_its_digits(digits: int, overlap: bool) -> None:
    found = digit_bits(Chip(), digits, overlap=overlap)
    assert LEAST[digits, overlap] <= found.bits <= 3 + (digits - 1) * (2 if overlap else 3) + 0.05
    assert found.samples > 3000


def test_the_wide_chip_has_the_same_bits() -> None:
    assert digit_bits(Chip(), 2, machine="wide").bits == pytest.approx(digit_bits(Chip(), 2).bits, abs=0.02)


def test_a_sum_that_is_split_is_refused() -> None:
    with pytest.raises(SpecError, match="a sum of 40 inputs in 3 digits is split on the machine wide; choose fewer inputs"):
        digit_bits(Chip(), 3, machine="wide")


def drawn(analog: str, digits: int, overlap: bool = True, copies: int = 1) -> float:
    """Mean over three chips."""
    chips = [Chip(seed=seed, analog=Analog.preset(analog)) for seed in range(3)]
    return math.fsum(digit_bits(chip, digits, overlap=overlap, copies=copies).bits for chip in chips) / len(chips)


@pytest.mark.parametrize("analog", lab.DRAWN)
def test_a_second_digit_buys_a_bit_on_drawn_chips_too(analog: str) -> None:
    assert drawn(analog, 2) > drawn(analog, 1) + 1.0


@pytest.mark.parametrize("analog", lab.DRAWN)
def test_copies_buy_bits_on_drawn_chips_and_none_on_an_ideal_one(analog: str) -> None:
    assert drawn(analog, 2, copies=4) > drawn(analog, 2) + 0.5
    assert digit_bits(Chip(), 2, copies=4).bits == pytest.approx(digit_bits(Chip(), 2).bits, abs=0.02)


def test_overlap_pays_where_the_converter_is_noisy_and_not_where_the_wire_is() -> None:
    """Noise of the converter is a share of the range: it makes coarse digits err, and shrinks with the finer ones."""
    assert drawn("typical-all-converter", 2, overlap=True) > drawn("typical-all-converter", 2, overlap=False) + 0.2
    assert drawn("typical-all-wire", 2, overlap=True) < drawn("typical-all-wire", 2, overlap=False)


def test_a_third_digit_is_lost_in_noise_of_the_wire() -> None:
    gains = {analog: drawn(analog, 3) - drawn(analog, 2) for analog in ("typical-all-wire", "typical-all-converter")}
    assert gains["typical-all-wire"] < 0.8 < gains["typical-all-converter"] < 2.0


def test_the_table_and_the_figure_show_every_kind() -> None:
    rows = {("ideal", 1): lab.measured("ideal", 1), ("typical", 4): lab.measured("typical", 2, copies=4)}
    text = lab.table(rows).splitlines()
    assert len(text) == 2 + len(rows)
    assert text[2].startswith("| ideal | 1 | 2.99, 2.99 | 5.9")
    left, right = lab.figure(rows).axes
    assert [len(axes.lines) for axes in (left, right)] == [2, 2]
    assert left.lines[0].get_ydata()[1] == pytest.approx(rows["ideal", 1][2, True][0])
