"""The network that a command counts errors of, the images that it counts them on, and those that it calibrates with."""

import argparse
from pathlib import Path

from anna.network.graph import Network
from lenet.datasets.labelled import LabelledImages
from sim.cli import values
from sim.cli.options import add, positional
from sim.inputs.digits import Images


def add_network_and_images(parser: argparse.ArgumentParser, count_text: str = "all") -> None:
    """The arguments that name a network and the images on which its errors are counted."""
    positional(parser, "model", values.NETWORK, "a LeNet by name ({words}) or by its weights, such as "
               "lenet5-mnist-seed1-chip; or an .onnx or .safetensors file", default="recognizer", nargs="?")  # fmt: skip
    add(parser, "--data", default_text="that of a LeNet's paper")
    add(parser, "--weights-seed", default=1)
    add(parser, "--variant", default_text="ordinary weights")
    add(parser, "--images", default_text="the built-in digits, or with --data its test set; for your own network, the images "
        "that --calibration leaves")  # fmt: skip
    add(parser, "--count", default_text=count_text)


def images_of(network: Network, given: argparse.Namespace) -> tuple[LabelledImages, Images]:
    """The images for results, and those for calibration."""
    from sim.inputs.asked import Asked, images_for

    asked = Asked(given.images, given.calibration, given.data)
    return images_for(network, asked, named=not Path(given.model).suffix)
