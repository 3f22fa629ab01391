"""Intervals over images, chips and trainings: as those over two draws, paired, and every draw counts."""

import numpy as np
import pytest

from sim.base.statistics import difference_of_chips, reject_curve
from sim.published.three_draws import Measured, counts_of, errors, needed, rejects

IMAGES = 1000
COUNTS = counts_of(IMAGES)


def wrong(seeds: int, chips: int, seed: int = 0, apart: float = 0.0) -> np.ndarray:
    """Images of different difficulty, for trainings that are `apart` in error."""
    rng = np.random.default_rng(seed)
    hard_n, worse_s = rng.exponential(0.1, IMAGES), np.linspace(-apart / 2, apart / 2, seeds)
    shape = (seeds, chips, IMAGES)
    return rng.random(shape) < hard_n + worse_s[:, None, None]


def test_the_share_needed_is_that_of_the_reject_curve() -> None:
    rng = np.random.default_rng(1)
    for ties in (1, 50):
        lead = (rng.integers(0, IMAGES, IMAGES) // ties).astype(np.float32)
        found = rng.random(IMAGES) < np.exp(-lead * ties / 200) / 3
        for error in (0.0, 0.01, 0.05, 0.5):
            expected = reject_curve(lead, found).needed_for(error)
            assert needed(lead, found, np.ones((1, IMAGES), np.int64), error) == [1.0 if expected is None else expected]


def test_an_image_drawn_twice_counts_twice() -> None:
    lead, found = np.array([1, 2, 3, 4], np.float32), np.array([True, False, False, False])
    assert needed(lead, found, np.array([[1, 1, 1, 1], [2, 1, 0, 1], [0, 2, 1, 1]]), 0.0).tolist() == [0.25, 0.5, 0.0]


def test_without_a_spread_of_trainings_it_is_the_interval_over_chips_and_images() -> None:
    first, second = wrong(1, 16), wrong(1, 16, seed=2) & wrong(1, 16, seed=3)
    found = (errors(second, COUNTS) - errors(first, COUNTS)).interval
    expected = difference_of_chips(first[0], second[0])
    assert found.share == pytest.approx(expected.share)
    assert found.high - found.low == pytest.approx(expected.high - expected.low, rel=0.15)


def test_what_both_sides_share_cancels() -> None:
    one = errors(wrong(5, 16), COUNTS)
    found = (one - one).interval
    assert (found.share, found.low, found.high) == (0, 0, 0)


def test_a_side_without_chips_is_the_same_for_all() -> None:
    single, several = errors(wrong(5, 1), COUNTS), errors(wrong(5, 16, seed=4), COUNTS)
    assert (several - single).interval.share == pytest.approx(several.interval.share - single.interval.share)


def test_trainings_that_differ_widen_the_interval() -> None:
    narrow, wide = (errors(wrong(5, 16, apart=apart), COUNTS).interval for apart in (0.0, 0.1))
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng, covered, trials = np.random.default_rng(7), 0, 200
    counts = counts_of(200)
    for _ in range(trials):
        parts = (rng.normal(0, 0.05, (5, 1, 1)), rng.normal(0, 0.05, (1, 16, 1)), rng.normal(0, 0.3, (1, 1, 200)))
        values = 1.0 + sum(parts) + rng.normal(0, 0.3, (5, 16, 200))
        one = Measured(values.mean(axis=2), np.moveaxis(values @ counts.T / 200, 2, 0)).interval
        covered += one.low <= 1.0 <= one.high
    assert 0.9 <= covered / trials <= 0.995


def test_rejects_have_an_interval_too() -> None:
    lead = np.random.default_rng(5).random((5, 16, IMAGES)).astype(np.float32)
    one = rejects(lead, (wrong(5, 16) & (lead < 0.4)), COUNTS, 0.01).interval
    assert 0 < one.low < one.share < one.high < 0.4
