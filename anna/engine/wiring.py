"""What all chips that run a timeline share: which value meets which synapse, and where it lies.

It is worked out once per timeline, or once for all chips in which the same synapses carry current, and cached.
"""

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from anna.chip.codes import Ints
from anna.engine.workload import Int32s
from anna.native.loader import compiled
from anna.sequencer.timeline import Calcs, Timeline

TIMELINES, LAYOUTS = 4, 8  # how many are cached


@dataclass(frozen=True)
class Chosen:
    """Some of a list's entries, as a cache key."""

    bits: bytes
    length: int

    @classmethod
    def by(cls, mask: NDArray[np.bool_]) -> "Chosen":
        """The entries where the mask is true."""
        return cls(np.packbits(mask).tobytes(), len(mask))

    @property
    def mask(self) -> NDArray[np.bool_]:
        """Whether each entry is chosen."""
        return np.unpackbits(np.frombuffer(self.bits, np.uint8), count=self.length).view(np.bool_)


@dataclass(frozen=True, eq=False)
class Places:
    """Places of the weight RAM, each once, in order."""

    number: Ints  # in the RAM, page after page and row after row
    page: Ints
    row: Ints
    column: Ints


@dataclass(frozen=True, eq=False)
class Neurons:
    """Neurons of CALCs: their page, the ADC that converts them, where their scale code lies, that code, and their synapses."""

    page: Ints
    adc: Ints
    row: Ints
    group: Ints
    scale_code: Ints
    first: Ints  # place of the first synapse; the others follow one after another
    fan_in: Ints

    @property
    def asked(self) -> tuple[Ints, Ints, Ints, Ints]:
        """The arguments by which silicon is asked about neurons."""
        return self.adc, self.row, self.group, self.scale_code


@dataclass(frozen=True, eq=False)
class Wiring:
    """What is the same for all chips."""

    calcs: Calcs
    places: Places  # that some CALC uses
    neurons: Neurons  # of every CALC in turn
    neuron_cells: Ints  # of each neuron: CALC times neurons at once, plus neuron
    converters: Neurons  # the different ones of them
    converter_of: Ints  # which of those each neuron is


@dataclass(frozen=True, eq=False)
class Synapses:
    """Synapses of CALCs, one entry for each use: by which neuron of which CALC, driven by which value, and where. There may be
    millions, so what a CALC tells, its page, segment and cycle, is asked of the CALC."""

    calc: Ints
    neuron: Ints
    place: Ints
    value: Ints
    row: Ints
    column: Ints

    def where(self, chosen: NDArray[np.bool_]) -> "Synapses":
        """The chosen ones."""
        return self if chosen.all() else Synapses(*(getattr(self, part.name)[chosen] for part in fields(self)))


@dataclass(frozen=True)
class Links:
    """Through what a sum depends on other sums."""

    coupled: bool = False  # on those of its neighbours in the CALC
    unsettled: bool = False  # on the last one on its wire

    def __bool__(self) -> bool:
        return self.coupled or self.unsettled


@dataclass(frozen=True)
class Demand:
    """What a layout depends on, besides the timeline."""

    conducting: Chosen  # of the places
    live: Chosen  # of the synapses at those places that outputs need
    apart: bool  # whether synapses of a neuron that read one value must be told apart
    outputs: bytes  # int64 values that are read at the end
    links: Links
    keep: bool  # whether every value has a slot of its own


@dataclass(frozen=True, eq=False)
class Layout:
    """Where everything lies."""

    cell: Ints  # of each synapse that carries current, the weight that it adds to: operand times neurons at once, plus neuron
    op_start: Ints  # (calcs + 1)
    op_slot: Int32s  # (operands)
    slot: Int32s  # of each value, -1 for a result that nobody reads
    slots: int


@lru_cache(maxsize=TIMELINES)
def wiring(timeline: Timeline) -> Wiring:
    """CALCs, the places they use, and their neurons."""
    spec, calcs = timeline.spec, timeline.columns
    neurons, cells = _neurons(timeline, calcs)
    # page, row and group say the code
    key = ((neurons.page * spec.neurons_at_once + neurons.adc) * spec.rows + neurons.row) * spec.groups + neurons.group
    _, first, which = np.unique(key, return_index=True, return_inverse=True)
    converters = Neurons(*(getattr(neurons, part.name)[first] for part in fields(neurons)))
    return Wiring(calcs, _places(timeline, calcs), neurons, cells, converters, which.reshape(-1))


