"""AlexNet of 2012, untrained: what came of the LeNets, for what it would have taken on ANNA.

Published (Krizhevsky, Sutskever, Hinton: ImageNet Classification with Deep Convolutional Neural Networks. NIPS 25, 2012): the
layers, their kernels, strides and groups, 60 M parameters, 650,000 neurons. Derived: images of 227 x 227, without which the
published stride and kernels do not meet. Left out: the normalisation over neighbouring maps, which has no parameters.
"""

from __future__ import annotations

import numpy as np

from anna.base.arrays import Bools
from anna.network.graph import NONE, RELU, Activation, Convolution, FullConnection, Graph, Pool

PIXELS, CLASSES = 227, 1000
PARAMETERS = 60_965_224  # D: from the layers; 60 M are published


def alexnet() -> Graph:
    """The network with zero weights, 240 MB of them."""
    return Graph(
        "alexnet",
        (3, PIXELS, PIXELS),
        (
            _convolution("conv1", 96, 3, 11, stride=4),
            _maxima("pool1"),
            _convolution("conv2", 256, 96, 5, padding=2, halved=True),
            _maxima("pool2"),
            _convolution("conv3", 384, 256, 3, padding=1),
            _convolution("conv4", 384, 384, 3, padding=1, halved=True),
            _convolution("conv5", 256, 384, 3, padding=1, halved=True),
            _maxima("pool5"),
            _full("fc6", 4096, 256 * 6 * 6),
            _full("fc7", 4096, 4096),
            _full("fc8", CLASSES, 4096, NONE),
        ),
    )


def _convolution(
    name: str, maps: int, inputs: int, kernel: int, *, stride: int = 1, padding: int = 0, halved: bool = False
) -> Convolution:
    weights, bias = np.zeros((maps, inputs, kernel, kernel), np.float32), np.zeros(maps, np.float32)
    table = _halves(maps, inputs) if halved else None
    return Convolution(name, weights, bias, table, (stride, stride), (padding,) * 4, activation=RELU)


def _halves(maps: int, inputs: int) -> Bools:
    """Each half of the maps reads its own half of the inputs: the network lay on two processors."""
    return np.asarray(np.arange(maps)[:, None] * 2 // maps == np.arange(inputs) * 2 // inputs)


def _maxima(name: str) -> Pool:
    """Windows of 3 x 3 that overlap."""
    return Pool(name, "max", (3, 3), (2, 2))


def _full(name: str, units: int, inputs: int, activation: Activation = RELU) -> FullConnection:
    return FullConnection(name, np.zeros((units, inputs), np.float32), np.zeros(units, np.float32), activation)
