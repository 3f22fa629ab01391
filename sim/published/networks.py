"""The networks that published numbers are about, with the images on which the compiler chooses their ranges."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from anna.network.graph import Graph, Network
from lenet.datasets.digits import calibration
from lenet.networks import catalogue
from lenet.networks.applications import SEGMENTER_IMAGE, convolver, segmenter

CONVOLVER_IMAGE = (64, 64)  # A: the size of the published large image is not known
SCENES = 8
APPLICATIONS = ("recognizer", "lenet5", "convolver", "segmenter")


@lru_cache
def network(name: str) -> Network:
    """An application by its name: a trained LeNet of the catalogue, the convolver or the segmenter."""
    if name == "convolver":
        return convolver(*CONVOLVER_IMAGE)
    if name == "segmenter":
        recogniser = catalogue.load("recognizer")
        assert isinstance(recogniser, Graph)
        return segmenter(recogniser)
    return catalogue.load(name)


@lru_cache
def calibration_of(name: str) -> NDArray[np.uint8]:
    """Its calibration images."""
    sizes = {"convolver": CONVOLVER_IMAGE, "segmenter": SEGMENTER_IMAGE}
    return scenes(*sizes[name]) if name in sizes else calibration(catalogue.native_data(name)).images


def scenes(rows: int, columns: int, count: int = SCENES) -> NDArray[np.uint8]:
    """Images on which calibration digits stand side by side in their order, row after row, on paper."""
    digits = calibration("mnist").images
    height, width = digits.shape[1:]
    down, across = rows // height, columns // width
    scene = np.zeros((count, rows, columns), np.uint8)
    for image in range(count):
        for place in range(down * across):
            top, left = (place // across) * height, (place % across) * width
            scene[image, top : top + height, left : left + width] = digits[(image * down * across + place) % len(digits)]
    return scene
