"""Networks in PyTorch on one thread: float32, a hand-written noisy model, and what the libraries built on PyTorch share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from anna.base.errors import GraphError
from anna.network.graph import Convolution, FullConnection, Graph, Layer
from lenet.training.torch_net import TorchNet, squash
from sim.bench.reader import Reader

STEPS = 7  # of a state and of a sum: eight levels
WEIGHT_STEPS = 31  # of a weight's magnitude, plus the sign
STATE_BOUND, SUM_BOUND = 1.75, 3.0  # ranges of states and sums: tanh reaches 1.7159 and is flat beyond 3
STATE_STEP, WEIGHT_ERROR, NOISE = 2.0 / STEPS, 0.02, 0.05  # of the noisy model; roughly the chip's own


def torch_reader(net: Any) -> Reader:
    """Wraps a torch module as a reader, on one thread."""
    torch.set_num_threads(1)

    def read(images: NDArray[np.float32]) -> Any:
        with torch.inference_mode():
            return net(torch.from_numpy(images))

    return read


def float_reader(graph: Graph) -> Reader:
    """The float network."""
    return torch_reader(TorchNet(graph).eval())


def noisy_reader(graph: Graph) -> Reader:
    """The usual hand-written model: fixed weight errors, fresh noise on every sum, states in eight levels."""
    net = TorchNet(graph).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(WEIGHT_ERROR * parameter.abs().max() * torch.randn_like(parameter))

    def noisy(x: Any) -> Any:
        last = len(net.chain) - 1
        for place, module in enumerate(net.chain):
            sums = module.sums(x)
            if place == last:
                return sums
            sums = sums + NOISE * torch.randn_like(sums)
            x = torch.round(squash(module.layer.activation, sums) / STATE_STEP).clamp(-3.5, 3.5) * STATE_STEP
        raise AssertionError("a network has layers")

    return torch_reader(noisy)


class Replaced(nn.Module):
    """A network whose convolutions and full connections are replaced by other modules. Everything else stays in float32, as
    does the last layer, which runs on the chip's host."""

    def __init__(self, graph: Graph, other: Callable[[Any, bool], Any]) -> None:
        """`other` makes the replacement of an nn.Conv2d or nn.Linear; its second argument says whether it is the first."""
        super().__init__()
        net = TorchNet(graph).eval()
        self.chain, self.others = net.chain, nn.ModuleList()
        for place, module in enumerate(net.chain):
            known = None if place == len(net.chain) - 1 else plain(module.layer)
            made = nn.Identity() if known is None else other(known, place == 0)
            if isinstance(known, nn.Linear):
                made = nn.Sequential(nn.Flatten(), made, nn.Unflatten(1, (known.out_features, 1, 1)))
            self.others.append(made)

    def forward(self, x: Any) -> Any:
        for module, other in zip(self.chain, self.others, strict=True):
            x = module(x) if isinstance(other, nn.Identity) else squash(module.layer.activation, other(x))
        return x.flatten(1)


def round_weights(module: Any) -> None:
    """Rounds a module's weights to six bits, as a chip holds them."""
    step = module.weight.abs().max() / WEIGHT_STEPS
    module.weight.data = (module.weight / step).round() * step


def state_range(graph: Graph, first: bool) -> tuple[float, float]:
    """The range of a layer's inputs: that of the images for the first layer, that of states for the others."""
    if first and graph.prepare is not None:
        return graph.prepare.low, graph.prepare.high
    return -STATE_BOUND, STATE_BOUND


def plain(layer: Layer) -> Any:
    """A convolution or full connection as the standard PyTorch module; None for other layers."""
    if not isinstance(layer, Convolution | FullConnection):
        return None
    made: Any
    if isinstance(layer, Convolution):
        weights, bias = layer.weights_oiyx * layer.table[:, :, None, None], layer.bias
        if any(layer.padding) or layer.bias_kind == "unit":
            raise GraphError(f"{layer.name}: the benchmark's networks have no padding and no bias per unit")
        made = nn.Conv2d(weights.shape[1], weights.shape[0], layer.kernel, layer.stride, bias=bias is not None)
    else:
        weights, bias = layer.weights_oi, layer.bias_o
        made = nn.Linear(weights.shape[1], weights.shape[0], bias=bias is not None)
    made.weight.data = torch.from_numpy(np.array(weights, np.float32))
    if bias is not None:
        made.bias.data = torch.from_numpy(np.array(bias, np.float32))
    return made.requires_grad_(False)
