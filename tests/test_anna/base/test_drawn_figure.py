"""A figure shows itself in a notebook, in the style that it was drawn in, without pyplot."""

import subprocess
import sys

import matplotlib

import anna
from anna.base.drawn_figure import DrawnFigure
from sim.report.figure import INK, themed


def test_a_figure_is_shown_as_svg_with_text_that_stays_text_and_bytes_that_repeat() -> None:
    figures = [anna.Chip(seed=7).die(anna.ANNA_1991).plot() for _ in range(2)]
    shown = [figure._repr_svg_() for figure in figures]  # type: ignore[attr-defined]
    assert shown[0] == shown[1] and shown[0].startswith("<?xml") and ">die 7, 4096 synapses" in shown[0]


def test_a_figure_keeps_its_style_when_it_is_shown_later() -> None:
    """Tick labels are made when they are drawn."""
    with themed(4, 3) as (figure, axes):
        axes.plot([1, 2, 3])
    assert isinstance(figure, DrawnFigure) and matplotlib.rcParams["xtick.color"] != INK
    assert f"fill: {INK}" in figure._repr_svg_().split('id="xtick_1"')[1].split('id="xtick_2"')[0]


def test_a_figure_is_shown_without_pyplot() -> None:
    plot = "anna.Chip(seed=7).die(anna.ANNA_1991).plot()._repr_svg_()"
    code = f"import anna, sys; {plot}; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
