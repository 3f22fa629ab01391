"""LeNet-5 of 1998, and the "modern" LeNet-5 of today's tutorials.

**1998** (paper 8). Published: every layer, the C3 table, the image's range (-0.1 for paper, 1.175 for ink), the
squash, the counts: 340,908 connections with the 840 of the RBF units, 60,000 trainable parameters. Published only as a
figure: the 7x12 bitmaps that are the centres of the RBF units; those below are drawn for this project in that style (A).

**Modern**: C3 reads all maps, ReLU, mean pooling without parameters, a linear output trained with softmax. No paper
defines it.
"""

from __future__ import annotations

import numpy as np

from anna.network.graph import NONE, RELU, SCALED_TANH, Graph, Pool, Rbf
from lenet.networks import parts

# P, table I of paper 8: which S2 maps each C3 map reads
C3_TABLE: tuple[tuple[int, ...], ...] = (
    *(tuple(sorted((o + k) % 6 for k in range(3))) for o in range(6)),
    *(tuple(sorted((o + k) % 6 for k in range(4))) for o in range(6)),
    (0, 1, 3, 4),
    (1, 2, 4, 5),
    (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)

# A: ten digits of 7 columns and 12 rows, # for +1 and . for -1
_BITMAPS = """
.......  .......  .......  .......  .......  .......  .......  .......  .......  .......
..###..  ...#...  ..###..  .#####.  .....#.  ######.  ..####.  #######  .#####.  .#####.
.#...#.  ..##...  .#...#.  #.....#  ....##.  #......  .#.....  ......#  #.....#  #.....#
#.....#  .#.#...  #.....#  ......#  ...#.#.  #......  #......  .....#.  #.....#  #.....#
#.....#  ...#...  ......#  ......#  ..#..#.  #.###..  #......  .....#.  #.....#  #.....#
#.....#  ...#...  .....#.  ...###.  .#...#.  ##...#.  #.####.  ....#..  .#####.  .######
#.....#  ...#...  ....#..  ......#  #....#.  ......#  ##....#  ....#..  #.....#  ......#
#.....#  ...#...  ...#...  ......#  #######  ......#  #.....#  ...#...  #.....#  ......#
#.....#  ...#...  ..#....  ......#  .....#.  ......#  #.....#  ...#...  #.....#  ......#
.#...#.  ...#...  .#.....  #.....#  .....#.  #....#.  .#....#  ..#....  #.....#  .....#.
..###..  .#####.  #######  .#####.  .....#.  .####..  ..####.  ..#....  .#####.  .####..
.......  .......  .......  .......  .......  .......  .......  .......  .......  .......
"""


def bitmaps() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """The centres of the ten RBF units, each 84 values of -1 or +1."""
    rows = [line.split() for line in _BITMAPS.strip().splitlines()]
    return np.array(
        [[1.0 if pixel == "#" else -1.0 for row in rows for pixel in row[digit]] for digit in range(10)], np.float32
    )


def lenet5(data: str = "mnist") -> Graph:
    """LeNet-5 with the published table and its RBF output, untrained."""
    prepare = parts.image(parts.data_of("lenet5", data), 32, low=-0.1, high=1.175)  # P, paper 8
    graph = Graph(
        "lenet5",
        (1, *prepare.source),
        (
            prepare,
            parts.convolution("C1", 6, parts.every_map(6, 1)),
            parts.subsample("S2", 6),
            parts.convolution("C3", 16, parts.table(C3_TABLE, 6)),
            parts.subsample("S4", 16),
            parts.convolution("C5", 120, parts.every_map(120, 16)),
            parts.full("F6", 84, 120, SCALED_TANH),
            Rbf("output", bitmaps()),
        ),
        data,
    )
    for name, parameters in (("C1", 156), ("S2", 12), ("C3", 1516), ("S4", 32), ("C5", 48120), ("F6", 10164)):
        parts.check_count(graph, f"parameters of {name}", graph[name].parameters, parameters)
    parts.check_count(graph, "parameters", graph.parameters, 60_000)
    parts.check_count(graph, "connections", graph.connections, 340_908)
    return graph


def lenet5_modern(data: str = "mnist") -> Graph:
    """LeNet-5 as today's tutorials build it, untrained."""
    prepare = parts.image(parts.data_of("lenet5_modern", data), 32, low=0.0)
    return Graph(
        "lenet5_modern",
        (1, *prepare.source),
        (
            prepare,
            parts.convolution("C1", 6, parts.every_map(6, 1), squash=RELU),
            Pool("S2", "average"),
            parts.convolution("C3", 16, parts.every_map(16, 6), squash=RELU),
            Pool("S4", "average"),
            parts.convolution("C5", 120, parts.every_map(120, 16), squash=RELU),
            parts.full("F6", 84, 120, RELU),
            parts.full("output", 10, 84, NONE),
        ),
        data,
    )
