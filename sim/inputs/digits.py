"""The digits on which results are shown, and those for calibration: matching the network, never overlapping."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import DataError
from anna.network.graph import Network
from anna.network.images import image_keys
from lenet.datasets import registry
from lenet.datasets.labelled import LabelledImages

Images = NDArray[Any]
Labels = NDArray[np.uint8]


def as_labelled(images: Images | LabelledImages, labels: NDArray[Any] | None) -> LabelledImages:
    """Images and labels as a caller has them: two arrays, or both in one."""
    if isinstance(images, LabelledImages):
        return images
    if labels is None:
        raise DataError("labels are missing; expected one an image")
    images, labels = np.asarray(images), np.asarray(labels)
    if not images.size or not np.issubdtype(images.dtype, np.number):
        raise DataError("there are no images; expected at least one")
    if labels.shape != (len(images),):
        raise DataError(f"labels have shape {labels.shape}; expected ({len(images)},), one an image")
    if not np.issubdtype(labels.dtype, np.integer):
        raise DataError(f"labels are {labels.dtype}; expected whole numbers")
    return LabelledImages("given images", images, labels)


def labelled_images(data: str) -> LabelledImages:
    """`holdout`: the built-in digits for results; by the name of a data set: its test part, from the data folder."""
    from lenet.datasets.digits import for_results

    found = for_results(data)
    return LabelledImages(registry.source(data).title, found.images, found.labels)


def for_network(network: Network, data: str | None) -> tuple[LabelledImages, tuple[Images, Labels]]:
    """Digits to show and to calibrate with, of the set that the network was trained on; others are refused."""
    import lenet

    if network.prepare is None:
        raise DataError(
            f"network {network.name} takes floats, prepared as in its training; the digits that are here are grey levels: show "
            "it images of your own"
        )
    trained = registry.data_set(network.data) if network.data else registry.DEFAULT
    chosen = registry.source(data or trained.results)
    if network.data and chosen.data != trained:
        raise DataError(f"network {network.name} was trained on {network.data}; {chosen.name} would compare nothing")
    return labelled_images(chosen.name), lenet.calibration(trained.name)


def expect_apart(results: Images, calibration: NDArray[np.uint64] | None) -> None:
    """Refuse images that serve both calibration, which is told by their keys, and results."""
    both = 0 if calibration is None else int(np.isin(image_keys(results), calibration).sum())
    if both:
        raise DataError(f"{both} images serve both for calibration and for results; expected none")
