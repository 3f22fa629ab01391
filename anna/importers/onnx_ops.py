"""One reader for each ONNX operation that has a layer in the vocabulary."""

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from anna.importers import onnx_axes
from anna.importers.chain import FLAT, NO_PADDING, STACK, Chain, Refused
from anna.importers.onnx_file import FLOATS, Array, Node
from anna.network.activations import RELU, Activation, by_onnx_operator
from anna.network.graph import Convolution, FullConnection, Pool, Softmax

Inputs = list[Any]
Padding = tuple[int, int, int, int]
ENDLESS = 1e30  # an end of a Clip beyond which it holds nothing
ACTIVATIONS = by_onnx_operator()
LARGEST_KERNEL = 1024  # rows or columns of a spread kernel


def _stack_wanted(chain: Chain, node: Node) -> None:
    if chain.axes != STACK:
        what = "a flat vector" if chain.flat else f"a tensor of {' x '.join(map(str, chain.dims))} for each image"
        raise Refused(f"{node.op} reads {what}; expected maps, rows and columns, in this order")


def _pads(node: Node, chain: Chain, kernel: tuple[int, int], stride: tuple[int, int]) -> Padding:
    """Above, below, left, right; without those of a Pad before it."""
    kind = node.attributes.get("auto_pad") or "NOTSET"
    if kind == "VALID":
        return NO_PADDING
    if kind in ("SAME_UPPER", "SAME_LOWER"):
        found = []
        for axis, width, step in zip("yx", kernel, stride, strict=True):
            size = chain.size(axis)
            whole = max(0, (-(-size // step) - 1) * step + width - size)
            small, large = whole // 2, whole - whole // 2
            found += [small, large] if kind == "SAME_UPPER" else [large, small]
        return found[0], found[1], found[2], found[3]
    pads = node.attributes.get("pads") or [0, 0, 0, 0]
    if len(pads) != 4 or min(pads) < 0:
        raise Refused(f"has pads {pads}; expected four of zero or more")
    return pads[0], pads[2], pads[1], pads[3]


def _sum(one: Padding, other: Padding) -> Padding:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3]


def _pair(node: Node, key: str, default: int = 1) -> tuple[int, int]:
    found = node.attributes.get(key) or [default, default]
    if len(found) != 2:
        raise Refused(f"has {key} {found}; expected two, for rows and columns")
    return int(found[0]), int(found[1])


def _weights(node: Node, value: Array | None, what: str, axes: int) -> Array:
    if value is None:
        raise Refused(f"has {what} that are computed; expected constants: export the trained network in evaluation mode")
    if value.ndim != axes:
        raise Refused(f"has {what} of {value.ndim} axes {value.shape}; expected {axes}")
    return value.astype(np.float32)


def _spread(weights: Array, steps: list[int]) -> Array:
    """A dilated kernel as a larger one with zeros between."""
    maps, inputs, rows, columns = weights.shape
    down, right = steps
    out = np.zeros((maps, inputs, (rows - 1) * down + 1, (columns - 1) * right + 1), np.float32)
    out[:, :, ::down, ::right] = weights
    return out


def _ungrouped(weights: Array, groups: int, inputs: int) -> tuple[Array, Array]:
    """Weights of groups as weights over all input maps, and which of them are connected."""
    maps, inside = weights.shape[:2]
    whole = np.zeros((maps, inputs, *weights.shape[2:]), np.float32)
    table = np.zeros(whole.shape[:2], bool)
    for o in range(maps):
        start = o // (maps // groups) * inside
        whole[o, start : start + inside], table[o, start : start + inside] = weights[o], True
    return whole, table


def conv(chain: Chain, node: Node, inputs: Inputs) -> None:
    """Conv with stride, pads, dilations and groups."""
    _stack_wanted(chain, node)
    weights, steps = _weights(node, inputs[1], "weights", 4), node.attributes.get("dilations") or [1, 1]
    if len(steps) != 2 or min(steps) < 1 or max(steps) * max(weights.shape[2:]) > LARGEST_KERNEL:
        raise Refused(f"has dilations {steps}; expected two whole numbers, and a kernel of at most {LARGEST_KERNEL} rows")
    if steps != [1, 1]:
        weights = _spread(weights, steps)
    groups = int(node.attributes.get("group", 1))
    if groups < 1 or len(weights) % groups or chain.shape[0] != weights.shape[1] * groups:
        raise Refused(f"has {groups} groups of {weights.shape[1]} maps; its input has {chain.shape[0]}")
    table = None
    if groups > 1:
        weights, table = _ungrouped(weights, groups, chain.shape[0])
    bias = None if len(inputs) < 3 or inputs[2] is None else inputs[2].astype(np.float32).reshape(-1)
    stride = _pair(node, "strides")
    own = _pads(node, chain, (weights.shape[2], weights.shape[3]), stride)
    if chain.padding_value is None or (any(own) and chain.padding_value != 0):
        chain.settle_padding(node)
    value = chain.padding_value if any(chain.padding) else 0.0
    padding = _sum(chain.take_padding(), own)
    chain.add(Convolution(chain.name(node), weights, bias, table, stride, padding, value or 0.0))


def _full(chain: Chain, node: Node, weights_oi: Array, bias: Array | None) -> None:
    if not chain.flat:
        raise Refused("multiplies maps with rows and columns by a matrix; expected a Flatten before it")
    count = chain.count
    if weights_oi.shape[1] != count:
        raise Refused(f"has {weights_oi.shape[1]} inputs, the layer before it has {count} outputs")
    if chain.axes == FLAT and chain.order != STACK:  # the weights stand in the order that the file flattened in
        sizes = [chain.size(axis) for axis in chain.order]
        places = [1 + chain.order.index(axis) for axis in STACK]
        weights_oi = weights_oi.reshape(-1, *sizes).transpose(0, *places).reshape(len(weights_oi), count)
    flat = None if bias is None else np.broadcast_to(bias.astype(np.float32).reshape(-1), (len(weights_oi),))
    chain.add(FullConnection(chain.name(node), np.ascontiguousarray(weights_oi), flat))
    chain.axes, chain.order = FLAT, STACK


def gemm(chain: Chain, node: Node, inputs: Inputs) -> None:
    """alpha A B + beta C with A the chain."""
    weights = _weights(node, inputs[1], "weights", 2)
    if node.attributes.get("transA"):
        raise Refused("has transA = 1; expected 0")
    weights = weights if node.attributes.get("transB") else weights.T
    weights = weights * np.float32(node.attributes.get("alpha", 1.0))
    bias = inputs[2] if len(inputs) > 2 else None
    _full(chain, node, weights, None if bias is None else bias * np.float32(node.attributes.get("beta", 1.0)))


def matmul(chain: Chain, node: Node, inputs: Inputs) -> None:
    """A B with A the chain and B a matrix; over maps that stand last, a convolution of 1 x 1."""
    if inputs[0] is not None:
        raise Refused("multiplies a matrix by the network's values; expected the values first")
    weights = _weights(node, inputs[1] if len(inputs) > 1 else None, "weights", 2)
    if chain.flat or not chain.axes.endswith("m"):
        _full(chain, node, weights.T, None)
    elif len(weights) != chain.shape[0]:
        raise Refused(f"has {len(weights)} inputs, the layer before it has {chain.shape[0]} maps")
    else:
        chain.add(Convolution(chain.name(node), np.ascontiguousarray(weights.T)[:, :, None, None]))


def _per_map(chain: Chain, node: Node, value: Array | None) -> Array:
    """A constant as one number per map."""
    if value is None:
        raise Refused(
            f"{node.op} reads two results of the network; the compiler takes one layer after the other: train without the "
            "branch (a residual, a gate)"
        )
    maps, axes = chain.shape[0], f"n{chain.axes}"
    if value.size == 1:
        return np.full(maps, float(value.reshape(-1)[0]))
    one_each = "m" if chain.axes != FLAT else FLAT if chain.shape[1:] == (1, 1) else "none"
    shape = (1,) * (len(axes) - value.ndim) + value.shape
    if shape == tuple(maps if axis == one_each else 1 for axis in axes):
        return value.astype(np.float64).reshape(-1)
    raise Refused(
        f"has a constant of shape {value.shape}; expected one number, or one for each of {maps} maps: what differs from pixel "
        "to pixel goes into the images"
    )


def add(chain: Chain, node: Node, inputs: Inputs) -> None:
    """A constant added or taken away."""
    mine = inputs[0] if inputs[0] is not None else inputs[1]
    offset = _per_map(chain, node, mine)
    if node.op == "Sub":
        first = inputs[0] is not None  # constant - chain
        chain.affine(node, np.array(-1.0 if first else 1.0), offset if first else -offset)
    else:
        chain.affine(node, np.array(1.0), offset)


def mul(chain: Chain, node: Node, inputs: Inputs) -> None:
    """A constant as a factor or divisor."""
    factor = _per_map(chain, node, inputs[0] if inputs[0] is not None else inputs[1])
    if node.op == "Div":
        if inputs[0] is not None or (factor == 0).any():
            raise Refused("divides by the network's values or by zero; expected a constant divisor")
        factor = 1.0 / factor
    chain.affine(node, factor, np.array(0.0))


def batch_normalization(chain: Chain, node: Node, inputs: Inputs) -> None:
    """Folded into the layer before it, or a factor and an offset per map."""
    if node.attributes.get("training_mode"):
        raise Refused("normalises by the images at hand (training_mode = 1); export the network in evaluation mode")
    if chain.axes[0] != "m" and not (chain.flat and chain.shape[1:] == (1, 1)):
        raise Refused("normalises a tensor whose first axis is not the maps; expected maps, rows and columns, in this order")
    scale, shift, mean, variance = (_weights(node, one, "statistics", 1).astype(np.float64) for one in inputs[1:5])
    spread = np.sqrt(variance + float(node.attributes.get("epsilon", 1e-5)))
    chain.affine(node, scale / spread, shift - mean * scale / spread)


def _held(chain: Chain, node: Node, low: float | None, high: float | None) -> None:
    """Values held above `low`, below `high`; one end alone is a ReLU between two offsets."""
    if low is not None and high is not None:
        chain.activate(node, Activation("clip", low, high))
        return
    sign, end = (1.0, low) if low is not None else (-1.0, high)
    if end is None:
        return
    if (sign, end) != (1.0, 0.0):
        chain.affine(node, np.array(sign), np.array(-sign * end))
    chain.activate(node, RELU)
    if (sign, end) != (1.0, 0.0):
        chain.affine(node, np.array(sign), np.array(end))


def clip(chain: Chain, node: Node, inputs: Inputs) -> None:
    """Clip with both ends or one."""
    ends = [node.attributes.get("min"), node.attributes.get("max")]
    for k, value in enumerate(inputs[1:3]):
        ends[k] = float(value.reshape(-1)[0]) if value is not None else ends[k]
    low, high = (None if end is None or abs(end) > ENDLESS else float(end) for end in ends)
    _held(chain, node, low, high)


def extreme(chain: Chain, node: Node, inputs: Inputs) -> None:
    """Max and Min with one number, as a clamp is exported."""
    value = inputs[0] if inputs[0] is not None else inputs[1] if len(inputs) > 1 else None
    if value is None or value.size != 1 or len(inputs) > 2:
        raise Refused("compares two results of the network; expected one of them and one number")
    end = float(value.reshape(-1)[0])
    _held(chain, node, *((end, None) if node.op == "Max" else (None, end)))


def squash(chain: Chain, node: Node, inputs: Inputs) -> None:
    """An activation that is an operator of its own."""
    chain.activate(node, ACTIVATIONS[node.op])


def hard_sigmoid(chain: Chain, node: Node, inputs: Inputs) -> None:
    """max(0, min(1, alpha x + beta))."""
    chain.affine(node, np.array(float(node.attributes.get("alpha", 0.2))), np.array(float(node.attributes.get("beta", 0.5))))
    chain.activate(node, Activation("clip", 0.0, 1.0))


def _rounded_up(chain: Chain, pads: Padding, window: tuple[int, int], stride: tuple[int, int]) -> Padding:
    """Padding below and right for the last, partial window of ceil_mode = 1; one that would hold padding only is left out."""
    more = []
    for axis, before, after, width, step in zip("yx", pads[::2], pads[1::2], window, stride, strict=True):
        size = chain.size(axis)
        places = -(-(size + before + after - width) // step) + 1
        if (places - 1) * step >= size + before:
            places -= 1
        more.append(max(0, (places - 1) * step + width - size - before - after))
    return pads[0], pads[1] + more[0], pads[2], pads[3] + more[1]


def pool(chain: Chain, node: Node, inputs: Inputs) -> None:
    """AveragePool and MaxPool."""
    _stack_wanted(chain, node)
    average = node.op == "AveragePool"
    window, stride = _pair(node, "kernel_shape"), _pair(node, "strides")
    if any(n != 1 for n in node.attributes.get("dilations") or [1]):
        raise Refused(f"has dilations {node.attributes['dilations']}; expected 1")
    if any(chain.padding) and not _pool_takes(chain, average):
        chain.settle_padding(node)
    counts = average and (any(chain.padding) or bool(node.attributes.get("count_include_pad")))
    pads = _pads(node, chain, window, stride)
    if node.attributes.get("ceil_mode") and (whole := _rounded_up(chain, pads, window, stride)) != pads:
        if counts and (any(pads) or any(chain.padding)):
            raise Refused("counts its padding and rounds its output size up (ceil_mode = 1); expected one of the two")
        pads, counts = whole, False
    if counts and any(pads) and not node.attributes.get("count_include_pad"):
        raise Refused("pads, after a Pad that counts in its means, by zeros that do not; expected one of the two")
    pads = _sum(chain.take_padding(), pads)
    if counts and any(pads):
        maps = chain.shape[0]
        share = np.eye(maps, dtype=np.float32)[:, :, None, None] / np.float32(window[0] * window[1])
        weights = np.ascontiguousarray(np.broadcast_to(share, (maps, maps, *window)))
        chain.add(Convolution(chain.name(node), weights, None, np.eye(maps, dtype=bool), stride, pads))
        return
    chain.add(Pool(chain.name(node), "average" if average else "max", window, stride, pads))


def _pool_takes(chain: Chain, average: bool) -> bool:
    """Whether the padding that waits is what the pool's own would be: zeros for a mean, and for a maximum what never wins."""
    value = chain.padding_value
    if average or value is None:
        return value == 0 if average else True  # a window holds the border's pixel where it holds copies of it
    least = chain.layers[-1].activation.curve.range[0] if chain.layers else -math.inf
    return value < -ENDLESS or value <= least


def global_pool(chain: Chain, node: Node, inputs: Inputs) -> None:
    """The mean or the maximum of each map."""
    if node.op in ("ReduceMean", "ReduceMax"):
        wanted = onnx_axes.integers(node, inputs)
        gone = sorted(onnx_axes.letters_of(chain, wanted))
        if gone != ["x", "y"]:
            raise Refused(f"takes the {node.op[6:].lower()} over axes {wanted}; expected rows and columns")
        if not node.attributes.get("keepdims", 1):
            chain.axes = "m"
    else:
        _stack_wanted(chain, node)
    mode: Literal["average", "max"] = "max" if "Max" in node.op else "average"
    chain.add(Pool(chain.name(node), mode, chain.shape[1:], chain.shape[1:]))


def softmax(chain: Chain, node: Node, inputs: Inputs) -> None:
    """Softmax and LogSoftmax over the maps, as the last step."""
    axis = int(node.attributes.get("axis", -1 if chain.model.opset >= 13 else 1))
    over = onnx_axes.letters_of(chain, [axis])
    if over != ["m"] and not (chain.flat and chain.shape[1:] == (1, 1)):
        raise Refused(f"is over axis {axis}; expected the maps")
    chain.add(Softmax(chain.name(node), log=node.op == "LogSoftmax"))


def cast(chain: Chain, node: Node, inputs: Inputs) -> None:
    """Between kinds of floats: all is computed in 32 bits."""
    kind = int(node.attributes.get("to", 1))
    if kind not in FLOATS:
        raise Refused(f"turns the network's values into numbers of kind {kind}; expected floats: export the float network")


def dropout(chain: Chain, node: Node, inputs: Inputs) -> None:
    """Nothing, when it is not to drop anything."""
    training = inputs[2] if len(inputs) > 2 else None
    if training is not None and training.any():
        raise Refused("drops values at random (training_mode = 1); export the network in evaluation mode")


def nothing(chain: Chain, node: Node, inputs: Inputs) -> None:
    """What changes no value."""


READERS: dict[str, Callable[[Chain, Node, Inputs], None]] = {
    "Add": add, "AveragePool": pool, "BatchNormalization": batch_normalization, "Cast": cast, "Clip": clip, "Conv": conv,
    "Div": mul, "Dropout": dropout, "Flatten": onnx_axes.flatten, "Gemm": gemm, "GlobalAveragePool": global_pool,
    "GlobalMaxPool": global_pool, "HardSigmoid": hard_sigmoid, "Identity": nothing, "LogSoftmax": softmax, "MatMul": matmul,
    "Max": extreme, "MaxPool": pool, "Min": extreme, "Mul": mul,
    "Neg": lambda chain, node, inputs: chain.affine(node, np.array(-1.0), np.array(0.0)), "Pad": onnx_axes.pad,
    "ReduceMax": global_pool, "ReduceMean": global_pool, "Reshape": onnx_axes.reshape,
    "Softmax": softmax, "Squeeze": onnx_axes.squeeze, "Sub": add, "Transpose": onnx_axes.transpose,
    "Unsqueeze": onnx_axes.unsqueeze, **dict.fromkeys(ACTIVATIONS, squash),
}  # fmt: skip

# What leaves a padding waiting for the layer that takes it over.
PASSES_PADDING = {"AveragePool", "Cast", "Conv", "Dropout", "Identity", "MaxPool", "Pad", "Transpose"}
