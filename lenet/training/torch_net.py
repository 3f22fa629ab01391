"""A graph as a PyTorch module, for training in floats and for checking the float forward."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from anna.base.errors import GraphError
from anna.network.graph import Convolution, FullConnection, Graph, Layer, Prepare, Rbf
from anna.network.prepare import prepare
from anna.torch.layers import layer_sums, squash


class TorchLayer(nn.Module):
    """One layer: its trainable arrays as parameters, its fixed ones as buffers."""

    def __init__(self, layer: Layer) -> None:
        super().__init__()
        if isinstance(layer, Convolution | FullConnection):
            layer = replace(layer, steps_o=None)  # training moves weights off their codes
        self.layer = layer
        fixed = isinstance(layer, Rbf) and not layer.trainable
        for name, array in layer.tensors.items():
            value = torch.from_numpy(np.array(array))
            if fixed or not value.is_floating_point():
                self.register_buffer(name, value)
            else:
                self.register_parameter(name, nn.Parameter(value))
        if isinstance(layer, Convolution) and not layer.table.all():
            mask = torch.from_numpy(layer.table[:, :, None, None].astype(layer.weights_oiyx.dtype))
            self.register_buffer("mask", mask)

    def array(self, name: str) -> Tensor:
        """The parameter or buffer with this name."""
        found: Tensor = getattr(self, name)
        return found

    def per_map(self, name: str) -> Tensor:
        """The same, shaped to broadcast over the positions of its map."""
        return self.array(name)[:, None, None]

    def sums(self, x: Tensor) -> Tensor:
        """What the layer computes before its activation."""
        return layer_sums(self.layer, {**dict(self.named_parameters()), **dict(self.named_buffers())}, x)

    def forward(self, x: Tensor) -> Tensor:
        return squash(self.layer.activation, self.sums(x))


class TorchNet(nn.Module):
    """A graph as a module, from prepared images (n, maps, rows, columns) to scores, (n, classes) if the output is 1x1."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        if not graph.is_chain:
            raise GraphError(f"{graph.name}: has branches; expected a chain of layers to train")
        self.graph = graph
        self.chain = nn.ModuleList(TorchLayer(layer) for layer in graph.layers if not isinstance(layer, Prepare))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.chain:
            x = layer(x)
        return x.flatten(1) if self.graph.output_shape[1:] == (1, 1) else x

    def to_graph(self) -> Graph:
        """The graph with the current weights."""
        layers: list[Layer] = [layer for layer in self.graph.layers if isinstance(layer, Prepare)]
        for module in self.chain:
            assert isinstance(module, TorchLayer)
            layer = module.layer
            arrays: dict[str, Any] = {name: getattr(module, name).detach().numpy().copy() for name in layer.tensors}
            if isinstance(layer, Convolution):
                arrays["weights_oiyx"] = np.where(layer.table[:, :, None, None], arrays["weights_oiyx"], 0).astype(
                    arrays["weights_oiyx"].dtype
                )
            layers.append(replace(layer, **arrays))
        return replace(self.graph, layers=tuple(layers))


def prepared(graph: Graph, images: Any, dtype: Any = np.float32) -> Tensor:
    """Raw uint8 images as the tensor that a TorchNet of `graph` takes."""
    if graph.prepare is None:
        raise GraphError(f"{graph.name}: does not prepare raw images; expected a graph that begins with Prepare")
    return torch.from_numpy(np.ascontiguousarray(prepare(graph.prepare, images, dtype)[:, None]))


__all__ = ["TorchLayer", "TorchNet", "prepared", "squash"]
