"""exp, log, tanh, atanh, erf from + - * / and exact scaling by powers of two: the same bits on every machine.

The exp and tanh of libm and NumPy differ between machines and SIMD levels in the last bit. Every step here is one IEEE 754
operation on whole arrays, which leaves nothing to choose. Errors are below 2 units in the last place in float64 and
float32, as tests check. The rational approximations are those of S. Moshier, Methods and Programs for Mathematical
Functions (Cephes), 1989.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]


def _floats(x: npt.ArrayLike) -> Floats:
    array = np.asarray(x)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    return array


def _polynomial(x: Floats, coefficients: tuple[float, ...]) -> Floats:
    """Horner's rule, highest power first, in the type of x."""
    kind = x.dtype.type
    total = np.full_like(x, kind(coefficients[0]))
    for coefficient in coefficients[1:]:
        total *= x
        total += kind(coefficient)
    return total


def _power_of_two(n: npt.NDArray[np.integer[Any]], dtype: np.dtype[Any]) -> Floats:
    """2**n, exactly, for n in the range of normal numbers: the exponent field is written."""
    if dtype == np.float32:
        return ((n.astype(np.int32) + np.int32(127)) << np.int32(23)).view(np.float32)
    return ((n.astype(np.int64) + np.int64(1023)) << np.int64(52)).view(np.float64)


_LOG2_E = 1.4426950408889634
_LN2 = {
    np.dtype(np.float64): (6.93145751953125e-1, 1.42860682030941723212e-6),
    np.dtype(np.float32): (0.693359375, -2.12194440e-4),
}
_EXP_P = (1.26177193074810590878e-4, 3.02994407707441961300e-2, 9.99999999999999999910e-1)
_EXP_Q = (3.00198505138664455042e-6, 2.52448340349684104192e-3, 2.27265548208155028766e-1, 2.0)
_EXP_32 = (
    1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
)  # fmt: skip
_EXP_RANGE = {np.dtype(np.float64): (-746.0, 710.0), np.dtype(np.float32): (-104.0, 89.0)}


def _by_engine(name: str, x: Floats, simd: str | None = None) -> Floats | None:
    """The same operations in C, if the engine is built."""
    from anna.native.float_sums import engine

    native = engine()
    if native is None:
        return None
    flat = np.ascontiguousarray(x).reshape(-1)
    out = np.empty_like(flat)
    getattr(native, name)(simd or native.levels()[0], flat, out)
    return out.reshape(x.shape)


def exp(x: npt.ArrayLike) -> Floats:
    """e**x; infinity above the range, 0 below it, NaN stays NaN. float32 in, float32 out; anything else is float64."""
    x = _floats(x)
    done = _by_engine("exp", x)
    return exp_by_numpy(x) if done is None else done


def exp_by_numpy(x: Floats) -> Floats:
    """The definition of `exp`."""
    kind = x.dtype.type
    low, high = _EXP_RANGE[x.dtype]
    unknown = np.isnan(x)
    held = np.where(unknown, kind(0), np.minimum(np.maximum(x, kind(low)), kind(high)))
    n = np.floor(held * kind(_LOG2_E) + kind(0.5))
    for part in _LN2[x.dtype]:
        held = held - n * kind(part)
    if x.dtype == np.float64:
        square = held * held
        top = held * _polynomial(square, _EXP_P)
        mantissa = 1.0 + 2.0 * (top / (_polynomial(square, _EXP_Q) - top))
    else:
        mantissa = _polynomial(held, _EXP_32) * (held * held) + held + kind(1)
    # two factors, so that subnormal results and those near the top are scaled exactly
    power = n.astype(np.int64)
    first = power >> 1
    with np.errstate(over="ignore", under="ignore"):
        result = mantissa * _power_of_two(first, x.dtype) * _power_of_two(power - first, x.dtype)
    return np.where(unknown, kind(np.nan), result)


_TANH_P = (-9.64399179425052238628e-1, -9.92877231001918586564e1, -1.61468768441708447952e3)
_TANH_Q = (1.0, 1.12811678491632931402e2, 2.23548839060100448583e3, 4.84406305325125486048e3)
_TANH_32 = (-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1)
_TANH_SMALL = 0.625
_TANH_FLAT = {np.dtype(np.float64): 20.0, np.dtype(np.float32): 10.0}  # tanh is 1 to the last bit from here on


def tanh(x: npt.ArrayLike) -> Floats:
    """The hyperbolic tangent; NaN stays NaN. float32 in, float32 out; anything else is float64."""
    x = _floats(x)
    done = _by_engine("tanh", x)
    return tanh_by_numpy(x) if done is None else done


