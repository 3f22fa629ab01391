"""The digit recogniser of 1991 that ran on the chip: LeNet-1 at 28x28, on 32x32.

Published: over 133,000 connections on the chip, 1 ms a character (papers 1, 2, 5). Recalled: 136,000 connections in
all, 3,000 in the last layer, which ran in float on the host. Derived from these: the shape (docs/networks.md shows the
arithmetic). Assumed: which maps each C3 map reads; all that is recalled is that pairs stay within maps 0-1 and 2-3, so that
one 64-state register holds what a map reads. The output has no squash (A): it would change no label.
"""

from __future__ import annotations

from anna.network.graph import Graph
from lenet.networks import parts

_PAIR = ((0, 1),) * 4 + ((0,), (1,))  # A: in each half, four maps read both inputs and two read one
C3_TABLE = _PAIR + tuple(tuple(i + 2 for i in row) for row in _PAIR)


def recognizer(data: str = "mnist") -> Graph:
    """The recogniser, untrained."""
    prepare = parts.image(parts.data_of("recognizer", data), 32)
    graph = Graph(
        "recognizer",
        (1, *prepare.source),
        (
            prepare,
            parts.convolution("C1", 4, parts.every_map(4, 1)),
            parts.subsample("S2", 4),
            parts.convolution("C3", 12, parts.table(C3_TABLE, 4)),
            parts.subsample("S4", 12),
            parts.full("output", 10, 300),
        ),
        data,
    )
    parts.check_count(graph, "multiply-adds", graph.multiply_adds, 135_736)
    parts.check_count(graph, "multiply-adds on the chip", graph.multiply_adds - graph["output"].multiply_adds, 132_736)
    parts.check_count(graph, "connections with biases", graph.connections, 141_166)
    parts.check_count(graph, "parameters", graph.parameters, 3_658)
    return graph
