"""The images that a command counts errors on, and those it calibrates with."""

import argparse
from pathlib import Path

from anna.network.graph import Network
from lenet.datasets.labelled import LabelledImages
from sim.inputs.digits import Images


def images_of(network: Network, given: argparse.Namespace) -> tuple[LabelledImages, Images]:
    """The images for results, and those for calibration."""
    from sim.inputs.asked import Asked, images_for

    asked = Asked(given.images, given.calibration, given.data)
    return images_for(network, asked, named=not Path(given.model).suffix)
