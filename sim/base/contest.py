"""Many points counted on the same images and chips: which may be the best, which lie on the front, and how sure that is.

The least of many noisy errors is too small, and the point that has it need not be the best. So nothing here is asked of that
point alone. Every statement is about all points at once and wrong in at most 5 % of all repetitions (`OUTSIDE`):

    best     multiple comparisons with the best, one-sided (Hsu, Annals of Statistics 12, 1984): each of m points is tested
             against each other one, paired over images and chips, at 5 % / (m - 1). Whichever is truly the best, it meets m - 1
             others, so with 95 % it is among those kept, and no point is worse than it by more than is told.
    front    of two points of which one costs no more than the other, which errs less: a two-sided paired test at 5 % over the
             number of such pairs (Bonferroni).
    band     each error's interval at 5 % / m, so that all hold together; hence so does the lowest of any of them.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, lru_cache

import numpy as np

from anna.base.errors import DataError
from sim.base.statistics import Bools, Interval, Moved, crossed_mean, difference, error_of_chips, student_p, student_quantile

OUTSIDE = 0.05  # of all repetitions in which one of the statements may be wrong
MANY = 10_000  # degrees of freedom beyond which they are taken for infinite
NEAR = 1e-9  # of a quantile, which is found to less: so near to one, probabilities are compared


@dataclass(frozen=True, eq=False)
class Runs:
    """Which images the chips of one point misread, by their seeds."""

    misread: Mapping[int, Bools]
    alike: bool = False  # chips without imperfections: one stands for any

    @cached_property
    def wrong_cn(self) -> Bools:
        """All of them, chips by images."""
        return np.stack(list(self.misread.values()))

    @property
    def error(self) -> float:
        """Mean over chips."""
        return float(self.wrong_cn.mean())

    def of(self, seeds: Sequence[int]) -> Bools:
        """The chips with these seeds."""
        if self.alike:
            return np.broadcast_to(self.wrong_cn[:1], (len(seeds), self.wrong_cn.shape[1]))
        return self.wrong_cn if list(seeds) == list(self.misread) else np.stack([self.misread[seed] for seed in seeds])


class Label(Enum):
    """Whether a point lies on the front."""

    ON = "on the front"  # errs less than every other point that costs no more
    OPEN = "open"  # the images and chips do not tell
    OFF = "off the front"  # another one errs less and costs no more


@dataclass(frozen=True)
class Standing:
    """One point among all."""

    error: Interval  # on its own, 95 %, as wherever an error is told
    band: Interval  # together with those of all other points
    label: Label
    lowest: bool  # of the points that cost no more, none has a lower mean
    may_be_best: bool  # no other point is significantly better
    worse_at_most: float  # than the best of all, a share of images
    behind: float  # by how many standard errors a point that costs no more errs less, at most

    @property
    def share(self) -> float:
        """Its mean error."""
        return self.error.share


def moved_between(first: Runs, second: Runs) -> Moved:
    """Second error minus first over the chips that both have, paired."""
    if first.alike and second.alike:
        return crossed_mean(difference(first.wrong_cn[:1], second.wrong_cn[:1]))
    shared = second if first.alike else first
    common = [seed for seed in shared.misread if first.alike or second.alike or seed in second.misread]
    if not common:
        raise DataError("two points have no chip in common, so their errors cannot be paired; expected the same chip seeds")
    return crossed_mean(difference(first.of(common), second.of(common)))


def error_with(runs: Runs, outside: float) -> Interval:
    """The error with an interval that misses it this often, chips drawn from few: Wilson's, with Student's quantile."""
    wrong = runs.wrong_cn
    return error_of_chips(wrong, quantile(crossed_mean(wrong).freedom if len(wrong) > 1 else math.inf, outside))


def standings(runs: Sequence[Runs], costs: Sequence[tuple[float, ...]], looks: int = 1) -> list[Standing]:
    """How each point stands. Whoever looks several times while chips are being added gives the number of `looks`."""
    count, outside = len(runs), OUTSIDE / looks
    moved = [[Moved(0.0, 0.0, math.inf)] * count for _ in runs]
    for i in range(count):
        for j in range(i):
            one = moved_between(runs[j], runs[i])  # how much i errs more than j
            moved[i][j], moved[j][i] = one, Moved(-one.share, one.variance, one.freedom)
    errors = [one.error for one in runs]
    cheaper = [
        [
            j
            for j in range(count)
            if j != i and _costs_no_more(costs[j], costs[i]) and not _twins(moved[i][j], costs[i], costs[j])
        ]
        for i in range(count)
    ]
    pairs = max(1, len({frozenset((i, j)) for i, mine in enumerate(cheaper) for j in mine}))
    found = list[Standing]()
    for i, mine in enumerate(cheaper):
        others = [moved[i][j] for j in range(count) if j != i]
        one_sided = 2 * outside / max(1, count - 1)
        best = _beaten_by_none(others, one_sided)
        worse = max([0.0, *(one.share + _half(one, one_sided) for one in others)])
        against = [(moved[i][j].share, _significant(moved[i][j], outside / pairs)) for j in mine]
        beaten, beats = any(sure and more > 0 for more, sure in against), all(sure and more < 0 for more, sure in against)
        label = Label.OFF if beaten else Label.ON if beats else Label.OPEN
        lowest = not any(errors[j] < errors[i] or (errors[j], costs[j], j) < (errors[i], costs[i], i) for j in mine)
        band = error_with(runs[i], outside / count)
        behind = max([-math.inf, *(_errors_apart(moved[i][j]) for j in mine)])
        found.append(Standing(error_of_chips(runs[i].wrong_cn), band, label, lowest, best, worse, behind))
    return found


def may_be_best(runs: Sequence[Runs]) -> list[bool]:
    """Which of them no other one is significantly better than: as in `standings`, of points whose costs nobody asks for."""
    one_sided = 2 * OUTSIDE / max(1, len(runs) - 1)
    return [_beaten_by_none((moved_between(other, one) for other in runs if other is not one), one_sided) for one in runs]


def _beaten_by_none(more: Iterable[Moved], outside: float) -> bool:
    """Whether a point errs significantly more than none of the others, given how much more than each it errs."""
    return not any(one.share > 0 and _significant(one, outside) for one in more)


def front_band(standings: Sequence[Standing], costs: Sequence[tuple[float, ...]]) -> list[tuple[float, float, float, float]]:
    """By rising first cost: the lowest error for at most that cost, and the ends of its band."""
    order = sorted(range(len(costs)), key=lambda i: (costs[i][0], standings[i].share))
    found = dict[float, tuple[float, float, float, float]]()
    share = low = high = math.inf
    for i in order:
        one = standings[i]
        share, low, high = min(share, one.share), min(low, one.band.low), min(high, one.band.high)
        found[costs[i][0]] = (costs[i][0], share, low, high)
    return list(found.values())


def _costs_no_more(first: tuple[float, ...], second: tuple[float, ...]) -> bool:
    return all(a <= b for a, b in zip(first, second, strict=True))


def _twins(moved: Moved, first: tuple[float, ...], second: tuple[float, ...]) -> bool:
    """Two points of one cost that misread the same images on the same chips: none of them is in the other's way."""
    return first == second and moved.share == 0 and moved.variance == 0


