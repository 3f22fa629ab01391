"""Images and labels that come with a user's own network: used for results, or split between calibration and results."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import DataError
from anna.network.graph import Network
from anna.network.images import float_images
from anna.network.prepare import checked_images
from lenet.datasets.labelled import LabelledImages, first_of_each_class
from sim.inputs.digits import Images, Labels

CALIBRATE = 500  # images at most, and at most a fifth of all


def own_images(network: Network, name: str, images: NDArray[Any], labels: NDArray[Any]) -> LabelledImages:
    """Images with labels, checked to be what the network takes."""
    prepare = network.prepare
    if prepare is not None:
        images = checked_images(prepare, images)
    else:
        images = np.ascontiguousarray(float_images(network.input_shape, images), np.float32)
    return LabelledImages(name, images, checked_labels(name, labels, len(images), network.classes))


def checked_labels(name: str, labels: NDArray[Any], count: int, classes: int) -> Labels:
    """One integer per image: the index of its class in the scores."""
    if labels.shape != (count,):
        raise DataError(f"{name}: labels have shape {labels.shape}; expected ({count},), one per image")
    if not np.issubdtype(labels.dtype, np.integer):
        raise DataError(f"{name}: labels are {labels.dtype}; expected integers from 0 to {classes - 1}")
    if labels.size and not 0 <= labels.min() <= labels.max() < classes:
        bad = int(np.flatnonzero((labels < 0) | (labels >= classes))[0])
        raise DataError(f"{name}: label {bad} is {labels[bad]}; the network scores classes 0 to {classes - 1}")
    if classes > 256:
        raise DataError(f"the network has {classes} classes; a comparison takes at most 256")
    return labels.astype(np.uint8)


def divided(digits: LabelledImages) -> tuple[LabelledImages, Images]:
    """Splits images into some of every class for calibration and the rest for results; duplicates never end up in both."""
    count = min(CALIBRATE, len(digits) // 5)
    if count < 1:
        raise DataError(f"{digits.name}: holds {len(digits)} images; expected at least 5, to keep some for calibration")
    chosen = first_of_each_class(digits.labels, count)
    known = {digits.images[k].tobytes() for k in chosen}
    rest = np.array([k for k in range(len(digits)) if digits.images[k].tobytes() not in known], np.int64)
    if not len(rest):
        raise DataError(f"{digits.name}: its images are all identical; expected some for calibration and others for results")
    rest_of_them = LabelledImages(f"{digits.name} without {count} for calibration", digits.images[rest], digits.labels[rest])
    return rest_of_them, digits.images[chosen]
