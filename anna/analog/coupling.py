"""Coupling of neighbouring outputs: a summing wire takes a share of what the wires beside it carry in the same CALC.

    interface   sums of a CALC's neurons and each one's share -> what their wires carry
    ideal       the sums
    real        sum n + share x (sum n - 1 + sum n + 1), after the wires' limits, before all noise

The wires of the eight neurons are assumed to lie side by side in the order of the ADCs that convert them (A): the first and
the last have one neighbour, and a wire that a CALC does not use carries nothing. Only nearest neighbours couple, and once: the
share of a share, some share² of a sum, is left out.
"""

import numpy as np

from anna.analog import share
from anna.chip.codes import Ints


def coupled(sums: Ints, shares: Ints) -> Ints:
    """What the wires of one CALC carry; shares in 2^-16."""
    beside = np.zeros_like(sums)
    beside[1:] += sums[:-1]
    beside[:-1] += sums[1:]
    return np.asarray(sums + share.part(beside, shares))
