"""Statistics of classifiers, from counts and small arrays: intervals, paired tests, spreads, rejects.

Axes: `wrong_cn` is boolean, chips by images. All sums are of integers or run in a fixed order.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959963984540054  # of the normal distribution, two-sided 95 %
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Interval:
    """A share and its 95 % interval."""

    share: float
    low: float
    high: float


def wilson(share: float, trials: float, z: float = Z95) -> Interval:
    """Wilson's score interval of a share observed in this many trials (Wilson, J. Am. Stat. Assoc. 22, 1927)."""
    if trials <= 0:
        return Interval(math.nan, 0.0, 1.0)
    spread = z * z / trials
    middle = share + spread / 2
    half = z * math.sqrt((share * (1 - share) + spread / 4) / trials)
    return Interval(share, max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread)))


@dataclass(frozen=True)
class Spread:
    """The sources of variation in the error rate of several chips, as standard deviations of one chip's rate."""

    over_chips: float  # different silicon, the same images
    over_noise: float | None  # the same silicon run again; None if it ran once
    over_images: float  # other images of the same kind


def error_of_chips(wrong_cn: Bools, z: float = Z95) -> Interval:
    """Mean error of randomly drawn chips, all run on the same randomly drawn images."""
    erred_n = wrong_cn.sum(axis=0)
    return error_of_counts(wrong_cn.sum(axis=1).tolist(), int((erred_n * erred_n).sum()), wrong_cn.shape[1], z)


def error_of_counts(wrong: Sequence[int], squares: int, images: int, z: float = Z95) -> Interval:
    """The same, from each chip's error count and the sum over images of the squared number of chips that misread it.

    Both draws count. The variance of the mean has two terms: the variance between images over the number of images,
    and the variance between chips over the number of chips. The interval is Wilson's, with the number of trials that
    would give that variance.
    """
    chips, total = len(wrong), sum(wrong)
    share = total / (chips * images)
    if chips == 1:
        return wilson(share, images, z)
    # Sums of squared deviations, exact: n sum(k^2) - (sum k)^2 in integers, divided once.
    from_images = (images * squares - total * total) / (chips * chips * images) / max(1, images - 1) / images
    over_chips = (chips * sum(k * k for k in wrong) - total * total) / (chips * images * images)
    from_chips = over_chips / (chips - 1) / chips
    variance = from_images + max(0.0, from_chips - from_images / chips)
    effective_trials = share * (1 - share) / variance if variance > 0 else images
    return wilson(share, max(1.0, effective_trials), z)


def spread(wrong_crn: NDArray[np.bool_]) -> Spread:
    """Splits the variation of the error rate, from runs of each chip with several noise seeds (chips, runs, images)."""
    chips, runs, images = wrong_crn.shape
    rate_cr = wrong_crn.sum(axis=2) / images
    share = float(rate_cr.sum()) / (chips * runs)
    between_runs = 0.0
    if runs > 1:
        means_c = rate_cr.sum(axis=1, keepdims=True) / runs
        between_runs = float(((rate_cr - means_c) ** 2).sum()) / (chips * (runs - 1))
    between_chips = 0.0
    if chips > 1:
        means = rate_cr.sum(axis=1) / runs
        between_chips = float(((means - share) ** 2).sum()) / (chips - 1)
    return Spread(
        over_chips=math.sqrt(max(0.0, between_chips - between_runs / runs)),
        over_noise=math.sqrt(between_runs) if runs > 1 else None,
        over_images=math.sqrt(share * (1 - share) / images),
    )


@dataclass(frozen=True)
class Moved:
    """A mean over chips and images, its variance over both draws, and that variance's degrees of freedom."""

    share: float
    variance: float
    freedom: float


def crossed_mean(moved_cn: NDArray[Any]) -> Moved:
    """The mean of a quantity over chips and images, two crossed draws: its variance is that of the image means plus that of
    the chip means, minus the residual that both contain; its degrees of freedom are Satterthwaite's (Biometrics Bulletin 2,
    1946), but no fewer than those of the chips, since the residual is taken off.
    """
    chips, images = moved_cn.shape
    share = float(moved_cn.sum()) / (chips * images)
    per_image, per_chip = moved_cn.sum(axis=0) / chips, moved_cn.sum(axis=1) / images
    from_images = float(((per_image - share) ** 2).sum()) / max(1, images - 1) / images
    if chips == 1:
        return Moved(share, from_images, math.inf)
    from_chips = float(((per_chip - share) ** 2).sum()) / (chips - 1) / chips
    rest = moved_cn - per_image[None] - per_chip[:, None] + share
    both = float((rest * rest).sum()) / (chips - 1) / max(1, images - 1) / (chips * images)
    variance = max(from_images, from_images + from_chips - both)
    few = from_chips**2 / (chips - 1) + from_images**2 / max(1, images - 1)
    return Moved(share, variance, max(chips - 1.0, variance**2 / few) if few > 0 else math.inf)


def interval_of_mean(moved_cn: NDArray[Any]) -> Interval:
    """The mean of a quantity over chips and images with Student's interval over both."""
    moved = crossed_mean(moved_cn)
    half = student_quantile(moved.freedom) * math.sqrt(moved.variance)
    return Interval(moved.share, moved.share - half, moved.share + half)


