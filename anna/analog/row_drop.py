"""Voltage drop along a row: the line that feeds a row's synapses has resistance, so the far ones give less.

    interface   gain (columns) of a synapse by its place in the row
    ideal       ones
    real        1 - drop * share, the share of the last synapse's drop that a synapse has

Assumed (A): the driver sits at column 0, and each synapse steers a constant current, to one side of the differential sum or
the other, so that the current taken from the line does not depend on data. The piece of line before column c then carries the
current of all synapses from c on, and the share is a parabola, flat at the far end.

Left out: a synapse that takes less current for a smaller product. The drop then depends on data and lies between none and
this one, so a gain is off by at most `row_drop`, and a sum by at most `row_drop` times the sum of its products' magnitudes.
"""

import numpy as np

from anna.analog.parameters import Analog
from anna.chip.codes import Floats
from anna.chip.spec import ChipSpec


def gains(spec: ChipSpec, analog: Analog) -> Floats:
    """Gain of every synapse of a row, (columns)."""
    return np.asarray(1.0 - analog.row_drop * shares(spec.columns))


def shares(columns: int) -> Floats:
    """What part of the last synapse's drop each synapse of a row has: c (2n - 1 - c) of n (n - 1)."""
    column = np.arange(columns)
    return np.asarray(column * (2 * columns - 1 - column) / max(1, columns * (columns - 1)))
