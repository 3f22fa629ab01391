"""A float network as trainable numbers: each array of each layer is a parameter, with factors folded into the layer before."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from anna.base.arrays import Floats
from anna.network.activations import NONE
from anna.network.graph import (
    Affine,
    Combination,
    Convolution,
    Ensemble,
    FullConnection,
    Graph,
    Layer,
    Network,
    Rbf,
    Subsample,
)

Arrays = Mapping[str, NDArray[Any]]  # by key


class Numbers(nn.Module):
    """The numbers of a network by key, LAYER/FIELD, in the order of its layers; before it the number of a member."""

    def __init__(self, network: Network, fixed: Collection[str] = ()) -> None:
        super().__init__()
        self.network = network
        for key, array in arrays_of(network).items():
            if key not in fixed:
                self.register_parameter(key, nn.Parameter(torch.from_numpy(np.array(array, np.float32))))

    def __getitem__(self, key: str) -> Tensor:
        found: Tensor = getattr(self, key)
        return found

    def to_network(self) -> Network:
        """The network with the current numbers."""
        return with_arrays(self.network, {key: value.detach().float().numpy() for key, value in self.named_parameters()})


def arrays_of(network: Network) -> dict[str, Floats]:
    """The arrays of a network that may be trained. Fixed are codes of distances, constants, and factors that are all one."""
    return {
        key: array
        for prefix, member in _prefixed(network)
        for layer in member.layers
        if not _fixed(layer)
        for name, array in layer.tensors.items()
        for key in [f"{prefix}{layer.name}/{name}"]
        if array.dtype.kind == "f"
    }


def _fixed(layer: Layer) -> bool:
    if isinstance(layer, Affine):  # an activation alone; the layer before has weights and biases of its own
        return bool((layer.scale_m == 1.0).all())
    return isinstance(layer, Combination) or (isinstance(layer, Rbf) and not layer.trainable)


def with_arrays(network: Network, arrays: Arrays) -> Network:
    """A network with some of its arrays replaced, by key. Weights that its connection tables leave out stay zero."""
    members = []
    for prefix, member in _prefixed(network):
        layers = []
        for layer in member.layers:
            mine: dict[str, Any] = {
                name: arrays[key] for name in layer.tensors if (key := f"{prefix}{layer.name}/{name}") in arrays
            }
            if isinstance(layer, Convolution) and "weights_oiyx" in mine:
                weights = mine["weights_oiyx"]
                mine["weights_oiyx"] = np.where(layer.table[:, :, None, None], weights, 0).astype(weights.dtype)
            layers.append(replace(layer, **mine) if mine else layer)
        members.append(replace(member, layers=tuple(layers)))
    return replace(network, members=tuple(members)) if isinstance(network, Ensemble) else members[0]


def _prefixed(network: Network) -> list[tuple[str, Graph]]:
    if isinstance(network, Graph):
        return [("", network)]
    return [(f"{number}/", member) for number, member in enumerate(network.members)]


# --- folding ---------------------------------------------------------------------------------------------------------
def folded(network: Network) -> Network:
    """The network with weights that training may move off a quantised network's codes, and with every factor and offset
    that follows sums alone, a batch normalisation say, folded into their weights and biases."""
    if isinstance(network, Ensemble):
        return replace(network, members=tuple(_folded(member) for member in network.members))
    return _folded(network)


def _folded(graph: Graph) -> Graph:
    layers: dict[str, Layer] = {}
    inputs: dict[str, tuple[str, ...]] = {}
    now: dict[str, str] = {}  # what each folded layer has become
    read = [one for step in graph.steps for one in step.inputs] + list(graph.ends)
    for step in graph.steps:
        layer, reads = step.layer, tuple(now.get(one, one) for one in step.inputs)
        if isinstance(layer, Convolution | FullConnection):
            layer = replace(layer, steps_o=None)
        before = layers.get(reads[0])
        if isinstance(layer, Affine) and before is not None and read.count(step.inputs[0]) == 1:
            both = _with_factor(before, layer)
            if both is not None:
                layers[before.name], now[layer.name] = both, before.name
                continue
        layers[layer.name], inputs[layer.name] = layer, reads
    outputs = tuple(now.get(one, one) for one in graph.ends)
    return replace(graph, layers=tuple(layers.values()), links=inputs, outputs=outputs)


def _with_factor(before: Layer, affine: Affine) -> Layer | None:
    """One layer that does what two do, if the first has weights and ends in a sum."""
    if before.activation != NONE:
        return None
    scale, offset = affine.scale_m, affine.offset_m
    match before:
        case Convolution():
            bias = np.zeros_like(scale) if before.bias is None else before.bias
            around = (slice(None),) + (None,) * (bias.ndim - 1)
            return replace(before, weights_oiyx=before.weights_oiyx * scale[:, None, None, None],
                           bias=bias * scale[around] + offset[around], activation=affine.activation)  # fmt: skip
        case FullConnection():
            bias = np.zeros_like(scale) if before.bias_o is None else before.bias_o
            return replace(before, weights_oi=before.weights_oi * scale[:, None], bias_o=bias * scale + offset,
                           activation=affine.activation)  # fmt: skip
        case Subsample():
            return replace(before, coefficient_o=before.coefficient_o * scale, bias_o=before.bias_o * scale + offset,
                           activation=affine.activation)  # fmt: skip
        case Affine():
            return replace(before, scale_m=before.scale_m * scale, offset_m=before.offset_m * scale + offset,
                           activation=affine.activation)  # fmt: skip
    return None
