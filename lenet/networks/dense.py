"""The networks without convolutions in paper 8's table: linear, 300 and 1000 hidden units, on 28x28.

Published: 784-10, 784-300-10, 784-1000-10 and their errors. Assumed: the squash of the hidden units (scaled tanh, as
in the LeNets), the range of the image, no squash at the output.
"""

from __future__ import annotations

from anna.network.graph import SCALED_TANH, Graph
from lenet.networks import parts


def linear(data: str = "mnist") -> Graph:
    """784-10, untrained."""
    return _dense("linear", None, data)


def mlp300(data: str = "mnist") -> Graph:
    """784-300-10, untrained."""
    return _dense("mlp300", 300, data)


def mlp1000(data: str = "mnist") -> Graph:
    """784-1000-10, untrained."""
    return _dense("mlp1000", 1000, data)


def _dense(name: str, hidden: int | None, data: str) -> Graph:
    prepare = parts.image(parts.data_of(name, data), 28, low=0.0)
    if hidden is None:
        layers = [parts.full("output", 10, 784)]
    else:
        layers = [parts.full("hidden", hidden, 784, SCALED_TANH), parts.full("output", 10, hidden)]
    graph = Graph(name, (1, *prepare.source), (prepare, *layers), data)
    parts.check_count(graph, "parameters", graph.parameters, 7_850 if hidden is None else hidden * 785 + (hidden + 1) * 10)
    return graph
