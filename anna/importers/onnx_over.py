"""Operations over axes: softmax, reductions, and normalisations of each image by itself."""

from collections.abc import Callable
from math import prod
from typing import Literal

import numpy as np

from anna.importers.draft import Draft
from anna.importers.onnx_axes import Inputs, integers, places_of
from anna.importers.onnx_file import Node
from anna.importers.onnx_windows import constant_of
from anna.importers.tensor import Refused, Tensor, letters_of_axes
from anna.network.activations import Activation
from anna.network.graph import Layer, Normalisation, Pool, Reduction, Softmax
from anna.network.host_layers import ReductionMode
from anna.network.parts import AXES

SQUARE, ROOT, EXP, LOG, ABSOLUTE, RECIPROCAL = (
    Activation(kind) for kind in ("square", "sqrt", "exp", "log", "absolute", "reciprocal")
)


def _along(draft: Draft, node: Node, tensor: Tensor, places: list[int]) -> tuple[Tensor, str]:
    """A tensor, and the axes of its layer that these axes of it are. Where there are none it is arranged anew first: the
    axes wanted become maps, all others rows."""
    tensor = draft.solid(tensor, node)
    letters = letters_of_axes(tensor, draft.shapes[tensor.layer])
    if letters is not None:
        over = "".join(sorted("".join(letters[place] for place in places), key=AXES.index))
        free = [axis for axis in AXES if axis not in "".join(letters)]
        if over or free:
            return tensor, over or free[0]
    rest = [n for n in range(tensor.units.ndim) if n not in places]
    moved = tensor.units.transpose([*places, *rest])
    count = prod(tensor.dims[place] for place in places)
    made = draft.stacked(tensor.viewed(moved.reshape(count, -1, 1)), node)
    units = np.arange(moved.size).reshape(moved.shape).transpose(np.argsort([*places, *rest]))
    return Tensor(made, units), "m"


def _in_place(draft: Draft, node: Node, tensor: Tensor, places: list[int], layer: Callable[[str, str], Layer]) -> Tensor:
    """A layer over some axes that keeps every element where it is."""
    tensor, over = _along(draft, node, tensor, places)
    return draft.add(layer(draft.name(node), over), tensor.layer).viewed(tensor.units)


