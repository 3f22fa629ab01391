"""A thousand radial units, a hundred of each class, and a linear classifier of what they give (paper 8).

Published: 1000 units and a linear classifier. Recalled: Gaussians on 28x28, ten groups of 100, each placed by k-means on the
images of its class; a regularised pseudo-inverse for the linear layer. Assumed: one width for all units, a multiple of the root
mean square distance from an image to its nearest unit; how strong the regularisation is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lenet.classical.quadratic import targets
from lenet.classical.reading import Images, Keep, Labels, Read, keep_nothing, rows_of, scikit
from lenet.datasets.labelled import LabelledImages

UNITS_PER_CLASS = 100  # R
RIDGE = 1e-3  # A: added to the sum of squares of each of 1000 units, which is thousands
CENTRES_SEED = 1


def fit_radial(training: LabelledImages, width: float, keep: Keep = keep_nothing) -> Read:
    """Units placed, their width set to `width` times the usual distance to the nearest, and the linear layer solved for."""
    rows = rows_of(training.images) / 255
    key = f"centres of {UNITS_PER_CLASS} a class, seed {CENTRES_SEED}: {training.digest}"
    centres = keep(key, lambda: np.concatenate([_centres(rows[training.labels == label]) for label in range(10)]))
    squares = _squares(rows, centres)
    usual = squares.min(axis=1).mean()

    def response(squares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        active: npt.NDArray[np.float64] = np.exp(squares / (-2 * width * width * usual))
        return active

    linear = scikit("linear_model").Ridge(RIDGE).fit(response(squares), targets(training.labels))

    def read(images: Images) -> Labels:
        return np.asarray(linear.predict(response(_squares(rows_of(images) / 255, centres))).argmax(axis=1), np.int64)

    return read


def _centres(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    means = scikit("cluster").KMeans(UNITS_PER_CLASS, init="random", n_init=1, random_state=CENTRES_SEED, algorithm="lloyd")
    return np.asarray(means.fit(rows).cluster_centers_, np.float64)


def _squares(rows: npt.NDArray[np.float64], centres: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Squared distances (images, units)."""
    of_rows, of_centres = (rows * rows).sum(axis=1)[:, None], (centres * centres).sum(axis=1)
    squares: npt.NDArray[np.float64] = np.maximum(of_rows - 2 * rows @ centres.T + of_centres, 0.0)
    return squares
