"""The images that a command or a sweep asks for: those that errors are counted on, and those to calibrate with."""

from dataclasses import dataclass
from pathlib import Path

from anna.network.graph import Network
from lenet.datasets.labelled import LabelledImages
from lenet.datasets.registry import DATA_SETS, SOURCES
from sim.inputs.calibration import calibration_images
from sim.inputs.digits import Images, for_network
from sim.inputs.files import read_labelled
from sim.inputs.own_images import divided, own_images


@dataclass(frozen=True)
class Asked:
    """Where images come from; `spelling` is how a caller writes a request, for messages."""

    images: str | None = None  # a named source or a file
    calibration: str | None = None  # a data set or a file
    data: str | None = None  # a data set
    spelling: str = "--{name} {file}"

    def written(self, name: str, file: str = "FILE") -> str:
        """How a file is asked for."""
        return self.spelling.format(name=name, file=file)


def images_for(network: Network, asked: Asked, *, named: bool) -> tuple[LabelledImages, Images]:
    """The images for results, and those for calibration; `named`: the network is a LeNet by name, not a file.

    A user's own network takes both from its calibration file if that is all there is.
    """
    source, file = asked.images, asked.written("calibration")
    if source is not None and source not in SOURCES:
        found = own_images(network, Path(source).name, *read_labelled(Path(source)))
        return found, calibration_images(network, asked.calibration, f"give sample images with {file}", file)
    own_samples = asked.calibration is not None and asked.calibration not in DATA_SETS
    if source is None and network.prepare is None and own_samples and not asked.data:
        samples = Path(asked.calibration or "")
        return divided(own_images(network, samples.name, *read_labelled(samples)))
    instead = (f"use weights for the built-in digits: {asked.written('data', 'mnist')} {asked.written('images', 'holdout')}"
               if named else f"give your own images with {file} and {asked.written('images', 'FILE.npz')}")  # fmt: skip
    calibration = calibration_images(network, asked.calibration, instead, file)
    return for_network(network, source or asked.data)[0], calibration
