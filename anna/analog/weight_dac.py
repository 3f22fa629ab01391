"""The weight DACs: a weight code becomes a charge, and no two DACs agree.

    interface   levels (dacs, codes), in weight LSB: what each DAC writes for each code
    ideal       the levels of the codes
    real        gain x level + bow (integral non-linearity) + error of each step (differential)

The bow is a curve over the level as a share of the largest magnitude, zero at -1, 0 and +1 (A): it adds no gain, and an
unused synapse carries no current. Mid-tread codes end at -32 and +31, so it is zero at the lowest level but not at the
highest, which lies a level short of where it would be: there it is at most 0.2312 of the largest value (6 bits), 0.15 rms
over dies. Mid-rise codes are symmetric, and it is zero at both ends. Presets with a version hold this law, so it stays.
"""

import numpy as np

from anna.analog.draws import Draws, Part, Strength
from anna.analog.parameters import Analog
from anna.chip import codes
from anna.chip.codes import Floats
from anna.chip.spec import ChipSpec


def ideal_levels(spec: ChipSpec) -> Floats:
    """What the codes stand for, for every DAC."""
    return np.tile(codes.weight_converter(spec).numerators / 2.0, (spec.dacs, 1))


def drawn_levels(spec: ChipSpec, analog: Analog, draws: Draws) -> Floats:
    """What the DACs of one die write."""
    levels = ideal_levels(spec)
    apart = analog.dac_gain_apart * draws.strength(Strength.GAIN_APART, analog.dac_die_spread)
    gains = spread_gains(apart, draws.normals(Part.DAC_ORDER, spec.dacs))
    inl_lsb = analog.dac_inl_lsb * draws.strength(Strength.INL, analog.dac_die_spread)
    bows = bow(levels[0], draws.normals(Part.DAC_BOW, spec.dacs, 2))
    # A step is the difference of two levels: errors of 1/sqrt 2 each make one of 1.
    steps = draws.normals(Part.DAC_STEP, *levels.shape) * 0.7071067811865476
    anchored = np.where(levels == 0.0, 0.0, inl_lsb * bows + analog.dac_dnl_lsb * steps)
    return levels * gains[:, None] + anchored


def spread_gains(spread: float, order: Floats) -> Floats:
    """Gains evenly from 1 - spread/2 to 1 + spread/2, in a drawn order."""
    if len(order) == 1:
        return np.ones(1)
    rank = np.argsort(np.argsort(order, kind="stable"), kind="stable")
    return 1.0 + spread * (rank / (len(order) - 1) - 0.5)


def bow(levels: Floats, shares: Floats) -> Floats:
    """A smooth curve for each DAC, an even and an odd share of a quartic and a cubic; its largest value is one, and it is zero
    at no level, at the largest magnitude, and at the same with the other sign if there is such a level."""
    u = levels / np.abs(levels).max()
    square = u * u
    curves = shares[:, :1] * (square * (1.0 - square)) + shares[:, 1:] * (u * (1.0 - square))
    largest = np.abs(curves).max(axis=1, keepdims=True)
    return np.where(largest > 0, curves / np.where(largest > 0, largest, 1.0), 0.0)
