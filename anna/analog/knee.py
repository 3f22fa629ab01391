"""A soft knee of the summing wire: it compresses a sum smoothly as it nears what the wire can carry.

    interface   what lies behind the knee, thresholds above all -> the sum before it that just reaches it
    ideal       the same
    real        a sum s becomes s / sqrt(1 + (s / limit)^2), either sign (A: the law); it never gets to the limit

The law rises strictly, so a sum reaches a threshold just if it reaches the threshold's image under the inverse law, t /
sqrt(1 - (t / limit)^2); a threshold at the limit or beyond is never passed, and one at minus the limit or below always is.
The knee is therefore folded into the thresholds, exactly, and the evaluators need not know of it.

Noise of the wire arises before the knee and is treated exactly. Noise of the converter, slow or not, arises behind it, where
the slope is less than one; it is added before the knee as if the slope were one. At a threshold t it is too small by a factor
of (1 - (t / limit)^2)^(3/2): by half at t = 0.61 limit. The hard limit of a sum (`sum_limit`), coupling and settling come
first.
"""

import numpy as np

from anna.analog import summing
from anna.analog.parameters import Analog
from anna.chip.codes import Floats
from anna.chip.spec import ChipSpec

NEVER = float(1 << 62)  # accumulator units: every sum with its noise is smaller


def limit_units(spec: ChipSpec, analog: Analog) -> float | None:
    """What a compressed sum approaches, in accumulator units; None: no knee."""
    return None if analog.sum_knee is None else analog.sum_knee * summing.full_drive_units(spec)


def before(compressed: Floats, limit: float) -> Floats:
    """The sums that the knee turns into these."""
    share = np.clip(compressed / limit, -1.0, 1.0)
    rest = np.sqrt(1.0 - share * share)
    reached = compressed / np.where(rest > 0.0, rest, 1.0)
    return np.clip(np.where(rest > 0.0, reached, share * NEVER), -NEVER, NEVER)


def after(sums: Floats, limit: float) -> Floats:
    """What the knee makes of sums."""
    share = sums / limit
    return np.asarray(sums / np.sqrt(1.0 + share * share))
