"""The nearest of many images by Euclidean distance, exactly: grey levels are whole numbers, and so are squares of distances."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lenet.classical.reading import Images, Labels, Read, rows_of
from lenet.datasets.labelled import LabelledImages

AT_ONCE = 250  # images whose distances to all others are held


def nearest(images: Images, others: Images, count: int) -> npt.NDArray[np.int64]:
    """Of each image the places of the `count` nearest others, nearest first, of equals the first."""
    rows = rows_of(others)
    squares = (rows * rows).sum(axis=1)
    # Distance and place in one number, below 2^53: products of whole numbers are then exact in any order, and none are equal.
    places = len(others)
    found = np.empty((len(images), count), np.int64)
    for start in range(0, len(images), AT_ONCE):
        some = rows_of(images[start : start + AT_ONCE])
        distance = squares - 2 * (some @ rows.T) + (some * some).sum(axis=1)[:, None]
        ranked = distance * places + np.arange(places)
        best = np.partition(ranked, count - 1, axis=1)[:, :count]
        best.sort(axis=1)
        found[start : start + AT_ONCE] = best.astype(np.int64) % places
    return found


def vote(labels: npt.NDArray[np.int64]) -> Labels:
    """The most frequent label of each row; of equally frequent ones, that of the nearest."""
    counts = (labels[:, :, None] == labels[:, None, :]).sum(axis=2)
    found: Labels = labels[np.arange(len(labels)), counts.argmax(axis=1)]
    return found


def fit_neighbours(training: LabelledImages, count: int) -> Read:
    """The nearest `count` vote."""
    labels = training.labels.astype(np.int64)

    def read(images: Images) -> Labels:
        return vote(labels[nearest(images, training.images, count)])

    return read
