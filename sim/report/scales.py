"""How far scales reach, and where their ticks are."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.report.drawing import Area, Boxes, Dots, Line, Mark, Pixels, Places, Plot, Rule, Scale, Ticks

MARGIN = 0.05  # of what the marks span, beyond their ends
ROUND = (1.0, 2.0, 2.5, 5.0, 10.0)
MOST_STEPS = 9  # between ticks


@dataclass(frozen=True)
class Reach:
    """The two ends of a scale."""

    low: float
    high: float
    log: bool = False

    def shares(self, places: Places) -> NDArray[np.float64]:
        """How far along the scale places lie: 0 at its low end, 1 at the high one."""
        found, ends = np.asarray(places, np.float64), np.array([self.low, self.high])
        if self.log:
            with np.errstate(divide="ignore", invalid="ignore"):
                found, ends = np.log10(found), np.log10(ends)
        return np.asarray((found - ends[0]) / (ends[1] - ends[0]))


def _spread(mark: Mark) -> Iterator[tuple[Places, Places]]:
    """The points that a mark needs room for."""
    match mark:
        case Line() | Dots():
            yield mark.xs, mark.ys
        case Area():
            yield mark.xs, mark.low
            yield mark.xs, mark.high
        case Boxes():
            yield mark.x0, mark.y0
            yield mark.x1, mark.y1
        case Rule():
            yield ((mark.at,), ()) if mark.upright else ((), (mark.at,))
        case Pixels():
            yield (mark.left, mark.right), (mark.bottom, mark.top)
        case _:  # words take the room there is
            pass


def reaches(plot: Plot) -> tuple[Reach, Reach]:
    """How far the scales of a plot reach, across and upwards."""
    spread = [points for mark in plot.marks for points in _spread(mark)]
    close = any(isinstance(mark, Pixels) for mark in plot.marks)  # an image fills its plot
    across, up = ([np.asarray(points[way], np.float64) for points in spread] for way in (0, 1))
    return _reach(plot.x, across, close), _reach(plot.y, up, close)


def _reach(scale: Scale, places: Sequence[NDArray[Any]], close: bool) -> Reach:
    every = np.concatenate([*places, np.zeros(0)])
    every = every[np.isfinite(every) & ((every > 0) | (not scale.log))]
    least, most = (float(every.min()), float(every.max())) if len(every) else (1.0, 10.0)
    if scale.log:
        room = (most / least) ** (0.0 if close else MARGIN)
        ends = least / room, most * room
    else:
        room = 0.0 if close else MARGIN * (most - least) or 0.05
        ends = least - room, most + room
    low, high = ends[0] if scale.low is None else scale.low, ends[1] if scale.high is None else scale.high
    return Reach(low, high if high != low else low + 1.0, scale.log)


def ticks_of(scale: Scale, reach: Reach, most: int) -> Ticks:
    """The ticks of a scale: its own, or round numbers, at most so many steps of them."""
    low, high = min(reach.low, reach.high), max(reach.low, reach.high)
    if scale.ticks is not None:
        return tuple((at, text) for at, text in scale.ticks if low <= at <= high)
    return log_ticks(low, high) if scale.log else round_ticks(low, high, most)


def log_ticks(low: float, high: float) -> Ticks:
    """Ticks at powers of ten, and between them where there are few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1, 2, 5) if high < 100 * low else (1,)
    ticks = [factor * 10.0**power for power in powers for factor in factors]
    return tuple((tick, f"{tick:,.12g}") for tick in ticks if low <= tick <= high)


def round_ticks(low: float, high: float, most: int) -> Ticks:
    """Ticks at multiples of a round number."""
    least = (high - low) / max(1, min(MOST_STEPS, most))
    power = 10.0 ** math.floor(math.log10(least))
    step = next(one * power for one in ROUND if one * power >= least * (1 - 1e-9))
    decimals = next(count for count in range(12) if abs(round(step, count) - step) < 1e-9 * step)
    numbers = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    return tuple((number * step, f"{number * step:.{decimals}f}".replace("-", "\N{MINUS SIGN}")) for number in numbers)
