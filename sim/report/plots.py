"""Plots of a comparison: each shows what was already computed; nothing here runs or draws anything."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.sequencer.timeline import Timeline
from sim.base.statistics import Interval
from sim.comparison.arm_table import ArmRow
from sim.comparison.ledger_table import Losses
from sim.comparison.rows import ComparisonRows, Confusion, LayerMaps
from sim.report.colours import BLUE_TO_RED, COLOURS, FAINT, GREYS, INK, PAPER, channels, coloured
from sim.report.drawing import (
    Area,
    Boxes,
    Dots,
    Drawing,
    Key,
    Line,
    Mark,
    Pixels,
    Plot,
    Rule,
    Scale,
    Words,
    categories,
    steps,
)
from sim.report.scales import round_ticks

MAPS_SHOWN = 12  # of a layer
REJECTS_SHOWN, REJECTS_DRAWN = 0.2, 101  # share of rejects up to which the curves are drawn, and points of them


def colour_of(place: int) -> str:
    """The colour of an arm, or of whatever else is told apart."""
    return COLOURS[place % len(COLOURS)]


def errors(arms: Sequence[ArmRow]) -> Drawing:
    """Error of each arm with its interval, and a dot per chip."""
    marks = list[Mark]()
    for place, arm in enumerate(arms):
        share, low, high = (100 * getattr(arm.error, end) for end in ("share", "low", "high"))
        colour = colour_of(place)
        marks.append(Line([low, high], [place, place], colour, 2.2, 0.55))
        if arm.chips > 1:
            marks.append(Dots([100 * error for error in arm.errors], [place + 0.22] * arm.chips, colour, 2.8, opacity=0.8))
        marks += [Dots([share], [place], colour, 7), Words(share, place, f"{share:.2f} %", 8, raised=7)]
    x = Scale("error, % (line: 95 % interval; small dots: single chips)", low=0, grid=True)
    y = Scale(low=len(arms) - 0.5, high=-0.7, ticks=categories([arm.name for arm in arms]), strokes=False)
    return Drawing(6.4, 0.8 + 0.42 * len(arms), [[Plot(marks, x, y)]])


def chips_and_rejects(found: ComparisonRows) -> Drawing:
    """The share of chips at or below an error, and the error of the accepted images against the share rejected."""
    shares = np.linspace(0, REJECTS_SHOWN, REJECTS_DRAWN)
    bands, lines = list[Mark](), list[Mark]()
    for place, arm in enumerate(found.arms):
        errors_cs = 100 * arm.rejects.error_at(shares)
        if arm.chips > 1:
            bands.append(Area(100 * shares, errors_cs.min(axis=0), errors_cs.max(axis=0), colour_of(place), 0.15))
        lines.append(Line(100 * shares, errors_cs.mean(axis=0), colour_of(place), name=arm.name))
    goals = [Rule(goal, False, FAINT, dashed=True) for goal in (1.0, 0.5)]
    x, y = Scale("rejected, %", 0, 100 * REJECTS_SHOWN), Scale("error of the accepted, %", low=0)
    right = Plot([*bands, *lines, *goals], x, y, legend="upper right")
    return Drawing(7.6, 3.2, [[_chips(found), right]])


def _chips(found: ComparisonRows) -> Plot:
    """The share of drawn chips at or below an error; an arm with nothing drawn is a line."""
    marks = list[Mark]()
    for place, arm in enumerate(found.arms):
        if arm.chips > 1:
            marks.append(_rising(arm.errors, colour_of(place)))
        else:
            marks.append(Rule(100 * arm.errors[0], True, colour_of(place), 1.0, 0.7))
    if found.limit is not None:
        marks.append(Rule(100 * found.limit, True, dashed=True))
    return Plot(marks, Scale("error, %"), Scale("chips at or below it, %", 0, 102))


def _rising(errors: Sequence[float], colour: str, name: str = "") -> Line:
    """The share of chips at or below each error, in per cent."""
    ordered, chips = 100 * np.sort(errors), len(errors)
    return Line(*steps([ordered[0], *ordered], 100 * np.arange(chips + 1) / chips), colour, name=name)


def share_of_chips(errors: Sequence[float], float_error: float, limit: float | None) -> Drawing:
    """The share of drawn chips at or below an error, the float network's error, and the limit of a good chip."""
    marks: list[Mark] = [_rising(errors, COLOURS[0], f"{len(errors):,} chips")]
    marks.append(Rule(100 * float_error, True, COLOURS[2], 1.0, name="float"))
    if limit is not None:
        marks.append(Rule(100 * limit, True, dashed=True, name="limit of a good chip"))
    plot = Plot(marks, Scale("error, %"), Scale("chips at or below it, %", 0, 102), legend="lower right")
    return Drawing(6.4, 3.4, [[plot]])


