"""Figures for pages of either theme: drawn by matplotlib, inlined as SVG, coloured by the page's CSS variables.

Text, faint lines and background are drawn in three colours that nothing else uses, which become CSS variables in the SVG.
They are also readable colours for a figure on its own. The same figure gives the same bytes.
"""

import io
import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

INK, FAINT, PAPER = "#1a1b1d", "#d2d3d5", "#fdfeff"
_VARIABLES = {INK: "var(--ink)", FAINT: "var(--faint)", PAPER: "var(--paper)"}
# Okabe and Ito's colours: distinct to the colour-blind, legible on white and on black.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9")

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


def svg(figure: Any) -> str:
    """The figure as an SVG element for a page."""
    text = svg_file(figure)
    text = text[text.index("<svg") :]
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, variable)
    text = re.sub(r'<svg ([^>]*?)height="[^"]*"', r"<svg \1", text, count=1)
    text = re.sub(r'<svg ([^>]*?)width="[^"]*"', r'<svg \1 role="img"', text, count=1)
    text = re.sub(
        r"<metadata>.*?</metadata>", "", text, flags=re.S
    )  # contains web addresses; nothing fetches them, but they do not belong here
    return re.sub(r"\n\s*", "\n", text)
