"""Cutting a string into characters at connected components, the way to read against which sliding a network is held.

Ink that hangs together is one piece. Specks are dropped, pieces that lie over one another are joined, and as the number of
digits is known, the narrowest neighbours are joined while there are too many pieces, and the widest piece is cut, where it has
least ink, while there are too few. Each piece is then put into a frame of its own as the digits of MNIST were.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import DataError
from anna.network.layers import Prepare
from anna.network.prepare import WHITE, field_scale, integer_field
from lenet.datasets.strings import INK

Bools = NDArray[np.bool_]
Levels = NDArray[np.uint8]


@dataclass(frozen=True)
class Cutting:
    """How strings are cut (A); chosen on strings of training digits that the network had not seen."""

    speck: int = 15  # pixels of ink below which a piece is dropped
    over: float = 0.7  # share of the narrower piece's columns from which two pieces that lie over one another are one
    middle: float = 0.2  # share of a part's width, around where equal parts would end, in which a cut is looked for
    box: int = 20  # pixels that the larger side of a piece fills in its frame; 0: as large as it is
    frame: int = 28


def pieces_of(image_yx: Levels, digits: int, how: Cutting) -> list[Bools]:
    """The ink of each of so many characters, from left to right."""
    found = [part for part in components(image_yx >= INK) if part.sum() >= how.speck]
    if not found:
        raise DataError("no ink to cut; expected a string of digits")
    found = _joined_over(sorted(found, key=_left), how.over)
    while len(found) > digits:
        widths = [_width(found[k] | found[k + 1]) for k in range(len(found) - 1)]
        k = int(np.argmin(widths))
        found[k : k + 2] = [found[k] | found[k + 1]]
    return [part for piece, parts in zip(found, _shares(found, digits), strict=True) for part in _cut(piece, parts, how.middle)]


def framed(image_yx: Levels, ink_yx: Bools, how: Cutting) -> Levels:
    """A piece alone in its frame: resized, its centre of mass in the middle."""
    levels = np.where(_grown(ink_yx) & (ink_yx | (image_yx < INK)), image_yx, 0)
    rows, columns = np.flatnonzero(levels.any(axis=1)), np.flatnonzero(levels.any(axis=0))
    piece = levels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if how.box:
        larger = max(piece.shape)
        resize = tuple(max(1, (2 * side * how.box + larger) // (2 * larger)) for side in piece.shape)
        layer = Prepare(source=piece.shape, resize=(resize[0], resize[1]))
        scale = field_scale(layer) // WHITE
        piece = (2 * integer_field(layer, piece[None])[0] + scale) // (2 * scale)
    out = np.zeros((3 * how.frame,) * 2, np.uint8)  # room for what the middle will leave out
    total = int(piece.sum(dtype=np.int64))
    moments = [(piece.sum(axis=1 - axis, dtype=np.int64) * (2 * np.arange(piece.shape[axis]) + 1)).sum() for axis in (0, 1)]
    top, left = (int((3 * how.frame * total - moment + total) // (2 * total)) for moment in moments)
    out[top : top + piece.shape[0], left : left + piece.shape[1]] = piece
    return out[how.frame : 2 * how.frame, how.frame : 2 * how.frame]


def components(ink_yx: Bools) -> list[Bools]:
    """Each piece of ink that hangs together, corners counted; from runs of pixels, joined row by row."""
    runs, parent = list[tuple[int, int, int]](), list[int]()

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    above = range(0)
    for y, row in enumerate(np.pad(ink_yx, ((0, 0), (1, 1))).astype(np.int8)):
        turns = np.flatnonzero(np.diff(row)).tolist()
        begin = len(runs)
        for first, end in zip(turns[::2], turns[1::2], strict=True):
            parent.append(len(runs))
            runs.append((y, first, end))
            for k in above:
                if runs[k][1] <= end and first <= runs[k][2]:
                    parent[root(k)] = root(len(runs) - 1)
        above = range(begin, len(runs))
    found = dict[int, Bools]()
    for k, (y, first, end) in enumerate(runs):
        found.setdefault(root(k), np.zeros(ink_yx.shape, bool))[y, first:end] = True
    return list(found.values())


def _columns(ink_yx: Bools) -> tuple[int, int]:
    """The first column with ink, and the one behind the last."""
    some = np.flatnonzero(ink_yx.any(axis=0))
    return int(some[0]), int(some[-1]) + 1


def _left(ink_yx: Bools) -> int:
    return _columns(ink_yx)[0]


def _width(ink_yx: Bools) -> int:
    first, end = _columns(ink_yx)
    return end - first


def _joined_over(found: list[Bools], over: float) -> list[Bools]:
    """Pieces from left to right, those that lie over one another joined."""
    out = list[Bools]()
    for piece in found:
        if out:
            (a, b), (c, d) = _columns(out[-1]), _columns(piece)
            if min(b, d) - max(a, c) >= over * min(b - a, d - c):
                out[-1] = out[-1] | piece
                continue
        out.append(piece)
    return out


def _shares(found: list[Bools], digits: int) -> list[int]:
    """How many digits each piece is taken for: one more for the piece whose digits are widest, until they are enough."""
    parts, widths = [1] * len(found), [_width(one) for one in found]
    while sum(parts) < digits:
        parts[int(np.argmax([width / count for width, count in zip(widths, parts, strict=True)]))] += 1
    return parts


def _cut(ink_yx: Bools, parts: int, middle: float) -> list[Bools]:
    """A piece in so many parts, cut at columns with least ink near the ends of equal parts."""
    first, end = _columns(ink_yx)
    ink_x, part = ink_yx.sum(axis=0), (end - first) / parts
    ends = [first]
    for k in range(1, parts):
        about, reach = first + k * part, middle * part / 2
        tried = np.arange(max(ends[-1] + 1, round(about - reach)), min(end - 1, round(about + reach)) + 1)
        least = tried[ink_x[tried] == ink_x[tried].min()] if len(tried) else np.array([round(about)])
        ends.append(int(least[np.abs(least - about).argmin()]))
    ends.append(end)
    at = np.arange(ink_yx.shape[1])
    cut = [ink_yx & (at >= a) & (at < b) for a, b in pairwise(ends)]
    return [one if one.any() else ink_yx for one in cut]


def _grown(ink_yx: Bools) -> Bools:
    """The ink and the pixels beside it, whose grey belongs to it."""
    padded = np.pad(ink_yx, 1)
    rows, columns = ink_yx.shape
    grown: Any = np.zeros_like(ink_yx)
    for y in range(3):
        for x in range(3):
            grown |= padded[y : y + rows, x : x + columns]
    return np.asarray(grown)
