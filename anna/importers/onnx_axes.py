"""Operations that move elements and change no value: they add no layer, only another view of what a layer makes."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from anna.importers.draft import Draft
from anna.importers.onnx_file import Array, Node, OnnxModel
from anna.importers.tensor import FILLED, Refused, Tensor, Units, sizes_text
from anna.network.graph import IMAGE, Shape

Inputs = list[Any]
WITH_MAPS_FIRST = {"AveragePool", "BatchNormalization", "Conv", "ConvTranspose", "GlobalAveragePool", "GlobalMaxPool",
                   "GroupNormalization", "InstanceNormalization", "LpPool", "MaxPool"}  # fmt: skip
KEEPS_ONE_NUMBER = {"Cast", "Dropout", "Identity"}
LARGEST_VIEW = 1 << 26  # elements


# --- the image -------------------------------------------------------------------------------------------------------
def image_axes(dims: tuple[int, ...], model: OnnxModel, name: str) -> str:
    """The axes of the image, m maps, y rows, x columns: ONNX does not say, but the first operation that depends on them does.

    If none does, as in a network of full connections, the shorter end is the maps.
    """
    if len(dims) < 2:
        return "m" * len(dims)
    readers: dict[str, Node] = {}
    for node in model.nodes:
        for one in node.inputs if node.op != "Shape" else ():
            readers.setdefault(one, node)
    while (reader := readers.get(name)) is not None:
        if reader.op == "Transpose" and len(dims) == 3:
            return "yxm" if reader.attributes.get("perm") == [0, 3, 1, 2] else "myx"
        if reader.op in WITH_MAPS_FIRST:
            return "myx" if len(dims) == 3 else "mx"
        if reader.op in ("Reshape", "Flatten", "MatMul", "Gemm") or not reader.outputs:
            break
        name = reader.outputs[0]
    if len(dims) == 2:
        return "yx"
    return "yxm" if dims[2] < dims[0] else "myx"


def image_shape(dims: tuple[int, ...], axes: str) -> Shape:
    """Maps, rows and columns of an image with such axes."""
    sizes = dict(zip(axes, dims, strict=True))
    return sizes.get("m", 1), sizes.get("y", 1), sizes.get("x", 1)


def image_tensor(dims: tuple[int, ...], axes: str) -> Tensor:
    """The image as the file sees it."""
    in_file = [axis for axis in "myx" if axis in axes]
    units = np.arange(prod(dims)).reshape([dims[axes.index(axis)] for axis in in_file])
    return Tensor(IMAGE, units.transpose([in_file.index(axis) for axis in axes]))


# --- numbers of axes -------------------------------------------------------------------------------------------------
def integers(node: Node, inputs: Inputs, key: str = "axes", at: int = 1) -> list[int]:
    """A list that older files keep in an attribute and newer ones in an input."""
    found = node.attributes.get(key)
    if found is None and len(inputs) > at and inputs[at] is not None:
        if not isinstance(inputs[at], np.ndarray):
            raise Refused(f"computes its {key} from the image; expected constants")
        found = inputs[at].reshape(-1).tolist()
    return [int(n) for n in found or []]


def places_of(tensor: Tensor, wanted: list[int]) -> list[int]:
    """Axes of a tensor by their numbers in the file, where 0 is the batch."""
    count = tensor.units.ndim + 1
    if any(not -count <= n < count or n % count == 0 for n in wanted):
        raise Refused(f"names axes {wanted} of a tensor with {count}; expected axes after the batch")
    return [n % count - 1 for n in wanted]


def constant(value: Any, what: str) -> Array:
    if not isinstance(value, np.ndarray):
        raise Refused(f"computes its {what} from the image; expected a constant")
    return value


# --- readers ---------------------------------------------------------------------------------------------------------
def transpose(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Axes in another order, the batch first."""
    tensor: Tensor = inputs[0]
    count = tensor.units.ndim + 1
    perm = [int(n) for n in node.attributes.get("perm") or range(count - 1, -1, -1)]
    if sorted(perm) != list(range(count)) or perm[0] != 0:
        raise Refused(f"permutes axes {perm} of a tensor with {count}; expected the batch to stay first")
    return tensor.viewed(tensor.units.transpose([n - 1 for n in perm[1:]]))