def ledger(found: Losses) -> Drawing:
    """The share of each cause with its interval, what it costs alone, and what leaving it out recovers."""
    causes = [entry for entry in found.entries if entry.layer == "all"]
    places = np.arange(len(causes))
    known = [(place, entry.share.moved) for place, entry in enumerate(causes) if entry.share is not None]
    at = np.array([place for place, _ in known])
    shares = np.array([100 * moved.share for _, moved in known])
    marks: list[Mark] = []
    if known:
        marks.append(Boxes(np.minimum(shares, 0), np.maximum(shares, 0), at - 0.28, at + 0.28, COLOURS[0], 0.8, name="share"))
    for number, (place, moved) in enumerate(known):
        name = "" if number else "95 % interval"
        marks.append(Line([100 * moved.low, 100 * moved.high], [place, place], INK, 0.9, name=name))
    alone, without = ([getattr(entry, name) for entry in causes] for name in ("alone_points", "without_points"))
    marks += [
        Dots(alone, places, COLOURS[1], 5, name="alone"),
        Dots(without, places, COLOURS[2], 7, "diamond", name="recovered without it"),
        Rule(0, True),
    ]
    names = [entry.cause.replace("_", " ") for entry in causes]
    y = Scale(low=len(causes) - 0.6, high=-0.4, ticks=categories(names), strokes=False)
    plot = Plot(marks, Scale("points of error"), y, legend="above")
    return Drawing(6.4, 0.9 + 0.36 * len(causes), [[plot]])


def confusion(found: Sequence[Confusion]) -> Drawing:
    """How often two arms read each digit as each other digit."""
    shares = [
        100 * (one.counts * (1 - np.eye(len(one.counts))) / one.counts.sum(axis=1, keepdims=True).clip(1)) for one in found
    ]
    most = max(1.0, *(float(share.max()) for share in shares))
    plots = []
    for number, (one, share) in enumerate(zip(found, shares, strict=True)):
        size = len(share)
        rgba = np.zeros((size, size, 4), np.uint8)  # where there are no errors the page shows through, white or black
        rgba[:, :, :3] = channels(COLOURS[0])
        rgba[:, :, 3] = np.rint(255 * 0.75 * share / most)
        marks: list[Mark] = [Pixels(rgba, -0.5, size - 0.5, size - 0.5, -0.5)]
        marks += [Words(column, row, f"{share[row, column]:.1f}", 6) for row, column in np.argwhere(share >= 0.15).tolist()]
        ticks = categories([str(k) for k in range(size)])
        y = Scale("" if number else "digit (errors in % of its class)", size - 0.5, -0.5, ticks)
        plots.append(Plot(marks, Scale("read as", -0.5, size - 0.5, ticks), y, one.arm, square=True))
    return Drawing(6.4, 3.3, [plots])


def signal_to_noise(found: ComparisonRows) -> Drawing:
    """Signal-to-noise ratio of each layer on each kind of chip, and the share of saturated outputs."""
    layers, compiled = found.layers, [layer for layer in found.report["layers"] if layer["where"] == "chip"]
    known = layers[0] if layers else {}
    kinds = [(colour_of(place), arm.name) for place, arm in enumerate(found.arms) if arm.name in known]
    width, ratios = 0.8 / max(1, len(kinds)), list[Mark]()
    for number, (colour, kind) in enumerate(kinds):
        middles = np.arange(len(layers)) + (number - (len(kinds) - 1) / 2) * width
        ratios.append(_bars(middles, width, [float(layer[kind]) for layer in layers], colour, kind))
    full = [_bars(np.arange(len(compiled)), 0.6, [100 * layer["saturated_share"] for layer in compiled], COLOURS[0])]
    plots = [
        Plot(
            marks,
            Scale(low=-0.6, high=len(names) - 0.4, ticks=categories(names), strokes=False),
            Scale(low=0, grid=True),
            title,
        )
        for marks, names, title in (
            (ratios, [str(layer["layer"]) for layer in layers], "signal-to-noise ratio, dB"),
            (full, [layer["name"] for layer in compiled], "saturated outputs, %"),
        )
    ]
    return Drawing(6.4, 2.6, [plots], legend=4 if kinds else 0)  # layers in digits are no maps of the float network


def _bars(middles: NDArray[Any], width: float, heights: Sequence[float], colour: str, name: str = "") -> Boxes:
    return Boxes(middles - width / 2, middles + width / 2, np.zeros(len(heights)), heights, colour, name=name)


def feature_maps(layers: Sequence[LayerMaps], most: int = MAPS_SHOWN) -> Drawing:
    """One digit's maps in every layer, floats above the chip's states."""
    pitch, label = 1.12, 2.2  # unit cells and gaps
    tall = 2 * pitch * len(layers) + 0.1
    marks = list[Mark]()
    for number, layer in enumerate(layers):
        for row, (maps, kind) in enumerate(((layer.float_maps, "float"), (layer.chip_maps, "chip"))):
            top = -pitch * (2 * number + row)
            for m, one_map in enumerate(maps[0][:most]):
                marks += _map(one_map, maps[0], pitch * m, top)
            marks.append(Words(-0.15, top - 0.5, f"{layer.name} {kind}", 7, "end"))
    plot = Plot(marks, Scale(low=-label, high=pitch * most), Scale(low=0.1 - tall, high=0.1), square=True, bare=True)
    return Drawing(6.4, 6.4 * tall / (label + pitch * most), [[plot]])


