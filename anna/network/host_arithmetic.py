"""The arithmetic of layers that only the host computes, in the order and rounding of the float forward.

Arrays are maps, rows, columns, images. Whatever adds or compares several numbers does so one after another, in the order
map, row, column.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from anna.base.arrays import Floats
from anna.native import exact_math
from anna.network.host_layers import Arrangement, Combination, Concatenation, Normalisation, Prelu, Reduction
from anna.network.imported_layers import Softmax
from anna.network.parts import AXES, units

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "sum": np.add, "mean": np.add, "product": np.multiply, "max": np.maximum, "min": np.minimum,
}  # fmt: skip

HostLayer = Combination | Concatenation | Arrangement | Reduction | Normalisation | Prelu | Softmax


def host_sums(layer: HostLayer, *xs: Floats) -> Floats:
    """What such a layer computes before its activation."""
    match layer:
        case Combination():
            return _combined(layer, *xs)
        case Concatenation():
            if len({x.shape[1:] for x in xs}) > 1:
                xs = tuple(np.ascontiguousarray(x).reshape(-1, 1, 1, x.shape[3]) for x in xs)
            joined: Floats = np.concatenate(xs)
            return joined
        case Arrangement():
            return _arranged(layer, xs[0])
        case Reduction():
            total: Floats = _over(BINARY[layer.mode], xs[0], layer.over)
            count = _kind(total)(xs[0].size // max(total.size, 1))
            reduced: Floats = total / count if layer.mode == "mean" else total
            return reduced
        case Normalisation():
            return _normalised(layer, xs[0])
        case Prelu():
            x = xs[0]
            zero = _kind(x)(0)
            bent: Floats = np.maximum(x, zero) + np.minimum(x, zero) * layer.slope_myx.astype(x.dtype)[..., None]
            return bent
        case Softmax():
            return _softmax(layer, xs[0])


def _kind(x: Floats) -> Any:
    return x.dtype.type


def _combined(layer: Combination, *xs: Floats) -> Floats:
    both = BINARY[layer.mode]
    total: Floats = xs[0]
    for x in xs[1:]:
        total = both(total, x)
    if layer.constant_myx is not None:
        total = both(total, layer.constant_myx.astype(total.dtype)[..., None])
    return total


def _arranged(layer: Arrangement, x: Floats) -> Floats:
    flat = np.ascontiguousarray(x).reshape(x.shape[0] * x.shape[1] * x.shape[2], x.shape[3])
    out: Floats = flat[np.maximum(layer.units_myx, 0)]
    out[layer.units_myx < 0] = _kind(x)(layer.value)
    return out


def _over(both: Callable[[Any, Any], Any], x: Floats, over: str) -> Floats:
    """All numbers along some axes as one, taken one after another; the axes stay, with length 1."""
    places = [AXES.index(axis) for axis in over]
    rest = [n for n in range(4) if n not in places]
    stacked = x.transpose(*places, *rest).reshape(int(np.prod([x.shape[n] for n in places])), *(x.shape[n] for n in rest))
    total: Floats = stacked[0].copy()
    for one in stacked[1:]:
        total = both(total, one)
    return np.expand_dims(total, tuple(places))


def _normalised(layer: Normalisation, x: Floats) -> Floats:
    if not x.size:
        return x
    count = _kind(x)(units((x.shape[0], x.shape[1], x.shape[2])) // units(_kept(x, layer.over)))
    if layer.centred:
        x = x - _over(np.add, x, layer.over) / count
    spread = _over(np.add, x * x, layer.over) / count + _kind(x)(layer.epsilon)
    normal: Floats = x / np.sqrt(spread)
    return normal


def _kept(x: Floats, over: str) -> tuple[int, int, int]:
    maps, rows, columns = (1 if axis in over else size for axis, size in zip(AXES, x.shape[:3], strict=True))
    return maps, rows, columns


def _softmax(layer: Softmax, x: Floats) -> Floats:
    below = x - _over(np.maximum, x, layer.over)  # a maximum is exact in any order
    powers = exact_math.exp(below)
    total = _over(np.add, powers, layer.over)
    shares: Floats = below - exact_math.log(total).astype(below.dtype) if layer.log else powers / total
    return shares