def _places(timeline: Timeline, calcs: Calcs) -> Places:
    shape = timeline.program.weight_codes.shape
    uses = np.zeros(timeline.program.weight_codes.size + 1, np.int64)  # first the change from place to place, then summed up
    first = calcs.first_place(timeline.spec)
    np.add.at(uses, first, 1)
    np.add.at(uses, first + calcs.neurons * calcs.fan_in, -1)
    number = np.flatnonzero(np.cumsum(uses))
    return Places(number, *np.unravel_index(number, shape))


def _neurons(timeline: Timeline, calcs: Calcs) -> tuple[Neurons, Ints]:
    """The neurons, and where each stands among the results of all CALCs."""
    spec, scales = timeline.spec, timeline.program.scale_codes
    present = np.arange(spec.neurons_at_once) < calcs.neurons[:, None]
    calc, neuron = np.nonzero(present)
    fan_in = calcs.fan_in[calc]
    row, column = np.divmod(neuron * fan_in, spec.columns)
    page, row, group = calcs.page[calc], row + calcs.row[calc], column * spec.groups // spec.columns
    # neuron k of a CALC is converted by ADC k
    code, first = scales[page, row, group].astype(np.int64), calcs.first_place(spec)[calc] + neuron * fan_in
    return Neurons(page, neuron, row, group, code, first, fan_in), np.flatnonzero(present)


def conducting(timeline: Timeline, chosen: Chosen) -> Synapses:
    """The synapses at some of the places; nothing is computed for those that never carry current."""
    wired, shape = wiring(timeline), timeline.program.weight_codes.shape
    calcs, conducts = wired.calcs, np.zeros(shape, np.uint8).reshape(-1)
    conducts[wired.places.number] = chosen.mask
    first = calcs.first_place(timeline.spec)
    found = compiled("anna.engine.gather").synapses(conducts, first, calcs.neurons, calcs.fan_in, calcs.values)
    calc, neuron, place, value = found
    row, column = (np.ascontiguousarray(part) for part in np.unravel_index(place, shape)[1:])
    return Synapses(calc, neuron, place, value, row, column)


@lru_cache(maxsize=TIMELINES)
def needed(timeline: Timeline, chosen: Chosen, outputs: bytes, links: Links) -> Synapses:
    """Those of the synapses on which outputs, int64 values, depend."""
    some, values = conducting(timeline, chosen), timeline.values
    wanted, total = np.frombuffer(outputs, np.int64), values.total(len(timeline.columns))
    gather, asked = (
        compiled("anna.engine.gather"),
        (some.calc, some.neuron, some.value, wanted, values.fixed, values.neurons, total),
    )
    if links:
        calcs = timeline.columns
        kept = gather.needed_in_wires(*asked, links.coupled, calcs.segment if links.unsettled else None, calcs.neurons)
    else:
        kept = gather.needed(*asked)
    return some.where(kept)


@lru_cache(maxsize=TIMELINES)
def ages(timeline: Timeline, chosen: Chosen, outputs: bytes, links: Links, moment: int, stops: int | None) -> Ints:
    """Ages of the charges of those synapses when they are read."""
    some, calcs = needed(timeline, chosen, outputs, links), timeline.columns
    return timeline.charges.ages(calcs.segment[some.calc], calcs.cycle[some.calc], some.row, some.column, moment, stops)


@lru_cache(maxsize=LAYOUTS)
def layout(timeline: Timeline, demand: Demand) -> Layout:
    """Operands and slots; a slot is reused after the last read of its value."""
    gather, values, calcs = compiled("anna.engine.gather"), timeline.values, len(timeline.columns)
    total, neurons = values.total(calcs), timeline.spec.neurons_at_once
    some = needed(timeline, demand.conducting, demand.outputs, demand.links).where(demand.live.mask)
    operand, calc_of, value_of = gather.merge(some.calc, some.neuron, some.value, calcs, total, demand.apart)
    if demand.keep:
        slot, slots = np.arange(total, dtype=np.int32), total
    else:
        last_use = np.full(total, -1, np.int64)
        last_use[value_of] = calc_of  # in rising order: the last one stays
        last_use[np.frombuffer(demand.outputs, np.int64)] = calcs
        slot, slots = gather.allocate(last_use, values.fixed, neurons, calcs)
    op_start = np.searchsorted(calc_of, np.arange(calcs + 1)).astype(np.int64)
    done = Layout(operand * neurons + some.neuron, op_start, slot[value_of], slot, slots)
    for array in (done.cell, done.op_start, done.op_slot, done.slot):
        array.setflags(write=False)
    return done
