"""A figure of a die: one square for each synapse, coloured by the error of its weight."""

from typing import TYPE_CHECKING

import numpy as np

from anna.chip.codes import Floats

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def weight_errors(errors_lsb: Floats, title: str) -> "Figure":
    """Errors of the weights of all synapses, (rows, columns), in weight LSB."""
    from anna.base.drawn_figure import DrawnFigure

    largest = max(float(np.abs(errors_lsb).max()), 1e-9)
    figure = DrawnFigure(figsize=(7.5, 6), layout="constrained")
    axes = figure.subplots()
    shown = axes.imshow(errors_lsb, cmap="RdBu_r", vmin=-largest, vmax=largest, interpolation="nearest")
    figure.colorbar(shown, ax=axes, label="error of the weight [weight LSB]")
    axes.set_xlabel("column")
    axes.set_ylabel("row")
    axes.set_title(title)
    return figure
