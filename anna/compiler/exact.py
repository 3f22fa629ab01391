"""Exact sums of products: whole numbers in floats, so that the order of a sum cannot matter.

A product of matrices of whole numbers is exact as long as every partial sum stays below 2^24 (float32) or 2^53 (float64),
in whatever order a library adds. Floats are converted to fixed-point numbers of 20 bits. So everything that decides a
program's bytes is the same on every machine, and as fast as the library.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.native.loader import compiled

Floats = NDArray[np.float64]
FIXED_BITS = 20


def fixed(array: Floats, bits: int = FIXED_BITS) -> tuple[Floats, int]:
    """Whole numbers below 2^bits, and the power of two that the array was multiplied by."""
    power = fixed_power(array, bits)
    return np.rint(scaled(np.asarray(array, dtype=np.float64), power)), power


def scaled(array: Floats, power: int) -> Floats:
    """An array times 2^power: by a product, which rounds as little and is many times as fast, where that is a float."""
    found: Floats = array * math.ldexp(1.0, power) if abs(power) < 1000 else np.ldexp(array, power)
    return found


def fixed_power(array: Floats, bits: int = FIXED_BITS) -> int:
    """The power of two by which an array's largest number stays below 2^bits; 0 if all are zeros."""
    largest = max(float(array.max(initial=0.0)), -float(array.min(initial=0.0)))
    return bits - int(np.frexp(largest)[1]) if largest else 0


def product(a: NDArray[Any], b: NDArray[Any], bound: float) -> NDArray[Any]:
    """a @ b of whole numbers; `bound` is at least the largest sum of absolute products."""
    if bound < 1 << 24:
        return a.astype(np.float32, copy=False) @ b.astype(np.float32, copy=False)
    if bound >= 1 << 53:
        return (a.astype(np.int64) @ b.astype(np.int64)).astype(np.float64)
    return a.astype(np.float64, copy=False) @ b.astype(np.float64, copy=False)


@dataclass(frozen=True)
class Line:
    """The (weighted) least-squares line through targets over states."""

    gain: float
    mean_state: float
    mean_target: float
    power: float  # mean square of the target about its mean
    error: float  # mean square of the residual
    live: bool  # whether states and targets rise together

    @property
    def offset(self) -> float:
        """The target at state 0."""
        return self.mean_target - self.gain * self.mean_state


def line(levels: Floats, codes: NDArray[np.uint16], target: Floats, care: NDArray[np.uint8] | None) -> Line:
    """Fit target = gain x level + offset. Sums are per code, each in the order of the images."""
    counts, sums = np.zeros(len(levels)), np.zeros(len(levels))
    rows = [np.ascontiguousarray(row) for row in (codes, target, np.zeros(0, np.uint8) if care is None else care)]
    square: float = compiled("anna.compiler.fitting").gather(*rows, counts, sums)
    n = float(counts.sum())  # whole numbers
    # Few codes: exact products added one after the other. (cumsum adds in order; sum may not.)
    mean_s = float(np.cumsum(counts * levels)[-1]) / n
    mean_t = float(np.cumsum(sums)[-1]) / n
    away = levels - mean_s
    variance = float(np.cumsum(counts * (away * away))[-1]) / n
    covariance = float(np.cumsum(sums * away)[-1]) / n
    power = max(0.0, square / n - mean_t * mean_t)
    live = variance > 1e-12 and covariance > 0
    gain = covariance / variance if live else 0.0
    return Line(gain, mean_s, mean_t, power, max(0.0, power - gain * covariance), live)


@dataclass(frozen=True, eq=False)
class Targets:
    """Targets for `line_errors`, a row each, with sums that do not depend on the states."""

    values_rn: Floats
    care_rn: NDArray[np.uint8] | None
    heavy_rn: Floats  # times care
    square_r: Floats  # sum of care x target^2

    @classmethod
    def of(cls, values_rn: Floats, care_rn: NDArray[np.uint8] | None) -> "Targets":
        """Rows of targets, and of how much each counts."""
        heavy = values_rn if care_rn is None else care_rn * values_rn
        # In the order of the images; a plain sum may use another.
        return cls(values_rn, care_rn, heavy, np.cumsum(heavy * values_rn, axis=1)[:, -1])

    def errors(self, levels: Floats, counts: NDArray[Any], sums: NDArray[Any], row_c: NDArray[np.int64]) -> Floats:
        """What the best line leaves of each candidate's targets, given how often it has each code and their sums there."""
        count = counts.sum(axis=1)  # whole numbers
        mean_s = np.cumsum(counts * levels, axis=1)[:, -1] / count
        mean_t = np.cumsum(sums, axis=1)[:, -1] / count
        away = levels - mean_s[:, None]
        variance = np.cumsum(counts * (away * away), axis=1)[:, -1] / count
        covariance = np.cumsum(sums * away, axis=1)[:, -1] / count
        power = np.maximum(0.0, self.square_r[row_c] / count - mean_t * mean_t)
        live = (variance > 1e-12) & (covariance > 0)
        gain = np.where(live, covariance / np.where(live, variance, 1.0), 0.0)
        left: Floats = np.maximum(0.0, power - gain * covariance)
        return left


def line_errors(levels: Floats, codes_cn: NDArray[np.uint16], targets: Targets, row_c: NDArray[np.int64]) -> Floats:
    """The error that `line` gives, for many candidates, each with the row of its targets; the same sums in the same order."""
    rows = len(codes_cn)
    where = (codes_cn + np.arange(rows)[:, None] * len(levels)).reshape(-1)
    weights = None if targets.care_rn is None else targets.care_rn[row_c].reshape(-1)
    counts = np.bincount(where, weights=weights, minlength=rows * len(levels)).reshape(rows, -1)
    sums = np.bincount(where, weights=targets.heavy_rn[row_c].reshape(-1), minlength=rows * len(levels)).reshape(rows, -1)
    return targets.errors(levels, counts, sums, row_c)


def total(array: NDArray[np.floating], axis: int | tuple[int, ...] | None = None) -> Floats:
    """A sum of floats, each rounded to 30 bits of the largest; exact after that, up to 2^23 terms."""
    rounded, power = fixed(np.asarray(array, dtype=np.float64), 30)
    return scaled(np.asarray(rounded.sum(axis=axis)), -power)


def decibels(ratio: float) -> float:
    """10 log10 of a positive ratio, from + - * / alone: it is written into programs."""
    mantissa, exponent = math.frexp(ratio)
    # ln m = 2 atanh s with s = (m - 1) / (m + 1), |s| <= 1/3
    s = (mantissa - 1.0) / (mantissa + 1.0)
    series = 0.0
    for power in range(33, -1, -2):
        series = series * (s * s) + 1.0 / power
    return 4.342944819032518 * (2.0 * s * series + exponent * 0.6931471805599453)
