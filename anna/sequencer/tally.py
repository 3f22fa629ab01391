"""What a program makes a machine do, counted by layer: the events that cost energy, whatever an event may cost.

Control flow never depends on data, so the timeline gives the counts without running an image. They are of a whole batch in
steady state, in which each page is loaded once. `anna.sequencer.layers` says which layer an instruction belongs to; a weight
that is written belongs to the layer that has its row. What belongs to none, as in a program written by hand, stands under
`NO_LAYER`.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anna.board.host import HostWork
from anna.board.operations import OPERATIONS, instructions, layer_operations
from anna.chip import codes
from anna.chip.refresh import writers, writes
from anna.program.file import Program
from anna.program.isa import Op
from anna.program.issued import moves
from anna.sequencer.layers import layer_names, layer_of_calcs, layer_of_instructions, layer_of_rows
from anna.sequencer.rules import verified
from anna.sequencer.timeline import Timeline

Ints = NDArray[np.int64]

NO_LAYER = "-"
# What each event is. The first five happen on the chip, the others around it.
EVENTS: Mapping[str, str] = {
    "products": "a state times a weight that is not zero, in a CALC: a synapse that carries current",
    "conversions": "a sum that a converter makes a state: one for each neuron of a CALC",
    "shifts": "a SHIFT: the barrel shifter moves all its columns",
    "stores": "a register or latch that a STORE fills with all its columns",
    "dac_writes": "a weight that a DAC writes, when its page is loaded or to refresh it",
    "state_words": "a word of states that SHIFT reads from the board's memory or OUT writes there",
    "weight_words": "a fetch of one weight for each DAC from the board's memory",
    "instructions": "an instruction that the sequencer issues",
    "host_operations": "an instruction of the host's processor: its layers, and states taken from words or put into them",
}


@dataclass(frozen=True, eq=False)
class Tally:
    """The events of one batch: axes l of layers, e of `EVENTS`."""

    program: str
    layers: tuple[str, ...]
    counts_le: Ints
    batch: int

    @property
    def total(self) -> dict[str, int]:
        """All layers together, by event."""
        return dict(zip(EVENTS, self.counts_le.sum(axis=0).tolist(), strict=True))

    def of(self, layer: str) -> dict[str, int]:
        """One layer's events."""
        return dict(zip(EVENTS, self.counts_le[self.layers.index(layer)].tolist(), strict=True))

    def __repr__(self) -> str:
        return f"Tally({self.program}: {sum(self.total.values()):,} events of a batch of {self.batch})"


def tally(program: Program) -> Tally:
    """Counts the events of a program; raises if it is not legal."""
    timeline, layers = verified(program), layer_names(program)
    host = Counter[str]()
    for name, operations in _on_host(program.host) if program.host is not None else ():
        host[name] += operations
    names = [*layers, *(name for name in host if name not in layers), NO_LAYER]
    counts = {event: np.zeros(len(names), np.int64) for event in EVENTS}

    _count_calcs(timeline, counts)
    _count_moves(timeline, counts)
    _count_writes(timeline, counts)
    for name, operations in host.items():
        counts["host_operations"][names.index(name)] += operations * program.batch
    found = np.stack(list(counts.values()), axis=1)
    kept = [k for k, name in enumerate(names) if found[k].any() or name in layers]
    return Tally(program.name, tuple(names[k] for k in kept), found[kept], program.batch)


def _count_calcs(timeline: Timeline, counts: Mapping[str, Ints]) -> None:
    layer, calcs, batch = layer_of_calcs(timeline), timeline.columns, timeline.program.batch
    numerators = codes.weight_converter(timeline.spec).numerators
    before = np.append(0, np.cumsum(numerators[timeline.program.weight_codes] != 0))
    first, count = calcs.first_place(timeline.spec), calcs.neurons * calcs.fan_in
    np.add.at(counts["products"], layer, (before[first + count] - before[first]) * batch)
    np.add.at(counts["conversions"], layer, calcs.neurons * batch)


def _count_moves(timeline: Timeline, counts: Mapping[str, Ints]) -> None:
    spec, issued, batch = timeline.spec, timeline.program.issued, timeline.program.batch
    layer = layer_of_instructions(timeline)
    each = {
        "shifts": [int(form.name == "SHIFT") for form in issued.forms],
        "stores": [_filled(form) if form.name == "STORE" else 0 for form in issued.forms],
        "state_words": [spec.words(form.states) if moves(form) else 0 for form in issued.forms],
        "instructions": [1] * len(issued.forms),
    }
    for event, of_form in each.items():
        np.add.at(counts[event], layer, issued.of_form(of_form) * batch)


def _filled(store: Op) -> int:
    """Registers and latches that a STORE fills; both fields are sets, a bit per member."""
    return store["registers"].bit_count() + store.get("latches", 0).bit_count()


def _count_writes(timeline: Timeline, counts: Mapping[str, Ints]) -> None:
    """Loads of pages, once a batch, and refresh, with every image. All DACs write at once, so their first one counts words."""
    spec, batch, of_row = timeline.spec, timeline.program.batch, layer_of_rows(timeline.program)
    written, fetched = np.zeros_like(of_row), np.zeros_like(of_row)  # weights and words, by page and row
    pages = [segment.page for segment in timeline.segments]
    if spec.wide:
        first = writers(spec) == 0
        for segment in timeline.segments:
            times = batch * writes(spec, segment.cycles)
            written[segment.page] += times.sum(axis=1)
            fetched[segment.page] += (times * first).sum(axis=1)
        for page, before in zip(pages, pages[-1:] + pages[:-1], strict=True):
            if page != before:
                written[page] += spec.columns
                fetched[page] += first.sum(axis=1)
    else:
        for page, rows in zip(pages, timeline.charges.loaded_rows, strict=True):
            written[page, rows] += spec.columns
        for one in timeline.refreshes:
            written[pages[one.segment], one.pair * spec.dacs // spec.columns] += batch * spec.dacs
        fetched = written // spec.dacs
    np.add.at(counts["dac_writes"], of_row.reshape(-1), written.reshape(-1))
    np.add.at(counts["weight_words"], of_row.reshape(-1), fetched.reshape(-1))


def _on_host(work: HostWork) -> Iterator[tuple[str, int]]:
    """The host's layers, each with its instructions for an image; the states that a part takes out of words
    and puts into them count with its last layer."""
    for layer, shape in work.steps_before():
        yield layer.name, instructions(layer_operations(layer, shape))
    moved = [(one.part, one.states_read, one.states_written) for one in work.rounds]
    moved += [(tail, tail.states_read, 0) for tail in work.tails]
    for part, read, written in moved:
        moving = OPERATIONS["read"].value * read + OPERATIONS["write"].value * written
        yield part.steps[-1].layer.name if part.steps else part.readings[0].name, moving
        for step in part.steps:
            yield step.layer.name, instructions(layer_operations(step.layer, *step.input_shapes))
