"""Plots of a sweep: each shows what was already computed; nothing here runs or draws anything."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from anna.chip.spec import ANNA_1991
from sim.report.colours import COLOURS, INK, PURPLE_TO_YELLOW, YELLOW_TO_BLUE, between, coloured
from sim.report.drawing import Area, Boxes, Dots, Drawing, Key, Line, Mark, Pixels, Plot, Rule, Scale, Words, categories
from sim.report.scales import Reach
from sim.sweep.spec import value_text
from sim.sweep.summary import STATES, WEIGHTS, Summary, SweepResult, is_number

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


def grid(found: SweepResult, others: Values) -> tuple[list[int], list[int], np.ndarray[Any, np.dtype[np.float64]]]:
    """State bits, weight bits, and the mean error of each pair in per cent; NaN where there is no point."""
    states, weights = found.varying[STATES], found.varying[WEIGHTS]
    error = np.full((len(states), len(weights)), np.nan)
    for point in chosen(found, others):
        error[states.index(point.values[STATES]), weights.index(point.values[WEIGHTS])] = 100 * point.error
    return states, weights, error


def equals(found: SweepResult, others: Values) -> set[tuple[int, int]]:
    """Weight and state bits of the points of a map that may be its best."""
    return {(one.values[WEIGHTS], one.values[STATES]) for one in chosen(found, others) if one.point in found.best}


def bits_map(found: SweepResult, others: Values) -> Drawing:
    """Mean error over weight bits x state bits, = where it may be the lowest, with a frame around the chip as built."""
    states, weights, error = grid(found, others)
    best = equals(found, others)
    every = [100 * point.error for point in found.points]  # one scale for all maps of a sweep
    bottom, top = max(min(every), 0.05), max(*every, min(every) + 0.1, 0.1)
    heights = Reach(bottom, top, log=True)
    shares = heights.shares(np.maximum(error, bottom))
    wide, tall = len(weights) - 0.5, len(states) - 0.5
    marks: list[Mark] = [Pixels(coloured(shares, YELLOW_TO_BLUE)[::-1], -0.5, wide, -0.5, tall)]
    for row, column in np.argwhere(~np.isnan(error)).tolist():
        colour = "white" if shares[row, column] > 0.55 else "black"
        tie = " =" * ((weights[column], states[row]) in best)
        marks.append(Words(column, row, f"{error[row, column]:.1f}{tie}", 8, colour=colour))
    if ANNA_1991.weight_bits in weights and ANNA_1991.state_bits in states:
        across, up = weights.index(ANNA_1991.weight_bits), states.index(ANNA_1991.state_bits)
        marks.append(Boxes([across - 0.5], [across + 0.5], [up - 0.5], [up + 0.5], edge=COLOURS[3], edge_width=2.2))
    finer = (1.5, 3, 4) if top < 8 * bottom else ()
    ticks = [tick for tick in sorted((*TICKS, *finer)) if bottom <= tick <= top]
    key = Key(
        YELLOW_TO_BLUE, tuple(zip(heights.shares(ticks).tolist(), [f"{tick:g}" for tick in ticks], strict=True)), "error, %"
    )
    x, y = (Scale(label, -0.5, len(bits) - 0.5, categories([str(one) for one in bits]), strokes=False)
            for label, bits in (("bits of a weight", weights), ("bits of a state", states)))  # fmt: skip
    return Drawing(6.4, 1.2 + 0.42 * len(states), [[Plot(marks, x, y, key=key)]])


def error_against(found: SweepResult, axis: str) -> Drawing:
    """Error against a numeric axis: a line with a band over chips per combination of the other axes, or all points pooled."""
    lines = combinations(found, [axis])
    several = len(lines) > LINES or found.spec.design == "random"
    ramp = _ramp(lines)
    bands, means, shown_errors = list[Mark](), list[Mark](), list[float]()
    for place, others in enumerate([{}] if several else lines):
        mine = chosen(found, others)
        at = sorted({point.values[axis] for point in mine if is_number(point.values[axis])})
        groups = [[100 * error for point in mine if point.values[axis] == x for error in point.errors] for x in at]
        if not groups:
            continue
        colour = ramp[place] if ramp else COLOURS[place % len(COLOURS)]
        label = ", ".join(value_text(value) for value in others.values()) or "all"
        bands.append(Area(at, [min(group) for group in groups], [max(group) for group in groups], colour))
        mean, again = [sum(group) / len(group) for group in groups], not ramp and place >= len(COLOURS)
        means += [Line(at, mean, colour, dashed=again, name=label), Dots(at, mean, colour, 4.5, "square" if again else "disc")]
        shown_errors += [error for group in groups for error in group]
    floats = sorted({100 * point.float_error for point in found.points})
    levels = [Rule(level, False, width=0.9, dashed=True) for level in floats[:3]]
    wide = bool(shown_errors) and min(shown_errors) > 0 and max(shown_errors) / min(shown_errors) > LOG_FROM
    lowest = [*shown_errors, *(level for level in floats if level > 0)]
    y = log_scale("error, %", min(lowest), max(shown_errors)) if wide else Scale("error, %", low=0, grid=True)
    values = found.varying[axis]
    few = len(values) <= 12 and all(isinstance(value, int) for value in values)
    x = Scale(axis, ticks=tuple((float(value), str(value)) for value in values) if few else None)
    told = len(lines) > 1 and not several
    plot = Plot([*bands, *means, *levels], x, y, legend="beside" if told else "", legend_size=8,
                legend_title=",\n".join(lines[0]) if told else "")  # fmt: skip
    return Drawing(6.4, 3.4, [[plot]])


def _ramp(lines: list[Values]) -> list[str]:
    """Colours from dark to light if the lines differ by one number; else none."""
    if len(lines) < 3 or any(len(others) != 1 or not is_number(next(iter(others.values()))) for others in lines):
        return []
    return [between(PURPLE_TO_YELLOW, place) for place in np.linspace(0.33, 0.9, len(lines)).tolist()]


def log_scale(label: str, low: float, high: float) -> Scale:
    """A logarithmic scale of errors, with ticks in per cent."""
    return Scale(label, low / 1.25, high * 1.25, tuple((tick, f"{tick:g}") for tick in TICKS), grid=True, log=True)


def points(found: SweepResult, most: int = POINTS) -> Drawing:
    """Each point with its interval, and a dot per chip."""
    mine, marks = found.points[:most], list[Mark]()
    for place, point in enumerate(mine):
        marks.append(Line([100 * point.low, 100 * point.high], [place, place], COLOURS[0], 2.2, 0.55))
        marks.append(Dots([100 * one for one in point.errors], [place + 0.24] * point.chips, COLOURS[0], 2.8))
        marks.append(Dots([100 * point.error], [place], COLOURS[0], 6))
        marks.append(Dots([100 * point.float_error], [place], INK, 10, "tick"))
    names = [", ".join(value_text(point.values[name]) for name in found.varying) for point in mine]
    y = Scale(low=len(mine) - 0.5, high=-0.6, ticks=categories(names), strokes=False)
    return Drawing(6.4, 0.8 + 0.36 * max(1, len(mine)), [[Plot(marks, Scale("error, %", low=0, grid=True), y)]])
