"""One reader for each ONNX operation that has a layer in the vocabulary."""

from collections.abc import Callable
from typing import Any

import numpy as np

from anna.graph import RELU, SIGMOID, TANH, Activation, Convolution, FullConnection, Pool, Softmax
from anna.importers.chain import Chain, Refused
from anna.importers.onnx_file import Array, Node

Inputs = list[Any]


def _stack_wanted(chain: Chain, node: Node) -> None:
    if chain.flat:
        raise Refused(f"{node.op} reads a flat vector; expected maps with rows and columns")


def _pads(node: Node, chain: Chain, kernel: tuple[int, int], stride: tuple[int, int]) -> tuple[int, int, int, int]:
    """Above, below, left, right."""
    kind = node.attributes.get("auto_pad") or "NOTSET"
    if kind == "VALID":
        return 0, 0, 0, 0
    if kind in ("SAME_UPPER", "SAME_LOWER"):
        found = []
        for size, width, step in zip(chain.shape[1:], kernel, stride, strict=True):
            whole = max(0, (-(-size // step) - 1) * step + width - size)
            small, large = whole // 2, whole - whole // 2
            found += [small, large] if kind == "SAME_UPPER" else [large, small]
        return found[0], found[1], found[2], found[3]
    pads = node.attributes.get("pads") or [0, 0, 0, 0]
    if len(pads) != 4 or min(pads) < 0:
        raise Refused(f"has pads {pads}; expected four of zero or more")
    return pads[0], pads[2], pads[1], pads[3]


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


def conv(chain: Chain, node: Node, inputs: Inputs) -> None:
    """Conv with stride, pads and groups."""
    _stack_wanted(chain, node)
    weights = _weights(node, inputs[1], "weights", 4)
    if any(n != 1 for n in node.attributes.get("dilations") or [1]):
        raise Refused(f"has dilations {node.attributes['dilations']}; expected 1: use a larger kernel with zeros")
    groups, maps = int(node.attributes.get("group", 1)), len(weights)
    if groups < 1 or maps % groups or chain.shape[0] != weights.shape[1] * groups:
        raise Refused(f"has {groups} groups of {weights.shape[1]} maps; its input has {chain.shape[0]}")
    table = None
    if groups > 1:
        whole = np.zeros((maps, chain.shape[0], *weights.shape[2:]), np.float32)
        each, inside = maps // groups, weights.shape[1]
        table = np.zeros(whole.shape[:2], bool)
        for o in range(maps):
            start = o // each * inside
            whole[o, start : start + inside], table[o, start : start + inside] = weights[o], True
        weights = whole
    bias = None if len(inputs) < 3 or inputs[2] is None else inputs[2].astype(np.float32).reshape(-1)
    stride = _pair(node, "strides")
    kernel = (weights.shape[2], weights.shape[3])
    chain.add(Convolution(chain.name(node), weights, bias, table, stride, _pads(node, chain, kernel, stride)))


def _full(chain: Chain, node: Node, weights_oi: Array, bias: Array | None) -> None:
    count = chain.shape[0] * chain.shape[1] * chain.shape[2]
    if weights_oi.shape[1] != count:
        raise Refused(f"has {weights_oi.shape[1]} inputs, the layer before it has {count} outputs")
    if not chain.flat and chain.shape[1:] != (1, 1):
        raise Refused("multiplies maps with rows and columns by a matrix; expected a Flatten before it")
    if chain.rows_first and chain.shape[1:] != (1, 1):
        maps, rows, columns = chain.shape
        weights_oi = weights_oi.reshape(-1, rows, columns, maps).transpose(0, 3, 1, 2).reshape(len(weights_oi), count)
    flat = None if bias is None else np.broadcast_to(bias.astype(np.float32).reshape(-1), (len(weights_oi),))
    chain.add(FullConnection(chain.name(node), np.ascontiguousarray(weights_oi), flat))
    chain.flat = True


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
    """A B with A the chain and B a matrix."""
    _full(chain, node, _weights(node, inputs[1] if len(inputs) > 1 else None, "weights", 2).T, None)


def _per_map(chain: Chain, node: Node, value: Array | None) -> Array:
    """A constant as one number per map."""
    if value is None:
        raise Refused(f"{node.op} reads two results of the network; the compiler takes one layer after the other")
    maps = chain.shape[0]
    if value.size == 1:
        return np.full(maps, float(value.reshape(-1)[0]))
    axes = [n for n in value.shape if n != 1]
    along = value.shape[-1] if chain.flat or chain.rows_first else value.shape[-3] if value.ndim >= 3 else 0
    if axes == [maps] and along == maps:
        return value.astype(np.float64).reshape(-1)
    raise Refused(f"has a constant of shape {value.shape}; expected one number, or one for each of {maps} maps")


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
    scale, shift, mean, variance = (_weights(node, one, "statistics", 1).astype(np.float64) for one in inputs[1:5])
    spread = np.sqrt(variance + float(node.attributes.get("epsilon", 1e-5)))
    chain.affine(node, scale / spread, shift - mean * scale / spread)


def clip(chain: Chain, node: Node, inputs: Inputs) -> None:
    """Clip with both ends, or from zero up."""
    ends = [node.attributes.get("min"), node.attributes.get("max")]
    for k, value in enumerate(inputs[1:3]):
        ends[k] = float(value.reshape(-1)[0]) if value is not None else ends[k]
    low, high = ends
    if low == 0 and (high is None or high > 1e30):
        chain.activate(node, RELU)
    elif low is None or high is None:
        raise Refused(f"clips at one end only ({low} to {high}); expected both, or 0 and no upper end")
    else:
        chain.activate(node, Activation("clip", float(low), float(high)))


def hard_sigmoid(chain: Chain, node: Node, inputs: Inputs) -> None:
    """max(0, min(1, alpha x + beta))."""
    chain.affine(node, np.array(float(node.attributes.get("alpha", 0.2))), np.array(float(node.attributes.get("beta", 0.5))))
    chain.activate(node, Activation("clip", 0.0, 1.0))


def pool(chain: Chain, node: Node, inputs: Inputs) -> None:
    """AveragePool and MaxPool."""
    _stack_wanted(chain, node)
    window, stride = _pair(node, "kernel_shape"), _pair(node, "strides")
    pads = _pads(node, chain, window, stride)
    if any(n != 1 for n in node.attributes.get("dilations") or [1]):
        raise Refused(f"has dilations {node.attributes['dilations']}; expected 1")
    if node.attributes.get("ceil_mode"):
        for size, width, step, pad in zip(chain.shape[1:], window, stride, (sum(pads[:2]), sum(pads[2:])), strict=True):
            if (size + pad - width) % step:
                raise Refused("rounds its output size up (ceil_mode = 1); expected windows that lie inside the map")
    if node.op == "AveragePool" and any(pads) and node.attributes.get("count_include_pad"):
        maps = chain.shape[0]
        weights = np.zeros((maps, maps, *window), np.float32)
        for m in range(maps):
            weights[m, m] = 1.0 / (window[0] * window[1])
        chain.add(Convolution(chain.name(node), weights, None, np.eye(maps, dtype=bool), stride, pads))
        return
    chain.add(Pool(chain.name(node), "average" if node.op == "AveragePool" else "max", window, stride, pads))


def global_average(chain: Chain, node: Node, inputs: Inputs) -> None:
    """The mean of each map."""
    _stack_wanted(chain, node)
    if node.op == "ReduceMean":
        axes = node.attributes.get("axes")
        axes = axes if axes is not None else [] if len(inputs) < 2 or inputs[1] is None else inputs[1].reshape(-1).tolist()
        if sorted(axis % 4 for axis in axes) != [2, 3]:
            raise Refused(f"takes the mean over axes {axes}; expected rows and columns, 2 and 3")
        chain.flat = not node.attributes.get("keepdims", 1)
    chain.add(Pool(chain.name(node), "average", chain.shape[1:], chain.shape[1:]))


def flatten(chain: Chain, node: Node, inputs: Inputs) -> None:
    """Flatten, and a Reshape or Squeeze that does the same."""
    count = chain.shape[0] * chain.shape[1] * chain.shape[2]
    if node.op == "Flatten":
        if node.attributes.get("axis", 1) != 1:
            raise Refused(f"flattens from axis {node.attributes['axis']}; expected 1")
    elif node.op == "Reshape":
        wanted = [] if len(inputs) < 2 or inputs[1] is None else [int(n) for n in inputs[1].reshape(-1)]
        now = [count] if chain.flat else list(chain.shape)
        if wanted[1:] == now and not chain.flat:
            return
        if len(wanted) != 2 or wanted[1] not in (-1, count) or (wanted[0] == -1 and wanted[1] == -1):
            raise Refused(f"gives maps of {chain.shape} the shape {wanted}; expected one that makes a flat vector of {count}")
    elif chain.shape[1:] != (1, 1):
        raise Refused(f"removes axes of maps of {chain.shape}; expected maps of one row and column")
    chain.flat = True


def transpose(chain: Chain, node: Node, inputs: Inputs) -> None:
    """From maps last to maps first and back, as Keras exports it."""
    perm = node.attributes.get("perm")
    if chain.flat or perm not in ([0, 3, 1, 2], [0, 2, 3, 1]):
        raise Refused(f"swaps axes {perm}; expected 0 3 1 2 or 0 2 3 1 of a map stack")
    wanted = perm == [0, 2, 3, 1]
    if chain.rows_first == wanted:
        raise Refused(f"swaps axes {perm} of a map stack that has them so already")
    chain.rows_first = wanted


def softmax(chain: Chain, node: Node, inputs: Inputs) -> None:
    """Over the maps, as the last step."""
    axis = node.attributes.get("axis", -1 if chain.model.opset >= 13 else 1)
    if axis not in (1, -1 if chain.flat else 1):
        raise Refused(f"is over axis {axis}; expected 1, the maps")
    chain.add(Softmax(chain.name(node)))


def nothing(chain: Chain, node: Node, inputs: Inputs) -> None:
    """What changes no value."""


READERS: dict[str, Callable[[Chain, Node, Inputs], None]] = {
    "Add": add, "AveragePool": pool, "BatchNormalization": batch_normalization, "Cast": nothing, "Clip": clip, "Conv": conv,
    "Div": mul, "Dropout": nothing, "Flatten": flatten, "Gemm": gemm, "GlobalAveragePool": global_average,
    "HardSigmoid": hard_sigmoid, "Identity": nothing, "MatMul": matmul, "MaxPool": pool, "Mul": mul,
    "ReduceMean": global_average, "Relu": lambda chain, node, inputs: chain.activate(node, RELU), "Reshape": flatten,
    "Sigmoid": lambda chain, node, inputs: chain.activate(node, SIGMOID), "Softmax": softmax, "Squeeze": flatten, "Sub": add,
    "Tanh": lambda chain, node, inputs: chain.activate(node, TANH), "Transpose": transpose,
}  # fmt: skip
