"""The nearest neighbour by tangent distance: blind to small shifts, scalings, rotations, shears and thickness of the pen.

Two-sided, with the seven tangents of P. Simard, Y. LeCun and J. Denker (NIPS 5, 1993), on smoothed images. The neighbour is
sought among those nearest by Euclidean distance, as paper 8 also filtered candidates first.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anna.base.threads import share
from anna.native.loader import imported
from lenet.classical.euclid import nearest, searched
from lenet.classical.reading import Images, Keep, Labels, Read, keep_nothing
from lenet.datasets.labelled import LabelledImages

AT_ONCE = 20  # images a thread takes: some seconds


def smoothed(images: Images, passes: int) -> npt.NDArray[np.float64]:
    """Images under a Gaussian whose variance is half a pixel for each pass of (1 2 1) / 4: exact, in powers of two."""
    made = images.astype(np.float64)
    for axis in (1, 2):
        for _ in range(passes):
            wide = np.pad(made, [(1, 1) if k == axis else (0, 0) for k in range(3)])
            before, after = (np.take(wide, range(k, k + made.shape[axis]), axis=axis) for k in (0, 2))
            made = (before + 2 * made + after) / 4
    return np.ascontiguousarray(made)


def squares(
    firsts: npt.NDArray[np.float64], seconds: npt.NDArray[np.float64], candidates: npt.NDArray[np.int64], threads: int = 1
) -> npt.NDArray[np.float64]:
    """Squared tangent distances between smoothed images and their candidates among others (n, candidates)."""
    if candidates.size and not 0 <= candidates.min() <= candidates.max() < len(seconds):
        raise IndexError(f"a candidate is none of {len(seconds)} images")  # the loop does not look
    loop, result = imported("lenet.classical.tangent", "the loop of tangent distance"), np.empty(candidates.shape)
    products = loop.own_products(seconds)

    def some(start: int) -> None:
        part = slice(start, start + AT_ONCE)
        loop.squared_distances(firsts[part], seconds, products, candidates[part], result[part])

    share(some, range(0, len(firsts), AT_ONCE), threads)
    return result


def fit_tangent(training: LabelledImages, passes: int, candidates: int, threads: int = 1, keep: Keep = keep_nothing) -> Read:
    """The label of the nearest by tangent distance among the nearest `candidates`; of equals, the first of these."""
    labels, others = training.labels.astype(np.int64), smoothed(training.images, passes)

    def read(images: Images) -> Labels:
        near = searched(images, training, candidates, keep)
        best = squares(smoothed(images, passes), others, near, threads).argmin(axis=1)
        found: Labels = labels[near[np.arange(len(near)), best]]
        return found

    return read


def left_out(training: LabelledImages, images: Images, passes: int, candidates: int, threads: int = 1) -> npt.NDArray[np.bool_]:
    """Of each image whether the nearest of all lies beyond the candidates, and whether it has another class: (2, images)."""
    near = nearest(images, training.images, len(training))
    found = squares(smoothed(images, passes), smoothed(training.images, passes), near, threads)
    among, of_all = found[:, :candidates].argmin(axis=1), found.argmin(axis=1)
    each = np.arange(len(images))
    return np.stack([of_all >= candidates, training.labels[near[each, among]] != training.labels[near[each, of_all]]])
