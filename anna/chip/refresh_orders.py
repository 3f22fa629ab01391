"""Which DAC writes which synapse, and when: the orders that a refresh may have, one entry of `REFRESH_ORDERS` each.

Synapses are numbered row by row. Each DAC writes one in a cycle, and a period writes every synapse once.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

RefreshOrder = Literal["interleaved", "halves"]

Ints = NDArray[np.int64]

# Cycle of the period and DAC of each synapse, from its number, the number of DACs and the cycles that they write.
REFRESH_ORDERS: dict[RefreshOrder, Callable[[Ints, int, int], tuple[Ints, Ints]]] = {
    # row by row, with two DACs even columns by DAC 0 and odd ones by DAC 1
    "interleaved": lambda synapse, dacs, writes: np.divmod(synapse, dacs),
    # each DAC a block of rows
    "halves": lambda synapse, dacs, writes: np.divmod(synapse, writes)[::-1],
}
