"""exp and tanh against Python's decimal arithmetic; their bits depend on the element alone."""

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anna.engine import simd_levels
from anna.native import exact_math

TYPES = [np.float32, np.float64]


def decimal_exp(x):
    return Decimal(float(x)).exp()


def decimal_tanh(x):
    twice = (2 * Decimal(float(x))).exp()
    return (twice - 1) / (twice + 1)


def units_off(got, exact, dtype):
    """Distance from the exact value in units of the last place of the nearest number of this type."""
    return abs(Decimal(float(got)) - exact) / Decimal(float(np.spacing(abs(dtype(exact)))))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(("function", "truth", "reach"), [("exp", decimal_exp, 80.0), ("tanh", decimal_tanh, 12.0)])
def test_the_error_is_below_two_units_in_the_last_place(dtype, function, truth, reach):
    rng = np.random.Generator(np.random.PCG64(5))
    points = np.concatenate([np.linspace(-reach, reach, 801), rng.uniform(-1, 1, 800), rng.standard_normal(400) * 1e-3])
    points = points.astype(dtype)
    got = getattr(exact_math, function)(points)
    assert got.dtype == dtype
    with localcontext() as context:
        context.prec = 50
        worst = max(units_off(y, truth(x), dtype) for x, y in zip(points, got, strict=True) if x)
    assert worst < 2


@pytest.mark.parametrize("dtype", TYPES)
def test_the_ends_of_the_range(dtype):
    with np.errstate(all="raise", under="ignore"):
        got = exact_math.exp(np.array([-np.inf, np.inf, np.nan, 0.0, -0.0, -1e4, 1e4], dtype))
        assert got[:2].tolist() == [0.0, math.inf]
        assert np.isnan(got[2])
        assert got[3:].tolist() == [1.0, 1.0, 0.0, math.inf]
        squashed = exact_math.tanh(np.array([-np.inf, np.inf, np.nan, 0.0, -0.0, 1e4], dtype))
    assert squashed[:2].tolist() == [-1.0, 1.0]
    assert np.isnan(squashed[2])
    assert [math.copysign(1, v) for v in squashed[3:5]] == [1, -1]
    assert squashed[5] == 1


def test_exp_reaches_down_into_the_subnormal_numbers():
    assert exact_math.exp(np.float64(-744.0)) == pytest.approx(math.exp(-744.0), rel=1e-1)
    assert 0 < exact_math.exp(np.float64(-745.0)) < 1e-322
    assert exact_math.exp(np.float32(-100.0)) > 0
    assert exact_math.exp(np.float64(709.7)) == pytest.approx(math.exp(709.7), rel=1e-12)


@pytest.mark.parametrize("function", ["exp", "tanh", "sigmoid"])
@pytest.mark.parametrize("dtype", TYPES)
def test_an_element_does_not_depend_on_its_neighbours(function, dtype):
    rng = np.random.Generator(np.random.PCG64(8))
    x = (rng.standard_normal(1003) * 5).astype(dtype)
    call = getattr(exact_math, function)
    together = call(x)
    assert np.array_equal(together[::-1], call(x[::-1]))
    assert np.array_equal(together[::7], call(x[::7]))
    assert all(together[n] == call(x[n : n + 1])[0] for n in range(0, 1003, 97))


@given(st.floats(-50, 50), st.floats(-50, 50))
@settings(max_examples=300, deadline=None)
def test_tanh_is_odd_and_the_squashes_do_not_fall(a, b):
    low, high = min(a, b), max(a, b)
    assert exact_math.tanh(np.float64(-a)) == -exact_math.tanh(np.float64(a))
    for squash in (exact_math.tanh, exact_math.sigmoid, exact_math.exp):
        at_low, at_high = squash(np.float64(low)), squash(np.float64(high))
        assert at_low <= at_high * (1 + 1e-15) if at_low > 0 else at_low <= at_high + 1e-15


def test_log_against_the_library():
    x = np.concatenate([np.linspace(1e-6, 3, 1001), np.geomspace(1, 1e300, 301)])
    assert exact_math.log(x) == pytest.approx(np.log(x), rel=1e-14, abs=1e-15)


def test_sigmoid_against_its_formula():
    x = np.linspace(-40, 40, 301)
    assert exact_math.sigmoid(x) == pytest.approx(1 / (1 + np.exp(-x)), rel=1e-14)


@pytest.mark.parametrize("simd", simd_levels())
@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("name", ["exp", "tanh"])
def test_the_engine_gives_the_bits_of_numpy(name: str, bits: int, simd: str) -> None:
    """On numbers of every size (random bits: NaN, infinities, subnormal ones among them) and where the curve bends."""
    unsigned, kind = np.dtype(f"u{bits // 8}"), np.dtype(f"f{bits // 8}").type
    rng = np.random.default_rng(0)
    any_bits = rng.integers(0, 1 << bits, 100_000, dtype=unsigned, endpoint=False).view(kind)
    special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 0.625, -0.625, 10, 20, 88.8, -104, 709.9, -745.9], kind)
    x = np.concatenate([any_bits, rng.normal(0, 1, 100_000).astype(kind), rng.normal(0, 60, 100_000).astype(kind), special])
    with np.errstate(all="ignore"):
        expected = getattr(exact_math, f"{name}_by_numpy")(x)
    found = exact_math._by_engine(name, x, simd)
    assert found is not None and found.dtype == x.dtype
    unknown = np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(found), unknown)
    np.testing.assert_array_equal(found.view(unsigned)[~unknown], expected.view(unsigned)[~unknown])


@pytest.mark.parametrize("dtype", TYPES)
def test_erf_against_the_library(dtype):
    points = np.concatenate([np.linspace(-7, 7, 2001), [0.0, 1.0, -1.0, 1e-30]]).astype(dtype)
    got = exact_math.erf(points)
    assert got.dtype == dtype
    assert got == pytest.approx([math.erf(x) for x in points], rel=float(4 * np.finfo(dtype).eps))
    assert np.isnan(exact_math.erf(np.array([np.nan], dtype)))
    assert exact_math.erf(np.array([-np.inf, np.inf])).tolist() == [-1.0, 1.0]
