"""What a figure shows, before it is drawn: plots with their scales and marks, as plain data.

`sim.report.svg` draws it for pages and files, `sim.report.figure` as a figure of matplotlib. Places are in units of the plot's
scales, sizes in points (1/72 inch).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sim.report.colours import INK, Rgba

Places = Sequence[float] | NDArray[Any]


@dataclass(frozen=True, eq=False)
class Line:
    """A line through points."""

    xs: Places
    ys: Places
    colour: str
    width: float = 1.4
    opacity: float = 1.0
    dashed: bool = False
    name: str = ""  # in the legend; without a name a mark is not in it


@dataclass(frozen=True, eq=False)
class Dots:
    """A dot at each point."""

    xs: Places
    ys: Places
    colour: str
    size: float = 6.0
    shape: Literal["disc", "diamond", "square", "frame", "tick"] = "disc"
    opacity: float = 1.0
    name: str = ""


@dataclass(frozen=True, eq=False)
class Area:
    """What lies between two lines."""

    xs: Places
    low: Places
    high: Places
    colour: str
    opacity: float = 0.18
    name: str = ""


@dataclass(frozen=True, eq=False)
class Boxes:
    """Rectangles with these corners."""

    x0: Places
    x1: Places
    y0: Places
    y1: Places
    colour: str | None = None  # None: not filled
    opacity: float = 1.0
    edge: str | None = None
    edge_width: float = 0.5
    name: str = ""


@dataclass(frozen=True, eq=False)
class Pixels:
    """Pixels that fill a rectangle; their first row is at its top."""

    rgba: Rgba
    left: float
    right: float
    bottom: float
    top: float


@dataclass(frozen=True)
class Words:
    """A text, centred upwards; `raised` by so many points."""

    x: float
    y: float
    text: str
    size: float = 9.0
    anchor: Literal["start", "middle", "end"] = "middle"
    colour: str = INK
    raised: float = 0.0


@dataclass(frozen=True)
class Rule:
    """A straight line from end to end: upright at an x, or level at a y."""

    at: float
    upright: bool
    colour: str = INK
    width: float = 0.8
    opacity: float = 1.0
    dashed: bool = False
    name: str = ""


Mark = Line | Dots | Area | Boxes | Pixels | Words | Rule
Ticks = tuple[tuple[float, str], ...]  # where they are, and their texts


@dataclass(frozen=True)
class Scale:
    """What one direction of a plot measures, from `low` (left or bottom) to `high`; None: as far as the marks reach."""

    label: str = ""
    low: float | None = None
    high: float | None = None
    ticks: Ticks | None = None  # None: at round numbers
    strokes: bool = True  # whether ticks have strokes, not only texts
    grid: bool = False
    log: bool = False


@dataclass(frozen=True, eq=False)
class Key:
    """What the colours of an image mean: a bar beside the plot. `places` are the ticks' shares of the bar's height."""

    colours: tuple[str, ...]
    places: Ticks
    label: str


@dataclass(frozen=True, eq=False)
class Plot:
    """One pair of scales with its marks, the first at the bottom."""

    marks: Sequence[Mark]
    x: Scale = Scale()
    y: Scale = Scale()
    title: str = ""
    title_size: float = 10.0
    legend: Literal["", "upper right", "lower right", "above", "beside"] = ""
    legend_title: str = ""
    legend_size: float = 9.0
    square: bool = False  # a unit is as long upwards as across
    bare: bool = False  # nothing but marks
    key: Key | None = None


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure of so many inches: rows of plots."""

    width: float
    height: float
    rows: Sequence[Sequence[Plot]]
    legend: int = 0  # entries in a row of one legend for all plots, below them; 0: none


def categories(names: Sequence[str]) -> Ticks:
    """Ticks at 0, 1, 2, ..."""
    return tuple((float(place), name) for place, name in enumerate(names))


def steps(xs: Places, ys: Places) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The corners of a line of steps, each as high as the point at its left end."""
    across, up = np.asarray(xs, np.float64), np.asarray(ys, np.float64)
    return np.repeat(across, 2)[1:], np.repeat(up, 2)[:-1]
