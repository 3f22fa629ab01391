"""Exact sums of products: whole numbers in floats, so that the order of a sum cannot matter.

A product of matrices of whole numbers is exact as long as every partial sum stays below 2^24 (float32) or 2^53 (float64),
in whatever order a library adds. Floats enter as fixed-point numbers of 20 bits. So everything that decides a program's
bytes is the same on every machine, and still as quick as the library.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FIXED_BITS = 20


def fixed(array: Floats, bits: int = FIXED_BITS) -> tuple[Floats, int]:
    """Whole numbers below 2^bits and the power of two that they were multiplied with."""
    largest = float(np.abs(array).max(initial=0.0))
    if largest == 0.0:
        return np.zeros_like(array, dtype=np.float64), 0
    _, exponent = np.frexp(largest)
    power = bits - int(exponent)
    return np.rint(np.ldexp(np.asarray(array, dtype=np.float64), power)), power


def product(a: NDArray[Any], b: NDArray[Any], bound: float) -> NDArray[Any]:
    """a @ b of whole numbers; `bound` is at least the largest sum of absolute products."""
    if bound < 1 << 24:
        return a.astype(np.float32, copy=False) @ b.astype(np.float32, copy=False)
    if bound >= 1 << 53:
        return (a.astype(np.int64) @ b.astype(np.int64)).astype(np.float64)
    return a.astype(np.float64, copy=False) @ b.astype(np.float64, copy=False)


def float_product(a: Floats, b: Floats) -> Floats:
    """a @ b of floats, both rounded to 20 bits of their largest number; exact after that."""
    a_fixed, a_power = fixed(a)
    b_fixed, b_power = fixed(b)
    # 20 + 20 bits and up to 2^13 terms stay below 2^53.
    assert a.shape[-1] <= 1 << 13, "a sum of more than 8192 products"
    return np.ldexp(np.asarray(a_fixed @ b_fixed, dtype=np.float64), -(a_power + b_power))


def total(array: NDArray[np.floating], axis: int | tuple[int, ...] | None = None) -> Floats:
    """A sum of floats, each rounded to 30 bits of the largest; exact after that up to 2^23 terms."""
    whole, power = fixed(np.asarray(array, dtype=np.float64), 30)
    found: Floats = np.ldexp(whole.sum(axis=axis), -power)
    return found
