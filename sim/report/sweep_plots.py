"""Plots of a sweep: each draws what was already computed; nothing here runs anything."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from anna.chip.spec import ANNA_1991
from sim.report.figure import COLOURS, FAINT, INK, themed
from sim.sweep.spec import value_text
from sim.sweep.summary import Summary, SweepResult, is_number

WEIGHTS, STATES = "chip.weight_bits", "chip.state_bits"
MAPS, LINES, POINTS = 6, 8, 40  # the most maps, lines in a plot, and points in a plot
LOG_FROM = 20.0  # errors that differ by more than this factor get a logarithmic scale
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)  # per cent, where the scale is logarithmic

Values = dict[str, Any]


def combinations(found: SweepResult, without: Sequence[str]) -> list[Values]:
    """The combinations of values of the other axes."""
    names = [name for name in found.varying if name not in without]
    if found.spec.design == "grid":
        return [dict(zip(names, row, strict=True)) for row in itertools.product(*(found.varying[name] for name in names))]
    return list({tuple(p.values[n] for n in names): {n: p.values[n] for n in names} for p in found.points}.values())


def chosen(found: SweepResult, values: Values) -> list[Summary]:
    """The points that have these values."""
    return [point for point in found.points if all(point.values[name] == value for name, value in values.items())]


def has_map(found: SweepResult) -> bool:
    """Whether the sweep can be drawn as a map of weight bits x state bits."""
    return WEIGHTS in found.varying and STATES in found.varying and found.spec.design == "grid"


def grid(found: SweepResult, others: Values) -> tuple[list[int], list[int], np.ndarray[Any, np.dtype[np.float64]]]:
    """State bits, weight bits, and the mean error of each pair in per cent; NaN where there is no point."""
    states, weights = found.varying[STATES], found.varying[WEIGHTS]
    error = np.full((len(states), len(weights)), np.nan)
    for point in chosen(found, others):
        error[states.index(point.values[STATES]), weights.index(point.values[WEIGHTS])] = 100 * point.error
    return states, weights, error


def bits_map(found: SweepResult, others: Values) -> Any:
    """Mean error over weight bits x state bits, with a frame around the chip as built."""
    from matplotlib.colors import LogNorm
    from matplotlib.patches import Rectangle

    states, weights, error = grid(found, others)
    every = [100 * point.error for point in found.points]  # one scale for all maps of a sweep
    bottom, top = max(min(every), 0.05), max(*every, min(every) + 0.1, 0.1)
    norm = LogNorm(bottom, top)
    with themed(6.4, 1.2 + 0.42 * len(states)) as (figure, axes):
        mesh = axes.pcolormesh(np.arange(len(weights) + 1) - 0.5, np.arange(len(states) + 1) - 0.5, np.ma.masked_invalid(error),
                               cmap="YlGnBu", norm=norm, edgecolors="none")  # fmt: skip
        for row, column in np.argwhere(~np.isnan(error)):
            dark = norm(max(error[row, column], bottom)) > 0.55
            axes.text(column, row, f"{error[row, column]:.1f}", ha="center", va="center", fontsize=8,
                      color="white" if dark else "black")  # fmt: skip
        if ANNA_1991.weight_bits in weights and ANNA_1991.state_bits in states:
            corner = weights.index(ANNA_1991.weight_bits) - 0.5, states.index(ANNA_1991.state_bits) - 0.5
            axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=COLOURS[3], linewidth=2.2, zorder=3))
        axes.set_xticks(range(len(weights)), [str(bits) for bits in weights])
        axes.set_yticks(range(len(states)), [str(bits) for bits in states])
        axes.set_xlabel("bits of a weight")
        axes.set_ylabel("bits of a state")
        axes.tick_params(left=False, bottom=False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        bar = figure.colorbar(mesh, ax=axes, pad=0.02)
        bar.set_label("error, %")
        finer = (1.5, 3, 4) if top < 8 * bottom else ()
        ticks = sorted(tick for tick in (*TICKS, *finer) if bottom <= tick <= top)
        bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
        bar.minorticks_off()
    return figure


def error_against(found: SweepResult, axis: str) -> Any:
    """Error against a numeric axis: a line with a band over chips per combination of the other axes, or all points pooled."""
    lines = combinations(found, [axis])
    several = len(lines) > LINES or found.spec.design == "random"
    ramp = _ramp(lines)
    with themed(6.4, 3.4) as (figure, axes):
        shown_errors: list[float] = []
        for place, others in enumerate([{}] if several else lines):
            mine = chosen(found, others)
            at = sorted({point.values[axis] for point in mine if is_number(point.values[axis])})
            groups = [[100 * error for point in mine if point.values[axis] == x for error in point.errors] for x in at]
            if not groups:
                continue
            colour = ramp[place] if ramp else COLOURS[place % len(COLOURS)]
            label = ", ".join(value_text(value) for value in others.values()) or "all"
            low, high = [min(group) for group in groups], [max(group) for group in groups]
            axes.fill_between(at, low, high, color=colour, alpha=0.18, linewidth=0)
            means, mark = [sum(group) / len(group) for group in groups], "o-" if ramp or place < len(COLOURS) else "s--"
            axes.plot(at, means, mark, color=colour, label=label, markersize=3.5, linewidth=1.4)
            shown_errors += [error for group in groups for error in group]
        floats = sorted({100 * point.float_error for point in found.points})
        for level in floats[:3]:
            axes.axhline(level, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
        if shown_errors and min(shown_errors) > 0 and max(shown_errors) / min(shown_errors) > LOG_FROM:
            log_scale(axes, min([*shown_errors, *(level for level in floats if level > 0)]), max(shown_errors))
        else:
            axes.set_ylim(bottom=0)
        axes.set_xlabel(axis)
        axes.set_ylabel("error, %")
        axes.grid(axis="y")
        axes.set_axisbelow(True)
        if all(isinstance(value, int) for value in found.varying[axis]) and len(found.varying[axis]) <= 12:
            axes.set_xticks(found.varying[axis])
        if len(lines) > 1 and not several:
            axes.legend(fontsize=8, title=",\n".join(lines[0]), title_fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def _ramp(lines: list[Values]) -> list[Any]:
    """Colours from dark to light if the lines differ by one number; else none."""
    import matplotlib

    if len(lines) < 3 or any(len(others) != 1 or not is_number(next(iter(others.values()))) for others in lines):
        return []
    return [matplotlib.colormaps["viridis"](place) for place in np.linspace(0.33, 0.9, len(lines))]


def log_scale(axes: Any, low: float, high: float) -> None:
    """A logarithmic scale of errors, with ticks in per cent."""
    axes.set_yscale("log")
    axes.set_ylim(low / 1.25, high * 1.25)
    ticks = [tick for tick in TICKS if low / 1.25 <= tick <= high * 1.25]
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()


def points(found: SweepResult, most: int = POINTS) -> Any:
    """Each point with its interval, and a dot per chip."""
    mine = found.points[:most]
    with themed(6.4, 0.8 + 0.36 * max(1, len(mine))) as (figure, axes):
        for place, point in enumerate(mine):
            colour = COLOURS[0]
            axes.plot([100 * point.low, 100 * point.high], [place, place], color=colour, linewidth=2.2, alpha=0.55)
            axes.plot([100 * one for one in point.errors], [place + 0.24] * point.chips, ".", color=colour, markersize=4)
            axes.plot(100 * point.error, place, "o", color=colour, markersize=5)
            axes.plot(100 * point.float_error, place, "|", color=INK, markersize=10)
        names = [", ".join(value_text(point.values[name]) for name in found.varying) for point in mine]
        axes.set_yticks(range(len(mine)), names)
        axes.set_ylim(len(mine) - 0.5, -0.6)
        axes.set_xlim(left=0)
        axes.set_xlabel("error, %")
        axes.grid(axis="x", color=FAINT)
        axes.tick_params(left=False)
    return figure
