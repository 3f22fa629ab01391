"""Prints the polynomials of `anna/native/thermal_tables.py`: what a random word becomes of a standard normal.

Each octave of a tail probability, from 2^-k to 2^-k-1, has a polynomial of degree four through the normal's quantiles at five
Chebyshev nodes. Numbers are rounded to the integers that the engine multiplies.
"""

import math
from collections.abc import Callable
from statistics import NormalDist

DEGREE = 4
Quantile = Callable[[float], float]


def through_nodes(quantile: Quantile) -> list[float]:
    """Coefficients, lowest power first, of the polynomial that meets a function of 0 to 1 at Chebyshev's nodes."""
    nodes = [(1 + math.cos(math.pi * (i + 0.5) / (DEGREE + 1))) / 2 for i in range(DEGREE + 1)]
    divided = [quantile(x) for x in nodes]  # Newton's differences
    for order in range(1, DEGREE + 1):
        for i in range(DEGREE, order - 1, -1):
            divided[i] = (divided[i] - divided[i - 1]) / (nodes[i] - nodes[i - order])
    power = [0.0] * (DEGREE + 1)
    for i in range(DEGREE, -1, -1):
        shifted = [0.0, *power[:-1]]
        power = [a - nodes[i] * b for a, b in zip(shifted, power, strict=True)]
        power[0] += divided[i]
    return power


def octave(least: float) -> list[float]:
    """Of how many standard deviations a normal exceeds with a probability of least to 2 least, a fraction between."""
    return through_nodes(lambda x: -NormalDist().inv_cdf(least * (1 + x)))


def body() -> list[list[int]]:
    """Octaves of t = 2^3 to 2^15, where the upper tail is t / 2^16: the first in 2^-14, the others in 2^-15."""
    rows = (octave(2.0 ** (k - 16)) for k in range(3, 15))
    return [[round(first * 2**14), *(round(c * 2**15) for c in others)] for first, *others in rows]


def tail() -> list[list[int]]:
    """Octaves of T = 1 to 2^35, where the upper tail is T / 2^49, in 2^-24."""
    return [[round(c * 2**24) for c in octave(2.0 ** (j - 49))] for j in range(36)]


def table(name: str, rows: list[list[int]]) -> str:
    """As Python."""
    return "\n".join([f"{name} = (", *(f"    ({', '.join(map(str, row))})," for row in rows), ")"])


if __name__ == "__main__":
    print(table("BODY", body()))
    print()
    print(table("TAIL_OCTAVES", tail()))
