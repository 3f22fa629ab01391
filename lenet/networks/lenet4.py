"""LeNet-4 of 1995, and three of them boosted.

Published (paper 8): about 260,000 connections, about 17,000 parameters, 1.1 % on MNIST, boosted 0.7 %. Recalled: the
shape, and that each C1 map feeds two S2 maps. Assumed: which three of the eight S2 maps each C3 map reads (below:
three maps from three different C1 maps, each S2 map read six times).

**Open question.** This shape has 262,306 connections, which matches 260,000, and 50,698 parameters, which does not match
17,000: 120 units fully connected to 400 inputs alone have 48,120. No shape with such a layer can match both published
figures.
"""

from __future__ import annotations

from anna.base.errors import GraphError
from anna.network.graph import SCALED_TANH, Ensemble, Graph
from lenet.networks import parts

S2_SOURCE = (0, 1, 2, 3, 0, 1, 2, 3)  # the order is A
C3_TABLE = tuple(tuple((o + step) % 8 for step in ((0, 1, 2) if o < 8 else (0, 2, 3))) for o in range(16))  # A
PUBLISHED_CONNECTIONS = 260_000  # P, "about"
PUBLISHED_PARAMETERS = 17_000  # P, "about"; not matched, see above


def lenet4(data: str = "mnist", name: str = "lenet4") -> Graph:
    """LeNet-4, untrained."""
    prepare = parts.image(parts.data_of(name, data), 32, low=-0.1, high=1.175)  # paper 8's range for LeNet-5 (P)
    graph = Graph(
        name,
        (1, *prepare.source),
        (
            prepare,
            parts.convolution("C1", 4, parts.every_map(4, 1)),
            parts.subsample("S2", 8, S2_SOURCE),
            parts.convolution("C3", 16, parts.table(C3_TABLE, 8)),
            parts.subsample("S4", 16),
            parts.convolution("F5", 120, parts.every_map(120, 16), squash=SCALED_TANH),
            parts.full("output", 10, 120),
        ),
        data,
    )
    if abs(graph.connections - PUBLISHED_CONNECTIONS) > 0.02 * PUBLISHED_CONNECTIONS:
        raise GraphError(f"{name}: connections are {graph.connections}; expected 260,000 within 2 %")
    parts.check_count(graph, "connections by arithmetic", graph.connections, 262_306)
    parts.check_count(graph, "parameters by arithmetic", graph.parameters, 50_698)
    return graph


def boosted_lenet4(data: str = "mnist") -> Ensemble:
    """Three LeNet-4, untrained; the second and third are trained on what the earlier ones get wrong (training/boost.py)."""
    return Ensemble("boosted_lenet4", tuple(lenet4(data, f"lenet4_{place}") for place in ("first", "second", "third")), data)
