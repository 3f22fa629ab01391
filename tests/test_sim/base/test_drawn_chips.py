"""What drawn chips say of all chips: textbook cases, and the coverage of every interval by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.base.drawn_chips import Rejects, binomial, deviation, good_share, paired_p_value, quantile, worse_than_worst
from sim.base.statistics import RejectCurve, difference_of_chips, leads, mcnemar, reject_curve, student_p, student_quantile

DRAWS = 1000


def test_students_distribution_is_that_of_the_tables() -> None:
    for freedom, t in [(1, 12.7062), (4, 2.7764), (9, 2.2622), (30, 2.0423), (1000, 1.9623)]:
        assert student_quantile(freedom) == pytest.approx(t, abs=5e-5)
        assert student_p(-t, freedom) == pytest.approx(0.05, abs=1e-5)
    assert student_p(2.0, 1) == pytest.approx(1 - 2 * math.atan(2.0) / math.pi)  # Cauchy's
    assert student_p(1.96, math.inf) == pytest.approx(0.05, abs=1e-4)


@given(st.integers(1, 60), st.floats(0.01, 0.99))
def test_binomial_probabilities_are_the_sums_of_their_terms(trials: int, share: float) -> None:
    exact, found = 0.0, binomial(trials, share)
    for k in range(trials + 1):
        exact += math.comb(trials, k) * share**k * (1 - share) ** (trials - k)
        assert found[k] == pytest.approx(exact, abs=1e-12)


def test_quantiles_by_hand() -> None:
    """Ten chips: the median lies between the fifth and the sixth, and 2 to 9 hold it in 97.9 % of draws."""
    found = quantile([k / 100 for k in (7, 3, 1, 10, 5, 2, 9, 4, 8, 6)], 0.5)
    assert (found.value, found.low, found.high) == (pytest.approx(0.055), 0.02, 0.09)
    found = quantile([0.01, 0.02, 0.04], 0.9)
    assert (found.value, found.low, found.high) == (0.04, 0.01, None)  # three chips cannot bound nine of ten from above
    assert quantile([0.02], 0.5).low is None


@pytest.mark.parametrize(("chips", "share"), [(8, 0.5), (32, 0.5), (32, 0.9), (96, 0.9)])
def test_coverage_of_quantiles_over_chips(chips: int, share: float) -> None:
    """Of log-normal errors, whose tail is long; order statistics are never narrow, and one open end counts as holding."""
    rng, held = np.random.default_rng(11), 0
    truth = math.exp(0.5 * {0.5: 0.0, 0.9: 1.2815515655}[share])
    for _ in range(DRAWS):
        found = quantile(np.exp(0.5 * rng.normal(size=chips)).tolist(), share)
        held += (found.low is None or found.low <= truth) and (found.high is None or truth <= found.high)
    assert 0.945 <= held / DRAWS <= 0.997


@pytest.mark.parametrize("chips", [8, 40, 1000])
@pytest.mark.parametrize("share", [0.7, 0.9])
def test_coverage_of_the_share_of_good_chips(chips: int, share: float) -> None:
    """Exactly, from the probability of each count; Wilson's coverage swings about 95 %."""
    at_most = [0.0, *binomial(chips, share)]
    found = [good_share([0.0] * good + [1.0] * (chips - good), 0.5) for good in range(chips + 1)]
    held = sum(at_most[k + 1] - at_most[k] for k, one in enumerate(found) if one.low <= share <= one.high)
    assert 0.92 <= held <= 0.985


def test_a_chip_at_the_limit_is_good() -> None:
    assert good_share([0.010, 0.015, 0.020], 0.015).share == pytest.approx(2 / 3)


def test_the_worst_of_some_chips_bounds_the_rest() -> None:
    """Of 1,000 sets of 32 chips, the worst is exceeded by more than the stated share of all chips in about 50."""
    bound, rng = worse_than_worst(32), np.random.default_rng(13)
    beyond = sum(rng.random(32).max() < 1 - bound for _ in range(DRAWS))
    assert bound == pytest.approx(0.0893, abs=1e-4)
    assert abs(beyond / DRAWS - 0.05) < 3 * math.sqrt(0.05 * 0.95 / DRAWS)


