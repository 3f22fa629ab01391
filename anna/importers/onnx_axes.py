"""Operations that move axes and change no value: they leave no layer, only letters in `Chain.axes` change."""

from math import prod
from typing import Any

from anna.importers.chain import FLAT, STACK, Chain, Refused
from anna.importers.onnx_file import Node, OnnxModel

Inputs = list[Any]
WITH_MAPS_FIRST = {"Conv", "AveragePool", "MaxPool", "GlobalAveragePool", "GlobalMaxPool", "BatchNormalization"}


def image_axes(dims: tuple[int, ...], model: OnnxModel, name: str) -> str:
    """What the axes of the image are: ONNX does not say, the first operation that knows does.

    Where none does, a network of full connections, the shorter end is the maps.
    """
    if len(dims) < 3:
        return {1: FLAT, 2: "yx"}[len(dims)]
    for node in model.nodes:
        if name not in node.inputs or node.op == "Shape":
            continue
        if node.op == "Transpose":
            return "yxm" if node.attributes.get("perm") == [0, 3, 1, 2] else STACK
        if node.op in WITH_MAPS_FIRST:
            return STACK
        if node.op in ("Reshape", "Flatten", "MatMul", "Gemm"):
            break
        name = node.outputs[0]
    return "yxm" if dims[2] < dims[0] else STACK


def image_shape(dims: tuple[int, ...], axes: str) -> tuple[int, int, int]:
    """Maps, rows and columns of a tensor with such axes."""
    if axes == FLAT:
        return dims[0], 1, 1
    sizes = dict(zip(axes, dims, strict=True))
    return sizes.get("m", 1), sizes.get("y", 1), sizes.get("x", 1)


def integers(node: Node, inputs: Inputs, key: str = "axes", at: int = 1) -> list[int]:
    """A list that older files keep in an attribute and newer ones in an input."""
    found = node.attributes.get(key)
    if found is None and len(inputs) > at and inputs[at] is not None:
        found = inputs[at].reshape(-1).tolist()
    return [int(n) for n in found or []]


def letters_of(chain: Chain, wanted: list[int]) -> list[str]:
    """The axes with such numbers, the batch being 0."""
    count = len(chain.axes) + 1
    if any(not -count <= n < count or n % count == 0 for n in wanted):
        raise Refused(f"names axes {wanted} of a tensor with {count}; expected axes behind the batch")
    return [chain.axes[n % count - 1] for n in wanted]


def transpose(chain: Chain, node: Node, inputs: Inputs) -> None:
    """From maps last to maps first and back, as Keras and TensorFlow export it."""
    perm = [int(n) for n in node.attributes.get("perm") or []]
    if perm[:1] != [0] or sorted(perm) != list(range(len(chain.axes) + 1)):
        raise Refused(f"swaps axes {perm} of a tensor with {len(chain.axes) + 1}; expected the batch to stay first")
    chain.axes = "".join(chain.axes[n - 1] for n in perm[1:])


def flatten(chain: Chain, node: Node, inputs: Inputs) -> None:
    """All axes become one."""
    axis = int(node.attributes.get("axis", 1))
    if axis not in (1, -len(chain.axes)):
        raise Refused(f"flattens from axis {axis}; expected 1")
    chain.flatten()


def squeeze(chain: Chain, node: Node, inputs: Inputs) -> None:
    """Axes of one row or column go."""
    wanted = integers(node, inputs)
    if not wanted:
        raise Refused("removes all axes that are 1 long, the batch too; expected the axes by number")
    gone = letters_of(chain, wanted)
    if any(chain.size(axis) != 1 for axis in gone):
        raise Refused(f"removes axes {wanted} of maps of {chain.shape}; expected axes that are 1 long")
    chain.axes = "".join(axis for axis in chain.axes if axis not in gone) or FLAT


def unsqueeze(chain: Chain, node: Node, inputs: Inputs) -> None:
    """An axis that is one long comes in, such as the map of an image of one map."""
    wanted = integers(node, inputs)
    count = len(chain.axes) + 1 + len(wanted)
    dims: list[int] = list(chain.dims)
    for place in sorted(n % count for n in wanted):
        if place == 0:
            raise Refused("puts an axis before the batch; expected the batch first")
        dims.insert(place - 1, 1)
    _take_shape(chain, node, dims)


