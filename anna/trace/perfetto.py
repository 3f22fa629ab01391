"""A time line for Perfetto (ui.perfetto.dev, or chrome://tracing): a track for layers, one for pages, and one for each unit.

The format has no room for slices of one track that overlap, as STOREs may: those begin further tracks, `store 2` and so on.
"""

import json
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from anna.sequencer.timeline import Timeline
from anna.trace.events import Event, events, layers, page_loads, pages, tracks

PROCESS, LAYERS, PAGES, UNITS = 1, 1, 2, 3  # the viewer's numbers for the chip, its tracks and the first of its units


def perfetto(timeline: Timeline) -> str:
    """The trace as JSON; times in microseconds of chip time."""
    found = list(events(timeline))
    own, names = _unit_tracks(found, tracks(timeline.spec))
    named = {LAYERS: "layer", PAGES: "page", **dict(enumerate(names, start=UNITS))}
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
    for event, name in zip(found, own, strict=True):
        told = {"instruction": event.index, "text": event.text}
        out.append(_slice(timeline, UNITS + names.index(name), event.name, event.start, event.cycles, told))
    return json.dumps({"displayTimeUnit": "ns", "traceEvents": out})


def _unit_tracks(found: Sequence[Event], units: Sequence[str]) -> tuple[list[str], list[str]]:
    """The track of each event, the first of its unit's that is free by then, and all tracks in order."""
    free = {unit: [Fraction()] for unit in units}  # from when on each track of a unit is free
    own = list[str]()
    for event in found:
        mine = free[event.unit]
        at = next((k for k, since in enumerate(mine) if since <= event.start), len(mine))
        mine[at : at + 1] = [event.start + event.cycles]
        own.append(_numbered(event.unit, at))
    return own, [_numbered(unit, k) for unit in units for k in range(len(free[unit]))]


def _numbered(unit: str, at: int) -> str:
    return f"{unit} {at + 1}" if at else unit


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