def _significant(moved: Moved, outside: float) -> bool:
    """Whether a difference is not zero, at a level of `outside` on both sides together."""
    if not moved.variance:
        return moved.share != 0
    apart = abs(_errors_apart(moved))
    if 1 <= moved.freedom < MANY - 1:  # mostly the quantiles of whole degrees of freedom around it, which are kept, tell
        if apart > quantile(moved.freedom, outside) * (1 + NEAR):
            return True
        if apart < quantile(moved.freedom + 1, outside) * (1 - NEAR):
            return False
    return student_p(apart, moved.freedom) < outside


def _errors_apart(moved: Moved) -> float:
    """A difference in standard errors."""
    if moved.variance:
        return moved.share / math.sqrt(moved.variance)
    return math.copysign(math.inf, moved.share) if moved.share else 0.0


def _half(moved: Moved, outside: float) -> float:
    return quantile(moved.freedom, outside) * math.sqrt(moved.variance)


def quantile(freedom: float, outside: float) -> float:
    """Student's quantile; degrees of freedom are rounded down, which makes it no smaller."""
    return _quantile(math.inf if freedom > MANY else float(max(1, math.floor(freedom))), outside)


@lru_cache(maxsize=4096)
def _quantile(freedom: float, outside: float) -> float:
    return student_quantile(freedom, outside)
