"""A graph as a PyTorch module, for training and for checking the float forward; layers meet torch only here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from anna.base.errors import GraphError
from anna.network.activations import Activation, Maths
from anna.network.graph import (
    Affine,
    Convolution,
    FullConnection,
    Graph,
    Layer,
    Pool,
    Prepare,
    Rbf,
    Softmax,
    Subsample,
)
from anna.network.prepare import prepare

MATHS = Maths(
    torch.tanh, torch.sigmoid, torch.relu, torch.clamp, torch.exp, torch.log, torch.sqrt, torch.erf, torch.reciprocal,
    step=lambda x: (x > 0).to(x.dtype), round=torch.round,
)  # fmt: skip


def squash(activation: Activation, sums: Tensor) -> Tensor:
    """The activation, by its formula."""
    value: Tensor = activation.value(sums, MATHS)
    return value


def _pooled(layer: Pool, x: Tensor) -> Tensor:
    top, bottom, left, right = layer.padding
    if layer.mode == "max":
        x = functional.pad(x, (left, right, top, bottom), value=float("-inf"))
        return functional.max_pool2d(x, layer.window, layer.stride)
    share = functional.pad(torch.ones_like(x[:1, :1]), (left, right, top, bottom))
    x = functional.pad(x, (left, right, top, bottom))
    return functional.avg_pool2d(x, layer.window, layer.stride) / functional.avg_pool2d(share, layer.window, layer.stride)


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
            if fixed:
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
        layer = self.layer
        match layer:
            case Prepare():
                return x
            case Convolution():
                weights = self.array("weights_oiyx")
                if not layer.table.all():
                    weights = weights * self.array("mask")
                top, bottom, left, right = layer.padding
                if any(layer.padding):
                    x = functional.pad(x, (left, right, top, bottom), value=layer.padding_value)
                bias = None if layer.bias is None else self.array("bias")
                if layer.bias_kind == "unit":
                    return functional.conv2d(x, weights, None, layer.stride) + self.array("bias")
                return functional.conv2d(x, weights, bias, layer.stride)
            case Subsample():
                if layer.source != tuple(range(x.shape[1])):
                    x = x[:, list(layer.source)]
                total = functional.avg_pool2d(x, layer.window) * (layer.window[0] * layer.window[1])
                return total * self.per_map("coefficient_o") + self.per_map("bias_o")
            case Pool() if layer.dilation == (1, 1):
                return _pooled(layer, x)
            case FullConnection():
                bias = None if layer.bias_o is None else self.array("bias_o")
                return functional.linear(x.flatten(1), self.array("weights_oi"), bias)[:, :, None, None]
            case Rbf():
                distance = x[:, None] - self.array("centres_oi")[None, :, :, None, None]
                return -(distance * distance).sum(2)
            case Affine():
                return x * self.per_map("scale_m") + self.per_map("offset_m")
            case Softmax() if layer.over == "m":
                return torch.log_softmax(x, 1) if layer.log else torch.softmax(x, 1)
        raise GraphError(f"{layer.name}: a {layer.kind} layer cannot be trained here; train the network where it was made")

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