def _crossed(rng: np.random.Generator, chips: int, apart: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Two sides on the same chips and images: images differ in difficulty, and sides differ from chip to chip by nothing on the
    average, or by `apart`."""
    hard = rng.random(500) < 0.05
    moved = apart + rng.normal(0, 0.01, (chips, 1))
    first, second = (hard | (rng.random((chips, 500)) < 0.03 + sign * moved / 2) for sign in (-1, 1))
    return first, second


@pytest.mark.parametrize("chips", [2, 4, 16])
def test_the_paired_test_keeps_its_false_positive_rate_over_chips(chips: int) -> None:
    rng = np.random.default_rng(14)
    alarms = sum(paired_p_value(*_crossed(rng, chips)) < 0.05 for _ in range(DRAWS))
    assert alarms / DRAWS < 0.05 + 4 * math.sqrt(0.05 * 0.95 / DRAWS)


@pytest.mark.parametrize("chips", [2, 4, 16])
def test_coverage_of_a_difference_over_chips(chips: int) -> None:
    rng, held = np.random.default_rng(15), 0
    for _ in range(DRAWS):
        found = difference_of_chips(*_crossed(rng, chips, 0.01))
        held += found.low <= 0.0095 <= found.high  # on the 95 % of images that are not hard
    assert 0.93 <= held / DRAWS <= 0.995


def test_the_paired_test_is_of_all_chips_not_of_the_first() -> None:
    """A first chip equal to float hides nothing, and the order of chips does not matter."""
    rng = np.random.default_rng(16)
    floats = rng.random((1, 400)) < 0.05
    chips = np.concatenate([floats, floats | (rng.random((7, 400)) < 0.04)])
    assert mcnemar(floats[0], chips[0]).p_value == 1
    assert paired_p_value(floats, chips) < 0.01
    assert paired_p_value(floats, chips[::-1]) == pytest.approx(paired_p_value(floats, chips))
    assert paired_p_value(floats, chips[4:5]) == mcnemar(floats[0], chips[4]).p_value
    assert paired_p_value(chips, chips) == 1


@given(st.integers(0, 2**32 - 1), st.integers(2, 10))
def test_a_lead_is_over_the_second_best(seed: int, classes: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(20, classes))
    by_hand = [sorted(row)[-1] - sorted(row)[-2] for row in scores.tolist()]
    np.testing.assert_allclose(leads(scores), by_hand, atol=0)


def test_doubt_is_about_the_second_best_of_ten_classes() -> None:
    """A wrong image with a close second is rejected first, however far its worst class is behind."""
    scores = np.zeros((2, 10))
    scores[0, :2], scores[0, 9] = (5.0, 4.9), -100.0
    scores[1, 3] = 1.0
    curve = reject_curve(leads(scores), np.array([True, False]))
    assert curve.needed_for(0.0) == 0.5


def test_rejects_are_mean_and_spread_over_chips() -> None:
    curves = tuple(RejectCurve(np.array([0.0, share, 0.9]), np.array([0.05, 0.01, 0.0])) for share in (0.1, 0.2, 0.3))
    hopeless = RejectCurve(np.array([0.0, 0.5]), np.array([0.05, 0.04]))
    found = Rejects(curves).needed_for(0.01)
    assert (found.mean, found.std, found.never) == (pytest.approx(0.2), pytest.approx(0.1), 0)
    found = Rejects((*curves, hopeless)).needed_for(0.01)
    assert (found.mean, found.never) == (pytest.approx(0.2), 1)
    assert Rejects((hopeless,)).needed_for(0.01).mean is None
    errors = Rejects(curves).error_at(np.array([0.0, 0.15, 0.95]))
    assert errors.tolist() == [[0.05, 0.01, 0.0], [0.05, 0.05, 0.0], [0.05, 0.05, 0.0]]


def test_the_deviation_is_that_of_a_sample() -> None:
    assert deviation([0.01, 0.02, 0.03]) == pytest.approx(0.01)
    assert deviation([0.5]) is None