def reshape(chain: Chain, node: Node, inputs: Inputs) -> None:
    """A flat vector; or the same axes, with some that are 1 long more or fewer."""
    wanted = integers(node, inputs, "shape")
    if len(wanted) < 2:
        raise Refused(f"gives each image the shape {wanted}; expected the batch and what it holds")
    now = chain.dims
    keep_zero = bool(node.attributes.get("allowzero"))
    dims = [now[k] if n == 0 and not keep_zero and k < len(now) else n for k, n in enumerate(wanted[1:])]
    known = prod(n for n in dims if n != -1)
    if dims.count(-1) == 1 and known > 0 and prod(now) % known == 0:
        dims[dims.index(-1)] = prod(now) // known
    if any(n < 1 for n in dims) or prod(dims) != prod(now):
        raise Refused(
            f"gives a tensor of {' x '.join(map(str, now))} for each image the shape {wanted}; expected the same count of "
            "numbers for each image: a full connection over maps is a convolution of 1 x 1, or wants a Flatten before it"
        )
    _take_shape(chain, node, dims)


def _take_shape(chain: Chain, node: Node, dims: list[int]) -> None:
    """Axes that are longer than 1 keep their order, so a new shape only says where those of 1 stand."""
    if not chain.layers and len(chain.axes) < len(dims) <= 3:  # only now does the file tell what the image's axes are
        chain.axes = image_axes(tuple(dims), chain.model, node.outputs[0])
        chain.image = chain.shape = image_shape(tuple(dims), chain.axes)
        return
    if len(dims) == 1:
        chain.flatten()
        return
    source = chain.order if chain.axes == FLAT else chain.axes
    long = [axis for axis in source if chain.size(axis) > 1]
    if len(dims) > 3 or [chain.size(axis) for axis in long] != [n for n in dims if n > 1]:
        raise Refused(
            f"gives maps of {chain.shape} the shape {' x '.join(map(str, dims))}; expected a flat vector, or the same rows, "
            "columns and maps"
        )
    left, rest = iter(long), iter(axis for axis in STACK if axis not in long)
    chain.axes = "".join(next(left) if n > 1 else next(rest) for n in dims)


def pad(chain: Chain, node: Node, inputs: Inputs) -> None:
    """Rows and columns around the maps, which the next layer takes over."""
    mode = node.attributes.get("mode") or "constant"
    pads = integers(node, inputs, "pads")
    count = len(chain.axes) + 1
    where = integers(node, inputs, "padded", 3) or list(range(count))
    if len(pads) != 2 * len(where) or min(pads, default=0) < 0 or mode not in ("constant", "edge"):
        raise Refused(f"pads by {pads} with mode {mode}; expected zero or more for each axis, and the mode constant or edge")
    amounts = {n % count: (pads[k], pads[k + len(where)]) for k, n in enumerate(where)}
    sides = {axis: amounts.get(place, (0, 0)) for place, axis in enumerate("n" + chain.axes)}
    if any(sides.get(axis, (0, 0)) != (0, 0) for axis in f"nm{FLAT}"):
        raise Refused(f"pads by {pads} other axes than rows and columns")
    given = inputs[2] if len(inputs) > 2 else None
    value = None if mode == "edge" else float(node.attributes.get("value", 0.0) if given is None else given.reshape(-1)[0])
    if any(chain.padding) and chain.padding_value != value:
        chain.settle_padding(node)
    (top, bottom), (left, right) = sides.get("y", (0, 0)), sides.get("x", (0, 0))
    before = chain.padding
    chain.padding = (before[0] + top, before[1] + bottom, before[2] + left, before[3] + right)
    chain.padding_value = value


def shape_of(node: Node, dims: tuple[int, ...]) -> list[int]:
    """What a Shape operation gives for a tensor of the chain; one image at a time."""
    whole = [1, *dims]
    return whole[slice(node.attributes.get("start", 0), node.attributes.get("end"))]
