"""A graph as a PyTorch module, for training and for checking the float forward; the only place where layers meet torch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from anna.errors import GraphError
from anna.graph import Activation, Affine, Convolution, FullConnection, Graph, Layer, Pool, Prepare, Rbf, Softmax, Subsample
from anna.prepare import prepare


def squash(activation: Activation, sums: Tensor) -> Tensor:
    """The activation, as anna.forward defines it."""
    match activation.kind:
        case "none":
            return sums
        case "scaled_tanh":
            return 1.7159 * torch.tanh(sums * (2.0 / 3.0))
        case "tanh":
            return torch.tanh(sums)
        case "sigmoid":
            return torch.sigmoid(sums)
        case "relu":
            return torch.relu(sums)
        case "clip":
            return torch.clamp(sums, activation.low, activation.high)


class TorchLayer(nn.Module):
    """One layer: its trainable arrays as parameters, its fixed ones as buffers."""

    def __init__(self, layer: Layer) -> None:
        super().__init__()
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

    def sums(self, x: Tensor) -> Tensor:
        """What the layer computes before its activation."""
        layer = self.layer
        match layer:
            case Prepare():
                return x
            case Convolution():
                weights: Tensor = self.weights_oiyx  # type: ignore[assignment]
                if not layer.table.all():
                    weights = weights * self.mask  # type: ignore[operator]
                top, bottom, left, right = layer.padding
                if any(layer.padding):
                    x = functional.pad(x, (left, right, top, bottom), value=layer.padding_value)
                bias: Any = self.bias if layer.bias is not None else None
                if layer.bias_kind == "unit":
                    return functional.conv2d(x, weights, None, layer.stride) + bias
                return functional.conv2d(x, weights, bias, layer.stride)
            case Subsample():
                if layer.source != tuple(range(x.shape[1])):
                    x = x[:, list(layer.source)]
                area = layer.window[0] * layer.window[1]
                total = functional.avg_pool2d(x, layer.window) * area
                return total * self.coefficient_o[:, None, None] + self.bias_o[:, None, None]  # type: ignore[index]
            case Pool():
                top, bottom, left, right = layer.padding
                if layer.mode == "max":
                    x = functional.pad(x, (left, right, top, bottom), value=float("-inf"))
                    return functional.max_pool2d(x, layer.window, layer.stride)
                ones = functional.pad(torch.ones_like(x[:1, :1]), (left, right, top, bottom))
                x = functional.pad(x, (left, right, top, bottom))
                return functional.avg_pool2d(x, layer.window, layer.stride) / functional.avg_pool2d(ones, layer.window, layer.stride)
            case FullConnection():
                return functional.linear(x.flatten(1), self.weights_oi, self.bias_o if layer.bias_o is not None else None)[  # type: ignore[arg-type]
                    :, :, None, None
                ]
            case Rbf():
                distance = x[:, None] - self.centres_oi[None, :, :, None, None]  # type: ignore[index]
                return -(distance * distance).sum(2)
            case Affine():
                return x * self.scale_m[:, None, None] + self.offset_m[:, None, None]  # type: ignore[index]
            case Softmax():
                return torch.softmax(x, 1)

    def forward(self, x: Tensor) -> Tensor:
        return squash(self.layer.activation, self.sums(x))


class TorchNet(nn.Module):
    """A graph; takes prepared pictures (n, maps, rows, columns), gives scores (n, classes) when the output is 1x1."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph
        self.chain = nn.ModuleList(TorchLayer(layer) for layer in graph.layers if not isinstance(layer, Prepare))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.chain:
            x = layer(x)
        return x.flatten(1) if self.graph.output_shape[1:] == (1, 1) else x

    def to_graph(self) -> Graph:
        """The graph with the weights as they are now."""
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
    """Raw uint8 pictures as the tensor that a TorchNet of `graph` takes."""
    if graph.prepare is None:
        raise GraphError(f"{graph.name}: has no preparation of raw pictures; expected a graph that begins with Prepare")
    return torch.from_numpy(np.ascontiguousarray(prepare(graph.prepare, images, dtype)[:, None]))
