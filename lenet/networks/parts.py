"""The pieces the LeNets share: their pictures, untrained layers, and the check of a published count."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from anna.base.errors import GraphError
from anna.network.graph import NONE, SCALED_TANH, Activation, Convolution, FullConnection, Graph, Prepare, Subsample

DATA = ("mnist", "usps")
SOURCE = {"mnist": (28, 28), "usps": (16, 16)}  # rows and columns of a digit: P, papers 8 and 7


def check_data(name: str, data: str) -> None:
    """Refuse a data set that the networks do not know."""
    if data not in DATA:
        raise GraphError(f"{name}: data set {data!r} is not known; expected one of {', '.join(DATA)}")


def check_count(graph: Graph, what: str, obtained: int, published: int) -> None:
    """The count of the paper, asserted where the network is defined."""
    if obtained != published:
        raise GraphError(f"{graph.name}: {what} is {obtained}; expected {published}, the published figure")


def picture(data: str, field: int, *, low: float = -1.0, high: float = 1.0) -> Prepare:
    """A digit in the middle of a field x field picture, background `low`, ink `high`.

    USPS digits fill their 16x16 picture, MNIST digits a 20x20 box in 28x28 (P, papers 7 and 8). So that both are of
    one size in a field of 28 or more, a USPS digit is grown to 20x20 there (A).
    """
    resize = (20, 20) if data == "usps" and field >= 28 else None
    return Prepare(source=SOURCE[data], resize=resize, field=(field, field), low=low, high=high)


def convolution(
    name: str, maps: int, table_oi: npt.NDArray[np.bool_], kernel: int = 5, squash: Activation = SCALED_TANH
) -> Convolution:
    """An untrained convolution on the connection table, a bias per map."""
    weights = np.zeros((maps, table_oi.shape[1], kernel, kernel), np.float32)
    return Convolution(name, weights, np.zeros(maps, np.float32), table_oi, activation=squash)


def every_map(maps: int, inputs: int) -> npt.NDArray[np.bool_]:
    """The table in which every map reads every input map."""
    return np.ones((maps, inputs), bool)


def table(rows: tuple[tuple[int, ...], ...], inputs: int) -> npt.NDArray[np.bool_]:
    """A connection table from the input maps that each output map reads."""
    table_oi = np.zeros((len(rows), inputs), bool)
    for output, row in enumerate(rows):
        table_oi[output, list(row)] = True
    return table_oi


def subsample(name: str, maps: int, source: tuple[int, ...] | None = None) -> Subsample:
    """An untrained 2x2 subsampling with its squash."""
    return Subsample(name, np.zeros(maps, np.float32), np.zeros(maps, np.float32), source, activation=SCALED_TANH)


def full(name: str, units: int, inputs: int, squash: Activation = NONE) -> FullConnection:
    """An untrained full connection, a bias per unit."""
    return FullConnection(name, np.zeros((units, inputs), np.float32), np.zeros(units, np.float32), squash)
