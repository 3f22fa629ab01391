"""The best reading of a string from scores at places: Viterbi's algorithm over columns, for a known number of digits.

A column of places shows no digit, or one digit in one of its rows. The score of a digit is its log-odds against "none"
(whose score is 0), so a reading is as good as the sum of the scores of its digits, and the columns between them add nothing.
Neighbours lie within stated distances of each other. `best_path` finds the best of all such readings.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import DataError

NOWHERE = -np.inf


@dataclass(frozen=True)
class Spacing:
    """How far a digit may lie from the one before, in places."""

    nearest: int = 2  # columns
    farthest: int = 8  # columns
    rows: int = 2  # up or down, at most

    def __post_init__(self) -> None:
        if not 1 <= self.nearest <= self.farthest or self.rows < 0:
            raise DataError(f"{self}: expected 1 <= nearest <= farthest, and rows at least 0")


@dataclass(frozen=True, eq=False)
class Paths:
    """The best reading of each string. Axes: n strings, k digits from left to right."""

    labels_nk: NDArray[np.int64]
    rows_nk: NDArray[np.int64]
    columns_nk: NDArray[np.int64]
    scores_n: NDArray[np.float64]  # sums over the digits


def best_path(scores_ndyx: NDArray[Any], digits: int, spacing: Spacing) -> Paths:
    """Reads strings of so many digits from their scores, (strings, classes, rows, columns of places).

    Of equally good readings it takes the one whose last digit lies topmost, then leftmost, and so on to the first.
    """
    strings, _, rows, columns = scores_ndyx.shape
    if digits < 1 or (digits - 1) * spacing.nearest >= columns:
        raise DataError(f"{digits} digits at least {spacing.nearest} columns apart do not fit into {columns} columns of places")
    place_nyx = scores_ndyx.max(axis=1).astype(np.float64)
    class_nyx = scores_ndyx.argmax(axis=1)
    best_nyx, before = place_nyx, []
    for _ in range(digits - 1):
        reach_nyx, step_nyx = _best_before(best_nyx, spacing)
        before.append(step_nyx)
        best_nyx = reach_nyx + place_nyx
    at_n = best_nyx.reshape(strings, -1).argmax(axis=1)
    scores_n = best_nyx.reshape(strings, -1)[np.arange(strings), at_n]
    found = [at_n]
    for step_nyx in reversed(before):
        found.append(step_nyx.reshape(strings, -1)[np.arange(strings), found[-1]])
    at_nk = np.stack(found[::-1], axis=1)
    labels_nk = np.take_along_axis(class_nyx.reshape(strings, -1), at_nk, axis=1)
    return Paths(labels_nk, at_nk // columns, at_nk % columns, scores_n)


def _best_before(best_nyx: NDArray[np.float64], spacing: Spacing) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """For each place, the best that ends in a place from which it can be reached, and that place's number."""
    _, rows, columns = best_nyx.shape
    reach, step = np.full(best_nyx.shape, NOWHERE), np.zeros(best_nyx.shape, np.int64)
    numbers = np.arange(rows * columns).reshape(rows, columns)
    for down in range(-spacing.rows, spacing.rows + 1):  # from the topmost row before, and in it from the leftmost column
        for across in range(spacing.farthest, spacing.nearest - 1, -1):
            to = np.s_[max(0, -down) : rows - max(0, down), across:]
            begin = np.s_[max(0, down) : rows - max(0, -down), : columns - across]
            if 0 in reach[0][to].shape:
                continue
            better = best_nyx[:, *begin] > reach[:, *to]
            reach[:, *to] = np.where(better, best_nyx[:, *begin], reach[:, *to])
            step[:, *to] = np.where(better, numbers[begin], step[:, *to])
    return reach, step
