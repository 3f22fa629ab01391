"""What the layers share: shapes, and the checks that refuse a wrong value in one sentence."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from anna.base.arrays import Floats
from anna.base.errors import GraphError

Shape = tuple[int, int, int]
AXES = "myx"  # maps, rows, columns: the letters of a shape's axes
LARGEST_STACK = 1 << 24  # units of one image's maps, also with their padding: five times VGG's largest
MOST_CONNECTIONS = 1 << 36  # of a layer for one image: more than ten times all of ResNet-50
OFF_STEP = 1e-2  # of a step: what 32-bit floats and folded factors may add
LATER = {"later": True}  # on a field that former files do not have: not written at its default, so that they keep their bytes


def shape_text(shape: Shape) -> str:
    """`4@28x28`, as the papers write it."""
    return f"{shape[0]}@{shape[1]}x{shape[2]}"


def units(shape: Shape) -> int:
    return shape[0] * shape[1] * shape[2]


def frozen_floats(name: str, what: str, value: Any, ndim: int | tuple[int, ...]) -> Floats:
    array = np.array(value, order="C")
    if array.dtype not in (np.float32, np.float64):
        raise GraphError(f"{name}: {what} is {array.dtype}; expected float32 or float64")
    allowed = (ndim,) if isinstance(ndim, int) else ndim
    if array.ndim not in allowed:
        expected = " or ".join(str(n) for n in allowed)
        raise GraphError(f"{name}: {what} has {array.ndim} axes (shape {array.shape}); expected {expected}")
    if array.size == 0:
        raise GraphError(f"{name}: {what} is empty (shape {array.shape}); expected at least one number")
    if not np.isfinite(array).all():
        bad = int(np.count_nonzero(~np.isfinite(array)))
        raise GraphError(f"{name}: {what} holds {bad} of {array.size} numbers that are NaN or infinite; expected finite ones")
    array.setflags(write=False)
    return array


def expect(name: str, what: str, got: object, expected: object) -> None:
    if got != expected:
        raise GraphError(f"{name}: {what} is {got}; expected {expected}")


def check_pair(name: str, what: str, pair: tuple[int, ...], length: int, least: int) -> None:
    if not isinstance(pair, tuple) or len(pair) != length or any(type(n) is not int or n < least for n in pair):
        raise GraphError(f"{name}: {what} is {pair!r}; expected a tuple of {length} whole numbers of at least {least}")
    if max(pair, default=0) > LARGEST_STACK:
        raise GraphError(f"{name}: {what} is {pair!r:.60}; expected at most {LARGEST_STACK:,}")


def check_name(name: str) -> None:
    if not isinstance(name, str) or not name or any(c.isspace() or c in "./\\" or not c.isprintable() for c in name):
        raise GraphError(f"layer name {name!r} cannot be used; expected printable text without blanks, dots or slashes")


def check_stack(name: str, shape: tuple[int, ...], what: str = "its maps") -> None:
    """Raise for maps that nobody has the memory for, before they are made."""
    if prod(shape) > LARGEST_STACK:
        raise GraphError(f"{name}: {what} are {'x'.join(map(str, shape)):.60}; expected at most {LARGEST_STACK:,} units in all")


def check_work(name: str, connections: int) -> None:
    """Raise for a layer that would take hours for one image."""
    if connections > MOST_CONNECTIONS:
        raise GraphError(f"{name}: has {connections:,} connections; expected at most {MOST_CONNECTIONS:,} in a layer")


def window_shape(
    name: str,
    maps: int,
    shape: Shape,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    padding: tuple[int, int, int, int],
) -> Shape:
    rows = shape[1] + padding[0] + padding[1]
    columns = shape[2] + padding[2] + padding[3]
    check_stack(name, (shape[0], rows, columns), "maps with their padding")
    if rows < kernel[0] or columns < kernel[1]:
        raise GraphError(
            f"{name}: a {kernel[0]}x{kernel[1]} window does not fit on {rows}x{columns} "
            f"(input {shape_text(shape)} with padding); "
            "expected an input at least as large as the window"
        )
    return maps, (rows - kernel[0]) // stride[0] + 1, (columns - kernel[1]) // stride[1] + 1


def check_over(name: str, over: str) -> None:
    if not isinstance(over, str) or not over or over not in ("m", "y", "x", "my", "mx", "yx", AXES):
        raise GraphError(f"{name}: works over axes {over!r}; expected some of m (maps), y (rows), x (columns), in this order")


def reduced_shape(shape: Shape, over: str) -> Shape:
    """The shape with the axes that `over` names shrunk to 1."""
    maps, rows, columns = (1 if axis in over else size for axis, size in zip(AXES, shape, strict=True))
    return maps, rows, columns


def checked_steps(name: str, steps: Any, weights: Floats) -> Floats | None:
    """The steps of which the weights of each map are whole multiples, if they are."""
    if steps is None:
        return None
    found = frozen_floats(name, "weight steps", steps, 1)
    expect(name, "number of weight steps", len(found), len(weights))
    multiples = weights.reshape(len(weights), -1) / np.where(found > 0, found, np.nan)[:, None]
    if not (np.abs(multiples - np.rint(multiples)) <= OFF_STEP).all():
        raise GraphError(
            f"{name}: weights are no whole multiples of the weight steps; expected codes times a step for each map"
        )
    return found


def given(**tensors: Floats | None) -> dict[str, Floats]:
    """Those that there are."""
    return {name: array for name, array in tensors.items() if array is not None}
