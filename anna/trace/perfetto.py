"""A time line for Perfetto (ui.perfetto.dev, or chrome://tracing): one track per unit, one slice per instruction."""

import json
from typing import Any

from anna.sequencer.timeline import Timeline
from anna.trace.events import events, segment_starts, tracks

PROCESS, PAGES = 1, 0  # the viewer's numbers for the chip and for its page track


def perfetto(timeline: Timeline) -> str:
    """The trace as JSON; times in microseconds of chip time."""
    us = timeline.spec.cycle_ns / 1e3
    out: list[dict[str, Any]] = [
        {"ph": "M", "pid": PROCESS, "name": "process_name", "args": {"name": f"ANNA: {timeline.program.name}"}},
        {"ph": "M", "pid": PROCESS, "tid": PAGES, "name": "thread_name", "args": {"name": "page"}},
    ]
    units = tracks(timeline.spec)
    for number, track in enumerate(units, start=1):
        out.append({"ph": "M", "pid": PROCESS, "tid": number, "name": "thread_name", "args": {"name": track}})
    for segment, start in zip(timeline.segments, segment_starts(timeline), strict=True):
        out.append({"ph": "X", "pid": PROCESS, "tid": PAGES, "name": f"page {segment.page}", "ts": start * us,
                    "dur": segment.cycles * us})  # fmt: skip
    for event in events(timeline):
        out.append({
            "ph": "X", "pid": PROCESS, "tid": 1 + units.index(event.unit), "name": event.name, "ts": event.first_cycle * us,
            "dur": event.cycles * us,
            "args": {"instruction": event.index, "cycle": event.first_cycle, "cycles": event.cycles, "text": event.text},
        })  # fmt: skip
    return json.dumps({"displayTimeUnit": "ns", "traceEvents": out})
