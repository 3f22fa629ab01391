"""Strings of real digits on one image, as in a handwritten ZIP code: sizes, baseline, gaps and overlaps drawn from a seed.

Nothing is known of the ZIP codes of 1991 but the size of their image (D): how strings are written is assumed (A), and every
range is a field of `Writing`. Digits are resized in integers and laid over one another by the darker of two pixels, so a seed
gives the same strings everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from anna.base.errors import DataError
from anna.network.layers import Prepare
from anna.network.prepare import WHITE, field_scale, integer_field
from lenet.datasets.labelled import LabelledImages
from lenet.datasets.registry import DataSet

ZIP_IMAGE = (52, 152)  # rows and columns that give 31 x 6 places of a 32 x 32 window with a step of 4 (D)
INK = 64  # the grey level from which a pixel counts as ink where touching is judged (A)

Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Writing:
    """How strings are written (A); what has two ends is drawn uniformly between them, both included.

    A gap is the smallest distance in pixels between the ink of two neighbours, in any row or from a row to the next: 0 means
    that they touch, -3 that they reach 3 pixels past each other. A string has a lowest gap; its gaps are drawn from there on.
    """

    digits: int = 5
    image: tuple[int, int] = ZIP_IMAGE
    window: int = 32  # rows and columns; centres stay half of it away from the border
    box: tuple[int, int] = (17, 22)  # pixels that a digit of the string fills; one of MNIST fills 20
    box_spread: int = 1  # pixels by which a digit's box differs from its string's, at most
    baseline: int = 2  # pixels by which a digit's foot lies off the string's line, at most
    lowest_gap: tuple[int, int] = (-4, 2)
    gap_range: int = 4  # pixels from a string's lowest gap to its greatest
    pitch: int = 8  # pixels between neighbouring centres, at least; a gap is widened for it

    def __post_init__(self) -> None:
        if self.digits < 1:
            raise DataError(f"digits is {self.digits}; expected at least 1 in a string")
        for name in ("box", "lowest_gap"):
            low, high = getattr(self, name)
            if low > high:
                raise DataError(f"{name} is {low} to {high}; expected the smaller end first")
        needed = self.window + (self.digits - 1) * (self.box[1] + self.box_spread + self.lowest_gap[1] + self.gap_range)
        if needed > self.image[1] + self.window // 2:
            raise DataError(f"{self.digits} digits take up to {needed} columns; the image has {self.image[1]}: write less wide")


@dataclass(frozen=True, eq=False)
class Strings:
    """Strings, with what is known of them. Axes: n strings, k digits in reading order, y and x pixels."""

    name: str
    images_nyx: npt.NDArray[np.uint8]
    labels_nk: npt.NDArray[np.uint8]
    centres_nk2: npt.NDArray[np.float64]  # row and column of the middle of each digit's own image, in pixels
    gaps_nk: Codes  # between each digit and the next
    placed: tuple[tuple[Placed, ...], ...]

    def __len__(self) -> int:
        return len(self.labels_nk)

    def __repr__(self) -> str:
        return f"Strings({self.name}: {len(self)} of {self.labels_nk.shape[1]} digits)"

    @cached_property
    def touching_nk(self) -> Bools:
        """Whether ink of a digit lies on or beside ink of the next, corners counted."""
        shape = self.images_nyx.shape[1:]
        return np.array([[_touch(a, b, shape) for a, b in pairwise(row)] for row in self.placed], bool)


@dataclass(frozen=True, eq=False)
class Placed:
    """A digit of a string: its grey levels, and where its first row and column lie."""

    levels_yx: npt.NDArray[np.uint8]
    top: int
    left: int

    @property
    def area(self) -> tuple[slice, slice]:
        """The part of the image that it covers."""
        rows, columns = self.levels_yx.shape
        return slice(self.top, self.top + rows), slice(self.left, self.left + columns)


def strings(digits: LabelledImages, data: DataSet, count: int, how: Writing, seed: tuple[int, ...]) -> Strings:
    """`count` strings of these digits, all of which are used before any comes again; the first are those of a smaller count."""
    if count < 1 or not len(digits):
        raise DataError(f"{count} strings of {len(digits)} digits; expected at least 1 of either")
    rngs = [np.random.Generator(np.random.PCG64(one)) for one in np.random.SeedSequence(seed).spawn(7)]
    n, k = count, how.digits
    chosen = _in_turn(rngs[0], len(digits), n * k)
    box_n = rngs[1].integers(*how.box, (n, 1), endpoint=True)
    box_nk = box_n + rngs[2].integers(-how.box_spread, how.box_spread, (n, k), endpoint=True)
    sides_nk = (2 * box_nk * data.shape[0] + data.digit) // (2 * data.digit)  # of the digit's own image, border included
    if sides_nk.max() > how.window:
        raise DataError(f"a digit's image takes {sides_nk.max()} pixels; expected at most the {how.window} of a window")
    foot_nk = rngs[3].integers(-how.baseline, how.baseline, (n, k), endpoint=True)
    lowest_n = rngs[4].integers(*how.lowest_gap, (n, 1), endpoint=True)
    wanted_nk = lowest_n + rngs[5].integers(0, how.gap_range, (n, k - 1), endpoint=True)
    where_n2 = rngs[6].random((n, 2))
    images = np.zeros((n, *how.image), np.uint8)
    levels = _resized(digits.images[chosen], sides_nk.reshape(-1))
    centres, gaps, placed = np.zeros((n, k, 2)), np.zeros((n, k - 1), np.int64), []
    for at in range(n):
        mine = levels[at * k : (at + 1) * k]
        tops, lefts, gaps[at] = _laid_out(mine, foot_nk[at], wanted_nk[at], how.pitch)
        half = sides_nk[at] / 2
        for axis, begin in enumerate((tops, lefts)):
            middle = begin + half
            begin += _shift(middle, how.image[axis], how.window, where_n2[at, axis])
            centres[at, :, axis] = begin + half
        row = tuple(Placed(*one) for one in zip(mine, tops.tolist(), lefts.tolist(), strict=True))
        for one in row:
            images[at][one.area] = np.maximum(images[at][one.area], one.levels_yx)
        placed.append(row)
    labels = digits.labels[chosen].reshape(n, k)
    return Strings(f"{count:,} strings of {digits.name}", images, labels, centres, gaps, tuple(placed))


def _in_turn(rng: np.random.Generator, things: int, count: int) -> Codes:
    """Indices in random order, all of them before any comes again."""
    rounds = -(-count // things)
    return np.concatenate([rng.permutation(things) for _ in range(rounds)])[:count]


def _resized(images: npt.NDArray[np.uint8], sides: Codes) -> list[npt.NDArray[np.uint8]]:
    """Each image at its own size, in grey levels, rounded."""
    found: list[Any] = [None] * len(images)
    for side in np.unique(sides).tolist():
        mine = np.flatnonzero(sides == side)
        layer = Prepare(source=images.shape[1:], resize=(side, side))
        scale = field_scale(layer) // WHITE
        field = (2 * integer_field(layer, images[mine]) + scale) // (2 * scale)
        for place, levels in zip(mine.tolist(), field.astype(np.uint8), strict=True):
            found[place] = levels
    return found


def _laid_out(levels: list[npt.NDArray[np.uint8]], foot_k: Codes, wanted_k: Codes, pitch: int) -> tuple[Codes, Codes, Codes]:
    """Rows and columns at which the digits begin, on a line at row 0 and from column 0 on, and the gaps between them."""
    edges = [_edges(one) for one in levels]
    tops = np.array([foot - bottom for foot, (bottom, _, _) in zip(foot_k.tolist(), edges, strict=True)])
    lefts, gaps = np.zeros(len(levels), np.int64), np.zeros(len(levels) - 1, np.int64)
    for k, wanted in enumerate(wanted_k.tolist()):
        nearest = _nearest(edges[k][2], edges[k + 1][1], int(tops[k + 1] - tops[k]))
        least = pitch + (len(levels[k]) - len(levels[k + 1]) + 1) // 2
        step = max(wanted + 1 - nearest, least)
        lefts[k + 1], gaps[k] = lefts[k] + step, step + nearest - 1
    return tops, lefts, gaps


def _edges(levels_yx: npt.NDArray[np.uint8]) -> tuple[int, Codes, Codes]:
    """The row below the lowest ink, and each row's first and last column of ink; far off where there is none."""
    ink = levels_yx >= INK
    rows, columns = ink.shape
    some = ink.any(axis=1)
    first = np.where(some, ink.argmax(axis=1), 10**6)
    last = np.where(some, columns - 1 - ink[:, ::-1].argmax(axis=1), -(10**6))
    return int(np.flatnonzero(some)[-1]) + 1 if some.any() else rows, first, last


