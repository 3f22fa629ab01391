"""Convolutions and poolings: operations on windows of rows and columns, or of one row."""

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from anna.importers.draft import Draft
from anna.importers.onnx_axes import Inputs
from anna.importers.onnx_file import Array, Node
from anna.importers.tensor import FILLED, NO_PADDING, Padding, Refused, Tensor, inside_edge, sizes_text
from anna.network.graph import Convolution, Pool

Pair = tuple[int, int]
UNBOUNDED = 1e30  # a bound this large is none
LARGEST_KERNEL = 1024  # rows or columns of a dilated kernel


def of_maps(tensor: Tensor, node: Node) -> Tensor:
    """A tensor with maps, rows and columns; one of maps and places gets a single row."""
    if tensor.units.ndim == 2:
        return tensor.viewed(tensor.units[:, None, :])
    if tensor.units.ndim != 3:
        raise Refused(f"{node.op} reads a tensor of {sizes_text(tensor.dims)} per image; expected maps, rows and columns")
    return tensor


def _flattened_back(made: Tensor, tensor: Tensor) -> Tensor:
    return made if tensor.units.ndim == 3 else made.viewed(made.units[:, 0])


def _values(node: Node, key: str, axes: int, default: int) -> Pair:
    """One number for rows and one for columns; files of one axis have only that for columns."""
    found = [int(n) for n in node.attributes.get(key) or [default] * axes]
    if len(found) != axes:
        raise Refused(f"has {key} {found}; expected {axes}, one for each axis of the window")
    return (default, found[0]) if axes == 1 else (found[0], found[1])


