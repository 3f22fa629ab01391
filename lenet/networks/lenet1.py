"""LeNet-1: the 1989 zip-code network on 16x16, and the network of the same name in the 1998 table, on 28x28.

**1989** (paper 7). Published: every layer, the border of -1, the bias per unit, all counts. Not published: which 8 of
the 12 maps each H2 map reads (A: three groups of four H2 maps, each group leaving out a different third of H1), and
where the odd column of the border lies (A: two above and left, one below and right).

**28x28** (LeCun et al., NIPS 2, 1990; paper 8's "LeNet-1"). Published: shapes, "one or two maps", the counts of
connections, parameters and units, which settle 20 kernels (D). Recalled: digits shrunk to 16x16 inside the field,
pairs only within the first two and the last two maps. Assumed: which map reads which within that (see recognizer.py),
and no squash at the output (it would change no label).
"""

from __future__ import annotations

import numpy as np

from anna.network.graph import SCALED_TANH, Convolution, Graph
from lenet.networks import parts
from lenet.networks.recognizer import C3_TABLE

H2_TABLE = tuple(tuple(i for i in range(12) if i // 4 != 2 - o // 4) for o in range(12))  # A


def _zip_layer(name: str, inputs: int, size: int, table: tuple[tuple[int, ...], ...]) -> Convolution:
    """12 maps, 5x5, stride 2, a bias per unit, border -1: P, paper 7."""
    return Convolution(
        name,
        np.zeros((12, inputs, 5, 5), np.float32),
        np.zeros((12, size, size), np.float32),
        parts.table(table, inputs),
        stride=(2, 2),
        padding=(2, 1, 2, 1),
        padding_value=-1.0,
        activation=SCALED_TANH,
    )


def lenet1(data: str = "usps") -> Graph:
    """The 1989 network, untrained."""
    prepare = parts.close_up(parts.data_of("lenet1", data), 16)  # for MNIST the central 24x24, shrunk to a zip digit's size (A)
    graph = Graph(
        "lenet1",
        (1, *prepare.source),
        (
            prepare,
            _zip_layer("H1", 1, 8, ((0,),) * 12),
            _zip_layer("H2", 12, 4, H2_TABLE),
            parts.full("H3", 30, 192, SCALED_TANH),
            parts.full("output", 10, 30, SCALED_TANH),
        ),
        data,
    )
    for name, parameters, connections in (
        ("H1", 1068, 19968),
        ("H2", 2592, 38592),
        ("H3", 5790, 5790),
        ("output", 310, 310),
    ):
        parts.check_count(graph, f"parameters of {name}", graph[name].parameters, parameters)
        parts.check_count(graph, f"connections of {name}", graph[name].connections, connections)
    parts.check_count(graph, "parameters", graph.parameters, 9760)
    parts.check_count(graph, "connections", graph.connections, 64660)
    parts.check_count(graph, "units", sum(step.units for step in graph), 1256)
    return graph


def lenet1_28(data: str = "mnist") -> Graph:
    """LeNet-1 of the 1998 table, untrained."""
    prepare = parts.image(parts.data_of("lenet1_28", data), 28, 16)  # for MNIST, 28 -> 22 takes the digit's 20x20 to 16x16 (R)
    graph = Graph(
        "lenet1_28",
        (1, *prepare.source),
        (
            prepare,
            parts.convolution("C1", 4, parts.every_map(4, 1)),
            parts.subsample("S2", 4),
            parts.convolution("H3", 12, parts.table(C3_TABLE, 4)),
            parts.subsample("H4", 12),
            parts.full("output", 10, 192),
        ),
        data,
    )
    parts.check_count(graph, "connections", graph.connections, 98_442)
    parts.check_count(graph, "parameters", graph.parameters, 2_578)
    parts.check_count(graph, "units with the constant one", sum(step.units for step in graph) + 1, 4_635)
    return graph
