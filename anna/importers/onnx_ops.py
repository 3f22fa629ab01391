"""Operations element by element and full connections, and the table of all readers: one for each operation with layers."""

from collections.abc import Callable

import numpy as np

from anna.importers import onnx_axes, onnx_over, onnx_resize, onnx_windows
from anna.importers.draft import Draft, sizes_with_batch
from anna.importers.onnx_axes import Inputs
from anna.importers.onnx_file import FLOATS, Array, Node
from anna.importers.onnx_windows import UNBOUNDED, constant_of
from anna.importers.patterns import gated
from anna.importers.tensor import Refused, Tensor, sizes_text
from anna.network.activations import CURVES, RELU, Activation, Family
from anna.network.graph import Convolution, FullConnection, Prelu
from anna.network.host_layers import CombinationMode

Reader = Callable[[Draft, Node, Inputs], Tensor | list[Tensor]]
# ONNX's activations, with the names of their numbers here; those not named in ONNX keep the default.
FUNCTIONS = {curve.onnx: kind for kind, curve in CURVES.items() if curve.onnx is not None}


# --- constants -------------------------------------------------------------------------------------------------------
def per_image(tensor: Tensor, value: Array) -> Array:
    """A constant as one that fits a tensor's axes, the batch left out."""
    value = np.asarray(value)
    if value.size == 1:
        return value.astype(np.float64).reshape(())
    if value.ndim > tensor.units.ndim:
        if value.ndim > tensor.units.ndim + 1 or value.shape[0] != 1:
            raise Refused(f"has a constant of shape {value.shape}, which differs from image to image; expected 1 for the batch")
        value = value[0]
    try:
        if np.broadcast_shapes(value.shape, tensor.dims) == tensor.dims:
            return value.astype(np.float64)
    except ValueError:
        pass
    raise Refused(f"has a constant of shape {value.shape}; expected one that fits a tensor of {sizes_with_batch(tensor)}")


def _split(inputs: Inputs) -> tuple[list[Tensor], list[Array]]:
    given = [one for one in inputs if one is not None]
    return [one for one in given if isinstance(one, Tensor)], [one for one in given if not isinstance(one, Tensor)]


