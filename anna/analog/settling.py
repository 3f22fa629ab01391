"""Incomplete settling: at the end of a CALC a summing wire still holds a share of what it carried in the CALC before.

    interface   sums of a CALC, what the same wires carried last, and each one's share -> what the ADCs see
    ideal       the sums
    real        sum + share x (last - sum), after coupling, before all noise

`last` is what the wire of the same neuron carried (limited and coupled, not what was seen of it) in the last CALC of the
segment that has this neuron. A segment begins with wires that carry nothing: a page load is a hundred times as long as a CALC.
Nothing else touches it: not SHIFT, STORE, OUT, RFSH or waiting, nor the images before, whose segments may lie between.

A wire settles exponentially (A), so the share falls with the time that a CALC takes: `sum_unsettled` is what is left after
200 ns, four cycles at 20 MHz; at half that clock its square. What is left of the CALC before the last, a share², is left out.
"""

import numpy as np

from anna.analog import share
from anna.analog.parameters import Analog
from anna.chip.codes import Ints
from anna.chip.spec import ChipSpec
from anna.native.exact_math import exp, log

CALC_NS = 200.0  # of the definition of `sum_unsettled`


def left_units(spec: ChipSpec, analog: Analog) -> int:
    """What is left at the end of this chip's CALC, in 2^-16."""
    if not analog.sum_unsettled:
        return 0
    calc_ns = spec.calc_cycles * 1e9 / spec.clock_hz
    return share.units(float(exp(log(np.array([analog.sum_unsettled])) * (calc_ns / CALC_NS))[0]))


def seen(sums: Ints, last: Ints, shares: Ints) -> Ints:
    """What the ADCs see; shares in 2^-16."""
    return np.asarray(sums + share.part(last - sums, shares))