def _map(one_map: NDArray[Any], stack: NDArray[Any], left: float, top: float) -> tuple[Mark, Mark]:
    """One map in its cell, on its stack's grey scale; a thin frame sets a white map off from a white page."""
    rows, columns = one_map.shape
    size = max(rows, columns)
    right, bottom = left + columns / size, top - rows / size
    low, high = float(stack.min()), float(stack.max())
    shares = (one_map - low) / (high - low or 1.0)
    return (Pixels(coloured(shares, GREYS), left, right, bottom, top),
            Boxes([left], [right], [bottom], [top], edge=FAINT))  # fmt: skip


def synapses(error: NDArray[Any]) -> Drawing:
    """The error of each synapse of a drawn chip, in weight LSB."""
    reach = float(np.abs(error).max()) or 1.0
    rows, columns = error.shape
    image = Pixels(coloured((error + reach) / (2 * reach), BLUE_TO_RED), -0.5, columns - 0.5, rows - 0.5, -0.5)
    ticks = tuple(((at + reach) / (2 * reach), text) for at, text in round_ticks(-reach, reach, 8))
    key = Key(BLUE_TO_RED, ticks, "error of the weight, weight LSB")
    plot = Plot([image], Scale("column"), Scale("row", rows - 0.5, -0.5), square=True, key=key)
    return Drawing(6.4, 4.8, [[plot]])


NAMES = {"SHIFT": "pins, in", "CALC": "array", "OUT": "pins, out"}
BINS = 100  # of an image's time


def timeline(timeline: Timeline, cycles: int = 160) -> Drawing:
    """When each unit is busy: cycle by cycle where the array starts, and over the whole image."""
    ops, spans = timeline.program.ops, timeline.spans
    begin = next((span.start for op, span in zip(ops, spans, strict=True) if op.name == "CALC"), 0)
    first, length = max(0, begin - 20), max(BINS, timeline.segments[0].cycles)
    detail, overview = list[Mark](), list[Mark]()
    starts = -(-np.arange(BINS + 1) * length // BINS)
    for place, unit in enumerate(NAMES):
        busy = np.array([(span.start, span.end) for op, span, segment in
                         zip(ops, spans, timeline.segment_of, strict=True) if op.name == unit and segment == 0],
                        np.int64).reshape(-1, 2)  # fmt: skip
        shown = busy[(busy[:, 1] > first) & (busy[:, 0] < first + cycles)]
        rows = np.full(len(shown), float(place))
        detail.append(Boxes(shown[:, 0], shown[:, 1], rows - 0.35, rows + 0.35, COLOURS[place], edge=PAPER, edge_width=0.4))
        shares = 100 * _busy_cycles(busy, starts) / np.diff(starts)
        overview.append(Line(starts[:-1], shares, COLOURS[place], 1.2, name=NAMES[unit]))
    pages = len(timeline.segments)
    where = "the whole image" if pages == 1 else f"the first of {pages} weight pages"
    names = Scale(low=2.5, high=-0.5, ticks=categories(list(NAMES.values())), strokes=False)
    above = Plot(detail, Scale(low=first, high=first + cycles), names, f"{cycles} cycles, one by one")
    below = Plot(
        overview, Scale("cycle", 0, length), Scale(low=0, high=105), f"{where}: share of cycles in which each is busy, %"
    )
    return Drawing(6.4, 3.3, [[above], [below]], legend=3)


def _busy_cycles(spans: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many cycles of each bin lie within spans; `starts` are the bins' first cycles, then the end of the last one."""
    begin, end = (np.clip(spans[:, side, None], starts[:-1], starts[1:]) for side in (0, 1))
    return np.asarray((end - begin).sum(axis=0))


def layers_apart(panels: Mapping[str, Sequence[tuple[str, Interval]]]) -> Drawing:
    """A plot for each change, a line for each layer: points of error with their interval, on one scale."""
    columns = min(3, len(panels))
    rows, most = -(-len(panels) // columns), max(map(len, panels.values()))
    plots = list[Plot]()
    for number, (heading, lines) in enumerate(panels.items()):
        marks: list[Mark] = []
        for place, (_, moved) in enumerate(lines):
            colour = COLOURS[3] if moved.low > 0 else COLOURS[2] if moved.high < 0 else COLOURS[0]
            marks.append(Line([100 * moved.low, 100 * moved.high], [place, place], colour, 2.2, 0.55))
            marks.append(Dots([100 * moved.share], [place], colour, 6))
        label = "points of error (line: 95 %)" if number >= len(panels) - columns else ""
        y = Scale(low=len(lines) - 0.5, high=-0.5, ticks=categories([layer for layer, _ in lines]), strokes=False)
        plots.append(Plot([*marks, Rule(0, True)], Scale(label, grid=True), y, heading, 9))
    grid = [plots[start : start + columns] for start in range(0, len(plots), columns)]
    return Drawing(1.0 + 2.8 * columns, rows * (0.9 + 0.26 * most), grid)
