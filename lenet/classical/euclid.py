"""The nearest of many images by Euclidean distance, exactly: grey levels are whole numbers, and so are squares of distances."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from lenet.classical.reading import Images, Keep, Labels, Read, keep_nothing, rows_of
from lenet.datasets.labelled import LabelledImages

AT_ONCE = 250  # images whose distances to all others are held
SEARCHED = 500  # neighbours that are kept of a search


def nearest(images: Images, others: Images, count: int) -> npt.NDArray[np.int64]:
    """Of each image the places of the `count` nearest others, nearest first, of equals the first."""
    rows = rows_of(others)
    # Distance and place in one number: whole ones below 2^53, so sums are exact in any order, and no two are equal. What all
    # distances from an image have in common, its own square, is left out.
    places = len(others)
    offset = (rows * rows).sum(axis=1) * places + np.arange(places)
    found = np.empty((len(images), count), np.int64)
    for start in range(0, len(images), AT_ONCE):
        ranked = (-2 * places * rows_of(images[start : start + AT_ONCE])) @ rows.T
        ranked += offset
        best = np.partition(ranked, count - 1, axis=1)[:, :count]
        best.sort(axis=1)
        found[start : start + AT_ONCE] = best.astype(np.int64) % places
    return found


def searched(images: Images, training: LabelledImages, count: int, keep: Keep) -> npt.NDArray[np.int64]:
    """The same among training images; the search, which takes minutes, is kept for all counts up to `SEARCHED`."""
    at_least = min(max(count, SEARCHED), len(training))
    content = hashlib.sha256(images.tobytes()).hexdigest()
    found = keep(f"nearest {at_least}: {training.digest} {content}",
                 lambda: nearest(images, training.images, at_least).astype(np.int32))  # fmt: skip
    return found[:, :count].astype(np.int64)


def vote(labels: npt.NDArray[np.int64]) -> Labels:
    """The most frequent label of each row; of equally frequent ones, that of the nearest."""
    counts = (labels[:, :, None] == labels[:, None, :]).sum(axis=2)
    found: Labels = labels[np.arange(len(labels)), counts.argmax(axis=1)]
    return found


def fit_neighbours(training: LabelledImages, count: int, keep: Keep = keep_nothing) -> Read:
    """The nearest `count` vote."""
    labels = training.labels.astype(np.int64)

    def read(images: Images) -> Labels:
        return vote(labels[searched(images, training, count, keep)])

    return read
