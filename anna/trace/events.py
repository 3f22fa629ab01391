"""The events of one image: which page is loaded, which layer and which unit are at work, in cycles since it began.

An image's time is its cycles in each page segment and, before each, its share of the page's load: a batch of images loads a
page once, so each takes a part of that time, which need not be a whole number of cycles. All of it together is the time
that `Timeline.cycles_per_image` tells.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from anna.chip.spec import ChipSpec
from anna.program.instructions import Unit
from anna.program.line import line_of
from anna.sequencer.layers import layer_names, layer_of_instructions
from anna.sequencer.timeline import Timeline

UNIT_OF = {"STORE": "store"}  # a track of its own: it overlaps the input unit


def tracks(spec: ChipSpec) -> tuple[str, ...]:
    """The units that instructions keep busy; a wide chip's refresh takes none."""
    return ("input", "store", "array", "output", *(() if spec.wide else ("weights",)))


@dataclass(frozen=True)
class Stretch:
    """A part of an image's time."""

    name: str
    start: Fraction  # cycles since the image began
    cycles: Fraction


@dataclass(frozen=True)
class Event:
    """One instruction at work."""

    index: int
    name: str
    unit: str
    start: Fraction  # cycles since the image began
    cycles: int
    text: str
    segment: int


def segment_starts(timeline: Timeline) -> list[Fraction]:
    """When each page segment begins, its page loaded."""
    return [load.start + load.cycles for load in page_loads(timeline)]


def image_cycles(timeline: Timeline) -> Fraction:
    """How long an image takes: `Timeline.cycles_per_image`, exactly."""
    return Fraction(timeline.batch_cycles, timeline.program.batch)


def page_loads(timeline: Timeline) -> list[Stretch]:
    """The image's share of the load before each segment; of no length where the page stays."""
    found, at = list[Stretch](), Fraction()
    for segment, cycles in zip(timeline.segments, timeline.load_cycles, strict=True):
        load = Stretch(f"load page {segment.page}", at, Fraction(cycles, timeline.program.batch))
        found.append(load)
        at += load.cycles + segment.cycles
    return found


def pages(timeline: Timeline) -> list[Stretch]:
    """The time on each page, after its load."""
    starts = segment_starts(timeline)
    return [
        Stretch(f"page {segment.page}", start, Fraction(segment.cycles))
        for segment, start in zip(timeline.segments, starts, strict=True)
    ]


def layers(timeline: Timeline) -> list[Stretch]:
    """The time of each layer, loads of pages included: from its first instruction, or the load before, to the next layer's.

    Results of one layer may still leave while the next layer's states enter. A program written by hand has no layers.
    """
    names, of = layer_names(timeline.program), layer_of_instructions(timeline).tolist()
    starts, loads = segment_starts(timeline), page_loads(timeline)
    changes, last, segment_before = list[tuple[Fraction, int]](), -1, -1
    for op, layer, segment, span in zip(timeline.program.ops, of, timeline.segment_of, timeline.spans, strict=True):
        if layer < 0 or op.name in ("OUT", "RFSH"):  # neither leads on to another layer
            continue
        if layer != last:
            new = segment != segment_before
            changes.append((loads[segment].start if new else starts[segment] + span.start, layer))
        last, segment_before = layer, segment
    ends = [*(start for start, _ in changes[1:]), image_cycles(timeline)]
    return [Stretch(names[layer], start, end - start) for (start, layer), end in zip(changes, ends, strict=False)]


def events(timeline: Timeline) -> Iterator[Event]:
    """Every instruction that takes time, in program order."""
    starts = segment_starts(timeline)
    for index, (op, span, segment) in enumerate(zip(timeline.program.ops, timeline.spans, timeline.segment_of, strict=True)):
        if op.instruction.unit is not Unit.SEQUENCER:
            unit = UNIT_OF.get(op.name, op.instruction.unit.value)
            yield Event(index, op.name, unit, starts[segment] + span.start, span.end - span.start,
                        line_of(timeline.spec, op), segment)  # fmt: skip
