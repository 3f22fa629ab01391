"""The images that a command counts errors on, and those it calibrates with."""

import argparse
from pathlib import Path

from anna.network.graph import Network
from lenet.datasets.labelled import LabelledImages
from sim.inputs.digits import Images
from sim.inputs.files import read_labelled


def images_of(network: Network, given: argparse.Namespace) -> tuple[LabelledImages, Images]:
    """The images for results, and those for calibration."""
    from lenet.datasets.registry import DATA_SETS, SOURCES
    from sim.inputs.calibration import calibration_images
    from sim.inputs.digits import for_network
    from sim.inputs.own_images import divided, own_images

    source, own_samples = given.images, given.calibration is not None and given.calibration not in DATA_SETS
    if source is not None and source not in SOURCES:
        found = own_images(network, Path(source).name, *read_labelled(Path(source)))
        return found, calibration_images(network, given.calibration, "give sample images with --calibration FILE")
    if source is None and network.prepare is None and own_samples and not given.data:
        return divided(own_images(network, Path(given.calibration).name, *read_labelled(Path(given.calibration))))
    named = not Path(given.model).suffix
    instead = ("use weights for the built-in digits: --data mnist --images holdout" if named else
               "give your own images with --calibration FILE and --images FILE.npz")  # fmt: skip
    calibration = calibration_images(network, given.calibration, instead)
    return for_network(network, source or given.data)[0], calibration
