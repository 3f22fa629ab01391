"""What else ran on the board of 1991: a convolver on a large image, and the recogniser at many places of a ZIP code.

Published (paper 3): 16 kernels of 16 x 16 stepped over an image, to find the slant of text; the recogniser at 31 x 6 places,
about 2 million connections. Derived: the image of 52 x 152 that gives 31 x 6 places of a 32 x 32 window with a step of 4.
Assumed: what the kernels are (lines in 16 directions) and the size of their image.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from anna.network.graph import SCALED_TANH, Convolution, Graph, Prepare
from lenet.datasets.strings import ZIP_IMAGE
from lenet.networks import parts

SEGMENTER_IMAGE = ZIP_IMAGE
KERNELS, KERNEL_SIZE = 16, 16
LINE_WIDTH = 2.0  # pixels, standard deviation (A)
LINE_REACH = KERNEL_SIZE / 4  # pixels, standard deviation of the disc (A)
DRIVE = 4.0  # sum of a kernel's positive weights, so that a line on its middle fills the squash (A)


def segmenter(recogniser: Graph) -> Graph:
    """The recogniser, trained or not, at 31 x 6 places."""
    graph = replace(recogniser.widened(*SEGMENTER_IMAGE), name="segmenter")
    parts.check_count(graph, "places", graph.output_shape[1] * graph.output_shape[2], 31 * 6)
    return graph


def convolver(rows: int, columns: int) -> Graph:
    """Sixteen line detectors without bias on an image of this size."""
    prepare = Prepare(source=(rows, columns))
    weights = np.stack([line(np.pi * k / KERNELS) for k in range(KERNELS)])[:, None]
    return Graph("convolver", (1, rows, columns), (prepare, Convolution("lines", weights, activation=SCALED_TANH)))


def line(angle: float, width: float = LINE_WIDTH, reach: float = LINE_REACH, drive: float = DRIVE) -> npt.NDArray[np.float32]:
    """A kernel that answers to a line in this direction: a ridge between two valleys, within a disc, of mean zero."""
    at = np.arange(KERNEL_SIZE) - (KERNEL_SIZE - 1) / 2
    y, x = np.meshgrid(at, at, indexing="ij")
    across = (y * np.cos(angle) - x * np.sin(angle)) / width
    disc = np.exp(-(x * x + y * y) / (2 * reach**2))
    ridge = (1 - across * across) * np.exp(-across * across / 2) * disc
    ridge -= disc * ridge.sum() / disc.sum()
    return np.asarray(drive * ridge / ridge[ridge > 0].sum(), np.float32)
