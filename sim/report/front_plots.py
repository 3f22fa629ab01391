"""The figure of a front: error over a cost, with the band that covers the front; it shows what was computed."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from sim.base.contest import Label
from sim.report.colours import COLOURS, INK
from sim.report.drawing import Area, Dots, Drawing, Line, Mark, Plot, Scale, steps
from sim.report.scales import reaches
from sim.report.sweep_plots import LOG_FROM, log_scale
from sim.sweep.costs import Cost
from sim.sweep.front import Panel

FRONTS = 6  # the most in a figure
LOG_ERRORS_FROM = 5.0  # errors that differ by more than this factor get a logarithmic scale, so that low ones can be told apart
DOTS = {Label.OFF: (INK, 3.0, 0.35), Label.OPEN: (COLOURS[1], 5.0, 0.9), Label.ON: (COLOURS[0], 6.0, 0.9)}


def front_plot(panels: Sequence[Panel], cost: Cost, title: Callable[[Panel], str]) -> Drawing:
    """A plot for each front: its steps, its band, and all points; large dots are on the front or may be."""
    shown = panels[:FRONTS]
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    every = [100 * one.standing.share for panel in shown for one in panel.points]
    costs = [one.candidate.costs[0] for panel in shown for one in panel.points]
    y = Scale(low=0, grid=True)
    if min(every) > 0 and max(every) / min(every) > LOG_ERRORS_FROM:
        y = log_scale("", min(100 * low for panel in shown for _, _, low, _ in panel.band), max(every))
    x = Scale(grid=True, log=min(costs) > 0 and max(costs) / min(costs) > LOG_FROM)
    marks = [_marks(panel) for panel in shown]
    across, up = reaches(Plot([mark for mine in marks for mark in mine], x, y))  # all plots have the same scales
    x, y = replace(x, low=across.low, high=across.high), replace(y, low=up.low, high=up.high)
    plots = [
        Plot(mine, replace(x, label=cost.heading if number >= len(shown) - columns else ""),
             replace(y, label="" if number % columns else "error, %"), title(panel),
             legend="" if number else "upper right", legend_size=7)
        for number, (panel, mine) in enumerate(zip(shown, marks, strict=True))
    ]  # fmt: skip
    grid = [plots[start : start + columns] for start in range(0, len(plots), columns)]
    return Drawing(1.2 + 3.4 * columns, 0.6 + 2.9 * rows, grid)


def _marks(panel: Panel) -> list[Mark]:
    cost, error, low, high = (np.array(column) for column in zip(*panel.band, strict=True))
    at, bottom = steps(cost, 100 * low)
    marks: list[Mark] = [Area(at, bottom, steps(cost, 100 * high)[1], COLOURS[0], name="band, 95 %")]
    marks.append(Line(*steps(cost, 100 * error), COLOURS[0]))
    for label, (colour, size, opacity) in DOTS.items():
        mine = [one for one in panel.points if one.standing.label is label]
        if mine:
            xs, ys = [one.candidate.costs[0] for one in mine], [100 * one.standing.share for one in mine]
            marks.append(Dots(xs, ys, colour, size, opacity=opacity, name=label.value))
        if label is not Label.OFF:
            marks += [Line([one.candidate.costs[0]] * 2, [100 * one.standing.error.low, 100 * one.standing.error.high],
                           colour, 1.2, 0.7) for one in mine]  # fmt: skip
    least = panel.smallest
    if least is not None:
        marks.append(Dots([least.candidate.costs[0]], [100 * least.standing.share], COLOURS[3], 10, "frame",
                          name="smallest as good as the best"))  # fmt: skip
    return marks
