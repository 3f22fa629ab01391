"""Initial weights, drawn from a seeded generator, so that the seed determines a training run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from anna.network.graph import Convolution, FullConnection, Graph, Layer, Subsample

Rule = Literal["uniform_2.4_over_fan_in", "deviation_1_over_root_fan_in"]


def initial(graph: Graph, seed: int, rule: Rule = "deviation_1_over_root_fan_in") -> Graph:
    """`graph` with newly drawn trainable weights.

    uniform_2.4_over_fan_in: uniform between -2.4/F and 2.4/F, where F is the number of inputs of the unit (P, papers 7 and 8).
    deviation_1_over_root_fan_in: uniform with deviation 1/sqrt(F) (today's practice; the 1998 authors' later advice, R).
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    return replace(graph, layers=tuple(_drawn(layer, rng, rule) for layer in graph.layers))


def _limits(fan_in: Any, rule: Rule) -> Any:
    return 2.4 / fan_in if rule == "uniform_2.4_over_fan_in" else np.sqrt(3.0 / fan_in)


def _drawn(layer: Layer, rng: np.random.Generator, rule: Rule) -> Layer:
    match layer:
        case Convolution():
            fan_in = layer.table.sum(axis=1) * layer.kernel[0] * layer.kernel[1]
            draws = rng.uniform(-1, 1, layer.weights_oiyx.shape) * _limits(fan_in, rule)[:, None, None, None]
            weights = np.where(layer.table[:, :, None, None], draws, 0.0).astype(np.float32)
            return replace(layer, weights_oiyx=weights)
        case FullConnection():
            limit = _limits(layer.weights_oi.shape[1], rule)
            return replace(layer, weights_oi=(rng.uniform(-1, 1, layer.weights_oi.shape) * limit).astype(np.float32))
        case Subsample():  # near the mean of the window, but not all equal: LeNet-4's twin maps would stay identical
            area = layer.window[0] * layer.window[1]
            coefficient = rng.uniform(0.5, 1.5, len(layer.coefficient_o)) / area
            bias = rng.uniform(-0.1, 0.1, len(layer.bias_o))
            return replace(layer, coefficient_o=coefficient.astype(np.float32), bias_o=bias.astype(np.float32))
        case _:
            return layer
