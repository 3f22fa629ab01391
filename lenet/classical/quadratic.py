"""Forty principal components of the image, and a polynomial of degree 2 of them fitted by least squares (paper 8).

Published: 40 components. Recalled: a linear classifier of 821 inputs. Derived: these are 820 products of pairs, squares among
them, and a constant, so linear terms are left out. Assumed: least squares towards 1 for the right class and -1 for others.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lenet.classical.reading import Images, Labels, Read, rows_of, scikit
from lenet.datasets.labelled import LabelledImages

COMPONENTS = 40  # P


def fit_quadratic(training: LabelledImages) -> Read:
    """The components of the training images, and the polynomial's weights."""
    components = scikit("decomposition").PCA(COMPONENTS, svd_solver="covariance_eigh", whiten=True)
    linear = scikit("linear_model").LinearRegression()
    linear.fit(_products(components.fit_transform(rows_of(training.images))), targets(training.labels))

    def read(images: Images) -> Labels:
        return np.asarray(linear.predict(_products(components.transform(rows_of(images)))).argmax(axis=1), np.int64)

    return read


def targets(labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """1 for the right class, -1 for the others."""
    return np.where(labels[:, None] == np.arange(10), 1.0, -1.0)


def _products(parts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Of each pair of components, one with itself included."""
    first, second = np.triu_indices(parts.shape[1])
    return parts[:, first] * parts[:, second]
