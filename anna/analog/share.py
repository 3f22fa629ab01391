"""A share of a sum, in whole accumulator units: share x sum, rounded to nearest, halves up.

    interface   units(share) -> 2^-16 of the whole; part(sums, units) -> sums

The interpreter and the engine's kernels (`anna/native/wires.inc.h`) compute it alike, in integers. As sums are cut in two at 16
bits, no product leaves 32 bits for a sum within 32 and a share below one.
"""

from typing import Any

import numpy as np

from anna.chip.codes import Ints

BITS = 16
ONE = 1 << BITS
HALF = 1 << (BITS - 1)


def units(share: float) -> int:
    """A share in 2^-16, below one."""
    return min(round(share * ONE), ONE - 1)


def part(sums: Ints, share_units: Any) -> Ints:
    """That share of sums."""
    low = (sums & (ONE - 1)) * share_units
    return np.asarray((sums >> BITS) * share_units + ((low + HALF) >> BITS))
