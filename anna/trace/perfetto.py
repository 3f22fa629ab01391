"""A time line for Perfetto (ui.perfetto.dev, or chrome://tracing): a track for layers, one for pages, and one for each unit."""

import json
from fractions import Fraction
from typing import Any

from anna.sequencer.timeline import Timeline
from anna.trace.events import events, layers, page_loads, pages, tracks

PROCESS, LAYERS, PAGES, UNITS = 1, 1, 2, 3  # the viewer's numbers for the chip, its tracks and the first of its units


def perfetto(timeline: Timeline) -> str:
    """The trace as JSON; times in microseconds of chip time."""
    units = tracks(timeline.spec)
    named = {LAYERS: "layer", PAGES: "page", **dict(enumerate(units, start=UNITS))}
    out = [_name("process_name", f"ANNA: {timeline.program.name}")]
    for number, track in named.items():
        out += [_name("thread_name", track, number), _slot(number)]
    batch = timeline.program.batch
    for layer in layers(timeline):
        out.append(_slice(timeline, LAYERS, layer.name, layer.start, layer.cycles, {}))
    for load, page in zip(page_loads(timeline), pages(timeline), strict=True):
        if load.cycles:
            whole = {"cycles of the whole load": int(load.cycles * batch), "images that share it": batch}
            out.append(_slice(timeline, PAGES, load.name, load.start, load.cycles, whole))
        out.append(_slice(timeline, PAGES, page.name, page.start, page.cycles, {}))
    for event in events(timeline):
        told = {"instruction": event.index, "text": event.text}
        out.append(_slice(timeline, UNITS + units.index(event.unit), event.name, event.start, event.cycles, told))
    return json.dumps({"displayTimeUnit": "ns", "traceEvents": out})


def _name(what: str, name: str, track: int | None = None) -> dict[str, Any]:
    return {"ph": "M", "pid": PROCESS, **({} if track is None else {"tid": track}), "name": what, "args": {"name": name}}


def _slot(track: int) -> dict[str, Any]:
    """Tells the viewer to keep the tracks in this order."""
    return {"ph": "M", "pid": PROCESS, "tid": track, "name": "thread_sort_index", "args": {"sort_index": track}}


def _slice(
    timeline: Timeline, track: int, name: str, start: Fraction, cycles: Fraction | int, told: dict[str, Any]
) -> dict[str, Any]:
    us = Fraction(timeline.spec.cycle_ns) / 1000
    return {"ph": "X", "pid": PROCESS, "tid": track, "name": name, "ts": float(start * us), "dur": float(cycles * us),
            "args": {"cycle": float(start), "cycles": float(cycles), **told}}  # fmt: skip