def tanh_by_numpy(x: Floats) -> Floats:
    """The definition of `tanh`."""
    kind = x.dtype.type
    size = np.abs(x)
    small = np.minimum(size, kind(_TANH_SMALL))
    square = small * small
    if x.dtype == np.float64:
        near = small + small * (square * (_polynomial(square, _TANH_P) / _polynomial(square, _TANH_Q)))
    else:
        near = small + small * (square * _polynomial(square, _TANH_32))
    far = kind(1) - kind(2) / (_exp_of_moderate(np.minimum(size, kind(_TANH_FLAT[x.dtype])) * kind(2)) + kind(1))
    return np.copysign(np.where(size < kind(_TANH_SMALL), near, far), x)


def _exp_of_moderate(x: Floats) -> Floats:
    """exp for 0..40, without special cases at the ends of the range; NaN stays NaN."""
    kind = x.dtype.type
    n = np.floor(np.where(x == x, x, kind(0)) * kind(_LOG2_E) + kind(0.5))
    high, low = _LN2[x.dtype]
    rest = x - n * kind(high) - n * kind(low)
    if x.dtype == np.float64:
        square = rest * rest
        top = rest * _polynomial(square, _EXP_P)
        mantissa = 1.0 + 2.0 * (top / (_polynomial(square, _EXP_Q) - top))
    else:
        mantissa = _polynomial(rest, _EXP_32) * (rest * rest) + rest + kind(1)
    return mantissa * _power_of_two(n.astype(np.int64), x.dtype)


def sigmoid(x: npt.ArrayLike) -> Floats:
    """1 / (1 + e**-x), through the exp of a negative number for either sign, so that nothing overflows."""
    x = _floats(x)
    kind = x.dtype.type
    part = exp(-np.abs(x))
    return np.where(x >= 0, kind(1) / (kind(1) + part), part / (kind(1) + part))


_ATANH_TERMS = tuple(1.0 / power for power in range(25, -1, -2))


def atanh(x: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The inverse of tanh for -1 < x < 1, in float64."""
    array = np.asarray(x, dtype=np.float64)
    return _half_log((1.0 + array) / (1.0 - array))


def log(x: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The natural logarithm of positive finite numbers, in float64."""
    return 2.0 * _half_log(np.asarray(x, dtype=np.float64))


def _half_log(x: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    mantissa, exponent = np.frexp(x)
    s = (mantissa - 0.75) / (mantissa + 0.75)  # log(mantissa / 0.75) = 2 atanh(s), |s| <= 1/5
    series = _polynomial(s * s, _ATANH_TERMS)
    log2, log_three_quarters = 0.6931471805599453, -0.2876820724517809
    result: npt.NDArray[np.float64] = s * series + (exponent * log2 + log_three_quarters) / 2.0
    return result


# Fitted for this file (Chebyshev, 40 digits): erf(x) / x in x**2 for x up to 1, and erfc(x) exp(x**2) in
# u = (t - 11/24) / (5/24), t = 2 / (2 + x), for 1 to 6; the fits err by less than 4e-16.
_ERF_NEAR = (
    9.4285969568341643e-9, -1.51882812473351669e-7, 1.63103565138717414e-6, -0.0000149133009063163957, 0.000120546819183105988,
    -0.000854830487178274063, 0.00522397715410530472, -0.0268661705864968724, 0.112837916705804224, -0.376126389031744003,
    1.12837916709551219,
)  # fmt: skip
_ERF_FAR = (
    1.86209898068151617e-11, -7.29050853516539748e-11, -2.63424302100066881e-10, 2.6223500325142788e-9, -5.92636131528183e-10,
    -7.00517020547537375e-8, 1.63501023720879839e-7, 1.97956115820926427e-6, -7.34051828499986927e-6, -0.0000807922041180412827,
    0.000197139177760088895, 0.00558881628182587813, 0.0385605704251815636, 0.161893568041025353, 0.221429540229931806,
)  # fmt: skip
_ERF_FLAT = 6.0  # erf is 1 to the last bit from here on


def erf(x: npt.ArrayLike) -> Floats:
    """The error function; NaN stays NaN. float32 in, float32 out; anything else is float64."""
    given = _floats(x)
    size = np.minimum(np.abs(given).astype(np.float64), _ERF_FLAT)
    near = np.minimum(size, 1.0)
    small = near * _polynomial(near * near, _ERF_NEAR)
    far = np.maximum(size, 1.0)
    u = (2.0 / (2.0 + far) - 11.0 / 24.0) / (5.0 / 24.0)
    large = 1.0 - exp(-far * far) * _polynomial(u, _ERF_FAR)
    return np.copysign(np.where(size < 1.0, small, large), given).astype(given.dtype)
