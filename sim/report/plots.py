"""Plots of a comparison: each draws what was already computed; nothing here runs anything."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.sequencer.timeline import Timeline
from sim.base.statistics import Interval
from sim.comparison.arm_table import ArmRow
from sim.comparison.ledger_table import Losses
from sim.comparison.rows import ComparisonRows, Confusion, LayerMaps
from sim.report.figure import COLOURS, FAINT, INK, PAPER, themed

MAPS_SHOWN = 12  # of a layer
REJECTS_SHOWN, REJECTS_DRAWN = 0.2, 101  # share of rejects up to which the curves are drawn, and points of them


def errors(arms: Sequence[ArmRow]) -> Any:
    """Error of each arm with its interval, and a dot per chip."""
    with themed(6.4, 0.8 + 0.42 * len(arms)) as (figure, axes):
        for place, arm in enumerate(arms):
            interval, colour = arm.error, COLOURS[place % len(COLOURS)]
            rates = [100 * error for error in arm.errors]
            axes.plot([100 * interval.low, 100 * interval.high], [place, place], color=colour, linewidth=2.2, alpha=0.55)
            if arm.chips > 1:
                axes.plot(rates, np.full(arm.chips, place + 0.22), ".", color=colour, markersize=4, alpha=0.8)
            axes.plot(100 * interval.share, place, "o", color=colour, markersize=6)
            axes.annotate(f"{100 * interval.share:.2f} %", (100 * interval.share, place), xytext=(0, 7),
                          textcoords="offset points", ha="center", fontsize=8)  # fmt: skip
        axes.set_yticks(range(len(arms)), [arm.name for arm in arms])
        axes.set_ylim(len(arms) - 0.5, -0.7)
        axes.set_xlim(left=0)
        axes.set_xlabel("error, % (line: 95 % interval; small dots: single chips)")
        axes.grid(axis="x")
        axes.tick_params(left=False)
    return figure


def chips_and_rejects(found: ComparisonRows) -> Any:
    """The share of chips at or below an error, and the error of the accepted images against the share rejected."""
    with themed(7.6, 3.2, columns=2) as (figure, (left, right)):
        _chips(left, found)
        shares = np.linspace(0, REJECTS_SHOWN, REJECTS_DRAWN)
        for place, arm in enumerate(found.arms):
            colour, errors_cs = COLOURS[place % len(COLOURS)], 100 * arm.rejects.error_at(shares)
            if arm.chips > 1:
                right.fill_between(
                    100 * shares, errors_cs.min(axis=0), errors_cs.max(axis=0), color=colour, alpha=0.15, linewidth=0
                )
            right.plot(100 * shares, errors_cs.mean(axis=0), color=colour, label=arm.name, linewidth=1.4)
        for goal in (1.0, 0.5):
            right.axhline(goal, color=FAINT, linewidth=0.8, linestyle=(0, (4, 3)))
        right.set_xlabel("rejected, %")
        right.set_ylabel("error of the accepted, %")
        right.set_xlim(0, 100 * REJECTS_SHOWN)
        right.set_ylim(bottom=0)
        right.legend()
    return figure


def _chips(axes: Any, found: ComparisonRows) -> None:
    """The share of drawn chips at or below an error; an arm with nothing drawn is a line."""
    for place, arm in enumerate(found.arms):
        colour, errors = COLOURS[place % len(COLOURS)], 100 * np.sort(arm.errors)
        if arm.chips > 1:
            axes.step(
                [errors[0], *errors], 100 * np.arange(arm.chips + 1) / arm.chips, where="post", color=colour, linewidth=1.4
            )
        else:
            axes.axvline(errors[0], color=colour, linewidth=1.0, alpha=0.7)
    if found.limit is not None:
        axes.axvline(100 * found.limit, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set_xlabel("error, %")
    axes.set_ylabel("chips at or below it, %")
    axes.set_ylim(0, 102)


def share_of_chips(errors: Sequence[float], float_error: float, limit: float | None) -> Any:
    """The share of drawn chips at or below an error, the float network's error, and the limit of a good chip."""
    ordered, chips = 100 * np.sort(errors), len(errors)
    with themed(6.4, 3.4) as (figure, axes):
        axes.step([ordered[0], *ordered], 100 * np.arange(chips + 1) / chips, where="post", color=COLOURS[0], linewidth=1.6,
                  label=f"{chips:,} chips")  # fmt: skip
        axes.axvline(100 * float_error, color=COLOURS[2], linewidth=1.0, label="float")
        if limit is not None:
            axes.axvline(100 * limit, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), label="limit of a good chip")
        axes.set_xlabel("error, %")
        axes.set_ylabel("chips at or below it, %")
        axes.set_ylim(0, 102)
        axes.legend(loc="lower right")
    return figure


