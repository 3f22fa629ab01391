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
from anna.native.exact_math import exp, log


@dataclass(frozen=True)
class Spacing:
    """How far a digit may lie from the one before, in columns of places."""

    nearest: int = 2
    farthest: int = 8

    def __post_init__(self) -> None:
        if not 1 <= self.nearest <= self.farthest:
            raise DataError(
                f"digits are {self.nearest} to {self.farthest} columns apart; expected at least 1, and the fewer first"
            )


@dataclass(frozen=True, eq=False)
class Paths:
    """The best reading of each string. Axes: n strings, k digits from left to right."""

    labels_nk: NDArray[np.int64]
    columns_nk: NDArray[np.int64]
    scores_n: NDArray[np.float64]  # sums over the digits


def log_sum(scores: NDArray[Any], axis: int) -> NDArray[np.float64]:
    """Log-odds added as odds along an axis; one after another, so that sums have the same bits everywhere."""
    along = np.moveaxis(scores, axis, 0).astype(np.float64)
    highest = along.max(axis=0)
    odds = exp(along - highest)
    total = np.asarray(odds[0], np.float64)
    for one in odds[1:]:
        total = total + one
    return np.asarray(highest + log(total), np.float64)


def of_columns(scores_ndyx: NDArray[Any]) -> NDArray[np.float64]:
    """Scores of columns from those of places: the odds of a digit in a column are those in its rows, added."""
    return log_sum(scores_ndyx, 2)


def best_path(columns_ndx: NDArray[np.float64], digits: int, spacing: Spacing) -> Paths:
    """Reads strings of so many digits from the scores of columns, (strings, classes, columns).

    Of equally good readings it takes the one whose last digit is leftmost, then the one before it, and so on.
    """
    strings, _, columns = columns_ndx.shape
    if digits < 1 or (digits - 1) * spacing.nearest >= columns:
        raise DataError(f"{digits} digits at least {spacing.nearest} columns apart do not fit into {columns} columns of places")
    place_nx, class_nx, each = columns_ndx.max(axis=1), columns_ndx.argmax(axis=1), np.arange(strings)
    best_nx, before = place_nx, list[NDArray[np.int64]]()
    for _ in range(digits - 1):
        reached_nx, from_nx = _reached(best_nx, spacing)
        before.append(from_nx)
        best_nx = reached_nx + place_nx
    found = [best_nx.argmax(axis=1)]
    scores_n = best_nx[each, found[0]]
    for from_nx in reversed(before):
        found.append(from_nx[each, found[-1]])
    columns_nk = np.stack(found[::-1], axis=1)
    return Paths(np.take_along_axis(class_nx, columns_nk, axis=1), columns_nk, scores_n)


def _reached(best_nx: NDArray[np.float64], spacing: Spacing) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """For each column, the best that ends in a column from which it can be reached, and which that is."""
    reached, begin = np.full(best_nx.shape, -np.inf), np.zeros(best_nx.shape, np.int64)
    columns = best_nx.shape[1]
    for step in range(min(spacing.farthest, columns - 1), spacing.nearest - 1, -1):  # the leftmost first: it wins ties
        better = best_nx[:, :-step] > reached[:, step:]
        reached[:, step:] = np.where(better, best_nx[:, :-step], reached[:, step:])
        begin[:, step:] = np.where(better, np.arange(columns - step), begin[:, step:])
    return reached, begin
