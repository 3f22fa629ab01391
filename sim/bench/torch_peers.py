"""Networks in PyTorch, one thread: float32, and the noisy model that one writes by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from anna.graph import Graph
from lenet.torch_net import TorchNet, squash
from sim.bench.reader import Reader

STATE_STEP, WEIGHT_ERROR, NOISE = 2.0 / 7, 0.02, 0.05  # of the noisy model: of the order of the chip's own


def torch_reader(net: Any) -> Reader:
    """A torch module for prepared pictures, on one thread."""
    torch.set_num_threads(1)

    def read(pictures: NDArray[np.float32]) -> Any:
        with torch.inference_mode():
            return net(torch.from_numpy(pictures))

    return read


def float_reader(graph: Graph) -> Reader:
    """The float network."""
    return torch_reader(TorchNet(graph).eval())


def noisy_reader(graph: Graph) -> Reader:
    """As one writes it by hand: fixed errors of the weights, fresh noise on every sum, states in eight steps."""
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