# --- sums and products -----------------------------------------------------------------------------------------------
def add(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Add and Sum: of results, and of constants."""
    tensors, constants = _split(inputs)
    total = tensors[0] if len(tensors) == 1 else draft.combine("sum", tensors, node)
    for one in constants:
        total = draft.affine(total, node, 1.0, per_image(total, one))
    return total


def subtract(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """A difference."""
    one, other = inputs
    if isinstance(one, Tensor) and isinstance(other, Tensor):
        return draft.combine("sum", [one, draft.affine(other, node, -1.0, 0.0)], node)
    if isinstance(one, Tensor):
        return draft.affine(one, node, 1.0, -per_image(one, other))
    return draft.affine(other, node, -1.0, per_image(other, one))


def multiply(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """A product: a gate, or a factor."""
    tensors, constants = _split(inputs)
    if len(tensors) == 2 and tensors[0].layer == tensors[1].layer and np.array_equal(tensors[0].units, tensors[1].units):
        return draft.activate(tensors[0], node, Activation("square"))
    if len(tensors) == 2 and (activated := gated(draft, node, *tensors)) is not None:
        return activated
    total = tensors[0] if len(tensors) == 1 else draft.combine("product", tensors, node)
    for one in constants:
        total = draft.affine(total, node, per_image(total, one), 0.0)
    return total


def divide(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """A quotient."""
    one, other = inputs
    if not isinstance(other, Tensor):
        divisor = per_image(one, other)
        if (divisor == 0).any():
            raise Refused("divides by zero; expected a divisor other than 0")
        return draft.affine(one, node, 1.0 / divisor, 0.0)
    inverse = draft.activate(other, node, Activation("reciprocal"))
    if isinstance(one, Tensor):
        return draft.combine("product", [one, inverse], node)
    return draft.affine(inverse, node, per_image(inverse, one), 0.0)


def mean(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """The mean of several tensors."""
    return draft.affine(add(draft, node, inputs), node, 1.0 / len(inputs), 0.0)


def power(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Whole powers, roots and reciprocals."""
    one, exponent = inputs
    if not isinstance(one, Tensor) or isinstance(exponent, Tensor) or np.asarray(exponent).size != 1:
        raise Refused("raises to powers that differ; expected one constant")
    number = float(np.asarray(exponent).reshape(-1)[0])
    named = {2.0: "square", 0.5: "sqrt", -1.0: "reciprocal"}
    if number == 1.0:
        return one
    if number == 3.0:
        shared = Tensor(one.layer, one.units, one.fill, alone=False)
        return draft.combine("product", [shared, draft.activate(shared, node, Activation("square"))], node)
    if number not in named:
        raise Refused(f"raises to the power {number:g}; expected -1, 0.5, 1, 2 or 3")
    return draft.activate(one, node, Activation(named[number]))


# --- limits ----------------------------------------------------------------------------------------------------------
def _clamp(draft: Draft, node: Node, tensor: Tensor, low: float | None, high: float | None) -> Tensor:
    """Clamp to `low` and `high`; one bound alone is a ReLU between two offsets."""
    if low is not None and high is not None and low < high:
        return draft.activate(tensor, node, Activation("clip", low, high))
    if low is not None and high is not None:
        raise Refused(f"clips to {low:g} to {high:g}; expected low below high")
    sign, end = (1.0, low) if low is not None else (-1.0, high)
    if end is None:
        return tensor
    tensor = draft.activate(draft.affine(tensor, node, sign, -sign * end), node, RELU)
    return draft.affine(tensor, node, sign, end)


def clip(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Clip with one bound or both."""
    ends = [node.attributes.get("min"), node.attributes.get("max")]
    for k, value in enumerate(inputs[1:3]):
        if isinstance(value, Tensor):
            raise Refused("clips to bounds computed from the image; expected constants")
        ends[k] = float(value.reshape(-1)[0]) if value is not None else ends[k]
    low, high = (None if end is None or abs(end) > UNBOUNDED else float(end) for end in ends)
    return _clamp(draft, node, inputs[0], low, high)


def extreme(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Max or Min: of results, and with numbers as a clamp may be exported."""
    mode: CombinationMode = "max" if node.op == "Max" else "min"
    tensors, constants = _split(inputs)
    found = tensors[0] if len(tensors) == 1 else draft.combine(mode, tensors, node)
    for one in constants:
        value = per_image(found, one)
        if value.size == 1:
            end = float(value)
            found = _clamp(draft, node, found, *((end, None) if mode == "max" else (None, end)))
            continue
        found, (each,) = draft.fitted(found, node, value)
        found = draft.with_constant(found, node, mode, each)
    return found


# --- activations -----------------------------------------------------------------------------------------------------
def function(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """An activation with an ONNX operator of its own."""
    kind = FUNCTIONS[node.op]
    curve = CURVES[kind]
    names = curve.parameters if isinstance(curve, Family) else {}
    numbers = {name: float(node.attributes[name]) for name in names if node.attributes.get(name) is not None}
    return draft.activate(inputs[0], node, Activation(kind, **numbers))


def gelu(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """GELU, exact or by tanh."""
    form = node.attributes.get("approximate", "none")
    return draft.activate(inputs[0], node, Activation("gelu_tanh" if form == "tanh" else "gelu"))


def hard_sigmoid(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """max(0, min(1, alpha x + beta))."""
    alpha, beta = float(node.attributes.get("alpha", 0.2)), float(node.attributes.get("beta", 0.5))
    return draft.activate(draft.affine(inputs[0], node, alpha, beta), node, Activation("clip", 0.0, 1.0))


def prelu(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """A slope below zero for each map or element."""
    if isinstance(inputs[1], Tensor):
        raise Refused("computes its slopes from the image; expected constants")
    tensor, (slope,) = draft.fitted(inputs[0], node, per_image(inputs[0], inputs[1]))
    if slope.size == 1:
        return draft.activate(tensor, node, Activation("leaky_relu", alpha=float(slope.reshape(-1)[0])))
    made = draft.add(Prelu(draft.name(node), slope.astype(np.float32)), tensor.layer)
    return made.viewed(tensor.units)


# --- full connections ------------------------------------------------------------------------------------------------
def _full(draft: Draft, node: Node, tensor: Tensor, weights_oi: Array, bias: Array | None) -> Tensor:
    """A full connection, or along the last of several axes a 1 x 1 convolution."""
    if not tensor.units.ndim or weights_oi.shape[1] != tensor.dims[-1]:
        size = tensor.dims[-1] if tensor.units.ndim else 1
        raise Refused(f"has {weights_oi.shape[1]} inputs, the layer before it has {size} outputs")
    if tensor.units.ndim > 1:
        moved = tensor.viewed(np.moveaxis(tensor.units, -1, 0))
        if moved.units.ndim == 2:  # of two axes a layer makes maps and columns; either will do here
            rows = moved.viewed(moved.units[:, :, None])
            moved = rows if rows.in_order and rows.shape == draft.shapes[rows.layer] else moved
        weights = np.ascontiguousarray(weights_oi)[:, :, None, None]
        before = draft.stacked(moved, node)
        made = draft.add(Convolution(draft.name(node), weights, bias), before)
        return made.viewed(np.moveaxis(made.units.reshape(len(weights), *moved.dims[1:]), 0, -1).reshape(*tensor.dims[:-1], -1))
    tensor = draft.solid(tensor, node)
    count = int(np.prod(draft.shapes[tensor.layer]))
    if len(tensor.units) == count == len(set(tensor.units.tolist())):  # the weights follow the file's order of the units
        weights_oi = weights_oi[:, np.argsort(tensor.units)]
        before = tensor.layer
    else:
        before = draft.stacked(tensor, node)
    made = draft.add(FullConnection(draft.name(node), np.ascontiguousarray(weights_oi), bias), before)
    return made.viewed(made.units.reshape(-1))


def gemm(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """alpha A B + beta C with A the network's values."""
    weights = constant_of(inputs[1], "weights", (2,))
    tensor: Tensor = inputs[0]
    if not isinstance(tensor, Tensor) or tensor.units.ndim != 1:
        what = "a matrix" if not isinstance(tensor, Tensor) else f"a tensor of {sizes_text(tensor.dims)} per image"
        raise Refused(f"multiplies {what}, maps with rows and columns, by a matrix; expected a Flatten before it")
    if node.attributes.get("transA"):
        raise Refused("has transA = 1; expected 0")
    weights = weights if node.attributes.get("transB") else weights.T
    weights = weights * np.float32(node.attributes.get("alpha", 1.0))
    bias = None
    if len(inputs) > 2 and inputs[2] is not None:
        given = constant_of(inputs[2], "bias", (0, 1, 2)) * np.float32(node.attributes.get("beta", 1.0))
        if given.ndim == 2 and len(given) != 1:
            raise Refused(f"has a bias of shape {given.shape}, which differs from image to image; expected one row")
        bias = np.broadcast_to(given.reshape(-1), (len(weights),))
    return _full(draft, node, tensor, weights, bias)


def matmul(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """A B with A the network's values and B a matrix."""
    if isinstance(inputs[1], Tensor):
        first = "results" if isinstance(inputs[0], Tensor) else "a matrix"
        raise Refused(f"multiplies {first} by the network's values; expected the values first, and a constant matrix")
    return _full(draft, node, inputs[0], constant_of(inputs[1], "weights", (2,)).T, None)


# --- nothing ---------------------------------------------------------------------------------------------------------
def cast(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Between float types: everything is computed in 32 bits."""
    kind = int(node.attributes.get("to", 1))
    if kind not in FLOATS:
        raise Refused(f"casts the network's values to type {kind}; expected floats: export the float network")
    tensor: Tensor = inputs[0]
    return tensor


def dropout(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """No operation, unless it drops values."""
    training = inputs[2] if len(inputs) > 2 else None
    if training is not None and training.any():
        raise Refused("drops values at random (training_mode = 1); export the network in evaluation mode")
    tensor: Tensor = inputs[0]
    return tensor


def nothing(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Change no value."""
    tensor: Tensor = inputs[0]
    return tensor


def negate(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """The negative."""
    return draft.affine(inputs[0], node, -1.0, 0.0)


ELEMENTWISE: dict[str, Reader] = {
    "Add": add, "Clip": clip, "Div": divide, "Gelu": gelu, "HardSigmoid": hard_sigmoid, "Max": extreme, "Mean": mean,
    "Min": extreme, "Mul": multiply, "Neg": negate, "PRelu": prelu, "Pow": power, "Sub": subtract, "Sum": add,
    **dict.fromkeys(FUNCTIONS, function),
}  # fmt: skip
UNCHANGED: dict[str, Reader] = {"Cast": cast, "CastLike": nothing, "Dropout": dropout, "Identity": nothing}
FULL: dict[str, Reader] = {"Gemm": gemm, "MatMul": matmul}
READERS: dict[str, Reader] = {
    **ELEMENTWISE, **UNCHANGED, **FULL, **onnx_windows.READERS, **onnx_over.READERS, **onnx_axes.READERS, **onnx_resize.READERS,
}  # fmt: skip
