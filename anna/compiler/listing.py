"""The report of a compilation: what runs where, what binds each layer, how good its states are."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from anna.board.host import HostWork
from anna.board.operations import instructions, layer_operations, round_operations
from anna.board.times import Times, round_us, rounds_us
from anna.chip.machines import Machine
from anna.compiler import retention
from anna.compiler.emit import NO_TAP, Links
from anna.compiler.ir import Member
from anna.compiler.options import CompileOptions
from anna.compiler.place import Placement
from anna.compiler.quantised import QuantGraph
from anna.compiler.registers import RegisterScan
from anna.compiler.schedule import Schedule
from anna.network.graph import Layer
from anna.network.parts import Shape
from anna.program.report import published_us
from anna.sequencer.timeline import Timeline

LATER = (
    "digits",
    "overlap",
    "copies",
    "synapses",
    "balance",
    "input_clip",
    "maxima",
    "against",
)  # options that are left out where they are the default, as programs had none
UNITS = ("array", "input", "output", "paging")


def report(
    graph: QuantGraph, placement: Placement, schedule: Schedule, timeline: Timeline, links: Links, options: CompileOptions
) -> dict[str, Any]:
    """The report on a compilation, as JSON."""
    network = graph.lowered.network
    host, work = host_entries(graph, options.machine), timeline.program.host
    assert work is not None, f"{network.name} was compiled, so it has a host"
    layers = _layers(graph, placement, schedule, timeline, links) + host["layers"]
    around = work.multiply_adds - sum(one.part.multiply_adds for one in work.rounds)
    times = Times(options.machine, timeline.cycles_per_image, around, rounds_us(options.machine, work.rounds))
    chip_multiply_adds = network.multiply_adds - host["own_multiply_adds"]
    run_cycles = sum(schedule.segment_cycles)  # as if no RFSH stood in the program
    return {
        "network": network.name,
        "data": network.data,
        "machine": options.machine.name,
        "cycles_per_image": timeline.cycles_per_image,
        "run_cycles": run_cycles,
        "refresh_cycles": timeline.run_cycles - run_cycles,
        "page_load_cycles_per_image": timeline.page_load_cycles_per_image,
        "bound_cycles": round(sum(entry["bound_cycles"] for entry in layers if entry["where"] == "chip"), 3),
        "chip_us_per_image": _us(times.chip_us),
        "host_us_per_image": _us(times.host_us),
        "board_us_per_image": _us(times.latency_us),
        "published_us_per_image": published_us(network.multiply_adds),
        "board_images_per_s": round(times.images_per_s, 3),
        "board_binds": times.binds,
        "connections_per_s": round(network.multiply_adds * times.images_per_s, 3),
        "instructions": len(timeline.program.issued),
        "refreshes": len(timeline.refreshes),
        "charges": retention.report(timeline),
        "synapses_used": int((links.taps_prc != NO_TAP).sum()),
        "pages": placement.pages,
        "page_loads": timeline.page_loads,
        "batch": timeline.program.batch,
        "chip_connections": network.connections - host["own_connections"],
        "host_connections": host["connections"],
        "chip_multiply_adds": chip_multiply_adds,
        "host_multiply_adds": host["multiply_adds"],
        **_rounds(work, options.machine),
        "layers": layers,
        "placement": [
            {"layer": p.scan.layer.name, "page": p.page, "first_row": p.row, "rows": p.scan.rows, "maps": list(p.scan.outputs),
             "positions": [p.scan.down, p.scan.right], "registers": [len(held.taps) for held in p.scan.layouts],
             "constants": p.scan.constants} for p in placement.scans
        ],
        "options": {name: value for name, value in options.model_dump(mode="json", exclude={"machine"}).items()
                    if name not in LATER or value != CompileOptions.model_fields[name].default},
        **({"codes_kept": list(graph.kept), "codes_lost": list(graph.notes)} if graph.kept or graph.notes else {}),
    }  # fmt: skip


def _us(us: float | None) -> float | None:
    return None if us is None else round(us, 6)


def host_entries(graph: QuantGraph, machine: Machine) -> dict[str, Any]:
    """What the host computes: its layers, and the work of all together and of the network's own."""
    layers, connections, multiply_adds, own = list[dict[str, Any]](), 0, 0, {"own_connections": 0, "own_multiply_adds": 0}
    rate = machine.host_multiply_adds_per_s
    for member, layer, shapes, in_round in _host_layers(graph):
        products = layer.multiply_adds(*shapes)
        connections += layer.connections(*shapes)
        multiply_adds += products
        if any(layer.name == one.name for one in member.graph.layers):  # the others add digits or average copies
            own["own_connections"] += layer.connections(*shapes)
            own["own_multiply_adds"] += products
        taken = instructions(layer_operations(layer, *shapes)) if in_round else products
        layers.append({
            "name": f"{member.prefix}{layer.name}", "where": "host", "binds": "host", "cycles": None, "bound_cycles": None,
            "sqnr_db": None, "saturated_share": None, "multiply_adds": products,
            "us": None if rate is None else round(taken / rate * 1e6, 6),
        })  # fmt: skip
    return {"layers": layers, "connections": connections, "multiply_adds": multiply_adds, **own}


