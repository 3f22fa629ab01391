"""Each statistic against a textbook case or its definition; the coverage of the intervals by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.base.statistics import (
    confusion,
    difference_of_chips,
    error_of_chips,
    leads,
    mcnemar,
    reject_curve,
    snr_db,
    spread,
    total,
    wilson,
)


def test_wilson_textbook_case() -> None:
    """Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    for wrong, trials, low, high in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611),
                                     (1, 29, 0.0061, 0.1718)]:  # fmt: skip
        found = wilson(wrong / trials, trials)
        assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_mcnemar_textbook_case() -> None:
    """Exact: 1 against 9 of 10 that differ has two-sided p = 2 (1 + 10) / 1024."""
    first = np.array([True] * 1 + [False] * 9 + [True] * 30 + [False] * 60)
    second = np.array([False] * 1 + [True] * 9 + [True] * 30 + [False] * 60)
    found = mcnemar(first, second)
    assert (found.only_first_wrong, found.only_second_wrong) == (1, 9)
    assert found.p_value == pytest.approx(22 / 1024)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_symmetric_and_a_probability(b: int, c: int) -> None:
    first = np.array([True] * b + [False] * c, dtype=bool)
    found, mirrored = mcnemar(first, ~first), mcnemar(~first, first)
    assert 0 < found.p_value <= 1
    assert found.p_value == mirrored.p_value
    assert b != c or found.p_value == 1


def test_mcnemar_keeps_its_false_positive_rate() -> None:
    rng = np.random.default_rng(2)
    alarms = sum(mcnemar(rng.random(400) < 0.05, rng.random(400) < 0.05).p_value < 0.05 for _ in range(2000))
    assert alarms / 2000 < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 2000)  # exact tests stay below


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3])
def test_coverage_of_one_classifier(share: float) -> None:
    """95 % intervals hold the truth in 93 to 97 % of 4,000 draws (Wilson's coverage swings by about 1.5 points)."""
    rng = np.random.default_rng(3)
    held = 0
    for wrong in rng.binomial(1000, share, 4000):
        interval = wilson(wrong / 1000, 1000)
        held += interval.low <= share <= interval.high
    assert 0.93 <= held / 4000 <= 0.97


@pytest.mark.parametrize(("chips", "sigma"), [(4, 0.0), (8, 0.3), (16, 0.6)])
def test_coverage_of_several_chips_on_the_same_images(chips: int, sigma: float) -> None:
    """Images differ in difficulty, chips in skill; both are drawn anew each time. Few chips make it a little narrow."""
    rng, held, draws = np.random.default_rng(4), 0, 1500

    def rate(difficulty: np.ndarray, skill: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-(difficulty + skill)))

    truth = rate(rng.normal(-4, 2, 200_000), rng.normal(0, sigma, 200_000)).mean()
    for _ in range(draws):
        p = rate(rng.normal(-4, 2, (1, 800)), rng.normal(0, sigma, (chips, 1)))
        interval = error_of_chips(rng.random(p.shape) < p)
        held += interval.low <= truth <= interval.high
    assert 0.91 <= held / draws <= 0.975


def test_one_chip_is_wilson() -> None:
    wrong = np.arange(1000)[None] % 20 == 0
    assert error_of_chips(wrong) == wilson(0.05, 1000)
    assert error_of_chips(np.zeros((3, 500), bool)) == wilson(0.0, 500)


def test_the_interval_has_the_variance_over_images_and_chips() -> None:
    """Sums of whole numbers give what the definition gives in floats."""
    rng = np.random.default_rng(0)
    for chips, images, rate in [(8, 1000, 0.02), (3, 20, 0.5), (2, 50, 0.1)]:
        wrong = rng.random((chips, images)) < rate
        share, of_images = wrong.mean(), wrong.mean(axis=0).var(ddof=1) / images
        of_chips = max(0.0, wrong.mean(axis=1).var(ddof=1) / chips - of_images / chips)
        found, expected = error_of_chips(wrong), wilson(share, share * (1 - share) / (of_images + of_chips))
        assert (found.share, found.low, found.high) == pytest.approx((expected.share, expected.low, expected.high), abs=1e-12)