def difference_of_chips(first_cn: Bools, second_cn: Bools) -> Interval:
    """Second error minus first, for the same chips on the same images: what they share cancels in the difference."""
    return interval_of_mean(difference(first_cn, second_cn))


def difference(first_cn: Bools, second_cn: Bools) -> NDArray[np.int64]:
    """Where only the second side is wrong, 1; where only the first is, -1."""
    moved: NDArray[np.int64] = second_cn.astype(np.int64) - first_cn.astype(np.int64)
    return moved


def student_p(t: float, freedom: float) -> float:
    """The probability of a |t| at least as large under Student's distribution."""
    if math.isinf(freedom):
        return math.erfc(abs(t) / math.sqrt(2))
    return _incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


def student_quantile(freedom: float, outside: float = 0.05) -> float:
    """The t beyond which, on both sides together, this share lies."""
    if math.isinf(freedom) and outside == 0.05:
        return Z95
    low, high = 0.0, 1.0
    while student_p(high, freedom) > outside:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        low, high = (middle, high) if student_p(middle, freedom) > outside else (low, middle)
    return (low + high) / 2


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function, by Lentz's continued fraction (Numerical Recipes, section 6.4)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1.0 - _incomplete_beta(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    c, d = 1.0, 1.0 / _away_from_zero(1.0 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1.0 / _away_from_zero(1.0 + term * d)
            c = _away_from_zero(1.0 + term / c)
            value *= c * d
        if abs(c * d - 1.0) < 1e-14:
            break
    return front * value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > 1e-300 else 1e-300


@dataclass(frozen=True)
class Paired:
    """Two classifiers on the same images; only images that exactly one misreads tell them apart."""

    only_first_wrong: int
    only_second_wrong: int
    p_value: float  # of a difference at least this large if there were none


def mcnemar(first_wrong: Bools, second_wrong: Bools) -> Paired:
    """McNemar's exact test (two-sided, binomial on the images in which the two differ)."""
    b = int((first_wrong & ~second_wrong).sum())
    c = int((second_wrong & ~first_wrong).sum())
    n = b + c
    tail = sum(math.comb(n, k) for k in range(min(b, c) + 1))
    return Paired(b, c, min(1.0, 2 * tail / 2**n) if n else 1.0)


def confusion(labels: NDArray[Any], found: NDArray[Any], classes: int) -> NDArray[np.int64]:
    """How often each class (rows) was read as each class (columns)."""
    counts = np.bincount(labels.astype(np.int64) * classes + found.astype(np.int64), minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


@dataclass(frozen=True)
class RejectCurve:
    """Error of the accepted images against the share rejected for lack of confidence."""

    rejected: NDArray[np.float64]  # rising
    error: NDArray[np.float64]

    def needed_for(self, error: float) -> float | None:
        """The smallest share of rejects that leaves at most this error; None if no share does."""
        good = np.flatnonzero(self.error <= error)
        return float(self.rejected[good[0]]) if len(good) else None

    def error_at(self, rejected: NDArray[np.float64]) -> NDArray[np.float64]:
        """The error of the accepted when at most these shares are rejected."""
        found: NDArray[np.float64] = self.error[np.searchsorted(self.rejected, rejected, side="right") - 1]
        return found


def leads(scores_nk: NDArray[Any]) -> NDArray[Any]:
    """By how much the best score of each image leads the second; of a single score, that score."""
    if scores_nk.shape[1] < 2:
        return scores_nk[:, 0]
    best = np.partition(scores_nk, -2, axis=1)
    return best[:, -1] - best[:, -2]


def reject_curve(lead: NDArray[Any], wrong: Bools) -> RejectCurve:
    """Rejects first the images whose best score leads the second by the least; ties are rejected together."""
    order = np.argsort(lead, kind="stable")
    lead, wrong = lead[order], wrong[order]
    cut = np.flatnonzero(np.diff(lead, prepend=-np.inf) > 0)  # where a new lead begins: everything before it may be rejected
    left = len(lead) - cut
    wrong_left = int(wrong.sum()) - np.concatenate([[0], np.cumsum(wrong)])[cut]
    return RejectCurve(cut / len(lead), wrong_left / left)


def snr_db(reference: NDArray[Any], found: NDArray[Any]) -> float:
    """Signal-to-noise ratio of maps against their reference, after removing the best gain and offset."""
    x, y = reference.reshape(-1).astype(np.float64), found.reshape(-1).astype(np.float64)
    x, y = x - total(x) / len(x), y - total(y) / len(y)
    power, cross, other = total(x * x), total(x * y), total(y * y)
    if power == 0 or other == 0:
        return -math.inf
    residue = power - cross * cross / other
    return math.inf if residue <= 0 else 10 * math.log10(power / residue)


def variance(values: NDArray[Any]) -> float:
    """Variance, the same on every machine."""
    x = values.reshape(-1).astype(np.float64)
    x = x - total(x) / len(x)
    return total(x * x) / len(x)


def total(values: NDArray[np.float64]) -> float:
    """Sum in an order of its own, the same on every machine: the second half is added to the first until one number is left."""
    left = values
    while len(left) > 1:
        half = (len(left) + 1) // 2
        rest = left[half:]
        left = np.concatenate([left[: len(rest)] + rest, left[len(rest) : half]])
    return float(left.sum())


def mean(values: Sequence[float]) -> float:
    """Mean, with the sum rounded once."""
    return math.fsum(values) / len(values)
