"""Which taps of a layer are computed, and by which of PyTorch's products: those that no map weighs are left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from anna.compiler.ir import ChipLayer

MANY_MAPS = 32  # from which on maps that each read one are faster one by one (measured on a CPU)
Product = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Window:
    """The taps of a layer as an array (o, ...): how it is cut from (o, i, y, x), and what its numbers are multiplied with."""

    cut: tuple[Any, ...]
    map_of: NDArray[np.int64]  # the input map of each tap, in a shape that repeats to that of the array
    reads: Tensor | None  # the maps of the source, or their units, in the order in which they are read; None: all, as they are
    product: Product  # of what is read, the weights and a bias that repeats to (o, rows, columns)


def window_of(layer: ChipLayer, width: int) -> Window:
    """The taps of a layer whose source has so many maps."""
    mask, places, every = layer.mask_oiyx, np.array(layer.places), slice(None)
    if layer.output_shape[1:] == (1, 1) and layer.kernel == layer.input_shape[1:] and not any(layer.padding):
        i, y, x = np.unravel_index(np.flatnonzero(mask.any(axis=0)), mask.shape[1:])
        units = np.ravel_multi_index((places[i], y, x), (width, *layer.kernel))
        return Window((every, i, y, x), i, _picked(units, width * y_x(layer)), _matrix)
    used_oi = mask.any(axis=(2, 3))
    if (used_oi.sum(axis=1) == 1).all() and len(mask) >= MANY_MAPS:
        each = used_oi.argmax(axis=1)
        cut = np.arange(len(mask))[:, None], each[:, None]
        return Window(cut, each[:, None, None, None], _picked(places[each], width), _convolution(layer, len(mask)))
    some = np.flatnonzero(used_oi.any(axis=0))
    return Window((every, some), some[:, None, None], _picked(places[some], width), _convolution(layer, 1))


def y_x(layer: ChipLayer) -> int:
    """Places in its window."""
    return layer.kernel[0] * layer.kernel[1]


def _picked(places: NDArray[np.int64], width: int) -> Tensor | None:
    return None if np.array_equal(places, np.arange(width)) else torch.tensor(places)


def _matrix(read: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
    """At one position: a matrix product."""
    return functional.linear(read, weights)[:, :, None, None] + bias


def _convolution(layer: ChipLayer, groups: int) -> Product:
    def product(read: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
        if bias.shape[1:] == (1, 1):
            return functional.conv2d(read, weights, bias.flatten(), layer.stride, groups=groups)
        return functional.conv2d(read, weights, None, layer.stride, groups=groups) + bias

    return product
