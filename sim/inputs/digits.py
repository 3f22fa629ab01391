"""Digits for results and for calibration: both match the network, and they never overlap."""

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
    """Accepts images and labels as two arrays or in one object."""
    if isinstance(images, LabelledImages):
        return images
    if labels is None:
        raise DataError("labels are missing; expected one per image")
    images, labels = np.asarray(images), np.asarray(labels)
    if not images.size or not np.issubdtype(images.dtype, np.number):
        raise DataError("there are no images; expected at least one")
    if labels.shape != (len(images),):
        raise DataError(f"labels have shape {labels.shape}; expected ({len(images)},), one per image")
    if not np.issubdtype(labels.dtype, np.integer):
        raise DataError(f"labels are {labels.dtype}; expected integers")
    return LabelledImages("given images", images, labels)


def labelled_images(data: str) -> LabelledImages:
    """The built-in digits for results (`holdout`), or the test part of a data set from the data folder."""
    from lenet.datasets.digits import for_results

    found = for_results(data)
    return LabelledImages(registry.source(data).title, found.images, found.labels)


def for_network(network: Network, data: str | None) -> tuple[LabelledImages, tuple[Images, Labels]]:
    """Digits for results and for calibration, from the data set the network was trained on; refuses any other."""
    import lenet

    if network.prepare is None:
        raise DataError(
            f"network {network.name} takes floats, prepared as in its training, and digits are grey levels; expected images of "
            "your own"
        )
    trained = registry.data_set(network.data) if network.data else registry.DEFAULT
    chosen = registry.source(data or trained.results)
    if network.data and chosen.data != trained:
        raise DataError(f"network {network.name} was trained on {network.data}; {chosen.name} would compare nothing")
    return labelled_images(chosen.name), lenet.calibration(trained.name)


def expect_disjoint(results: Images, calibration: NDArray[np.uint64] | None) -> None:
    """Refuses results on images that the network was calibrated on; `calibration` holds the keys of those."""
    both = 0 if calibration is None else int(np.isin(image_keys(results), calibration).sum())
    if both:
        raise DataError(f"{both} images are used for both calibration and results; expected none")
