"""Figures of matplotlib, in one style: those that draw themselves on its axes, and drawings, for readers who want to go on with
them. The same figure gives the same bytes as SVG.
"""

import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sim.report.colours import FAINT, INK, PAPER
from sim.report.drawing import Area, Boxes, Dots, Drawing, Key, Line, Mark, Pixels, Plot, Rule, Scale, Words
from sim.report.scales import Reach, reaches

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DASHES = (0, (4, 3))
SHAPES = {"disc": "o", "diamond": "D", "square": "s", "frame": "s", "tick": "|"}
LEGENDS: dict[str, Any] = {
    "upper right": {"loc": "upper right"},
    "lower right": {"loc": "lower right"},
    "above": {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": 4},
    "beside": {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)},
}

_STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "anna",
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": PAPER,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


@contextmanager
def quiet() -> Iterator[None]:
    """What matplotlib says of legends, layouts and glyphs reaches nobody: a name that begins with _ is no news to a user."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"(?is).*(legend|layout|glyph)", UserWarning)
        yield


@contextmanager
def themed(width: float, height: float, columns: int = 1, rows: int = 1, **options: Any) -> Iterator[tuple[Any, Any]]:
    """A figure of this size in inches and its axes, in our style; global state stays untouched."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from anna.base.drawn_figure import DrawnFigure

    with matplotlib.rc_context(_STYLE), quiet():
        figure = DrawnFigure(figsize=(width, height), style=_STYLE)
        FigureCanvasAgg(figure)
        yield figure, figure.subplots(rows, columns, **options)


def svg_file(figure: Any) -> str:
    """The figure as an SVG file of its own."""
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context(_STYLE), quiet(), _placed(figure):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return re.sub(r"[ \t]+\n", "\n", buffer.getvalue())


@contextmanager
def _placed(figure: Any) -> Iterator[None]:
    """Inside, the figure's parts have their places for SVG. Left to itself, savefig draws twice: once only to place them."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    engine, dpi = figure.get_layout_engine(), figure.dpi
    if engine is not None:
        FigureCanvasSVG(figure)
        engine.execute(figure)
        figure.dpi = dpi  # SVG changes it to its own
        with matplotlib.rc_context({"figure.constrained_layout.use": False}):
            figure.set_layout_engine(None)
    try:
        yield
    finally:
        if engine is not None:
            figure.set_layout_engine(engine)


def png_file(figure: Any) -> bytes:
    """The figure as pixels, 200 an inch."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=200, metadata={"Software": None})
    return buffer.getvalue()


def figure_of(drawing: Drawing) -> "Figure":
    """A drawing as a figure of matplotlib."""
    rows, columns = len(drawing.rows), max(map(len, drawing.rows))
    with themed(drawing.width, drawing.height, columns, rows, squeeze=False) as (figure, grid):
        for row, line in zip(drawing.rows, grid, strict=True):
            for plot, axes in zip(row, line, strict=False):
                _plot(axes, plot)
            for axes in line[len(row) :]:
                axes.set_visible(False)
        if drawing.legend:
            figure.legend(loc="outside lower left", ncols=drawing.legend)
    found: Figure = figure
    return found


def _plot(axes: Any, plot: Plot) -> None:
    for order, mark in enumerate(plot.marks):
        for artist in _mark(axes, mark):
            artist.set_zorder(2 + order / len(plot.marks))
    across, up = reaches(plot)
    _scale(axes, "x", plot.x, across)
    _scale(axes, "y", plot.y, up)
    axes.set_axisbelow(True)
    axes.set_aspect("equal" if plot.square else "auto")
    if plot.title:
        axes.set_title(plot.title, fontsize=plot.title_size)
    if plot.legend:
        axes.legend(fontsize=plot.legend_size, title=plot.legend_title or None, title_fontsize=plot.legend_size,
                    **LEGENDS[plot.legend])  # fmt: skip
    if plot.bare:
        axes.set_axis_off()
    if plot.key is not None:
        _key(axes, plot.key)


def _scale(axes: Any, way: str, scale: Scale, reach: Reach) -> None:
    axis = getattr(axes, f"{way}axis")
    if scale.log:
        getattr(axes, f"set_{way}scale")("log")
    getattr(axes, f"set_{way}lim")(reach.low, reach.high)
    axis.set_label_text(scale.label)
    if scale.ticks is not None:
        shown = [(at, text) for at, text in scale.ticks if min(reach.low, reach.high) <= at <= max(reach.low, reach.high)]
        axis.set_ticks([at for at, _ in shown], [text for _, text in shown])
        axes.minorticks_off()
    if scale.grid:
        axes.grid(axis=way)
    if not scale.strokes:
        axis.set_tick_params(length=0)


def _mark(axes: Any, mark: Mark) -> list[Any]:
    """Draws a mark; all that it consists of."""
    name = getattr(mark, "name", "") or None
    match mark:
        case Line():
            style = DASHES if mark.dashed else "-"
            return list(axes.plot(mark.xs, mark.ys, color=mark.colour, linewidth=mark.width, alpha=mark.opacity,
                                  linestyle=style, label=name))  # fmt: skip
        case Dots():
            inside = "none" if mark.shape == "frame" else mark.colour
            edge = {"tick": 1.0, "frame": 1.6}.get(mark.shape, 0.0)
            return list(axes.plot(mark.xs, mark.ys, SHAPES[mark.shape], color=mark.colour, markersize=mark.size,
                                  markerfacecolor=inside, markeredgewidth=edge, alpha=mark.opacity, label=name))  # fmt: skip
        case Area():
            return [axes.fill_between(mark.xs, mark.low, mark.high, color=mark.colour, alpha=mark.opacity, linewidth=0,
                                      label=name)]  # fmt: skip
        case Boxes():
            return _boxes(axes, mark)
        case Rule():
            draw = axes.axvline if mark.upright else axes.axhline
            return [draw(mark.at, color=mark.colour, linewidth=mark.width, alpha=mark.opacity,
                         linestyle=DASHES if mark.dashed else "-", label=name)]  # fmt: skip
        case Pixels():
            return [axes.imshow(mark.rgba, interpolation="nearest", extent=(mark.left, mark.right, mark.bottom, mark.top))]
        case Words():
            sides = {"start": "left", "middle": "center", "end": "right"}
            return [axes.annotate(mark.text, (mark.x, mark.y), xytext=(0, mark.raised), textcoords="offset points",
                                  ha=sides[mark.anchor], va="baseline" if mark.raised else "center", fontsize=mark.size,
                                  color=mark.colour)]  # fmt: skip


def _boxes(axes: Any, mark: Boxes) -> list[Any]:
    from matplotlib.collections import PolyCollection

    corners = zip(mark.x0, mark.x1, mark.y0, mark.y1, strict=True)
    outlines = [[(x0, y0), (x1, y0), (x1, y1), (x0, y1)] for x0, x1, y0, y1 in corners]
    found = PolyCollection(outlines, facecolors=mark.colour or "none", edgecolors=mark.edge or "none",
                           linewidths=mark.edge_width, alpha=mark.opacity, label=getattr(mark, "name", "") or None)  # fmt: skip
    axes.add_collection(found)
    return [found]


def _key(axes: Any, key: Key) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap

    colours = ScalarMappable(cmap=LinearSegmentedColormap.from_list("key", key.colours))
    bar = axes.figure.colorbar(colours, ax=axes, pad=0.02)
    bar.set_ticks([at for at, _ in key.places], labels=[text for _, text in key.places])
    bar.set_label(key.label)
