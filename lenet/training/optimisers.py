"""The two optimisers: Adam over batches, and one digit at a time with diagonal second derivatives (papers 7 and 8)."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from anna.base.errors import DataError
from anna.network.graph import NONE, Convolution, FullConnection, Graph, Pool, Rbf, Subsample
from lenet.training.torch_net import TorchLayer, TorchNet, squash

LossName = Literal["cross_entropy", "cross_entropy_or_none", "squared_error", "map"]
# Paper 8's criterion (equation 9) is y_right + log(e^-j + sum of e^-y), y the squared distances. Neither j nor a
# scale of the distances is published. Distances over 84 units reach hundreds, so without a scale only the nearest wrong
# class counts.
MAP_SCALE = 0.1  # A: y is the squared distance times this
MAP_CONSTANT = 6.0  # A: j; classes with y far beyond it do not matter


def loss_name(graph: Graph, *, or_none: bool = False) -> LossName:
    """The loss for the output: paper 8's MAP criterion for distances, paper 7's squared error for squashed units, else
    cross-entropy; the last alone knows "none"."""
    last = graph.layers[-1]
    if or_none:
        if isinstance(last, Rbf) or last.activation != NONE:
            raise DataError(f"{graph.name}: cannot be trained to reject; expected linear scores, of which none need be above 0")
        return "cross_entropy_or_none"
    if isinstance(last, Rbf):
        return "map"
    return "cross_entropy" if last.activation == NONE else "squared_error"


def loss(kind: LossName, scores: Tensor, labels: Tensor) -> Tensor:
    """Mean loss over a batch of scores (n, classes)."""
    if kind.startswith("cross_entropy"):
        return functional.cross_entropy(judged(kind, scores), labels)
    if kind == "squared_error":
        targets = functional.one_hot(labels, scores.shape[1]).to(scores.dtype) * 2 - 1
        return 0.5 * ((scores - targets) ** 2).sum(1).mean()
    scaled = MAP_SCALE * scores
    right = scaled.gather(1, labels[:, None])[:, 0]
    every = torch.cat([scaled, scaled.new_full((len(scaled), 1), -MAP_CONSTANT)], 1)
    return (torch.logsumexp(every, 1) - right).mean()


def judged(kind: LossName, scores: Tensor) -> Tensor:
    """The scores that an answer is chosen from: with "none" as one class more, whose score is always 0.

    A softmax knows differences alone, so an output of its own for "none" could learn nothing that the others cannot.
    """
    return torch.cat([scores, scores.new_zeros(len(scores), 1)], 1) if kind == "cross_entropy_or_none" else scores


def adam_step(largest: float, step: int, steps: int, warm_up_share: float) -> float:
    """Rises linearly to `largest` over the first share of the steps, then falls along a cosine to zero."""
    warm = max(1, round(steps * warm_up_share))
    if step < warm:
        return largest * (step + 1) / warm
    return largest * 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def _slope(layer: TorchLayer, sums: Tensor) -> Tensor:
    with torch.enable_grad():
        free = sums.detach().requires_grad_(True)
        out = squash(layer.layer.activation, free)
        if out is free:
            return torch.ones_like(sums)
        (slope,) = torch.autograd.grad(out.sum(), free)
    return slope


def second_derivatives(net: TorchNet, x: Tensor, labels: Tensor) -> list[Tensor]:
    """Diagonal Gauss-Newton second derivatives of the mean loss for every parameter, in the order of
    `net.parameters()`.

    As in paper 8's appendix: propagates back through the layers with squared weights, slopes and inputs. The derivative
    at the output is that of the loss with respect to the scores.
    """
    inputs, sums = [], []
    with torch.no_grad():
        for module in net.chain:
            assert isinstance(module, TorchLayer)
            inputs.append(x)
            sums.append(module.sums(x))
            x = module(x)
        back = _output_curvature(net, x.flatten(1), labels).reshape(x.shape) / len(x)
    found: dict[int, Tensor] = {}
    for module, given, total in zip(reversed(net.chain), reversed(inputs), reversed(sums), strict=True):
        assert isinstance(module, TorchLayer)
        layer = module.layer
        back = back * _slope(module, total) ** 2
        if isinstance(
            layer, Rbf
        ):  # second derivative of the squared distance to the right centre: 2 per unit, wherever the other centres lie
            back = torch.full_like(given, 2 * MAP_SCALE / len(given))
            continue
        if not isinstance(layer, Convolution | Subsample | FullConnection | Pool):
            raise TypeError(f"{layer.name}: second-order recipes do not support {layer.kind} layers")
        squared = TorchLayer(layer)
        with torch.no_grad():
            for (_, target), (_, source) in zip(squared.named_parameters(), module.named_parameters(), strict=True):
                target.copy_(source**2)
        # sums are linear in inputs and in weights: use their transposes, with squares in place of values
        wanted = given.detach().clone().requires_grad_(True)
        (next_back,) = torch.autograd.grad(squared.sums(wanted), wanted, back)
        parameters = list(module.parameters())
        if parameters:
            values = torch.autograd.grad(_linear_sums(module, given**2, given), parameters, back)
            found.update({id(p): value for p, value in zip(parameters, values, strict=True)})
        back = next_back
    return [found[id(p)] for p in net.parameters()]


def _linear_sums(module: TorchLayer, squared_inputs: Tensor, inputs: Tensor) -> Tensor:
    if not isinstance(module.layer, Subsample):
        return module.sums(squared_inputs)
    # the coefficient multiplies the sum of the window, so that sum is squared
    layer = module.layer
    area = layer.window[0] * layer.window[1]
    total = functional.avg_pool2d(inputs[:, list(layer.source)], layer.window) * area
    return total**2 * module.per_map("coefficient_o") + module.per_map("bias_o")


def _output_curvature(net: TorchNet, scores: Tensor, labels: Tensor) -> Tensor:
    kind = loss_name(net.graph)
    if kind == "cross_entropy":
        share = torch.softmax(scores, 1)
        return share * (1 - share)
    return torch.ones_like(scores)


def diagonal_update(parameters: list[nn.Parameter], rates: list[Tensor]) -> None:
    """One step against the gradient, each weight with its own rate."""
    with torch.no_grad():
        for parameter, rate in zip(parameters, rates, strict=True):
            assert parameter.grad is not None
            parameter.sub_(parameter.grad * rate)