def flatten(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """All axes become one."""
    tensor: Tensor = inputs[0]
    axis = int(node.attributes.get("axis", 1))
    if axis not in (1, -tensor.units.ndim) and not (draft.batch == 1 and axis in (0, -tensor.units.ndim - 1)):
        raise Refused(f"flattens from axis {axis}; expected 1")
    return tensor.viewed(tensor.units.reshape(-1))


def squeeze(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Remove axes of length 1."""
    tensor: Tensor = inputs[0]
    wanted = integers(node, inputs)
    if not wanted:
        raise Refused("removes all axes of length 1, the batch too; expected the axes by number")
    places = places_of(tensor, wanted)
    if any(tensor.dims[place] != 1 for place in places):
        raise Refused(f"removes axes {wanted} of a tensor of {sizes_text(tensor.dims)} per image; expected axes of length 1")
    return tensor.viewed(np.squeeze(tensor.units, tuple(places)))


def unsqueeze(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Insert axes of length 1, such as that of a single map."""
    tensor: Tensor = inputs[0]
    wanted = integers(node, inputs)
    count = tensor.units.ndim + 1 + len(wanted)
    places = sorted(n % count for n in wanted)
    if places and places[0] == 0:
        raise Refused("puts an axis before the batch; expected the batch first")
    dims = list(tensor.dims)
    for place in places:
        dims.insert(place - 1, 1)
    return _reshaped(draft, node, tensor, tuple(dims))


def reshape(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """The same elements with other axes; the batch stays."""
    tensor: Tensor = inputs[0]
    wanted = integers(node, inputs, "shape")
    if not wanted:
        raise Refused(f"reshapes to {wanted}; expected the batch and more axes")
    now, keep_zero = tensor.dims, bool(node.attributes.get("allowzero"))
    first, rest = wanted[0], wanted[1:]
    dims = [now[k] if n == 0 and not keep_zero and k < len(now) else n for k, n in enumerate(rest)]
    known = prod(n for n in dims if n != -1)
    if dims.count(-1) == 1 and known > 0 and prod(now) % known == 0:
        dims[dims.index(-1)] = prod(now) // known
    moves_batch = first not in (-1, 0, 1, draft.batch) or (draft.batch is not None and first == 1 != draft.batch)
    if moves_batch or any(n < 1 for n in dims) or prod(dims) != prod(now):
        raise Refused(
            f"reshapes a tensor of {sizes_text(now)} per image to {wanted}; expected as many numbers per image: "
            "replace a full connection over maps by a 1 x 1 convolution, or put a Flatten before it"
        )
    return _reshaped(draft, node, tensor, tuple(dims))


def _reshaped(draft: Draft, node: Node, tensor: Tensor, dims: tuple[int, ...]) -> Tensor:
    """Where the image itself is given its axes, the file says what they are."""
    fresh = tensor.layer == IMAGE and tensor.alone and tensor.in_order and not draft.layers
    same = tensor.units.ndim == 1 or [n for n in dims if n > 1] == [n for n in tensor.dims if n > 1]
    if fresh and same and tensor.units.ndim < len(dims) <= 3:
        axes = image_axes(dims, draft.model, node.outputs[0])
        draft.image = draft.shapes[IMAGE] = image_shape(dims, axes)
        return image_tensor(dims, axes)
    return tensor.viewed(tensor.units.reshape(dims))


def pad(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """A border of a constant, or of copies; negative widths cut."""
    tensor: Tensor = inputs[0]
    mode = node.attributes.get("mode") or "constant"
    pads = integers(node, inputs, "pads")
    count = tensor.units.ndim + 1
    where = integers(node, inputs, "padded", 3) or list(range(count))
    if len(pads) != 2 * len(where) or mode not in ("constant", "edge", "reflect", "wrap"):
        raise Refused(
            f"pads by {pads} with mode {mode}; expected two widths for each axis, and constant, edge, reflect or wrap"
        )
    amounts = {n % count: (pads[k], pads[k + len(where)]) for k, n in enumerate(where)}
    if amounts.pop(0, (0, 0)) != (0, 0):
        raise Refused(f"pads by {pads}, which adds images to the batch; expected 0 there")
    widths = [amounts.get(n + 1, (0, 0)) for n in range(count - 1)]
    if prod(size + max(a, 0) + max(b, 0) for size, (a, b) in zip(tensor.dims, widths, strict=True)) > LARGEST_VIEW:
        raise Refused(f"pads by {pads}; expected at most {LARGEST_VIEW} elements")
    given = inputs[2] if len(inputs) > 2 else None
    value = float(node.attributes.get("value", 0.0) if given is None else constant(given, "value").reshape(-1)[0])
    if mode == "constant":
        tensor = tensor if not tensor.filled or tensor.fill == value else draft.solid(tensor, node)
        return tensor.viewed(_padded(tensor.units, widths), value)
    if any(min(pair) < 0 for pair in widths):
        raise Refused(f"pads by {pads} with mode {mode}; expected zero or more")
    kind: Any = mode
    return tensor.viewed(np.pad(tensor.units, widths, mode=kind))


def _padded(units: Units, widths: list[tuple[int, int]]) -> Units:
    wider = np.pad(units, [(max(a, 0), max(b, 0)) for a, b in widths], constant_values=FILLED)
    return wider[tuple(slice(max(-a, 0), size - max(-b, 0)) for (a, b), size in zip(widths, wider.shape, strict=True))]


def cut(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Slice: some elements along some axes."""
    tensor: Tensor = inputs[0]
    starts, ends = integers(node, inputs, "starts", 1), integers(node, inputs, "ends", 2)
    axes = integers(node, inputs, "axes", 3) or list(range(len(starts)))
    steps = integers(node, inputs, "steps", 4) or [1] * len(starts)
    units = tensor.units
    count = units.ndim + 1
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if axis % count == 0:
            if (start, step) != (0, 1) or end < (draft.batch or 1 << 31):
                raise Refused("takes some images of the batch; expected all")
            continue
        (place,) = places_of(tensor, [axis])
        units = units[tuple([slice(None)] * place + [slice(start, _end(end, step, tensor.dims[place]), step)])]
    return _kept(tensor, units)


def _end(end: int, step: int, size: int) -> int | None:
    """Where a slice ends; one that runs down past the first element has no end."""
    return None if step < 0 and end < -size else end


def _kept(tensor: Tensor, units: Units) -> Tensor:
    if not units.size:
        raise Refused("keeps no element; expected at least one")
    return tensor.viewed(units)


def gather(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Some elements along an axis, by their numbers."""
    tensor: Tensor = inputs[0]
    (place,) = places_of(tensor, [int(node.attributes.get("axis", 0))])
    if not isinstance(tensor, Tensor):
        raise Refused("looks the image's values up in a table; expected numbers to take elements by")
    return _kept(tensor, np.take(tensor.units, constant(inputs[1], "indices").astype(np.int64), axis=place))


def split(draft: Draft, node: Node, inputs: Inputs) -> list[Tensor]:
    """Parts along an axis."""
    tensor: Tensor = inputs[0]
    (place,) = places_of(tensor, [int(node.attributes.get("axis", 0))])
    sizes, size = integers(node, inputs, "split"), tensor.dims[place]
    if not sizes:
        each = -(-size // len(node.outputs))
        sizes = [max(0, min(each, size - each * k)) for k in range(len(node.outputs))]
    if sum(sizes) != size or min(sizes) < 1:
        raise Refused(f"splits an axis of {size} into {sizes}; expected parts of at least 1 that make up all")
    return [tensor.viewed(part) for part in np.split(tensor.units, np.cumsum(sizes)[:-1], axis=place)]


def expand(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Axes of length 1 repeated."""
    tensor: Tensor = inputs[0]
    wanted = integers(node, inputs, "shape")
    if len(wanted) > tensor.units.ndim + 1 or (len(wanted) > tensor.units.ndim and wanted[0] not in (1, draft.batch)):
        raise Refused(f"expands a tensor of {sizes_text(tensor.dims)} per image to {wanted}; expected the batch as it is")
    dims = np.broadcast_shapes(tensor.dims, tuple(wanted[-tensor.units.ndim :] if tensor.units.ndim else ()))
    return _enlarged(tensor, lambda units: np.broadcast_to(units, dims), dims)


def tile(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Everything repeated along axes."""
    tensor: Tensor = inputs[0]
    repeats = integers(node, inputs, "repeats")
    if len(repeats) != tensor.units.ndim + 1 or repeats[0] != 1:
        raise Refused(f"repeats by {repeats}; expected a number for each axis, 1 for the batch")
    dims = tuple(n * size for n, size in zip(repeats[1:], tensor.dims, strict=True))
    return _enlarged(tensor, lambda units: np.tile(units, repeats[1:]), dims)


def _enlarged(tensor: Tensor, enlarge: Callable[[Units], Units], dims: tuple[int, ...]) -> Tensor:
    if not 0 < prod(dims) <= LARGEST_VIEW:
        raise Refused(f"makes a tensor of {sizes_text(dims)} per image; expected 1 to {LARGEST_VIEW} elements")
    return tensor.viewed(enlarge(tensor.units))


def concat(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Tensors joined along an axis: a view of one layer that joins the layers' maps."""
    tensors: list[Tensor] = []
    for one in inputs:
        if not isinstance(one, Tensor):
            raise Refused("joins a result of the network with a constant; expected results only")
        tensors.append(draft.solid(one, node))
    (place,) = places_of(tensors[0], [int(node.attributes["axis"])])
    return draft.joined(tensors, node, place)


def depth_to_space(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Maps become places: blocks of rows and columns."""
    tensor: Tensor = inputs[0]
    block = int(node.attributes["blocksize"])
    maps, rows, columns = tensor.dims
    if node.attributes.get("mode", "DCR") == "DCR":
        units = tensor.units.reshape(block, block, -1, rows, columns).transpose(2, 3, 0, 4, 1)
    else:
        units = tensor.units.reshape(-1, block, block, rows, columns).transpose(0, 3, 1, 4, 2)
    return tensor.viewed(units.reshape(maps // block**2, rows * block, columns * block))


def space_to_depth(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Blocks of rows and columns become maps."""
    tensor: Tensor = inputs[0]
    block = int(node.attributes["blocksize"])
    maps, rows, columns = tensor.dims
    units = tensor.units.reshape(maps, rows // block, block, columns // block, block)
    order = (2, 4, 0, 1, 3) if node.attributes.get("mode", "DCR") == "DCR" else (0, 2, 4, 1, 3)
    return tensor.viewed(units.transpose(order).reshape(-1, rows // block, columns // block))


READERS: dict[str, Callable[[Draft, Node, Inputs], Tensor | list[Tensor]]] = {
    "Concat": concat, "DepthToSpace": depth_to_space, "Expand": expand, "Flatten": flatten, "Gather": gather, "Pad": pad,
    "Reshape": reshape, "Slice": cut, "SpaceToDepth": space_to_depth, "Split": split, "Squeeze": squeeze,
    "Tile": tile, "Transpose": transpose, "Unsqueeze": unsqueeze,
}  # fmt: skip