def _rounds(work: HostWork, machine: Machine) -> dict[str, Any]:
    """What the host does between page segments, in turn; nothing if it does nothing."""
    found = [
        {
            "segment": one.segment,
            "layers": [layer.name for layer in one.part.layers],
            "states_read": one.states_read,
            "states_written": one.states_written,
            "operations": dict(sorted(round_operations(one).items())),
            "us": _us(round_us(machine, one)),
        }
        for one in work.rounds
    ]
    return {"rounds": found, "rounds_us_per_image": _us(rounds_us(machine, work.rounds))} if found else {}


def _host_layers(graph: QuantGraph) -> Iterator[tuple[Member, Layer, list[Shape], bool]]:
    """What the host computes, the shapes of what each layer reads, and whether the chip waits for it."""
    lowered = graph.lowered
    shape = lowered.network.input_shape if lowered.prepare is None else (1, *lowered.prepare.fielded)
    for layer in lowered.before:
        yield lowered.members[0], layer, [shape], False
        shape = layer.output_shape(shape)
    for member in lowered.members:
        for stage in member.stages:
            shapes = stage.shapes(lowered.stacks)
            for layer, inputs in stage.pairs:
                yield member, layer, [shapes[one] for one in inputs], stage is not member.tail


def _layers(
    graph: QuantGraph, placement: Placement, schedule: Schedule, timeline: Timeline, links: Links
) -> list[dict[str, Any]]:
    """One entry per chip layer: cycles from its first SHIFT to its last OUT (layers overlap a little), what binds it, and its
    bound: the busiest unit's cycles and its share of page loads."""
    batch = timeline.program.batch
    found = {quant.layer.name: {"cycles": 0, "together": 0, **dict.fromkeys(UNITS, 0.0)} for quant in graph.layers}
    page, segment = -1, -1
    for placed, span in zip(placement.scans, schedule.spans, strict=True):
        mine, scan = found[placed.scan.layer.name], placed.scan
        if span.page != page:
            page, segment = span.page, segment + 1
            mine["paging"] += timeline.charges.load_cycles(segment) / batch if timeline.page_loads else 0.0
        mine["cycles"] += span.last_cycle - span.first_cycle
        lines, steps = len(scan.starts_y), len(scan.starts_x)
        mine["array"] += lines * steps * scan.array_cycles
        mine["output"] += lines * steps * scan.output_cycles
        mine["input"] += scan.input_cycles
        mine["together"] += 0 if isinstance(scan, RegisterScan) else scan.bound_cycles
    entries = []
    for number, quant in enumerate(graph.layers):
        mine, layer = found[quant.layer.name], quant.layer
        binds = max(UNITS, key=lambda unit: mine[unit])
        busiest = max(mine[unit] for unit in UNITS if unit != "paging")
        bound = (busiest if graph.spec.wide else mine["together"]) + mine["paging"]
        cycles = mine["cycles"] + mine["paging"]
        used = links.neurons_n7[links.neurons_n7[:, 0] == number]
        entries.append({
            "name": layer.name, "where": "chip", "binds": binds, "cycles": round(cycles, 3), "bound_cycles": round(bound, 3),
            **{f"{unit}_cycles": round(mine[unit], 3) for unit in UNITS},
            "sqnr_db": quant.sqnr_db, "saturated_share": quant.saturated_share, "multiply_adds": layer.multiply_adds,
            "neurons": len(used), "rows": int(used[:, 6].sum()), "pages": len(np.unique(used[:, 4])),
        })  # fmt: skip
    return entries