def test_a_difference_of_paired_chips_covers_the_truth_and_is_narrower_than_two_errors() -> None:
    """Half the errors are the images' own and common to both sides."""
    rng = np.random.default_rng(7)
    held, draws = 0, 400
    for _ in range(draws):
        hard = rng.random(800) < 0.05
        gained = 0.01 + rng.normal(0, 0.002, (6, 1))  # differs from chip to chip
        first = hard | (rng.random((6, 800)) < 0.04)
        second = hard | (rng.random((6, 800)) < 0.04 - gained)
        found = difference_of_chips(first, second)
        held += found.low <= -0.01 * 0.95 <= found.high  # on the 95 % that are not hard
    assert 0.92 <= held / draws <= 0.985
    apart = [error_of_chips(side) for side in (first, second)]
    assert found.high - found.low < sum(one.high - one.low for one in apart)


def test_a_difference_of_one_chip_by_hand() -> None:
    """Of 100 images only the first misreads 9, only the second 1: -8 points, variance (10 - 0.64) / 99 / 100."""
    first, second = np.arange(100)[None] < 9, np.arange(100)[None] == 50
    found = difference_of_chips(first, second)
    assert (found.share, found.high - found.low) == (-0.08, pytest.approx(2 * 1.959964 * math.sqrt(9.36 / 9900)))
    assert difference_of_chips(first, first).share == 0


def test_spread_separates_chips_noise_and_images() -> None:
    rng = np.random.default_rng(5)
    chip = rng.normal(0.10, 0.02, (400, 1, 1))
    found = spread(rng.random((400, 4, 2000)) < chip)
    assert found.over_chips == pytest.approx(0.02, rel=0.12)
    assert found.over_noise == pytest.approx(math.sqrt(0.1 * 0.9 / 2000), rel=0.12)
    assert found.over_images == pytest.approx(math.sqrt(0.1 * 0.9 / 2000), rel=0.05)
    assert spread(np.zeros((1, 1, 10), bool)).over_noise is None


def test_confusion_counts() -> None:
    found = confusion(np.array([0, 0, 1, 2, 2]), np.array([0, 1, 1, 2, 0]), 3)
    assert found.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 1]]


def test_reject_curve_by_hand() -> None:
    """Four images with leads 4, 3, 2, 1; those with 3 and 1 are wrong."""
    scores = np.array([[4, 0], [3, 0], [2, 0], [1, 0]], dtype=float)
    curve = reject_curve(leads(scores), scores.argmax(axis=1) != np.array([0, 1, 0, 1]))
    assert curve.rejected.tolist() == [0, 0.25, 0.5, 0.75]
    assert curve.error.tolist() == [0.5, 1 / 3, 0.5, 0]
    assert curve.needed_for(0.4) == 0.25
    assert curve.needed_for(0.1) == 0.75
    assert curve.needed_for(-1) is None


def test_images_of_one_confidence_are_rejected_together() -> None:
    curve = reject_curve(np.array([1.0] * 5 + [3.0]), np.array([0, 1, 0, 1, 0, 0]) != 0)
    assert curve.rejected.tolist() == [0, 5 / 6]


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.integers(2, 10))
def test_the_curve_begins_at_the_error_rate(seed: int, images: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    scores, labels = rng.normal(size=(images, classes)), rng.integers(0, classes, images)
    curve = reject_curve(leads(scores), scores.argmax(axis=1) != labels)
    assert curve.rejected[0] == 0
    assert curve.error[0] == (scores.argmax(axis=1) != labels).mean()


def test_signal_to_noise() -> None:
    x = np.random.default_rng(6).normal(size=100_000)
    assert snr_db(x, x + 0.1 * np.random.default_rng(7).normal(size=x.size)) == pytest.approx(20.04, abs=0.1)
    assert snr_db(x, 3 * x - 7) > 140  # rounding is all that is left
    assert snr_db(x, np.zeros_like(x)) == -math.inf


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=40))
def test_a_total_is_that_of_exact_sums_to_its_last_digits(values: list[float]) -> None:
    assert total(np.array(values)) == pytest.approx(math.fsum(values), abs=1e-14 * math.fsum(map(abs, values)))
