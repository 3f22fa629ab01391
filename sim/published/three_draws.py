"""Intervals of means over drawn images, chips and trainings: of errors, and of rejects, which no sum over images gives.

Axes: r of bootstrap draws, s of trainings, c of chips, n of images. What images contribute comes from a bootstrap in which
all trainings and chips share the images drawn; what chips and trainings contribute, from the spread of their means.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.base.statistics import Bools, Interval, student_quantile

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
DRAWS, DRAW_SEED = 400, 1991


@dataclass(frozen=True, eq=False)
class Measured:
    """A quantity of every training and chip: on the images as they are, and on images drawn from them with replacement."""

    value_sc: Floats
    drawn_rsc: Floats

    def __sub__(self, other: "Measured") -> "Measured":
        """Paired: the same trainings, chips and drawn images; without a chip on one side, it is the same for all."""
        return Measured(self.value_sc - other.value_sc, self.drawn_rsc - other.drawn_rsc)

    def __truediv__(self, other: "Measured") -> "Measured":
        """The ratio, paired likewise."""
        return Measured(self.value_sc / other.value_sc, self.drawn_rsc / other.drawn_rsc)

    @property
    def interval(self) -> Interval:
        """The mean with Student's 95 % interval over the three draws. As in `crossed_mean`, what two draws contain both is
        counted once, and the degrees of freedom are Satterthwaite's."""
        value_sc, drawn_rsc = self.value_sc, self.drawn_rsc
        (seeds, chips), mean = value_sc.shape, float(value_sc.mean())
        images = _variance(drawn_rsc.mean(axis=(1, 2)))
        by_seed, by_chip = _spread(value_sc.mean(axis=1)), _spread(value_sc.mean(axis=0))
        # The mean over k trainings varies with the images by common + own / k, a single one's by common + own.
        twice = _own(drawn_rsc.mean(axis=2), images) + _own(drawn_rsc.mean(axis=1), images) + _residual(value_sc)
        variance = max(images, images + by_seed + by_chip - twice)
        few = sum(part**2 / (count - 1) for part, count in ((by_seed, seeds), (by_chip, chips)) if count > 1)
        least = min([count - 1 for count in (seeds, chips) if count > 1], default=0)
        freedom = max(float(least), variance**2 / few) if few > 0 else math.inf
        half = student_quantile(freedom) * math.sqrt(variance)
        return Interval(mean, mean - half, mean + half)


def counts_of(images: int) -> Counts:
    """How often each image is drawn, (r, n)."""
    rng = np.random.Generator(np.random.PCG64(DRAW_SEED))
    return rng.multinomial(images, np.full(images, 1 / images), DRAWS)


def errors(wrong_scn: Bools, counts_rn: Counts) -> Measured:
    """Shares of misread images."""
    images = wrong_scn.shape[2]
    return Measured(wrong_scn.mean(axis=2), np.moveaxis(wrong_scn @ counts_rn.T / images, 2, 0))


def rejects(lead_scn: NDArray[np.float32], wrong_scn: Bools, counts_rn: Counts, error: float) -> Measured:
    """Shares of images to reject, least lead first, so that the rest have at most this error; all if no share does."""
    seeds, chips, images = lead_scn.shape
    once = np.concatenate([np.ones((1, images), np.int64), counts_rn])
    found = np.array([[needed(lead_scn[s, c], wrong_scn[s, c], once, error) for c in range(chips)] for s in range(seeds)])
    return Measured(found[:, :, 0], np.moveaxis(found[:, :, 1:], 2, 0))


def needed(lead_n: NDArray[np.float32], wrong_n: Bools, counts_rn: Counts, error: float) -> Floats:
    """The smallest such share of each draw of images; ties are rejected together."""
    order = np.argsort(lead_n, kind="stable")
    lead, wrong, counts = lead_n[order], wrong_n[order], counts_rn[:, order]
    cut = np.flatnonzero(np.diff(lead, prepend=-np.inf) > 0)  # where a new lead begins: everything before it may be rejected
    none = np.zeros((len(counts), 1), np.int64)
    rejected = np.concatenate([none, np.cumsum(counts, axis=1)], axis=1)[:, cut]
    wrong_before = np.concatenate([none, np.cumsum(counts * wrong, axis=1)], axis=1)[:, cut]
    total, wrong_total = counts.sum(axis=1, keepdims=True), (counts @ wrong)[:, None]
    left = total - rejected
    good = (left > 0) & (wrong_total - wrong_before <= error * left)
    first = good.argmax(axis=1)
    share = rejected[np.arange(len(counts)), first] / total[:, 0]
    return np.where(good.any(axis=1), share, 1.0)


def _variance(values: Floats) -> float:
    return float(values.var(ddof=1))


def _spread(means: Floats) -> float:
    """Of the mean of these means."""
    return _variance(means) / len(means) if len(means) > 1 else 0.0


def _own(drawn_rk: Floats, images: float) -> float:
    """What images contribute to the mean over k through what they do to each of the k alone."""
    k = drawn_rk.shape[1]
    single = float(drawn_rk.var(axis=0, ddof=1).mean())
    return max(0.0, single - images) / (k - 1) if k > 1 else 0.0


def _residual(value_sc: Floats) -> float:
    seeds, chips = value_sc.shape
    if seeds == 1 or chips == 1:
        return 0.0
    rest = value_sc - value_sc.mean(axis=0) - value_sc.mean(axis=1, keepdims=True) + value_sc.mean()
    return float((rest * rest).sum() / ((seeds - 1) * (chips - 1) * seeds * chips))
