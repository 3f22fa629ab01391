"""A figure that a notebook shows by itself, without pyplot and its global state. Importing this imports matplotlib."""

import io
from collections.abc import Mapping
from typing import Any

import matplotlib
from matplotlib.figure import Figure

# Text stays text, and the same figure gives the same bytes.
SVG_STYLE: Mapping[str, Any] = {"svg.fonttype": "none", "svg.hashsalt": "anna"}


class DrawnFigure(Figure):
    """A figure of matplotlib's that Jupyter shows as SVG where it is a cell's last value; `style` is what it is drawn in."""

    def __init__(self, *arguments: Any, style: Mapping[str, Any] | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._style: Any = {**SVG_STYLE, **(style or {})}

    def _repr_svg_(self) -> str:
        buffer = io.StringIO()
        with matplotlib.rc_context(self._style):
            self.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        return buffer.getvalue()
