"""Where the parts of a drawing go, in points from its upper left corner: text takes its room, plots share the rest."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sim.report.drawing import Drawing, Mark, Pixels, Plot, Ticks, Words
from sim.report.scales import Reach, reaches, ticks_of

TEXT, LINE, LEGEND_LINE = 9.0, 1.2, 1.5  # points: letters; lines of text and of a legend, in heights of letters
STROKE, GAP, APART, EDGE = 3.5, 3.5, 4.0, 3.0  # of ticks; from them to their texts; from these to the label; around everything
SWATCH, ENTRY = 18.0, 14.0  # widths in a legend: of a mark, and between entries
BAR = 10.0  # width of a key
# Widths of letters in heights of a common sans-serif font; a reader's own may be narrower.
NARROW, WIDE = frozenset("ijlI.,:;|!'()[]/ "), frozenset("mwMW%@")


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right end."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Its lower end."""
        return self.top + self.height


@dataclass(frozen=True, eq=False)
class Placed:
    """A plot, where its marks go, and its scales."""

    plot: Plot
    box: Box
    x: Reach
    y: Reach
    x_ticks: Ticks
    y_ticks: Ticks


def width_of(text: str, size: float = TEXT) -> float:
    """About how wide the widest line of a text is."""
    lines = (sum(0.34 if one in NARROW else 0.95 if one in WIDE else 0.63 for one in line) for line in text.split("\n"))
    return size * max(lines)


def height_of(text: str, size: float = TEXT) -> float:
    """How high a text is; 0 if there is none."""
    return LINE * size * (text.count("\n") + 1) if text else 0.0


def named(marks: Sequence[Mark]) -> Iterator[tuple[Mark, str]]:
    """The marks of a legend."""
    for mark in marks:
        if not isinstance(mark, Words | Pixels) and mark.name:
            yield mark, mark.name


def legend_height(count: int, across: int, size: float = TEXT) -> float:
    """How high a legend is with so many entries in a row."""
    return math.ceil(count / max(1, across)) * LEGEND_LINE * size


def legend_columns(names: Sequence[str], across: int, size: float = TEXT) -> list[float]:
    """How wide each column of a legend is."""
    widths = [SWATCH + 2 * GAP + width_of(name, size) for name in names]
    return [max(widths[column::across]) for column in range(min(across, len(names)))]


def _above(plot: Plot) -> float:
    title = height_of(plot.title, plot.title_size)
    legend = LEGEND_LINE * plot.legend_size + GAP if plot.legend == "above" else 0.0
    return legend + (title + GAP if title else 0.0) or LINE * TEXT / 2


def _below(plot: Plot) -> float:
    if plot.bare:
        return 0.0
    return STROKE * plot.x.strokes + GAP + LINE * TEXT + (APART + LINE * TEXT if plot.x.label else 0.0)


def _before(plot: Plot, ticks: Ticks) -> float:
    if plot.bare:
        return 0.0
    texts = max((width_of(text) for _, text in ticks), default=0.0)
    return STROKE * plot.y.strokes + GAP + texts + (APART + LINE * TEXT if plot.y.label else 0.0)


def _after(plot: Plot) -> float:
    room = 0.0 if plot.bare else TEXT
    if plot.legend == "beside":
        names = [name for _, name in named(plot.marks)]
        room += APART + max([width_of(plot.legend_title, plot.legend_size), *legend_columns(names, 1, plot.legend_size)])
    if plot.key is not None:
        texts = max((width_of(text) for _, text in plot.key.places), default=0.0)
        room += APART + BAR + STROKE + GAP + texts + APART + LINE * TEXT
    return room


def placed(drawing: Drawing) -> list[Placed]:
    """Every plot of a drawing in its place."""
    wide, tall = 72 * drawing.width, 72 * drawing.height
    names = [name for row in drawing.rows for plot in row for _, name in named(plot.marks)]
    legend = legend_height(len(names), drawing.legend) + APART if drawing.legend else 0.0
    above, below = ([max(need(plot) for plot in row) for row in drawing.rows] for need in (_above, _below))
    rows, columns = len(drawing.rows), max(map(len, drawing.rows))
    height = (tall - legend - EDGE * (rows + 1) - sum(above) - sum(below)) / rows
    most = int(height / (2 * TEXT))  # ticks for which there is room upwards
    reach = {(r, c): reaches(plot) for r, row in enumerate(drawing.rows) for c, plot in enumerate(row)}
    y_ticks = {(r, c): ticks_of(drawing.rows[r][c].y, y, most) for (r, c), (_, y) in reach.items()}
    before = [max(_before(row[c], y_ticks[r, c]) for r, row in enumerate(drawing.rows) if c < len(row)) for c in range(columns)]
    after = [max(_after(row[c]) for row in drawing.rows if c < len(row)) for c in range(columns)]
    width = (wide - 2 * EDGE * (columns + 1) - sum(before) - sum(after)) / columns
    found, top = list[Placed](), EDGE
    for r, row in enumerate(drawing.rows):
        left, top = 2 * EDGE, top + above[r]
        for c, plot in enumerate(row):
            left += before[c]
            x, y = reach[r, c]
            box = Box(left, top, width, height)
            box = _squared(box, x, y) if plot.square else box
            found.append(Placed(plot, box, x, y, ticks_of(plot.x, x, int(box.width / (3 * TEXT))), y_ticks[r, c]))
            left += width + after[c] + 2 * EDGE
        top += height + below[r] + EDGE
    return found


def _squared(box: Box, x: Reach, y: Reach) -> Box:
    """The middle of a box in which a unit is as long upwards as across."""
    unit = min(box.width / abs(x.high - x.low), box.height / abs(y.high - y.low))
    wide, tall = unit * abs(x.high - x.low), unit * abs(y.high - y.low)
    return Box(box.left + (box.width - wide) / 2, box.top + (box.height - tall) / 2, wide, tall)
