"""A figure as SVG: placed as matplotlib would place it, and drawn once."""

import io
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from sim.report.figure import _STYLE, svg_file, themed


def busy_figure() -> Figure:
    """One with everything that has to be placed: a legend outside, a colour bar, titles, an image."""
    with themed(6.4, 3.2, columns=2) as (figure, (left, right)):
        left.plot([1, 20, 300], [3.5, 0.25, 1e-3], label="a long name of a line")
        left.set_title("a title")
        left.set_ylabel("what is drawn upwards")
        figure.legend(loc="outside lower left")
        figure.colorbar(right.imshow(np.arange(12.0).reshape(3, 4)), ax=right).set_label("LSB")
    assert isinstance(figure, Figure)
    return figure


def plain_svg(figure: Figure) -> list[str]:
    """The lines that matplotlib alone writes."""
    buffer = io.StringIO()
    with matplotlib.rc_context(_STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return [line.rstrip(" \t") for line in buffer.getvalue().splitlines()]


def test_a_figure_has_the_bytes_that_matplotlib_gives_it_by_drawing_twice_and_again_when_written_again() -> None:
    ours, plain = busy_figure(), busy_figure()
    for _ in range(2):
        assert svg_file(ours).splitlines() == plain_svg(plain)


def test_a_figure_is_drawn_once(monkeypatch: Any) -> None:
    drawn, draw = list[Figure](), Figure.draw
    monkeypatch.setattr(Figure, "draw", lambda self, renderer: drawn.append(self) or draw(self, renderer))
    svg_file(busy_figure())
    assert len(drawn) == 1