def ledger(found: Losses) -> Any:
    """The share of each cause with its interval, what it costs alone, and what leaving it out recovers."""
    causes = [entry for entry in found.entries if entry.layer == "all"]
    with themed(6.4, 0.9 + 0.36 * len(causes)) as (figure, axes):
        for place, entry in enumerate(causes):
            if entry.share is not None:
                low, share, high = (100 * getattr(entry.share.moved, end) for end in ("low", "share", "high"))
                axes.barh(place, share, 0.56, color=COLOURS[0], alpha=0.8, label=None if place else "share")
                axes.plot([low, high], [place] * 2, color=INK, linewidth=0.9, label=None if place else "95 % interval")
        alone, without = ([getattr(entry, name) for entry in causes] for name in ("alone_points", "without_points"))
        axes.plot(alone, range(len(causes)), "o", color=COLOURS[1], markersize=4, label="alone")
        axes.plot(without, range(len(causes)), "D", color=COLOURS[2], markersize=4, label="recovered without it")
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_yticks(range(len(causes)), [entry.cause.replace("_", " ") for entry in causes])
        axes.invert_yaxis()
        axes.set_xlabel("points of error")
        axes.tick_params(left=False)
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4)
    return figure


def confusion(found: Sequence[Confusion]) -> Any:
    """How often two arms read each digit as each other digit."""
    shares = [
        100 * (one.counts * (1 - np.eye(len(one.counts))) / one.counts.sum(axis=1, keepdims=True).clip(1)) for one in found
    ]
    most = max(1.0, *(float(share.max()) for share in shares))
    with themed(6.4, 3.3, columns=2) as (figure, all_axes):
        for one, share, axes in zip(found, shares, all_axes, strict=True):
            # Where there are no errors the page shows through, white or black.
            axes.imshow(np.ones_like(share), cmap=_one_colour(), alpha=0.75 * share / most)
            for row, column in np.argwhere(share >= 0.15):
                axes.text(column, row, f"{share[row, column]:.1f}", ha="center", va="center", fontsize=6)
            axes.set_title(one.arm)
            axes.set_xlabel("read as")
            axes.set_xticks(range(len(share)))
            axes.set_yticks(range(len(share)))
        all_axes[0].set_ylabel("digit (errors in % of its class)")
    return figure


def _one_colour() -> Any:
    from matplotlib.colors import ListedColormap

    return ListedColormap([COLOURS[0]])


def signal_to_noise(found: ComparisonRows) -> Any:
    """Signal-to-noise ratio of each layer on each kind of chip, and the share of saturated outputs."""
    layers, compiled = found.layers, [layer for layer in found.report["layers"] if layer["where"] == "chip"]
    known = layers[0] if layers else {}
    kinds = [(COLOURS[place % len(COLOURS)], arm.name) for place, arm in enumerate(found.arms) if arm.name in known]
    with themed(6.4, 2.6, columns=2) as (figure, (left, right)):
        names, width = [str(layer["layer"]) for layer in layers], 0.8 / max(1, len(kinds))
        for number, (colour, kind) in enumerate(kinds):
            places = np.arange(len(layers)) + (number - (len(kinds) - 1) / 2) * width
            left.bar(places, [layer[kind] for layer in layers], width, color=colour, label=kind)
        left.set_title("signal-to-noise ratio, dB")
        if kinds:  # layers in digits are no maps of the float network
            figure.legend(loc="outside lower left", ncols=4)
        right.bar(range(len(compiled)), [100 * layer["saturated_share"] for layer in compiled], 0.6, color=COLOURS[0])
        right.set_title("saturated outputs, %")
        for axes, ticks in ((left, names), (right, [layer["name"] for layer in compiled])):
            axes.set_xticks(range(len(ticks)), ticks)
            axes.tick_params(bottom=False)
            axes.grid(axis="y")
            axes.set_axisbelow(True)
    return figure


def feature_maps(layers: Sequence[LayerMaps], most: int = MAPS_SHOWN) -> Any:
    """One digit's maps in every layer, floats above the chip's states."""
    pitch, label = 1.12, 2.2  # unit cells and gaps; all in one set of axes, since each set is slow to draw
    tall = 2 * pitch * len(layers) + 0.1
    with themed(6.4, 6.4 * tall / (label + pitch * most)) as (figure, axes):
        for number, layer in enumerate(layers):
            for row, (maps, kind) in enumerate(((layer.float_maps, "float"), (layer.chip_maps, "chip"))):
                top = -pitch * (2 * number + row)
                for m, one_map in enumerate(maps[0][:most]):
                    _map(axes, one_map, maps[0], pitch * m, top)
                axes.text(-0.15, top - 0.5, f"{layer.name} {kind}", ha="right", va="center", fontsize=7)
        axes.set(xlim=(-label, pitch * most), ylim=(0.1 - tall, 0.1), aspect="equal")
        axes.set_axis_off()
    return figure


