"""Resize and Upsample by the nearest element: a view that takes some elements several times, or not at all."""

from collections.abc import Callable
from math import ceil, floor

import numpy as np

from anna.importers.draft import Draft
from anna.importers.onnx_axes import LARGEST_VIEW, Inputs, constant, places_of
from anna.importers.onnx_file import Node
from anna.importers.tensor import Refused, Tensor

ROUND: dict[str, Callable[[float], int]] = {
    "round_prefer_floor": lambda x: ceil(x - 0.5),
    "round_prefer_ceil": lambda x: floor(x + 0.5),
    "floor": floor,
    "ceil": ceil,
}
PLACES: dict[str, Callable[[int, int, int, float], float]] = {  # new place, old size, new size, scale
    "asymmetric": lambda n, old, new, scale: n / scale,
    "half_pixel": lambda n, old, new, scale: (n + 0.5) / scale - 0.5,
    "half_pixel_symmetric": lambda n, old, new, scale: old / 2 * (1 - new / (scale * old)) + (n + 0.5) / scale - 0.5,
    "pytorch_half_pixel": lambda n, old, new, scale: (n + 0.5) / scale - 0.5 if new > 1 else 0.0,
    "align_corners": lambda n, old, new, scale: n * (old - 1) / (new - 1) if new > 1 else 0.0,
}


def resize(draft: Draft, node: Node, inputs: Inputs) -> Tensor:
    """Each axis by its scale, or to its size."""
    tensor: Tensor = inputs[0]
    old_style = node.op == "Upsample" or len(inputs) == 2
    mode = node.attributes.get("mode", "nearest")
    places = node.attributes.get("coordinate_transformation_mode", "asymmetric" if old_style else "half_pixel")
    rounding = node.attributes.get("nearest_mode", "floor" if old_style else "round_prefer_floor")
    if mode != "nearest" or places not in PLACES or node.attributes.get("antialias"):
        raise Refused(f"resizes by mode {mode}, {places}; expected nearest: resize the images before the network")
    count = tensor.units.ndim + 1
    axes = [int(axis) % count for axis in node.attributes.get("axes") or range(count)]
    scales = node.attributes.get("scales") or _floats(inputs, 1 if old_style else 2)
    sizes = [int(size) for size in _floats(inputs, 3)]
    old = [draft.batch or 1, *tensor.dims]
    policy = node.attributes.get("keep_aspect_ratio_policy", "stretch")
    if sizes:
        scales = [size / old[axis] for size, axis in zip(sizes, axes, strict=True)]
        if policy != "stretch":
            scales = [min(scales) if policy == "not_larger" else max(scales)] * len(axes)
            sizes = [floor(old[axis] * scale + 0.5) for axis, scale in zip(axes, scales, strict=True)]
    else:
        sizes = [floor(old[axis] * scale) for axis, scale in zip(axes, scales, strict=True)]
    units = tensor.units
    for axis, scale, size in zip(axes, scales, sizes, strict=True):
        if axis == 0:
            if scale != 1:
                raise Refused("resizes the batch; expected it as it is")
            continue
        if not 0 < size <= LARGEST_VIEW // max(units.size // old[axis], 1):
            raise Refused(f"resizes an axis of {old[axis]} to {size}; expected 1 to {LARGEST_VIEW} elements in all")
        (place,) = places_of(tensor, [axis])
        taken = [ROUND[rounding](round(PLACES[places](n, old[axis], size, scale), 9)) for n in range(size)]
        units = np.take(units, np.clip(taken, 0, old[axis] - 1), axis=place)
    return tensor.viewed(units)


def _floats(inputs: Inputs, at: int) -> list[float]:
    given = inputs[at] if len(inputs) > at else None
    return [] if given is None else [float(n) for n in constant(given, "sizes").reshape(-1)]


READERS = {"Resize": resize, "Upsample": resize}
