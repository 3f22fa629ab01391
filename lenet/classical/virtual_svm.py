"""The virtual support vector machine: trained, its support vectors shifted by a pixel each way, and trained again on these.

Published: 0.8 % on MNIST (paper 8). Recalled: a polynomial of degree 9, shifts in four directions (C. Burges and B. Schölkopf,
NIPS 9, 1997); images scaled to length 1, the kernel ((u v + 1) / 2)^9 and a cost of 2 (D. DeCoste and B. Schölkopf, Machine
Learning 46, 2002). Assumed: one machine for each pair of classes, which vote (theirs: one for each class).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lenet.classical.reading import Images, Keep, Labels, Read, keep_nothing, rows_of, scikit
from lenet.datasets.labelled import LabelledImages

DEGREE = 9  # R
COST = 2.0  # R
SHIFTS = ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))  # R: rows and columns
CACHE_MB = 3_000  # of kernel values; no result depends on it


def fit_virtual_svm(training: LabelledImages, keep: Keep = keep_nothing) -> Read:
    """The machine trained twice; which images are support vectors is kept in between."""
    key = f"support vectors of degree {DEGREE}, cost {COST:g}: {training.digest}"
    first = keep(key, lambda: _machine(training.images, training.labels).support_.astype(np.int64))
    chosen = np.sort(first)
    images = np.concatenate([shifted(training.images[chosen], *shift) for shift in SHIFTS])
    machine = _machine(images, np.tile(training.labels[chosen], len(SHIFTS)))

    def read(images: Images) -> Labels:
        return np.asarray(machine.predict(unit(images)), np.int64)

    return read


def shifted(images: Images, down: int, right: int) -> Images:
    """Images moved by whole pixels; paper comes in, and ink that leaves is lost."""
    height, width = images.shape[1:]
    padded = np.pad(images, ((0, 0), (abs(down),) * 2, (abs(right),) * 2))
    top, left = abs(down) - down, abs(right) - right
    return padded[:, top : top + height, left : left + width]


def unit(images: Images) -> npt.NDArray[np.float64]:
    """A row of length 1 an image; paper alone stays 0."""
    rows = rows_of(images)
    scaled: npt.NDArray[np.float64] = rows / np.sqrt(np.maximum((rows * rows).sum(axis=1), 1.0))[:, None]
    return scaled


def _machine(images: Images, labels: npt.NDArray[Any]) -> Any:
    made = scikit("svm").SVC(kernel="poly", degree=DEGREE, gamma=0.5, coef0=0.5, C=COST, cache_size=CACHE_MB)
    return made.fit(unit(images), labels)
