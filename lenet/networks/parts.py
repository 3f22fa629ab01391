"""What the LeNets share: their input images, untrained layers, and the check of a published count."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anna.base.errors import GraphError
from anna.network.graph import NONE, SCALED_TANH, Activation, Convolution, FullConnection, Graph, Prepare, Subsample
from lenet.datasets.registry import DATA_SETS, DataSet


def data_of(name: str, data: str) -> DataSet:
    """The data set; a GraphError names the network that asked for it."""
    if data not in DATA_SETS:
        raise GraphError(f"{name}: data set {data!r} is not known; expected one of {', '.join(DATA_SETS)}")
    return DATA_SETS[data]


def check_count(graph: Graph, what: str, obtained: int, published: int) -> None:
    """Asserts the paper's count where the network is defined."""
    if obtained != published:
        raise GraphError(f"{graph.name}: {what} is {obtained}; expected {published}, the published figure")


def image(data: DataSet, field: int, digit: int = 20, *, low: float = -1.0, high: float = 1.0) -> Prepare:
    """A digit centred in a field x field image, background `low`, ink `high`.

    MNIST digits fill 20x20 of their 28x28 (P, paper 8); digits of other sets are enlarged to that size (A).
    """
    return Prepare(source=data.shape, resize=data.scaled(digit), field=(field, field), low=low, high=high)


def close_up(data: DataSet, size: int) -> Prepare:
    """The centre of an image, shrunk so that the digit fills a size x size image without a border."""
    middle = (data.middle, data.middle)
    crop = None if middle == data.shape else middle
    return Prepare(data.shape, crop=crop, resize=None if data.middle == size else (size, size))


def convolution(
    name: str, maps: int, table_oi: npt.NDArray[np.bool_], kernel: int = 5, squash: Activation = SCALED_TANH
) -> Convolution:
    """An untrained convolution with a connection table and a bias per map."""
    weights = np.zeros((maps, table_oi.shape[1], kernel, kernel), np.float32)
    return Convolution(name, weights, np.zeros(maps, np.float32), table_oi, activation=squash)


def every_map(maps: int, inputs: int) -> npt.NDArray[np.bool_]:
    """The table in which every map reads every input map."""
    return np.ones((maps, inputs), bool)


def table(rows: tuple[tuple[int, ...], ...], inputs: int) -> npt.NDArray[np.bool_]:
    """A connection table, from the input maps that each output map reads."""
    table_oi = np.zeros((len(rows), inputs), bool)
    for output, row in enumerate(rows):
        table_oi[output, list(row)] = True
    return table_oi


def subsample(name: str, maps: int, source: tuple[int, ...] | None = None) -> Subsample:
    """An untrained 2x2 subsampling with its squash."""
    return Subsample(name, np.zeros(maps, np.float32), np.zeros(maps, np.float32), source, activation=SCALED_TANH)


def full(name: str, units: int, inputs: int, squash: Activation = NONE) -> FullConnection:
    """An untrained full connection with a bias per unit."""
    return FullConnection(name, np.zeros((units, inputs), np.float32), np.zeros(units, np.float32), squash)