def softmax(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Softmax and LogSoftmax; before opset 13, over the axis named and all that follow."""
    tensor: Tensor = inputs[0]
    old = draft.model.opset < 13
    axis = int(node.attributes.get("axis", 1 if old else -1))
    (first,) = places_of(tensor, [axis]) if tensor.units.ndim else [0]
    if not tensor.units.ndim:
        raise Refused(f"is over axis {axis}; expected an axis after the batch")
    places = list(range(first, tensor.units.ndim)) if old else [first]
    return _in_place(draft, node, tensor, places, lambda name, over: Softmax(name, node.op == "LogSoftmax", over))


# --- reductions ------------------------------------------------------------------------------------------------------
MODES: dict[str, tuple[Activation | None, ReductionMode, tuple[Activation, ...]]] = {  # before, mode, after
    "ReduceMean": (None, "mean", ()),
    "ReduceSum": (None, "sum", ()),
    "ReduceMax": (None, "max", ()),
    "ReduceMin": (None, "min", ()),
    "ReduceProd": (None, "product", ()),
    "ReduceL1": (ABSOLUTE, "sum", ()),
    "ReduceL2": (SQUARE, "sum", (ROOT,)),
    "ReduceSumSquare": (SQUARE, "sum", ()),
    "ReduceLogSum": (None, "sum", (LOG,)),
    "ReduceLogSumExp": (EXP, "sum", (LOG,)),
}


def reduce(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Sums, means and extremes over axes."""
    tensor: Tensor = inputs[0]
    wanted = integers(node, inputs)
    if not wanted and node.attributes.get("noop_with_empty_axes"):
        return tensor
    if not wanted and draft.batch == 1:
        wanted = list(range(1, tensor.units.ndim + 1))
    if not wanted or (draft.batch == 1 and any(n % (tensor.units.ndim + 1) == 0 for n in wanted)):
        raise Refused(f"{node.op} is over {'all axes' if not wanted else f'axes {wanted}'}; expected axes after the batch")
    places = places_of(tensor, wanted)
    before, mode, after = MODES[node.op]
    tensor = tensor if before is None else draft.activate(tensor, node, before)
    made = reduced(draft, node, tensor, places, mode)
    for one in after:
        made = draft.activate(made, node, one)
    return made if node.attributes.get("keepdims", 1) else made.viewed(np.squeeze(made.units, tuple(places)))


def reduced(draft: Draft, node: Node, tensor: Tensor, places: list[int], mode: ReductionMode) -> Tensor:
    """A reduction over axes, which stay with length 1; over rows and columns, a pool."""
    tensor, over = _along(draft, node, tensor, places)
    shape = draft.shapes[tensor.layer]
    whole = "m" not in over and all(axis in over or size == 1 for axis, size in zip("yx", shape[1:], strict=True))
    if whole and mode in ("mean", "max"):
        kind: Literal["average", "max"] = "max" if mode == "max" else "average"
        layer: Layer = Pool(draft.name(node), kind, shape[1:], shape[1:])
    else:
        layer = Reduction(draft.name(node), mode, over)
    made = draft.add(layer, tensor.layer)
    first = tensor.units[tuple(slice(0, 1) if n in places else slice(None) for n in range(tensor.units.ndim))]
    new = draft.shapes[layer.name]
    return made.viewed(np.broadcast_to(np.arange(prod(new)).reshape(new), shape).reshape(-1)[first])


# --- normalisations --------------------------------------------------------------------------------------------------
def _with_factors(draft: Draft, node: Node, tensor: Tensor, inputs: Inputs, axis: int, last: int = 1) -> Tensor:
    """Scale and bias, along one axis or from it to the last."""
    along = (1,) * axis + (-1,) + (1,) * (tensor.units.ndim - axis - 1)
    for number, identity in ((1, 1.0), (2, 0.0)):
        given = inputs[number] if len(inputs) > number else None
        if given is None:
            continue
        part = constant_of(given, "factors", range(8))
        part = part.reshape(along) if last == 1 and part.ndim == 1 and part.size > 1 else part
        scale, offset = (part, 0.0) if identity else (1.0, part)
        tensor = draft.affine(tensor, node, scale, offset)
    return tensor


def layer_normalization(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """LayerNormalization and RMSNormalization: over the axis named and all that follow."""
    tensor: Tensor = inputs[0]
    (first,) = places_of(tensor, [int(node.attributes.get("axis", -1))])
    epsilon, centred = float(node.attributes.get("epsilon", 1e-5)), node.op == "LayerNormalization"
    places = list(range(first, tensor.units.ndim))
    made = _in_place(draft, node, tensor, places, lambda name, over: Normalisation(name, over, epsilon, centred))
    return _with_factors(draft, node, made, inputs, first, tensor.units.ndim - first if tensor.units.ndim - first > 1 else 2)


def instance_normalization(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Each map of each image by itself."""
    tensor: Tensor = inputs[0]
    epsilon = float(node.attributes.get("epsilon", 1e-5))
    made = _in_place(
        draft, node, tensor, list(range(1, tensor.units.ndim)), lambda name, over: Normalisation(name, over, epsilon)
    )
    return _with_factors(draft, node, made, inputs, 0)


def group_normalization(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Groups of maps by themselves; before opset 21, factors were per group."""
    tensor: Tensor = inputs[0]
    groups, epsilon = int(node.attributes["num_groups"]), float(node.attributes.get("epsilon", 1e-5))
    grouped = tensor.viewed(tensor.units.reshape(groups, -1))
    made = _in_place(draft, node, grouped, [1], lambda name, over: Normalisation(name, over, epsilon))
    if draft.model.opset < 21:
        made = _with_factors(draft, node, made, inputs, 0)
        return made.viewed(made.units.reshape(tensor.dims))
    return _with_factors(draft, node, made.viewed(made.units.reshape(tensor.dims)), inputs, 0)


def lp_normalization(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """x over the sum of its sizes, or over the root of the sum of its squares."""
    tensor: Tensor = inputs[0]
    places = places_of(tensor, [int(node.attributes.get("axis", -1))])
    first = int(node.attributes.get("p", 2)) == 1
    shared = Tensor(tensor.layer, tensor.units, tensor.fill, alone=False)
    size = reduced(draft, node, draft.activate(shared, node, ABSOLUTE if first else SQUARE), places, "sum")
    size = size if first else draft.activate(size, node, ROOT)
    return draft.combine("product", [shared, draft.activate(size, node, RECIPROCAL)], node)


def batch_normalization(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Folded into the layer before it, or a factor and an offset per map."""
    if node.attributes.get("training_mode"):
        raise Refused("normalises by its batch (training_mode = 1); export the network in evaluation mode")
    tensor: Tensor = inputs[0]
    if not tensor.units.ndim:
        raise Refused("normalises single numbers; expected maps")
    scale, shift, mean, variance = (constant_of(one, "statistics", (1,)).astype(np.float64) for one in inputs[1:5])
    if any(len(one) != tensor.dims[0] for one in (scale, shift, mean, variance)):
        raise Refused(f"has statistics of {len(scale)} maps; expected {tensor.dims[0]}")
    spread = np.sqrt(variance + float(node.attributes.get("epsilon", 1e-5)))
    along = (-1,) + (1,) * (tensor.units.ndim - 1)
    factor, offset = scale / spread, shift - mean * scale / spread
    return draft.affine(tensor, node, factor.reshape(along), offset.reshape(along))


READERS: dict[str, Callable[[Draft, Node, Inputs], Tensor | list[Tensor]]] = {
    "BatchNormalization": batch_normalization, "GroupNormalization": group_normalization,
    "InstanceNormalization": instance_normalization, "LayerNormalization": layer_normalization, "LogSoftmax": softmax,
    "LpNormalization": lp_normalization, "RMSNormalization": layer_normalization, "Softmax": softmax,
    **dict.fromkeys(MODES, reduce),
}  # fmt: skip
