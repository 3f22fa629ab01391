"""The steps of a quantised network's weights, found in the floats: what was folded into them, of batch normalisation or scales
of activations, changed the step and not the codes."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from anna.importers.onnx_file import Node
from anna.importers.onnx_quantised import READERS as QUANTISED
from anna.network.graph import Convolution, FullConnection, Layer

LARGEST_CODE = 128  # of eight bits: finer weights are as good as floats to a chip
OFF = 1e-3  # of a step: what folding in 32-bit floats may add
FEWEST = 4  # weights other than zero that tell a step of their own

Floats = NDArray[np.float64]


def with_steps(layers: Iterable[Layer], nodes: Iterable[Node]) -> tuple[Layer, ...]:
    """Layers of a file; those of a quantised network with the steps that their weights have."""
    if not any(node.op in QUANTISED for node in nodes):
        return tuple(layers)
    return tuple(_with_steps(layer) for layer in layers)


def _with_steps(layer: Layer) -> Layer:
    if not isinstance(layer, Convolution | FullConnection):
        return layer
    weights = layer.weights_oiyx if isinstance(layer, Convolution) else layer.weights_oi
    steps = steps_of(weights.reshape(len(weights), -1).astype(np.float64))
    return layer if steps is None else replace(layer, steps_o=steps.astype(np.float32))


def steps_of(weights_ot: Floats) -> Floats | None:
    """A step for each map, the same for all if that takes no larger codes; None unless every map has one."""
    largest_o, common = np.abs(weights_ot).max(axis=1), step_of(weights_ot.reshape(-1))
    found = [step_of(weights) for weights in weights_ot]
    if any(step is None for step in found):
        return None if common is None else np.full(len(weights_ot), common)
    steps = np.array(found, np.float64)
    alike = common is not None and np.rint(largest_o / common).max() <= np.rint(largest_o / steps).max()
    return np.full(len(weights_ot), common) if alike else steps


def step_of(weights: Floats) -> float | None:
    """The greatest step of which all weights are whole multiples, by codes as small as those of a quantised network."""
    sizes = np.unique(np.abs(weights[weights != 0]))
    if not sizes.size:
        return 1.0
    if np.count_nonzero(weights) < FEWEST:
        return None
    for largest in range(1, LARGEST_CODE + 1):
        multiples = sizes * (largest / sizes[-1])
        if np.abs(multiples - np.rint(multiples)).max() <= OFF:
            return float(sizes[-1]) / largest
    return None
