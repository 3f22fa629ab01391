"""The figure of a front: error over a cost, with the band that covers the front; it draws what was computed."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sim.base.contest import Label
from sim.report.figure import COLOURS, FAINT, INK, themed
from sim.report.sweep_plots import LOG_FROM, log_scale
from sim.sweep.costs import Cost
from sim.sweep.front import Panel

FRONTS = 6  # the most in a figure
LOG_ERRORS_FROM = 5.0  # errors that differ by more than this factor get a logarithmic scale, so that low ones can be told apart


def front_plot(panels: Sequence[Panel], cost: Cost, title: Callable[[Panel], str]) -> Any:
    """A panel for each front: its steps, its band, and all points; large dots are on the front or may be."""
    shown = panels[:FRONTS]
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    every = [100 * one.standing.share for panel in shown for one in panel.points]
    size = 1.2 + 3.4 * columns, 0.6 + 2.9 * rows
    with themed(*size, columns, rows, squeeze=False, sharex=True, sharey=True) as (figure, grid):
        for axes, panel in zip(grid.flat, shown, strict=False):
            _draw(axes, panel)
            axes.set_title(title(panel))
        for axes in list(grid.flat)[len(shown) :]:
            axes.set_visible(False)
        for axes in grid[-1]:
            axes.set_xlabel(cost.heading)
        for line in grid:
            line[0].set_ylabel("error, %")
        first = grid[0][0]
        if min(every) > 0 and max(every) / min(every) > LOG_ERRORS_FROM:
            log_scale(first, min(100 * low for panel in shown for _, _, low, _ in panel.band), max(every))
        else:
            first.set_ylim(bottom=0)
        if _wide([one.candidate.costs[0] for panel in shown for one in panel.points]):
            first.set_xscale("log")
        first.legend(fontsize=7, loc="upper right")
    return figure


def _wide(values: Sequence[float]) -> bool:
    return min(values) > 0 and max(values) / min(values) > LOG_FROM


def _draw(axes: Any, panel: Panel) -> None:
    cost, error, low, high = (np.array(column) for column in zip(*panel.band, strict=True))
    axes.fill_between(cost, 100 * low, 100 * high, step="post", color=COLOURS[0], alpha=0.18, linewidth=0, label="band, 95 %")
    axes.step(cost, 100 * error, where="post", color=COLOURS[0], linewidth=1.4)
    for label, colour, size in ((Label.OFF, INK, 3), (Label.OPEN, COLOURS[1], 5), (Label.ON, COLOURS[0], 6)):
        mine = [one for one in panel.points if one.standing.label is label]
        if mine:
            axes.plot([one.candidate.costs[0] for one in mine], [100 * one.standing.share for one in mine], "o", color=colour,
                      markersize=size, alpha=0.35 if label is Label.OFF else 0.9, linewidth=0, label=label.value)  # fmt: skip
    for one in panel.points:
        if one.standing.label is not Label.OFF:
            axes.plot([one.candidate.costs[0]] * 2, [100 * one.standing.error.low, 100 * one.standing.error.high],
                      color=COLOURS[1 if one.standing.label is Label.OPEN else 0], linewidth=1.2, alpha=0.7)  # fmt: skip
    least = panel.smallest
    if least is not None:
        axes.plot(least.candidate.costs[0], 100 * least.standing.share, "s", markersize=10, markerfacecolor="none",
                  markeredgecolor=COLOURS[3], markeredgewidth=1.6, label="smallest as good as the best")  # fmt: skip
    axes.grid(color=FAINT)
    axes.set_axisbelow(True)
