"""A page segment being scheduled: what the schedulers of both kinds of chip take and give."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anna.program.isa import Op
from anna.program.issued import Issued

NEVER = 1 << 60  # a cycle that does not come


@dataclass(frozen=True, eq=False)
class Load:
    """A SHIFT, once the OUT with number `after` (-1: none) has written the last of its states."""

    op: Op
    addresses: NDArray[np.int64]
    after: int = -1


@dataclass(frozen=True, eq=False)
class Segment:
    """A page segment's instructions, the cycles of each of its scans, and of all."""

    issued: Issued
    spans: list[tuple[int, int]]
    cycles: int