def _pads(node: Node, axes: int, sizes: Sequence[int], kernel: Pair, stride: Pair) -> Padding:
    """Padding above, below, left and right, of the node itself."""
    kind = node.attributes.get("auto_pad") or "NOTSET"
    if kind == "VALID":
        return NO_PADDING
    if kind in ("SAME_UPPER", "SAME_LOWER"):
        found = []
        for size, width, step in zip(sizes, kernel, stride, strict=True):
            total = max(0, (-(-size // step) - 1) * step + width - size)
            small, large = total // 2, total - total // 2
            found += [small, large] if kind == "SAME_UPPER" else [large, small]
        return found[0], found[1], found[2], found[3]
    pads = [int(n) for n in node.attributes.get("pads") or [0] * 2 * axes]
    if len(pads) != 2 * axes or min(pads) < 0:
        raise Refused(f"has pads {pads}; expected {2 * axes} of zero or more")
    return (0, 0, pads[0], pads[1]) if axes == 1 else (pads[0], pads[2], pads[1], pads[3])


def _sum(one: Padding, other: Padding) -> Padding:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3]


def constant_of(value: Any, what: str, axes: Sequence[int]) -> Array:
    """Weights, which must be constants."""
    if not isinstance(value, np.ndarray):
        raise Refused(f"has computed {what}; expected constants: export the trained network in evaluation mode")
    if value.ndim not in axes:
        raise Refused(f"has {what} of {value.ndim} axes {value.shape}; expected {' or '.join(map(str, axes))}")
    return value.astype(np.float32)


def _dilated(weights: Array, steps: Pair) -> Array:
    """A dilated kernel as a larger one with zeros between."""
    if min(steps) < 1 or max(steps) * max(weights.shape[2:]) > LARGEST_KERNEL:
        raise Refused(f"has dilations {list(steps)}; expected whole numbers, and a kernel of at most {LARGEST_KERNEL} rows")
    if steps == (1, 1):
        return weights
    maps, inputs, rows, columns = weights.shape
    down, right = steps
    out = np.zeros((maps, inputs, (rows - 1) * down + 1, (columns - 1) * right + 1), np.float32)
    out[:, :, ::down, ::right] = weights
    return out


def _ungrouped(weights: Array, groups: int, inputs: int) -> tuple[Array, Array | None]:
    """Weights of groups as weights over all input maps, and their connection table."""
    maps, inside = weights.shape[:2]
    if groups < 1 or maps % groups or inputs != inside * groups:
        raise Refused(f"has {groups} groups of {inside} maps; its input has {inputs}")
    if groups == 1:
        return weights, None
    dense = np.zeros((maps, inputs, *weights.shape[2:]), np.float32)
    table = np.zeros(dense.shape[:2], bool)
    for o in range(maps):
        start = o // (maps // groups) * inside
        dense[o, start : start + inside], table[o, start : start + inside] = weights[o], True
    return dense, table


def _kernel(node: Node, inputs: Inputs) -> tuple[Array, int]:
    """The weights with rows and columns, and how many axes the file gives them."""
    weights = constant_of(inputs[1], "weights", (3, 4))
    axes = weights.ndim - 2
    if inputs[0].units.ndim != axes + 1:
        raise Refused(f"{node.op} reads a tensor of {sizes_text(inputs[0].dims)} per image; expected maps and {axes} more axes")
    return (weights if axes == 2 else weights[:, :, None, :]), axes


def _bias(inputs: Inputs) -> Array | None:
    return None if len(inputs) < 3 or inputs[2] is None else constant_of(inputs[2], "bias", (1,))


def conv(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Conv with stride, pads, dilations and groups."""
    weights, axes = _kernel(node, inputs)
    weights = _dilated(weights, _values(node, "dilations", axes, 1))
    tensor = of_maps(inputs[0], node)
    weights, table = _ungrouped(weights, int(node.attributes.get("group", 1)), tensor.dims[0])
    stride = _values(node, "strides", axes, 1)
    own = _pads(node, axes, tensor.dims[1:], (weights.shape[2], weights.shape[3]), stride)
    if any(own) and tensor.filled and tensor.fill != 0:
        tensor = draft.solid(tensor, node)
    inner, border = draft.without_border(tensor, node)
    value = tensor.fill if any(border) else 0.0
    before = draft.stacked(inner, node)
    made = draft.add(Convolution(draft.name(node), weights, _bias(inputs), table, stride, _sum(border, own), value), before)
    return _flattened_back(made, inputs[0])


def conv_transpose(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """A convolution with the kernel turned round, over maps with zeros between their elements."""
    weights, axes = _kernel(node, inputs)
    groups, inside = int(node.attributes.get("group", 1)), weights.shape[1]
    weights = weights[:, :, ::-1, ::-1]
    parts = np.split(weights, groups) if groups and len(weights) % groups == 0 else [weights]
    weights = np.concatenate([part.transpose(1, 0, 2, 3) for part in parts])
    weights = _dilated(np.ascontiguousarray(weights), _values(node, "dilations", axes, 1))
    tensor = draft.solid(of_maps(inputs[0], node), node)
    if len(weights) != inside * groups:
        raise Refused(f"has {groups} groups of {inside} maps; its input has {tensor.dims[0]}")
    weights, table = _ungrouped(weights, groups, tensor.dims[0])
    stride, more = _values(node, "strides", axes, 1), _values(node, "output_padding", axes, 0)
    units = np.full((tensor.dims[0], *((n - 1) * s + 1 for n, s in zip(tensor.dims[1:], stride, strict=True))), FILLED)
    units[:, :: stride[0], :: stride[1]] = tensor.units
    own = _transposed_pads(node, axes, tensor.dims[1:], (weights.shape[2], weights.shape[3]), stride, more)
    widths = [(kernel - 1 - own[2 * n], kernel - 1 - own[2 * n + 1] + more[n]) for n, kernel in enumerate(weights.shape[2:])]
    units = np.pad(units, [(0, 0), *((max(a, 0), max(b, 0)) for a, b in widths)], constant_values=FILLED)
    (up, down), (left, right) = (tuple(max(-n, 0) for n in pair) for pair in widths)
    units = units[:, up : units.shape[1] - down, left : units.shape[2] - right]
    inner, border = draft.without_border(tensor.viewed(units, 0.0), node)
    made = draft.add(Convolution(draft.name(node), weights, _bias(inputs), table, (1, 1), border), draft.stacked(inner, node))
    return _flattened_back(made, inputs[0])


def _transposed_pads(node: Node, axes: int, sizes: Sequence[int], kernel: Pair, stride: Pair, more: Pair) -> Padding:
    """What is cut from each side of a transposed convolution's output."""
    kind, wanted = node.attributes.get("auto_pad") or "NOTSET", node.attributes.get("output_shape")
    if not wanted and kind in ("NOTSET", "VALID"):
        return _pads(node, axes, sizes, kernel, stride)
    targets = [n * s for n, s in zip(sizes, stride, strict=True)]
    if wanted:
        targets = ([1] * (2 - axes) + [int(n) for n in wanted])[-2:]
    found = []
    for size, width, step, extra, target in zip(sizes, kernel, stride, more, targets, strict=True):
        total = step * (size - 1) + extra + width - target  # below zero where the output is padded, not cut
        small, large = total // 2, total - total // 2
        found += [small, large] if kind == "SAME_UPPER" else [large, small]
    return found[0], found[1], found[2], found[3]


def _rounded_up(pads: Padding, sizes: Sequence[int], window: Pair, stride: Pair) -> Padding:
    """Padding below and right for the last, partial window of ceil_mode = 1; a window of padding only is left out."""
    more = []
    for size, before, after, width, step in zip(sizes, pads[::2], pads[1::2], window, stride, strict=True):
        places = -(-(size + before + after - width) // step) + 1
        if (places - 1) * step >= size + before:
            places -= 1
        more.append(max(0, (places - 1) * step + width - size - before - after))
    return pads[0], pads[1] + more[0], pads[2], pads[3] + more[1]


def pool(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """AveragePool and MaxPool."""
    tensor = of_maps(inputs[0], node)
    axes = inputs[0].units.ndim - 1
    average = node.op == "AveragePool"
    window, stride = _values(node, "kernel_shape", axes, 1), _values(node, "strides", axes, 1)
    dilation = _values(node, "dilations", axes, 1)
    extent = (window[0] - 1) * dilation[0] + 1, (window[1] - 1) * dilation[1] + 1
    pads = _pads(node, axes, tensor.dims[1:], extent, stride)
    rounded = _rounded_up(pads, tensor.dims[1:], extent, stride) if node.attributes.get("ceil_mode") else pads
    counts = average and bool(node.attributes.get("count_include_pad"))
    if counts and any(pads) and rounded != pads:  # padding counts in its means, what a partial window lacks does not
        tensor = _with_border(draft, tensor, node, pads)
        pads, rounded = NO_PADDING, (0, rounded[1] - pads[1], 0, rounded[3] - pads[3])
    outer = tensor
    tensor, border = _without_neutral_border(draft, outer, node, average)
    if any(width >= extent[k // 2] for k, width in enumerate(_sum(border, rounded)) if border[k]):  # a window of border only
        tensor, border = draft.solid(outer, node), NO_PADDING
    if average and any(border) and (rounded != pads or (any(pads) and not counts)):
        tensor = _with_border(draft, tensor, node, border)
        border = NO_PADDING
    counts = (counts and any(pads)) or (average and any(border))
    before, total = draft.stacked(tensor, node), _sum(border, rounded)
    if counts and rounded == pads and dilation == (1, 1):
        maps = tensor.dims[0]
        share = np.eye(maps, dtype=np.float32)[:, :, None, None] / np.float32(window[0] * window[1])
        weights = np.ascontiguousarray(np.broadcast_to(share, (maps, maps, *window)))
        layer: Convolution | Pool = Convolution(draft.name(node), weights, None, np.eye(maps, dtype=bool), stride, total)
    elif counts:
        before = draft.stacked(_with_border(draft, tensor, node, total), node)
        layer = Pool(draft.name(node), "average", window, stride, dilation=dilation)
    else:
        layer = Pool(draft.name(node), "average" if average else "max", window, stride, total, dilation=dilation)
    return _flattened_back(draft.add(layer, before), inputs[0])


def _with_border(draft: Draft, tensor: Tensor, node: Node, border: Padding) -> Tensor:
    """Zeros around, as a layer of their own."""
    tensor = tensor if not tensor.filled or tensor.fill == 0 else draft.solid(tensor, node)
    units = np.pad(tensor.units, [(0, 0), (border[0], border[1]), (border[2], border[3])], constant_values=FILLED)
    return draft.solid(tensor.viewed(units, 0.0), node)


def _without_neutral_border(draft: Draft, tensor: Tensor, node: Node, average: bool) -> tuple[Tensor, Padding]:
    """A border that changes nothing in a pool's own padding: zeros for a mean; for a maximum, what never wins."""
    if not average and not tensor.filled and not tensor.in_order and (found := inside_edge(tensor)) and found[0].in_order:
        return found  # a window with copies of the border's pixel holds that pixel too
    if not tensor.filled:
        return tensor, NO_PADDING
    last = draft.layers.get(tensor.layer)
    least = -math.inf if last is None else last.activation.curve.range[0]
    neutral = tensor.fill == 0 if average else tensor.fill < -UNBOUNDED or tensor.fill <= least
    return draft.without_border(tensor, node) if neutral else (draft.solid(tensor, node), NO_PADDING)


def global_pool(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """The mean or the maximum of each map."""
    tensor = of_maps(inputs[0], node)
    mode: Literal["average", "max"] = "max" if "Max" in node.op else "average"
    size = (tensor.dims[1], tensor.dims[2])
    before = draft.stacked(tensor, node)
    return _flattened_back(draft.add(Pool(draft.name(node), mode, size, size), before), inputs[0])


READERS: dict[str, Callable[[Draft, Node, Inputs], Tensor | list[Tensor]]] = {
    "AveragePool": pool, "Conv": conv, "ConvTranspose": conv_transpose, "GlobalAveragePool": global_pool,
    "GlobalMaxPool": global_pool, "MaxPool": pool,
}  # fmt: skip
