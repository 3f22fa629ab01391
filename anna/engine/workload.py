"""What the engine runs: a schedule on a piece of silicon, as flat arrays.

Operands are gathered here, once, instead of for every picture: each CALC becomes a list of slots (where a value lies in a
picture's lane), a row of fixed-point weights for each, and thresholds for each neuron. Synapses that carry no current are
left out. A slot is used again once its value was read for the last time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.analog.silicon import Sigmas, Silicon
from anna.chip import refresh
from anna.chip.codes import Ints
from anna.sequencer.timeline import Timeline

Int32s = NDArray[np.int32]
SCHEDULES, LAYOUTS = 4, 8  # how many are remembered


@dataclass(frozen=True, eq=False)
class Workload:
    """Arrays for the data plane. N is the number of neurons at once; None means: this imperfection is not there."""

    slots: int
    numerators: Int32s  # (levels) what a state code drives a synapse with
    input_slots: Int32s  # (pixels)
    constant_slots: Int32s
    constant_codes: NDArray[np.uint16]
    op_start: Ints  # (calcs + 1) where each CALC's operands begin
    op_slot: Int32s  # (operands)
    op_weight: Int32s  # (operands, N) zero where a neuron does not use the operand
    thresholds: Ints  # (tables, levels - 1)
    table: Int32s  # (calcs, N) thresholds of each neuron
    out_slot: Int32s  # (calcs, N) where a result goes; -1: nowhere
    output_slots: Int32s  # what is read at the end
    ordinal: NDArray[np.uint32]  # (calcs) which CALC of the picture it is
    clamp_low: Ints | None = None  # (calcs, N)
    clamp_high: Ints | None = None
    sigma: NDArray[np.float32] | None = None  # (calcs, N)
    and_mask: NDArray[np.uint16] | None = None  # (calcs, N)
    or_mask: NDArray[np.uint16] | None = None
    charge_sigma: NDArray[np.float32] | None = None  # (operands, N)
    charge_refresh: NDArray[np.uint32] | None = None
    charge_synapse: NDArray[np.uint32] | None = None
    op_levels: Int32s | None = None  # (operands, N) which numerator table a synapse uses
    numerator_tables: Int32s | None = None  # (tables, levels)


@dataclass(frozen=True, eq=False)
class _Synapses:
    """Synapses of CALCs, one entry for each time that a CALC uses one: which neuron of the CALC, what value drives it, where
    it lies, and when."""

    calc: Ints
    neuron: Ints
    value: Ints
    row: Ints
    column: Ints
    page: Ints
    cycle: Ints
    segment: Ints
    place: Ints  # which of the different ones of page, row and column

    def where(self, chosen: NDArray[Any]) -> "_Synapses":
        """Some of them."""
        return _Synapses(*(getattr(self, part.name)[chosen] for part in fields(self)))


@dataclass(frozen=True, eq=False)
class _Operands:
    """Every synapse that carries current, with what it shows and the noise of its charge."""

    synapses: _Synapses
    weight: Ints
    charge_sigma: Sigmas | None


@dataclass(frozen=True, eq=False)
class _Layout:
    """Where everything lies, for all chips in which the same synapses carry current."""

    cell: Ints  # of each synapse: operand times neurons, plus neuron: the weight that it adds to
    alone: bool  # whether each does so alone
    calc_of: Ints  # of each operand
    value_of: Ints
    slot: Int32s  # of each value, -1 for a result that nobody reads
    slots: int


def build_workload(
    schedule: Timeline, silicon: Silicon, wanted: Sequence[Ints], phase_cycles: int = 0, keep: bool = False
) -> Workload:
    """The workload of a schedule on silicon; `wanted` are the values to be read at the end.

    With `keep`, no slot is used twice and every result of every CALC keeps its value: slot = value. What does not depend
    on the silicon is worked out once for a schedule, and the layout once for all chips in which the same synapses carry
    current.
    """
    spec, values, calcs = schedule.spec, schedule.values, len(schedule.calcs)
    operands, conducting, live = _gather(schedule, silicon, phase_cycles)
    apart = silicon.state_tables() is not None or operands.charge_sigma is not None
    output_values = np.concatenate([np.asarray(part, np.int64).reshape(-1) for part in wanted] or [np.zeros(0, np.int64)])
    layout = _layout(schedule, conducting, np.packbits(live).tobytes(), apart, output_values.tobytes(), keep)
    weight, slot = np.zeros(len(layout.calc_of) * spec.neurons_at_once, dtype=np.int64), layout.slot
    if layout.alone:
        weight[layout.cell] = operands.weight
    else:
        np.add.at(weight, layout.cell, operands.weight)

    (calc_of, neuron, *asked), pages, places, place_of = _neurons(schedule)
    unique, which = _distinct(silicon.with_pages(places[0]).thresholds(*places[1:]))
    table, here = which[place_of], silicon.with_pages(pages)
    results = values.fixed + np.arange(calcs * spec.neurons_at_once).reshape(calcs, spec.neurons_at_once)
    masks, limits, sigma = here.code_masks(asked[0]), here.sum_limits(*asked), here.thermal_sigma(*asked)

    def per_neuron(data: NDArray[Any], fill: float, dtype: type) -> NDArray[Any]:
        grid: NDArray[Any] = np.full((calcs, spec.neurons_at_once), fill, dtype=dtype)
        grid[calc_of, neuron] = data
        return grid

    return Workload(
        slots=layout.slots,
        numerators=silicon.numerators.astype(np.int32),
        input_slots=slot[: values.inputs],
        constant_slots=slot[values.inputs : values.fixed],
        constant_codes=np.append(schedule.program.constant_codes, np.uint16(spec.reset_state_code)),
        op_start=np.searchsorted(layout.calc_of, np.arange(calcs + 1)).astype(np.int64),
        op_slot=slot[layout.value_of],
        op_weight=weight.reshape(-1, spec.neurons_at_once).astype(np.int32),
        thresholds=unique.astype(np.int64),
        table=per_neuron(table, 0, np.int32),
        out_slot=slot[results].astype(np.int32),
        output_slots=slot[output_values],
        ordinal=np.arange(calcs, dtype=np.uint32),
        sigma=None if sigma is None else per_neuron(sigma, 0, np.float32),
        clamp_low=None if limits is None else per_neuron(limits[0], -(2**62), np.int64),
        clamp_high=None if limits is None else per_neuron(limits[1], 2**62, np.int64),
        and_mask=None if masks is None else per_neuron(masks[0], 0xFFFF, np.uint16),
        or_mask=None if masks is None else per_neuron(masks[1], 0, np.uint16),
        **_slow_path(silicon, operands, layout, phase_cycles),
    )


def _distinct(rows: Ints) -> tuple[Ints, Ints]:
    """The different rows, and which of them each row is."""
    if not len(rows):
        return np.zeros((1, rows.shape[1]), np.int64), np.zeros(0, np.int64)
    unique, which = np.unique(rows, axis=0, return_inverse=True)
    return unique, which.reshape(-1)


@lru_cache(maxsize=SCHEDULES)
def _wiring(schedule: Timeline) -> tuple[_Synapses, Ints]:
    """All synapses, whether they carry current or not, the same for all chips; and the first entry of each place."""
    spec = schedule.spec
    parts: list[tuple[Ints, ...]] = []
    for calc in schedule.calcs:
        rows, columns = calc.synapses(spec)
        neurons = np.broadcast_to(np.arange(calc.neurons, dtype=np.int64)[:, None], rows.shape)
        parts.append((neurons.reshape(-1), calc.operands.reshape(-1).astype(np.int64), rows.reshape(-1), columns.reshape(-1)))
    if not parts:
        nothing = np.zeros(0, dtype=np.int64)
        return _Synapses(*[nothing] * 9), nothing
    neuron, value, row, column = (np.concatenate(part) for part in zip(*parts, strict=True))
    lengths = [len(part[0]) for part in parts]
    what = [[getattr(calc, name) for calc in schedule.calcs] for name in ("ordinal", "page", "cycle", "segment")]
    calc_of, page, cycle, segment = (np.repeat(np.array(of_calc, dtype=np.int64), lengths) for of_calc in what)
    key = (page * spec.rows + row) * spec.columns + column
    _, first, place = np.unique(key, return_index=True, return_inverse=True)
    return _Synapses(calc_of, neuron, value, row, column, page, cycle, segment, place.reshape(-1)), first


@lru_cache(maxsize=SCHEDULES)
def _conducting(schedule: Timeline, places: bytes) -> _Synapses:
    """The synapses at some of the places: nothing is computed for those that never carry current."""
    all_of_them, first = _wiring(schedule)
    chosen = np.unpackbits(np.frombuffer(places, np.uint8), count=len(first)).astype(np.bool_)
    return all_of_them.where(chosen[all_of_them.place])


@lru_cache(maxsize=SCHEDULES)
def _ages(schedule: Timeline, places: bytes, phase_cycles: int, stops: int | None) -> Ints:
    some = _conducting(schedule, places)
    return refresh.ages(schedule.spec, some.cycle, some.row, some.column, phase_cycles, stops)


def _gather(schedule: Timeline, silicon: Silicon, phase_cycles: int) -> tuple[_Operands, bytes, NDArray[np.bool_]]:
    """The operands; the places where synapses conduct; and which of the synapses there the operands are."""
    w, first = _wiring(schedule)
    page, row, column = w.page[first], w.row[first], w.column[first]
    stored = silicon.stored_codes(schedule.program.weight_codes.astype(np.int64))[page, row, column]
    places = np.packbits(silicon.with_pages(page).conducts(stored, row, column)).tobytes()
    some = _conducting(schedule, places)
    here, code = silicon.with_pages(some.page), stored[some.place]
    weight = here.weights(code, some.row, some.column, _ages(schedule, places, phase_cycles, silicon.refresh_stops))
    live = weight != 0
    charge = here.charge_sigma(code, some.row, some.column)
    if charge is not None:
        live |= charge != 0
    if live.all():
        return _Operands(some, weight, charge), places, live
    return _Operands(some.where(live), weight[live], None if charge is None else charge[live]), places, live


@lru_cache(maxsize=LAYOUTS)
def _layout(schedule: Timeline, places: bytes, live: bytes, apart: bool, outputs: bytes, keep: bool) -> _Layout:
    some = _conducting(schedule, places)
    here = np.unpackbits(np.frombuffer(live, np.uint8), count=len(some.calc)).astype(np.bool_)
    calc, value, neuron = some.calc[here], some.value[here], some.neuron[here]
    entry, calc_of, value_of = _merge(calc, neuron, value, some.row[here] * (1 << 16) + some.column[here],
                                      schedule.values.total(len(schedule.calcs)), apart)  # fmt: skip
    cell = entry * schedule.spec.neurons_at_once + neuron
    slot, slots = _allocate(schedule, calc, value, np.frombuffer(outputs, np.int64), keep)
    for array in (cell, calc_of, value_of, slot):
        array.setflags(write=False)
    return _Layout(cell, bool(np.bincount(cell).max(initial=0) <= 1), calc_of, value_of, slot, slots)


def _merge(calc: Ints, neuron: Ints, value: Ints, place: Ints, values: int, apart: bool) -> tuple[Ints, Ints, Ints]:
    """Which operand of the workload each synapse adds to, the CALC of every operand, and its value.

    Synapses of a CALC that read one value share an operand; where synapses must be told apart, only those of different
    neurons do.
    """
    key = calc * values + value
    if apart:
        turn = _occurrence(np.stack([key, neuron]), place)
        width = int(turn.max(initial=0)) + 1
        key = key * width + turn
    else:
        width = 1
    unique, entry = np.unique(key, return_inverse=True)
    first = unique // width
    return entry.reshape(-1), first // values, first % values


def _occurrence(keys: Ints, tie: Ints) -> Ints:
    """For every entry, how many entries with the same key come before it (in the order of `tie`)."""
    order = np.lexsort((tie, keys[1], keys[0]))
    ordered = keys[:, order]
    new = np.ones(ordered.shape[1], dtype=bool)
    new[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)
    begins = np.flatnonzero(new)
    turn = np.arange(ordered.shape[1]) - np.repeat(begins, np.diff(np.append(begins, ordered.shape[1])))
    out = np.empty_like(turn)
    out[order] = turn
    return out


def _allocate(schedule: Timeline, reads_calc: Ints, reads_value: Ints, outputs: Ints, keep: bool) -> tuple[Int32s, int]:
    """The slot of each value, -1 for a result that nobody reads, and how many slots there are."""
    values, calcs, neurons = schedule.values, len(schedule.calcs), schedule.spec.neurons_at_once
    total = values.total(calcs)
    if keep:
        return np.arange(total, dtype=np.int32), total
    last_use = np.full(total, -1, dtype=np.int64)
    np.maximum.at(last_use, reads_value, reads_calc)
    last_use[outputs] = calcs  # for ever
    slot = np.full(total, -1, dtype=np.int32)
    slot[: values.fixed] = np.arange(values.fixed)
    count, free = values.fixed, list[int]()
    dying = np.argsort(last_use, kind="stable")
    dying = dying[last_use[dying] >= 0]
    bounds = np.searchsorted(last_use[dying], np.arange(calcs + 1))
    for calc in range(calcs):
        for value in range(values.result(calc, 0), values.result(calc, 0) + neurons):
            if last_use[value] > calc:
                if not free:
                    free.append(count)
                    count += 1
                slot[value] = free.pop()
        # Only now: a result in the slot of an operand of its own CALC would have to wait for all who read that.
        free.extend(int(slot[value]) for value in dying[bounds[calc] : bounds[calc + 1]])
    return slot, count


Neurons = tuple[Ints, Ints, Ints, Ints, Ints, Ints]


@lru_cache(maxsize=SCHEDULES)
def _neurons(schedule: Timeline) -> tuple[Neurons, Ints, tuple[Ints, Ints, Ints, Ints, Ints], Ints]:
    """For every neuron of every CALC: CALC, neuron, ADC, row and group of its scale code, and that code; its page; the
    different ones of page, ADC, row, group and code; and which of these each neuron is."""
    spec, scales = schedule.spec, schedule.program.scale_codes.astype(np.int64)
    calc_of, neuron, row, group, page = ([np.zeros(0, np.int64)] for _ in range(5))
    for calc in schedule.calcs:
        rows, groups = calc.scale_places(spec)
        calc_of.append(np.full(calc.neurons, calc.ordinal, dtype=np.int64))
        neuron.append(np.arange(calc.neurons, dtype=np.int64))
        row.append(rows)
        group.append(groups)
        page.append(np.full(calc.neurons, calc.page, dtype=np.int64))
    a, b, c, d, p = (np.concatenate(part) for part in (calc_of, neuron, row, group, page))
    code = scales[p, c, d]
    key = ((p * spec.neurons_at_once + b) * spec.rows + c) * spec.groups + d  # page, row and group say the code
    _, first, which = np.unique(key, return_index=True, return_inverse=True)
    # neuron k of a CALC is converted by ADC k
    places = (p[first], b[first], c[first], d[first], code[first])
    return (a, b, b, c, d, code), p, places, which.reshape(-1)


def _slow_path(silicon: Silicon, operands: _Operands, layout: _Layout, phase_cycles: int) -> dict[str, NDArray[Any]]:
    """What makes synapses of one operand differ from picture to picture or from each other."""
    spec, some, extra = silicon.spec, operands.synapses, dict[str, NDArray[Any]]()

    def spread(name: str, data: NDArray[Any], dtype: type) -> None:
        grid: NDArray[Any] = np.zeros((len(layout.calc_of), spec.neurons_at_once), dtype=dtype)
        grid.reshape(-1)[layout.cell] = data
        extra[name] = grid

    if operands.charge_sigma is not None:
        spread("charge_sigma", operands.charge_sigma, np.float32)
        lap = refresh.laps(spec, some.cycle, some.row, some.column, phase_cycles, silicon.refresh_stops)
        spread("charge_refresh", refresh.ordinal(some.segment, lap), np.uint32)
        spread("charge_synapse", some.row * spec.columns + some.column, np.uint32)
    tables = silicon.state_tables()
    if tables is not None:
        spread("op_levels", silicon.with_pages(some.page).state_table_of(some.row, some.column), np.int32)
        extra["numerator_tables"] = tables.astype(np.int32)
    return extra
