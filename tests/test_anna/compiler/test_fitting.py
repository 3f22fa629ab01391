"""The compiled loops of choosing weights give what NumPy gives, to the last bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anna.compiler import exact, fitting

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, st.integers(1, 700), st.booleans())
def test_counts_and_sums_of_each_code_are_added_in_the_order_of_the_images(seed: int, count: int, cares: bool) -> None:
    rng = np.random.default_rng(seed)
    codes, target = rng.integers(0, 8, count, dtype=np.uint16), rng.normal(size=count)
    care = rng.integers(1, 16, count if cares else 0, dtype=np.uint8)
    heavy = care * target if cares else target
    counts, sums = np.zeros(8), np.zeros(8)
    square = fitting.gather(codes, target, care, counts, sums)
    assert counts.tolist() == np.bincount(codes, weights=care if cares else None, minlength=8).tolist()
    assert sums.tolist() == np.bincount(codes, weights=heavy, minlength=8).tolist()
    assert square == np.cumsum(heavy * target)[-1]


@given(SEEDS, st.sampled_from([np.float32, np.float64]), st.integers(1, 15), st.integers(1, 700))
def test_a_sum_is_the_code_of_the_limits_that_it_reaches(seed: int, kind: type, levels: int, positions: int) -> None:
    rng = np.random.default_rng(seed)
    sums = rng.integers(-40, 40, (2, 3, positions)).astype(kind)
    limits = np.sort(rng.integers(-40, 40, (3, levels)), axis=1).astype(np.float64)
    found = np.full(sums.shape, 99, np.uint16)
    fitting.convert(sums, limits, found)
    assert all((found[:, o] == np.searchsorted(limits[o], sums[:, o], side="right")).all() for o in range(3))


@given(SEEDS, st.sampled_from([np.float32, np.float64]), st.integers(1, 700), st.booleans())
def test_candidates_are_tallied_as_if_converted_first(seed: int, kind: type, count: int, cares: bool) -> None:
    rng = np.random.default_rng(seed)
    sums, owner = rng.integers(-40, 40, (4, count)).astype(kind), np.array([1, 0, 1, 1])
    limits, targets = np.sort(rng.integers(-40, 40, (4, 7)), axis=1).astype(np.float64), rng.normal(size=(2, count))
    care = rng.integers(1, 16, (2, count), dtype=np.uint8)
    heavy = care * targets if cares else targets
    counts, totals = np.zeros((4, 8)), np.zeros((4, 8))
    fitting.tally(sums, limits, heavy, care if cares else np.zeros((0, 1), np.uint8), owner, counts, totals)
    for c, o in enumerate(owner):
        codes = np.searchsorted(limits[c], sums[c], side="right")
        assert counts[c].tolist() == np.bincount(codes, weights=care[o] if cares else None, minlength=8).tolist()
        assert totals[c].tolist() == np.bincount(codes, weights=heavy[o], minlength=8).tolist()


@pytest.mark.parametrize("power", [-1100, -1074, -1000, -999, -60, 0, 60, 970])
def test_an_array_times_a_power_of_two_is_rounded_as_ldexp_rounds_it(power: int) -> None:
    array = np.random.default_rng(1).normal(size=500) * 2.0 ** np.arange(-250, 250).clip(-200, 50)
    assert np.array_equal(exact.scaled(array, power), np.ldexp(array, power))


@given(SEEDS, st.integers(1, 9), st.integers(1, 300), st.booleans())
def test_means_of_products_of_short_numbers_are_those_of_exact_ones(seed: int, size: int, count: int, single: bool) -> None:
    rng = np.random.default_rng(seed)
    inputs = np.zeros((-(-size // 4) * 4, count), np.int16)
    inputs[:size] = rng.integers(-127, 128, (size, count))
    care, found = rng.integers(1, 16, count, dtype=np.uint8), np.empty((size, size))
    fitting.gram(inputs, inputs * care, float(care.sum()), single, found)
    held, kind = inputs[:size].astype(np.int64), np.float32 if single else np.float64
    assert found.tolist() == ((held * care @ held.T).astype(kind) / kind(care.sum())).astype(np.float64).tolist()
