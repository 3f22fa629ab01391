"""A gradient across the die: synapses multiply by a little more the farther they lie in one direction.

    interface   slopes (2): how far apart the gains of opposite edges of the array are, along x and along y
                -> gain (rows, columns) of each synapse
    ideal       ones
    real        1 + slope along x * x + slope along y * y

Assumed (A): the array is drawn as it is numbered, columns from left to right along x and rows from top to bottom along y,
evenly spaced from -1/2 to +1/2 whatever their number. The slopes are independent, so every direction is equally likely. The
gain of the array's centre is one: what all synapses have in common cannot be told from the scale.
"""

import numpy as np

from anna.analog.draws import Draws, Part
from anna.analog.parameters import Analog
from anna.chip.codes import Floats
from anna.chip.spec import ChipSpec


def drawn_slopes(spec: ChipSpec, analog: Analog, draws: Draws) -> Floats:
    """Slopes of one die along x and y."""
    return analog.gain_gradient * draws.normals(Part.GRADIENT, 2)


def gains(spec: ChipSpec, slopes: Floats) -> Floats:
    """Gain of every synapse, (rows, columns)."""
    return np.asarray(1.0 + slopes[0] * _across(spec.columns) + slopes[1] * _across(spec.rows)[:, None])


def _across(count: int) -> Floats:
    """Places from edge to edge; a single one lies in the middle."""
    return np.asarray(np.arange(count) / (count - 1) - 0.5 if count > 1 else np.zeros(1))
