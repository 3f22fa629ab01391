"""A tensor of a file as a view of the maps that a layer makes: which unit each of its elements is.

Operations that only move elements (transpositions, slices, paddings ...) are then operations on these numbers, and no layer
comes of them until another layer needs the elements in order.
"""

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from anna.network.parts import AXES, Shape

Units = NDArray[np.int64]
FILLED = -1  # the number of an element that is the constant `fill`
Padding = tuple[int, int, int, int]
NO_PADDING = (0, 0, 0, 0)


class Refused(Exception):  # noqa: N818
    """Why a node cannot be read; the caller adds which node it is."""


@dataclass(frozen=True, eq=False)
class Tensor:
    """What one image makes of a tensor: its axes are those of the file, without the batch."""

    layer: str  # the name of the layer that makes it, or IMAGE
    units: Units
    fill: float = 0.0
    alone: bool = True  # whether nothing else reads what it is a view of, so that the layer may change

    @property
    def dims(self) -> tuple[int, ...]:
        """Its sizes."""
        return self.units.shape

    @property
    def shape(self) -> Shape:
        """Maps, rows and columns of a layer that would make it: two axes are maps and columns."""
        if self.units.ndim > 3:
            raise Refused(f"needs maps, rows and columns of a tensor of {sizes_text(self.dims)} per image; expected 3 axes")
        sizes = (*self.dims, 1, 1, 1) if self.units.ndim != 2 else (self.dims[0], 1, self.dims[1])
        return sizes[0], sizes[1], sizes[2]

    @property
    def filled(self) -> bool:
        """Whether some elements are the constant."""
        return bool((self.units == FILLED).any())

    @property
    def in_order(self) -> bool:
        """Whether its elements are all units of a layer, in their order."""
        return bool(np.array_equal(self.units.reshape(-1), np.arange(self.units.size)))

    def viewed(self, units: Units, fill: float | None = None) -> "Tensor":
        """Another view of the same maps."""
        return Tensor(self.layer, units, self.fill if fill is None else fill, self.alone)


def made_by(layer: str, shape: Shape) -> Tensor:
    """All that a layer makes."""
    return Tensor(layer, np.arange(prod(shape)).reshape(shape))


def sizes_text(dims: tuple[int, ...]) -> str:
    """`6 x 6 x 2`."""
    return " x ".join(map(str, dims)) or "1"


def inside_border(tensor: Tensor) -> tuple[Tensor, Padding] | None:
    """The middle of a tensor whose last two axes have a border of the constant, and the border's widths.

    One that repeats the outermost rows and columns is found by `inside_edge`. None if the constant is anywhere else.
    """
    solid = tensor.units != FILLED
    if solid.ndim != 3 or not solid.any():
        return None
    rows, columns = np.flatnonzero(solid.any(axis=(0, 2))), np.flatnonzero(solid.any(axis=(0, 1)))
    return _cut(tensor, (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1))


def inside_edge(tensor: Tensor) -> tuple[Tensor, Padding] | None:
    """The same for a border of copies of the outermost rows and columns."""
    units = tensor.units
    if units.ndim != 3:
        return None
    ends = []
    for axis in (1, 2):
        same = np.all(np.diff(units, axis=axis) == 0, axis=tuple(n for n in range(3) if n != axis))
        moving = np.flatnonzero(~same)
        if not moving.size:
            return None
        ends += [int(moving[0]), int(moving[-1]) + 2]
    return _cut(tensor, (ends[0], ends[1], ends[2], ends[3]))


def _cut(tensor: Tensor, ends: tuple[int, int, int, int]) -> tuple[Tensor, Padding] | None:
    top, bottom, left, right = map(int, ends)
    inner = tensor.units[:, top:bottom, left:right]
    if (inner == FILLED).any():
        return None
    _, rows, columns = tensor.units.shape
    return tensor.viewed(inner), (top, rows - bottom, left, columns - right)


def letters_of_axes(tensor: Tensor, shape: Shape) -> list[str] | None:
    """For each axis of a tensor the axes of its layer's maps (m, y, x) that it runs along, in their order.

    None unless it is all the layer's units, with axes only moved, merged, or of length 1.
    """
    strides = dict(zip(AXES, (shape[1] * shape[2], shape[2], 1), strict=True))
    sizes = dict(zip(AXES, shape, strict=True))
    long = [axis for axis in AXES if sizes[axis] > 1]
    if tensor.units.size != prod(shape):
        return None
    found, expected = list[str](), np.zeros(tensor.dims, np.int64)
    for place, size in enumerate(tensor.dims):
        if size == 1:
            found.append("")
            continue
        first = (0,) * tensor.units.ndim
        second = tuple(int(n == place) for n in range(tensor.units.ndim))
        step = int(tensor.units[second] - tensor.units[first])
        runs = [long[a:b] for a in range(len(long)) for b in range(a + 1, len(long) + 1)]
        mine = [run for run in runs if strides[run[-1]] == step and prod(sizes[axis] for axis in run) == size]
        if not mine:
            return None
        found.append("".join(mine[0]))
        along = [1] * tensor.units.ndim
        along[place] = size
        expected = expected + (np.arange(size) * step).reshape(along)
    return found if np.array_equal(expected, tensor.units) else None