def _map(axes: Any, one_map: Any, stack: Any, left: float, top: float) -> None:
    """One map in its cell, on its stack's grey scale; a thin frame sets a white map off from a white page."""
    from matplotlib.patches import Rectangle

    rows, columns = one_map.shape
    size = max(rows, columns)
    wide, tall = columns / size, rows / size
    axes.imshow(one_map, cmap="gray", vmin=float(stack.min()), vmax=float(stack.max()), interpolation="nearest",
                extent=(left, left + wide, top - tall, top))  # fmt: skip
    axes.add_patch(Rectangle((left, top - tall), wide, tall, fill=False, edgecolor=FAINT, linewidth=0.5))


def synapses(error: NDArray[Any]) -> Any:
    """The error of each synapse of a drawn chip, in weight LSB."""
    reach = float(np.abs(error).max()) or 1.0
    with themed(6.4, 4.8) as (figure, axes):
        drawn = axes.imshow(error, cmap="RdBu_r", vmin=-reach, vmax=reach, interpolation="nearest")
        axes.set_xlabel("column")
        axes.set_ylabel("row")
        bar = figure.colorbar(drawn, ax=axes, shrink=0.9)
        bar.set_label("error of the weight, weight LSB")
    return figure


NAMES = {"SHIFT": "pins, in", "CALC": "array", "OUT": "pins, out"}


def timeline(timeline: Timeline, cycles: int = 160) -> Any:
    """When each unit is busy: cycle by cycle where the array starts, and over the whole image."""
    ops, spans = timeline.program.ops, timeline.spans
    units = ("SHIFT", "CALC", "OUT")
    begin = next((span.start for op, span in zip(ops, spans, strict=True) if op.name == "CALC"), 0)
    first = max(0, begin - 20)
    with themed(6.4, 3.3, rows=2) as (figure, (detail, overview)):
        for place, unit in enumerate(units):
            mine = [(span.start, span.end - span.start) for op, span, segment in
                    zip(ops, spans, timeline.segment_of, strict=True) if op.name == unit and segment == 0]  # fmt: skip
            bars = [bar for bar in mine if bar[0] + bar[1] > first and bar[0] < first + cycles]
            detail.broken_barh(bars, (place - 0.35, 0.7), facecolors=COLOURS[place], edgecolor=PAPER, linewidth=0.4)
            length = max(100, timeline.segments[0].cycles)
            bins, sizes = np.zeros(100), np.bincount(np.arange(length) * 100 // length, minlength=100)
            for start, width in mine:
                np.add.at(bins, np.minimum(99, np.arange(start, start + width) * 100 // length), 1)
            overview.plot(np.arange(100) / 100 * length, 100 * bins / sizes, color=COLOURS[place], linewidth=1.2,
                       label=NAMES[unit])  # fmt: skip
        detail.set_yticks(range(3), [NAMES[unit] for unit in units])
        detail.set_xlim(first, first + cycles)
        detail.invert_yaxis()
        detail.set_title(f"{cycles} cycles, one by one")
        detail.tick_params(left=False)
        pages = len(timeline.segments)
        where = "the whole image" if pages == 1 else f"the first of {pages} weight pages"
        overview.set_title(f"{where}: share of cycles in which each is busy, %")
        overview.set_ylim(0, 105)
        overview.set_xlim(0, length)
        overview.set_xlabel("cycle")
        figure.legend(loc="outside lower left", ncols=3)
    return figure


def layers_apart(panels: Mapping[str, Sequence[tuple[str, Interval]]]) -> Any:
    """A panel for each change, a line for each layer: points of error with their interval, on one scale."""
    columns = min(3, len(panels))
    rows, most = -(-len(panels) // columns), max(map(len, panels.values()))
    with themed(1.0 + 2.8 * columns, rows * (0.9 + 0.26 * most), columns, rows, squeeze=False) as (figure, grid):
        for axes, (heading, lines) in zip(grid.flat, panels.items(), strict=False):
            for place, (_, moved) in enumerate(lines):
                colour = COLOURS[3] if moved.low > 0 else COLOURS[2] if moved.high < 0 else COLOURS[0]
                axes.plot([100 * moved.low, 100 * moved.high], [place, place], color=colour, linewidth=2.2, alpha=0.55)
                axes.plot(100 * moved.share, place, "o", color=colour, markersize=5)
            axes.axvline(0, color=INK, linewidth=0.8)
            axes.set_yticks(range(len(lines)), [layer for layer, _ in lines])
            axes.set_ylim(len(lines) - 0.5, -0.5)
            axes.set_title(heading, fontsize=9)
            axes.grid(axis="x", color=FAINT)
            axes.tick_params(left=False)
        for axes in list(grid.flat)[len(panels) :]:
            axes.set_visible(False)
        for axes in list(grid.flat)[len(panels) - columns : len(panels)]:
            axes.set_xlabel("points of error (line: 95 %)")
    return figure
