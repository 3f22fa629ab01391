"""Builds the workload of a timeline on a piece of silicon: what the silicon makes of each synapse, laid out for the engine.

Operands are gathered here, once, not for every image. Synapses that carry no current are left out, and those that nothing
depends on of what is wanted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.analog import thermal
from anna.analog.silicon import Sigmas, Silicon
from anna.chip.codes import Ints, carries_weight
from anna.engine import wiring
from anna.engine.wiring import Chosen, Demand, Layout, Links, Synapses
from anna.engine.workload import Workload
from anna.native.loader import compiled
from anna.sequencer.timeline import Timeline


@dataclass(frozen=True, eq=False)
class _Currents:
    """Weights and charge noise of the synapses that carry current, and which synapses those are."""

    weight: Ints
    charge_sigma: Sigmas | None
    conducting: Chosen  # of the timeline's places
    needed: Synapses  # at those places
    live: Chosen  # of the synapses that are needed


def build_workload(
    timeline: Timeline, silicon: Silicon, wanted: Sequence[Ints], moment: int = 0, keep: bool = False
) -> Workload:
    """The workload of a timeline on silicon; `wanted` are the values to read at the end.

    With `keep`, every value has a slot of its own, and its number is the slot's.
    """
    spec, values, calcs = timeline.spec, timeline.values, len(timeline.columns)
    stored = silicon.stored_codes(timeline.program.weight_codes.astype(np.int64)).reshape(-1)
    outputs = np.concatenate([np.zeros(0, np.int64), *(np.asarray(part, np.int64).reshape(-1) for part in wanted)])
    wired = wiring.wiring(timeline)
    neurons, converters, grid = wired.neurons, wired.converters, (calcs, spec.neurons_at_once)
    here = silicon.with_pages(neurons.page)
    coupled, unsettled = _any(here.coupled(*neurons.asked)), _any(here.unsettled(*neurons.asked))
    links = Links(coupled is not None, unsettled is not None)
    currents = _currents(timeline, silicon, stored, moment, outputs.tobytes(), links)
    apart = silicon.state_tables() is not None or currents.charge_sigma is not None
    laid = wiring.layout(timeline, Demand(currents.conducting, currents.live, apart, outputs.tobytes(), links, keep))
    weight = np.zeros((len(laid.op_slot), spec.neurons_at_once), np.int32)
    compiled("anna.engine.gather").add_up(laid.cell, currents.weight, weight.reshape(-1))

    thresholds, rows = _distinct(silicon.with_pages(converters.page).thresholds(*converters.asked))
    table = rows[wired.converter_of]
    masks, limits = here.code_masks(neurons.adc), here.sum_limits(*neurons.asked)
    before = np.append(0, np.cumsum(carries_weight(spec, stored)))  # each place: synapses that carry a weight
    slow_sigma = here.slow_sigma(*neurons.asked)
    sigma = here.thermal_sigma(*neurons.asked, before[neurons.first + neurons.fan_in] - before[neurons.first])
    steps = None if sigma is None else thermal.on_steps(thresholds, table, sigma)
    if steps is not None:
        thresholds, table = steps.thresholds, steps.table

    def per_neuron(data: NDArray[Any], fill: float, dtype: type) -> NDArray[Any]:
        return _spread(data, wired.neuron_cells, grid, fill, dtype)

    return Workload(
        slots=laid.slots,
        numerators=silicon.numerators.astype(np.int32),
        input_slots=laid.slot[: values.given],
        constant_slots=laid.slot[values.given : values.fixed],
        constant_codes=np.append(timeline.program.constant_codes, np.uint16(spec.reset_state_code)),
        op_start=laid.op_start,
        op_slot=laid.op_slot,
        op_weight=weight,
        thresholds=thresholds.astype(np.int64),
        table=per_neuron(table, 0, np.int32),
        out_slot=laid.slot[values.fixed :].reshape(grid),
        output_slots=laid.slot[outputs],
        ordinal=np.arange(calcs, dtype=np.uint32),
        grain=None if steps is None else steps.grain.astype(np.int32),
        strength=None if steps is None else per_neuron(steps.strength, 0, np.int32),
        clamp_low=None if limits is None else per_neuron(limits[0], -(2**62), np.int64),
        clamp_high=None if limits is None else per_neuron(limits[1], 2**62, np.int64),
        coupled=None if coupled is None else per_neuron(coupled, 0, np.int32),
        unsettled=None if unsettled is None else per_neuron(unsettled, -1, np.int32),
        at_rest=None if unsettled is None else (np.diff(timeline.columns.segment, prepend=-1) != 0).astype(np.uint8),
        slow_sigma=None if slow_sigma is None else per_neuron(slow_sigma, 0, np.float32),
        and_mask=None if masks is None else per_neuron(masks[0], 0xFFFF, np.uint16),
        or_mask=None if masks is None else per_neuron(masks[1], 0, np.uint16),
        **_slow_path(timeline, silicon, currents, laid, moment),
    )


def _any(shares: Ints | None) -> Ints | None:
    """None where no sum takes any share."""
    return shares if shares is not None and shares.any() else None


def _currents(timeline: Timeline, silicon: Silicon, stored: Ints, moment: int, outputs: bytes, links: Links) -> _Currents:
    places = wiring.wiring(timeline).places
    conducts = silicon.with_pages(places.page).conducts(stored[places.number], places.row, places.column)
    conducting = Chosen.by(conducts)
    some = wiring.needed(timeline, conducting, outputs, links)
    here, code = silicon.with_pages(timeline.columns.page[some.calc]), stored[some.place]
    age = wiring.ages(timeline, conducting, outputs, links, moment, silicon.refresh_stops)
    weight, charge = here.weights(code, some.row, some.column, age), here.charge_sigma(code, some.row, some.column)
    live = weight != 0
    if charge is not None:
        live |= charge != 0
    if not live.all():
        weight, charge = weight[live], None if charge is None else charge[live]
    return _Currents(weight, charge, conducting, some, Chosen.by(live))


def _distinct(rows: Ints) -> tuple[Ints, Ints]:
    """The distinct rows, and which of them each row is."""
    if not len(rows):
        return np.zeros((1, rows.shape[1]), np.int64), np.zeros(0, np.int64)
    known = dict[bytes, int]()  # not np.unique, which compares the rows of many thresholds field by field
    which = np.array([known.setdefault(row.tobytes(), len(known)) for row in rows], np.int64)
    return rows[np.unique(which, return_index=True)[1]], which


def _spread(data: NDArray[Any], cells: Ints, shape: tuple[int, int], fill: float, dtype: type) -> NDArray[Any]:
    """A grid that holds the data in those cells and the fill value elsewhere."""
    grid: NDArray[Any] = np.full(shape, fill, dtype=dtype)
    grid.reshape(-1)[cells] = data
    return grid


def _slow_path(timeline: Timeline, silicon: Silicon, currents: _Currents, laid: Layout, moment: int) -> dict[str, NDArray[Any]]:
    """What makes the synapses of one operand differ from image to image, or from each other."""
    tables, extra = silicon.state_tables(), dict[str, NDArray[Any]]()
    if tables is None and currents.charge_sigma is None:
        return extra
    spec, calcs, some = silicon.spec, timeline.columns, currents.needed.where(currents.live.mask)

    def per_synapse(data: NDArray[Any], dtype: type) -> NDArray[Any]:
        return _spread(data, laid.cell, (len(laid.op_slot), spec.neurons_at_once), 0, dtype)

    if currents.charge_sigma is not None:
        written = timeline.charges.ordinals(
            calcs.segment[some.calc], calcs.cycle[some.calc], some.row, some.column, moment, silicon.refresh_stops
        )
        extra["charge_sigma"] = per_synapse(currents.charge_sigma, np.float32)
        extra["charge_refresh"] = per_synapse(written, np.uint32)
        extra["charge_synapse"] = per_synapse(some.row * spec.columns + some.column, np.uint32)
    if tables is not None:
        here = silicon.with_pages(calcs.page[some.calc])
        extra["op_levels"] = per_synapse(here.state_table_of(some.row, some.column), np.int32)
        extra["numerator_tables"] = tables.astype(np.int32)
    return extra