def _nearest(last_y: Codes, first_y: Codes, lower: int) -> int:
    """The smallest step from the last ink of the left digit to the first of the right one, which lies `lower` rows down."""
    near = 10**6
    for way in (lower - 1, lower, lower + 1):  # a row, and the rows beside it: corners touch
        begin, end = max(0, way), min(len(last_y), len(first_y) + way)
        if begin < end:
            near = min(near, int((first_y[begin - way : end - way] - last_y[begin:end]).min()))
    return near if near < 10**5 else 0


def _shift(middle_k: npt.NDArray[np.float64], size: int, window: int, where: float) -> int:
    """How far to move a string, so that all its centres lie where a window's can."""
    low, high = int(np.ceil(window / 2 - middle_k.min())), int(np.floor(size - window / 2 - middle_k.max()))
    return (low + high) // 2 if high < low else low + int(where * (high - low + 1))


def _touch(a: Placed, b: Placed, shape: tuple[int, ...]) -> bool:
    grown, other = np.zeros((shape[0] + 2, shape[1] + 2), bool), np.zeros(shape, bool)
    other[b.area] = b.levels_yx >= INK
    (rows, columns), ink = a.area, a.levels_yx >= INK
    for y in range(3):
        for x in range(3):
            grown[rows.start + y : rows.stop + y, columns.start + x : columns.stop + x] |= ink
    return bool((grown[1:-1, 1:-1] & other).any())
