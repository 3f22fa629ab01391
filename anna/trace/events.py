"""The events of one image: which unit works on which instruction, in cycles since the image began."""

from collections.abc import Iterator
from dataclasses import dataclass

from anna.chip.spec import ChipSpec
from anna.program.instructions import Unit
from anna.program.line import line_of
from anna.sequencer.timeline import Timeline

UNIT_OF = {"STORE": "store"}  # a track of its own: it overlaps the input unit


def tracks(spec: ChipSpec) -> tuple[str, ...]:
    """The units that instructions keep busy; a wide chip's refresh takes none."""
    return ("input", "store", "array", "output", *(() if spec.wide else ("weights",)))


@dataclass(frozen=True)
class Event:
    """One instruction at work."""

    index: int
    name: str
    unit: str
    first_cycle: int
    cycles: int
    text: str
    segment: int


def segment_starts(timeline: Timeline) -> list[int]:
    """The cycle of the image in which each page segment begins, without page loads."""
    starts, at = [], 0
    for segment in timeline.segments:
        starts.append(at)
        at += segment.cycles
    return starts


def events(timeline: Timeline) -> Iterator[Event]:
    """Every instruction that takes time, in program order."""
    starts = segment_starts(timeline)
    for index, (op, span, segment) in enumerate(zip(timeline.program.ops, timeline.spans, timeline.segment_of, strict=True)):
        if op.instruction.unit is not Unit.SEQUENCER:
            unit = UNIT_OF.get(op.name, op.instruction.unit.value)
            yield Event(index, op.name, unit, starts[segment] + span.start, span.end - span.start,
                        line_of(timeline.spec, op), segment)  # fmt: skip
