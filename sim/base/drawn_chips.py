"""What some drawn chips say of all chips: quantiles and the share within a limit, each with a 95 % interval, and a paired test.

Nothing is assumed of the shape of a distribution over chips: quantiles are bounded by order statistics.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import MachineError
from anna.base.integers import checked_integer
from sim.base.statistics import Bools, Interval, RejectCurve, crossed_mean, difference, mcnemar, mean, student_p, wilson

MOST_CHIPS = 1_000_000
MOST_READINGS = 1 << 27  # images that all chips of a kind read: a label of 8 bytes is kept of each
TAIL = 0.025  # outside each end of an interval


def checked_chips(chips: object, images: int, least: int = 1) -> int:
    """How many chips are drawn; raises before there is a label for each image of each."""
    number = checked_integer("chips", chips, least, MOST_CHIPS)
    if number * images > MOST_READINGS:
        raise MachineError(
            f"{number:,} chips on {images:,} images read {number * images:,}; expected at most {MOST_READINGS:,}: draw fewer "
            "chips, or take fewer images"
        )
    return number


@dataclass(frozen=True)
class Quantile:
    """A quantile over chips; an end is None where so few chips cannot bound it."""

    value: float
    low: float | None
    high: float | None


def binomial(trials: int, share: float) -> list[float]:
    """The probabilities of at most 0, 1, ... successes, for a share between 0 and 1."""
    ways, won, lost = math.lgamma(trials + 1), math.log(share), math.log1p(-share)
    terms = (ways - math.lgamma(k + 1) - math.lgamma(trials - k + 1) + k * won + (trials - k) * lost for k in range(trials + 1))
    return list(accumulate(map(math.exp, terms)))


def quantile(values: Sequence[float], share: float) -> Quantile:
    """The value that this share of chips do not exceed (the mean of two where it lies between them). Its interval ends at
    the order statistics beyond which it lies in at most 2.5 % of draws (Conover, Practical Nonparametric Statistics)."""
    ordered, n = sorted(values), len(values)
    place = round(share * n, 9)
    first = math.ceil(place)
    value = (ordered[first - 1] + ordered[min(n - 1, first)]) / 2 if first == place else ordered[first - 1]
    at_most = binomial(n, share)
    low = [k for k in range(n) if at_most[k] <= TAIL]
    high = [k for k in range(n) if 1.0 - at_most[k] <= TAIL]
    return Quantile(value, ordered[low[-1]] if low else None, ordered[high[0]] if high else None)


def good_share(values: Sequence[float], limit: float) -> Interval:
    """The share of chips at or below a limit, with Wilson's interval."""
    return wilson(sum(value <= limit for value in values) / len(values), len(values))


def worse_than_worst(chips: int) -> float:
    """The largest share of all chips that may be worse than the worst of so many (95 % confidence)."""
    return -math.expm1(math.log(2 * TAIL) / chips)


@dataclass(frozen=True)
class Needed:
    """The share of images to reject for an error: over the chips on which some share is enough, and on how many none is."""

    mean: float | None
    std: float | None  # from chip to chip; None for a single one
    never: int


@dataclass(frozen=True, eq=False)
class Rejects:
    """Error against rejects of each chip."""

    curves: tuple[RejectCurve, ...]

    def needed_for(self, error: float) -> Needed:
        """What it takes that the rest have at most this error."""
        every = [curve.needed_for(error) for curve in self.curves]
        shares = [share for share in every if share is not None]
        return Needed(mean(shares) if shares else None, deviation(shares), len(every) - len(shares))

    def error_at(self, rejected: NDArray[np.float64]) -> NDArray[np.float64]:
        """The error of the accepted, (chips, shares)."""
        return np.stack([curve.error_at(rejected) for curve in self.curves])


def deviation(values: Sequence[float]) -> float | None:
    """Standard deviation from chip to chip; None for fewer than two."""
    if len(values) < 2:
        return None
    centre = mean(values)
    return math.sqrt(mean([(value - centre) ** 2 for value in values]) * len(values) / (len(values) - 1))


def paired_p_value(first_cn: Bools, second_cn: Bools) -> float:
    """Of the hypothesis that both sides misread equally often: the same chips (or one, such as the float network, against
    all) on the same images. One pair is McNemar's exact test; several are a t test of the mean difference over both draws."""
    if len(first_cn) < len(second_cn):
        first_cn = np.broadcast_to(first_cn, second_cn.shape)
    if len(second_cn) == 1:
        return mcnemar(first_cn[0], second_cn[0]).p_value
    moved = crossed_mean(difference(first_cn, second_cn))
    if moved.variance == 0:
        return 1.0 if moved.share == 0 else 0.0
    return student_p(moved.share / math.sqrt(moved.variance), moved.freedom)
