"""What is said of many points at once holds in 19 of 20 repetitions, whichever point happens to look best."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from anna.base.errors import DataError
from sim.base.contest import Label, Runs, Standing, front_band, may_be_best, standings
from sim.base.statistics import difference_of_chips, student_quantile

REPETITIONS = 1000
HARD = 0.05  # of images that every point misreads
CHANCE = 0.05 + 3 * math.sqrt(0.05 * 0.95 / REPETITIONS)  # the most failures that chance explains


def drawn(
    rng: np.random.Generator, errors: Sequence[float], chips: int = 8, images: int = 300, sigma: float = 0.01
) -> list[Runs]:
    """Points of these true errors on common images and chips; how much a chip errs beyond the mean differs at each."""
    hard = rng.random(images) < HARD
    found = []
    for error in errors:
        own = (error - HARD) / (1 - HARD) + rng.normal(0, sigma, (chips, 1))
        wrong = hard | (rng.random((chips, images)) < own)
        found.append(Runs(dict(enumerate(wrong))))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("errors", [[0.1] * 8, [0.08, 0.085, 0.09, 0.095, 0.1, 0.12, 0.15, 0.2]], ids=["equal", "apart"])
@pytest.mark.parametrize("chips", [2, 8])
def test_the_best_is_kept_and_none_is_worse_than_it_by_more_than_is_told(errors: list[float], chips: int) -> None:
    rng = np.random.default_rng(1)
    lost = beyond = both = 0
    for _ in range(REPETITIONS):
        found = standings(drawn(rng, errors, chips), [(0.0,)] * len(errors))
        missed = not found[int(np.argmin(errors))].may_be_best
        more = any(error - min(errors) > one.worse_at_most + 1e-12 for error, one in zip(errors, found, strict=True))
        lost, beyond, both = lost + missed, beyond + more, both + (missed or more)
    assert both / REPETITIONS < CHANCE, (lost, beyond)


def test_a_point_that_is_much_worse_is_not_kept() -> None:
    rng = np.random.default_rng(2)
    kept = [[one.may_be_best for one in standings(drawn(rng, [0.08, 0.09, 0.16]), [(0.0,)] * 3)] for _ in range(100)]
    assert sum(one[2] for one in kept) == 0
    assert sum(one[1] for one in kept) > 50


def test_without_costs_the_same_may_be_the_best() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        runs = drawn(rng, [0.08, 0.085, 0.09, 0.12, 0.16], chips=3)
        assert may_be_best(runs) == [one.may_be_best for one in standings(runs, [(0.0,)] * 5)]
    assert may_be_best(runs[:1]) == [True] and may_be_best([]) == []


ERRORS, COSTS = [0.20, 0.14, 0.14, 0.10, 0.12, 0.09], [(1.0,), (2.0,), (3.0,), (4.0,), (5.0,), (6.0,)]
ON = [0, 1, 3, 5]  # the true front


def test_what_is_said_to_be_on_or_off_the_front_is() -> None:
    """Two equal errors, of which one costs more, are never told apart: that one may stay open."""
    rng = np.random.default_rng(3)
    wrong = told = 0
    for _ in range(REPETITIONS):
        found = standings(drawn(rng, ERRORS), COSTS)
        wrong += any(one.label is (Label.OFF if i in ON else Label.ON) for i, one in enumerate(found))
        told += sum(one.label is not Label.OPEN for one in found)
    assert wrong / REPETITIONS < CHANCE
    assert told / REPETITIONS > 1.5


@pytest.mark.parametrize("chips", [1, 2, 8])
def test_the_band_covers_the_front(chips: int) -> None:
    """A single chip is told of as itself, so that chips are alike there."""
    rng, held = np.random.default_rng(4), 0
    truth = [min(ERRORS[: k + 1]) for k in range(len(ERRORS))]
    for _ in range(REPETITIONS):
        band = front_band(standings(drawn(rng, ERRORS, chips, sigma=0.0 if chips == 1 else 0.01), COSTS), COSTS)
        held += all(low <= error <= high for error, (_, _, low, high) in zip(truth, band, strict=True))
    assert held / REPETITIONS > 1 - CHANCE


def by_hand(*shares: float, images: int = 1000, seeds: Sequence[int] = (0, 1)) -> list[Runs]:
    """Points that misread the first images."""
    return [Runs({seed: np.arange(images) < round(share * images) for seed in seeds}) for share in shares]


def labels(found: list[Standing]) -> list[str]:
    return [one.label.name for one in found]


def test_labels_by_hand() -> None:
    found = standings(by_hand(0.5, 0.2, 0.3, 0.1), [(1.0,), (2.0,), (3.0,), (3.0,)])
    assert labels(found) == ["ON", "ON", "OFF", "ON"]
    assert [one.lowest for one in found] == [True, True, False, True]
    assert [one.may_be_best for one in found] == [False, False, False, True]
    assert [cost for cost, *_ in front_band(found, [(1.0,), (2.0,), (3.0,), (3.0,)])] == [1.0, 2.0, 3.0]


def test_a_point_that_errs_less_and_costs_more_beats_nobody() -> None:
    found = standings(by_hand(0.5, 0.2), [(1.0, 5.0), (2.0, 1.0)])
    assert labels(found) == ["ON", "ON"]


def test_of_two_equal_points_the_cheaper_is_the_lowest_and_none_is_sure() -> None:
    found = standings(by_hand(0.2, 0.2), [(1.0,), (2.0,)])
    assert labels(found) == ["ON", "OPEN"]
    assert [one.lowest for one in found] == [True, False]
    assert [one.may_be_best for one in found] == [True, True]


def test_twins_are_on_the_front_together() -> None:
    """A point that another one repeats, image by image and at the same cost, would never be sure otherwise."""
    found = standings(by_hand(0.2, 0.2, 0.4), [(1.0,), (1.0,), (2.0,)])
    assert labels(found) == ["ON", "ON", "OFF"]


def test_an_ideal_chip_is_paired_with_every_chip() -> None:
    ideal = Runs({0: np.arange(1000) < 100}, alike=True)
    drawn = by_hand(0.3, seeds=(5, 6, 7))[0]
    for runs in ([ideal, drawn], [drawn, ideal]):
        assert sorted(one.may_be_best for one in standings(runs, [(0.0,)] * 2)) == [False, True]


def test_points_are_paired_on_the_chips_that_both_have() -> None:
    """Otherwise a point whose chips are other ones would seem better or worse."""
    one = Runs({0: np.arange(100) < 50, 1: np.arange(100) < 2})
    other = Runs({1: np.arange(100) < 4, 2: np.arange(100) < 40})
    found = standings([one, other], [(0.0,)] * 2)
    paired = difference_of_chips(one.of([1]), other.of([1]))
    assert found[0].may_be_best and found[1].may_be_best
    assert found[1].worse_at_most < paired.high
    with pytest.raises(DataError, match="two points have no chip in common"):
        standings([one, Runs({3: np.arange(100) < 4})], [(0.0,)] * 2)


def test_looking_twice_asks_for_more() -> None:
    runs = drawn(np.random.default_rng(6), [0.08, 0.09])
    once, often = (standings(runs, [(0.0,)] * 2, looks)[1] for looks in (1, 20))
    assert often.worse_at_most > once.worse_at_most and often.band.high > once.band.high


def test_students_quantiles_are_those_of_the_tables() -> None:
    for freedom, outside, expected in [(7, 0.05, 2.3646), (7, 0.001, 5.4079), (1, 0.002, 318.31), (30, 0.01, 2.7500),
                                       (math.inf, 0.01, 2.5758)]:  # fmt: skip
        assert student_quantile(freedom, outside) == pytest.approx(expected, rel=1e-4)
