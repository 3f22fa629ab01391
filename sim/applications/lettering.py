"""Blocks of text that are drawn here, stroke by stroke, and slanted by a known angle: no check images and no font is needed.

A letter is straight strokes and arcs; x goes right and y up, the baseline is 0, the top of an x is 1. Letters come as often as
in English. Each block has a size, a pen, greys and noise of its own, each letter a small lean and wobble of its own: all
assumed (A), since nothing is published of the texts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Stroke = tuple[float, ...]  # x, y of each point of a line; or an arc: centre x, y, radius x, y, first and last degree

PAPER, INK = (0.0, 60.0), (150.0, 255.0)  # grey levels (A)
NOISE = (0.0, 25.0)  # standard deviation of a pixel, grey levels (A)
LEAN = 2.0  # degrees, standard deviation of a letter about its block's slant (A)
WOBBLE = 0.03  # x heights, standard deviation of a letter's points (A)
WORD = (2, 8)  # letters of a word (A)
PITCH = 2.5  # x heights from line to line (A)
THINNEST = 1.2  # pixels of a pen (A)

BOWL: Stroke = (0.35, 0.5, 0.35, 0.5, 0, 360)
ARCH: tuple[Stroke, ...] = ((0.3, 0.7, 0.3, 0.3, 180, 0), (0.6, 0.7, 0.6, 0.0))
LINES: dict[str, tuple[Stroke, ...]] = {
    "a": ((0.7, 1, 0.7, 0),), "b": ((0, 1.6, 0, 0),), "c": (), "d": ((0.7, 1.6, 0.7, 0),), "e": ((0.02, 0.5, 0.7, 0.5),),
    "f": ((0.2, 1.35, 0.2, 0), (0, 1, 0.45, 1)), "g": ((0.7, 1, 0.7, -0.3),), "h": ((0, 1.6, 0, 0), ARCH[1]),
    "i": ((0, 1, 0, 0), (0, 1.4, 0, 1.35)), "k": ((0, 1.6, 0, 0), (0.6, 1, 0, 0.4), (0.2, 0.55, 0.6, 0)),
    "l": ((0, 1.6, 0, 0),),
    "m": ((0, 1, 0, 0), ARCH[1], (1.2, 0.7, 1.2, 0)), "n": ((0, 1, 0, 0), ARCH[1]), "o": (), "p": ((0, 1, 0, -0.6),),
    "q": ((0.7, 1, 0.7, -0.6),), "r": ((0, 1, 0, 0),), "s": (), "t": ((0.2, 1.4, 0.2, 0), (0, 1, 0.45, 1)),
    "u": ((0, 1, 0, 0.3), (0.6, 1, 0.6, 0)), "v": ((0, 1, 0.3, 0, 0.6, 1),), "w": ((0, 1, 0.25, 0, 0.5, 1, 0.75, 0, 1, 1),),
    "x": ((0, 1, 0.6, 0), (0.6, 1, 0, 0)), "y": ((0, 1, 0.3, 0), (0.6, 1, 0.1, -0.6)), "z": ((0, 1, 0.6, 1, 0, 0, 0.6, 0),),
}  # fmt: skip
ARCS: dict[str, tuple[Stroke, ...]] = {
    "a": (BOWL,), "b": (BOWL,), "c": ((0.35, 0.5, 0.35, 0.5, 50, 310),), "d": (BOWL,), "e": ((0.35, 0.5, 0.35, 0.5, 0, 310),),
    "f": ((0.45, 1.35, 0.25, 0.25, 180, 60),), "g": (BOWL, (0.4, -0.3, 0.3, 0.3, 0, -150)), "h": (ARCH[0],),
    "m": (ARCH[0], (0.9, 0.7, 0.3, 0.3, 180, 0)), "n": (ARCH[0],), "o": (BOWL,), "p": (BOWL,), "q": (BOWL,),
    "r": ((0.3, 0.7, 0.3, 0.3, 180, 60),), "s": ((0.3, 0.75, 0.28, 0.25, 40, 270), (0.3, 0.25, 0.3, 0.25, 90, -140)),
    "u": ((0.3, 0.3, 0.3, 0.3, 180, 360),),
}  # fmt: skip
OFTEN = dict(zip("etaoinsrhldcumfpgwybvkxqz", (
    12.0, 9.1, 8.1, 7.7, 7.3, 7.0, 6.3, 6.0, 5.9, 4.0, 4.3, 2.7, 2.9, 2.6, 2.3, 1.8, 2.0, 2.1, 2.1, 1.5, 1.1, 0.7,
    0.2, 0.1, 0.1,
), strict=True))  # fmt: skip
CURVE = 9  # points along an arc


@dataclass(frozen=True)
class Style:
    """What blocks of text have in common; ranges are drawn from evenly, for each block."""

    rows: int
    columns: int
    x_height: tuple[float, float]  # pixels from the baseline to the top of an x
    pen: tuple[float, float]  # width of a stroke in x heights
    steepest: float  # degrees of slant to either side


@dataclass(frozen=True, eq=False)
class Blocks:
    """Blocks of text as grey levels, and by how many degrees each leans to the right."""

    images: NDArray[np.uint8]
    slants: Floats


def blocks(style: Style, count: int, series: int) -> Blocks:
    """So many blocks of a series, each with text, slant, size and noise of its own; block k is the same whatever the count."""
    images, slants = np.zeros((count, style.rows, style.columns), np.uint8), np.zeros(count)
    for k in range(count):
        rng = np.random.default_rng((series, k))
        ink, slants[k] = _inked(style, rng)
        paper, dark, noise = (float(rng.uniform(*ends)) for ends in (PAPER, INK, NOISE))
        grey = paper + (dark - paper) * ink + noise * rng.standard_normal(ink.shape)
        images[k] = np.clip(np.rint(grey), 0, 255)
    return Blocks(images, slants)


def pages(style: Style, count: int, series: int) -> NDArray[np.bool_]:
    """The same in black and white: where ink covers half a pixel."""
    inks = [_inked(style, np.random.default_rng((series, k)))[0] for k in range(count)]
    found: NDArray[np.bool_] = np.stack(inks) >= 0.5
    return found


def _inked(style: Style, rng: np.random.Generator) -> tuple[Floats, float]:
    """How much of each pixel is covered with ink, and the slant."""
    slant, x_height = float(rng.uniform(-style.steepest, style.steepest)), float(rng.uniform(*style.x_height))
    pen = max(THINNEST, x_height * float(rng.uniform(*style.pen)))
    ink = np.zeros((style.rows, style.columns))
    for strokes in _text(rng, ink.shape, x_height, slant):
        _draw(ink, strokes, pen)
    return ink, slant


def _text(rng: np.random.Generator, shape: tuple[int, int], x_height: float, slant: float) -> Iterator[list[Floats]]:
    """The strokes of each letter, in pixels (column, row): lines of words that fill the block."""
    letters, chances = list(OFTEN), np.array(list(OFTEN.values()))
    baseline = x_height * float(rng.uniform(0.6, 1.6))
    while baseline < shape[0] + 0.6 * x_height:
        at = x_height * float(rng.uniform(-0.5, 0.5))
        while at < shape[1]:
            for name in rng.choice(letters, int(rng.integers(*WORD)), p=chances / chances.sum()):
                lean = np.tan(np.radians(slant + LEAN * rng.standard_normal()))
                strokes = [points + WOBBLE * rng.standard_normal(points.shape) for points in glyph(name)]
                wide = max(float(points[:, 0].max()) for points in strokes)
                yield [
                    np.stack([at + x_height * (x + lean * y), baseline - x_height * y], axis=1)
                    for x, y in (p.T for p in strokes)
                ]
                at += x_height * (wide + float(rng.uniform(0.25, 0.4)))
            at += x_height * float(rng.uniform(0.4, 0.8))
        baseline += x_height * PITCH


def glyph(name: str) -> list[Floats]:
    """The strokes of a letter as lines of points (x, y)."""
    lines = [np.reshape(line, (-1, 2)).astype(float) for line in LINES[name]]
    for x, y, across, up, first, last in ARCS.get(name, ()):
        turn = np.radians(np.linspace(first, last, CURVE))
        lines.append(np.stack([x + across * np.cos(turn), y + up * np.sin(turn)], axis=1))
    return lines


def _draw(ink: Floats, strokes: list[Floats], pen: float) -> None:
    """Ink within half a pen's width of a line, fading over a pixel."""
    for points in strokes:
        for start, end in pairwise(points):
            low = np.floor(np.minimum(start, end) - pen / 2 - 1).astype(int).clip(0)
            high = np.ceil(np.maximum(start, end) + pen / 2 + 2).astype(int)
            part = ink[low[1] : high[1], low[0] : high[0]]
            if part.size:
                np.maximum(part, _covered(part.shape, low, start, end, pen), out=part)


def _covered(shape: tuple[int, ...], corner: NDArray[Any], start: Floats, end: Floats, pen: float) -> Floats:
    rows, columns = np.meshgrid(np.arange(shape[0]) + corner[1], np.arange(shape[1]) + corner[0], indexing="ij")
    along = end - start
    share = ((columns - start[0]) * along[0] + (rows - start[1]) * along[1]) / max(float(along @ along), 1e-9)
    share = share.clip(0, 1)
    distance = np.hypot(columns - start[0] - share * along[0], rows - start[1] - share * along[1])
    found: Floats = (pen / 2 + 0.5 - distance).clip(0, 1)
    return found
