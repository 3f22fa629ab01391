"""Every kind of layer in PyTorch, with its arrays given as tensors: for gradients, and for training in floats.

The bits are PyTorch's; `anna.network.forward` is the definition.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from anna.network.activations import Activation, Maths
from anna.network.graph import (
    Affine,
    Arrangement,
    Combination,
    Concatenation,
    Convolution,
    FullConnection,
    Layer,
    Normalisation,
    Pool,
    Prelu,
    Prepare,
    Rbf,
    Reduction,
    Softmax,
    Subsample,
)
from anna.network.parts import AXES

Arrays = Mapping[str, Tensor]  # of a layer, by the names of its fields

MATHS = Maths(
    torch.tanh, torch.sigmoid, torch.relu, torch.clamp, torch.exp, torch.log, torch.sqrt, torch.erf, torch.reciprocal,
    step=lambda x: (x > 0).to(x.dtype), round=torch.round,
)  # fmt: skip
COMBINED = {"sum": torch.add, "product": torch.mul, "max": torch.maximum, "min": torch.minimum}


def squash(activation: Activation, sums: Tensor) -> Tensor:
    """The activation, by its formula."""
    value: Tensor = activation.value(sums, MATHS)
    return value


def layer_value(layer: Layer, arrays: Arrays, *xs: Tensor) -> Tensor:
    """What a layer gives for all that it reads (images, maps, rows, columns)."""
    return squash(layer.activation, layer_sums(layer, arrays, *xs))


def layer_sums(layer: Layer, arrays: Arrays, *xs: Tensor) -> Tensor:
    """What it computes before its activation."""
    x = xs[0]
    match layer:
        case Prepare():
            return x
        case Convolution():
            return _convolution(layer, arrays, x)
        case Subsample():
            if layer.source != tuple(range(x.shape[1])):
                x = x[:, list(layer.source)]
            total = functional.avg_pool2d(x, layer.window) * (layer.window[0] * layer.window[1])
            return total * along(arrays["coefficient_o"]) + along(arrays["bias_o"])
        case Pool():
            return _pooled(layer, x)
        case FullConnection():
            return functional.linear(x.flatten(1), arrays["weights_oi"], arrays.get("bias_o"))[:, :, None, None]
        case Rbf():
            distance = x[:, None] - arrays["centres_oi"][None, :, :, None, None]
            return -(distance * distance).sum(2)
        case Affine():
            return x * along(arrays["scale_m"]) + along(arrays["offset_m"])
        case Prelu():
            return x.clamp(min=0) + x.clamp(max=0) * arrays["slope_myx"]
        case Softmax():
            return _softmax(layer, x)
        case Combination():
            for other in (*xs[1:], *((arrays["constant_myx"][None],) if "constant_myx" in arrays else ())):
                x = COMBINED[layer.mode](x, other)
            return x
        case Concatenation():
            flat = len({one.shape[2:] for one in xs}) > 1
            return torch.cat([one.flatten(1)[:, :, None, None] if flat else one for one in xs], 1)
        case Arrangement():
            units = arrays["units_myx"].long()
            moved = x.flatten(1)[:, units.clamp(min=0).reshape(-1)].reshape(-1, *units.shape)
            return torch.where(units < 0, layer.value, moved)
        case Reduction():
            return _reduced(layer, x)
        case Normalisation():
            axes = _axes(layer.over)
            x = x - x.mean(axes, keepdim=True) if layer.centred else x
            return x / ((x * x).mean(axes, keepdim=True) + layer.epsilon).sqrt()


def along(values_m: Tensor) -> Tensor:
    """A value per map, shaped to repeat over positions."""
    return values_m[:, None, None]


def _convolution(layer: Convolution, arrays: Arrays, x: Tensor) -> Tensor:
    weights, bias = arrays["weights_oiyx"], arrays.get("bias")
    if "mask" in arrays:
        weights = weights * arrays["mask"]
    top, bottom, left, right = layer.padding
    if any(layer.padding):
        x = functional.pad(x, (left, right, top, bottom), value=layer.padding_value)
    if bias is not None and bias.ndim == 3:
        return functional.conv2d(x, weights, None, layer.stride) + bias
    return functional.conv2d(x, weights, bias, layer.stride)


def _pooled(layer: Pool, x: Tensor) -> Tensor:
    top, bottom, left, right = layer.padding
    around = (left, right, top, bottom)
    if layer.mode == "max":
        x = functional.pad(x, around, value=float("-inf"))
        return functional.max_pool2d(x, layer.window, layer.stride, dilation=layer.dilation)
    there = functional.pad(torch.ones_like(x[:1, :1]), around)
    if layer.dilation == (1, 1):
        means = (functional.avg_pool2d(one, layer.window, layer.stride) for one in (functional.pad(x, around), there))
        return next(means) / next(means)
    ones = torch.ones(1, 1, *layer.window, dtype=x.dtype)
    counts = functional.conv2d(there, ones, None, layer.stride, dilation=layer.dilation)
    by_map = functional.pad(x, around).flatten(0, 1)[:, None]
    sums = functional.conv2d(by_map, ones, None, layer.stride, dilation=layer.dilation)
    return sums.reshape(*x.shape[:2], *sums.shape[2:]) / counts


def _axes(over: str) -> list[int]:
    return [1 + AXES.index(axis) for axis in over]


def _softmax(layer: Softmax, x: Tensor) -> Tensor:
    axes = _axes(layer.over)
    rest = [axis for axis in range(4) if axis not in axes]
    by_last = x.permute(*rest, *axes)
    flat = by_last.flatten(len(rest))
    found = torch.log_softmax(flat, -1) if layer.log else torch.softmax(flat, -1)
    order = [*rest, *axes]
    return found.reshape(by_last.shape).permute(*(order.index(axis) for axis in range(4)))


def _reduced(layer: Reduction, x: Tensor) -> Tensor:
    axes = _axes(layer.over)
    match layer.mode:
        case "sum":
            return x.sum(axes, keepdim=True)
        case "mean":
            return x.mean(axes, keepdim=True)
        case "max":
            return x.amax(axes, keepdim=True)
        case "min":
            return x.amin(axes, keepdim=True)
    for axis in axes:
        x = x.prod(axis, keepdim=True)
    return x
