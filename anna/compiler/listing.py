"""The listing: what runs where, what binds each layer, how good its states are; as JSON and as text."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from anna.chip.spec import BoardSpec
from anna.compiler.emit import NO_TAP, Links
from anna.compiler.geometry import Scan
from anna.compiler.options import CompileOptions
from anna.compiler.place import Placement
from anna.compiler.quantised import QuantGraph
from anna.compiler.schedule import Schedule
from anna.sequencer.timeline import Timeline

UNITS = ("array", "input", "output", "paging")


def report(
    graph: QuantGraph, placement: Placement, schedule: Schedule, timeline: Timeline, links: Links, options: CompileOptions
) -> dict[str, Any]:
    """The report on a compilation, as JSON."""
    network, spec = graph.lowered.network, graph.spec
    host = _host(graph, options.board)
    layers = _layers(graph, placement, schedule, timeline, links) + host["layers"]
    chip_rate = options.board.chips * spec.clock_hz / timeline.cycles_per_image
    host_rate = host["images_per_s"]
    return {
        "network": network.name,
        "data": network.data,
        "cycles_per_image": timeline.cycles_per_image,
        "run_cycles": timeline.run_cycles,
        "bound_cycles": round(sum(entry["bound_cycles"] for entry in layers if entry["where"] == "chip"), 3),
        "chip_us_per_image": round(timeline.seconds_per_image * 1e6, 6),
        "host_us_per_image": None if not host_rate else round(1e6 / host_rate, 6),
        "board": options.board.name,
        "board_images_per_s": round(min(chip_rate, host_rate or chip_rate), 3),
        "board_binds": "host" if host_rate is not None and host_rate < chip_rate else "chip",
        "synapses_used": int((links.taps_prc != NO_TAP).sum()),
        "pages": placement.pages,
        "page_loads": timeline.page_loads,
        "batch": options.batch,
        "chip_connections": network.connections - host["connections"],
        "host_connections": host["connections"],
        "chip_multiply_adds": network.multiply_adds - host["multiply_adds"],
        "host_multiply_adds": host["multiply_adds"],
        "layers": layers,
        "placement": [
            {"layer": p.scan.layer.name, "page": p.page, "first_row": p.row, "rows": p.scan.rows, "maps": list(p.scan.outputs),
             "positions": [p.scan.down, p.scan.right], "registers": [len(held.taps) for held in p.scan.registers],
             "constants": p.scan.constants} for p in placement.scans
        ],
        "options": options.model_dump(mode="json", exclude={"board"}),
    }  # fmt: skip


def _host(graph: QuantGraph, board: BoardSpec) -> dict[str, Any]:
    layers, connections, multiply_adds = list[dict[str, Any]](), 0, 0
    for member in graph.lowered.members:
        shape = member.layers[-1].output_shape
        for layer in member.host:
            products = layer.multiply_adds(shape)
            connections += layer.connections(shape)
            multiply_adds += products
            rate = board.host_multiply_adds_per_s
            layers.append({
                "name": f"{member.prefix}{layer.name}", "where": "host", "binds": "host", "cycles": None, "bound_cycles": None,
                "sqnr_db": None, "saturated_share": None, "multiply_adds": products,
                "us": None if rate is None else round(products / rate * 1e6, 6),
            })  # fmt: skip
            shape = layer.output_shape(shape)
    rate = board.host_multiply_adds_per_s
    per_s = rate / multiply_adds if rate is not None and multiply_adds else None
    return {"layers": layers, "connections": connections, "multiply_adds": multiply_adds, "images_per_s": per_s}


def _layers(
    graph: QuantGraph, placement: Placement, schedule: Schedule, timeline: Timeline, links: Links
) -> list[dict[str, Any]]:
    """One entry per chip layer: cycles from its first SHIFT to its last OUT (layers overlap a little), what binds it, and its
    bound: the busiest unit's cycles and its share of page loads."""
    spec, batch = graph.spec, timeline.program.batch
    load = spec.refresh_period_cycles / batch if timeline.page_loads else 0.0
    found = {quant.layer.name: {"cycles": 0, "together": 0, **dict.fromkeys(UNITS, 0.0)} for quant in graph.layers}
    page = -1
    for placed, span in zip(placement.scans, schedule.spans, strict=True):
        mine, scan = found[placed.scan.layer.name], placed.scan
        if span.page != page:
            page = span.page
            mine["paging"] += load
        mine["cycles"] += span.last_cycle - span.first_cycle
        lines, steps = len(scan.starts_y), len(scan.starts_x)
        mine["array"] += lines * steps * scan.array_cycles
        mine["output"] += lines * steps * scan.output_cycles
        mine["input"] += scan.input_cycles
        mine["together"] += 0 if isinstance(scan, Scan) else scan.bound_cycles
    entries = []
    for number, quant in enumerate(graph.layers):
        mine, layer = found[quant.layer.name], quant.layer
        binds = max(UNITS, key=lambda unit: mine[unit])
        busiest = max(mine[unit] for unit in UNITS if unit != "paging")
        bound = (busiest if spec.wide else mine["together"]) + mine["paging"]
        cycles = mine["cycles"] + mine["paging"]
        used = links.neurons_n7[links.neurons_n7[:, 0] == number]
        entries.append({
            "name": layer.name, "where": "chip", "binds": binds, "cycles": round(cycles, 3), "bound_cycles": round(bound, 3),
            **{f"{unit}_cycles": round(mine[unit], 3) for unit in UNITS},
            "sqnr_db": quant.sqnr_db, "saturated_share": quant.saturated_share, "multiply_adds": layer.multiply_adds,
            "neurons": len(used), "rows": int(used[:, 6].sum()), "pages": len(np.unique(used[:, 4])),
        })  # fmt: skip
    return entries


def listing(report: Mapping[str, Any]) -> str:
    """The report of a compiled program as text."""
    head = [
        f"{report['network']}: {report['cycles_per_image']:,.0f} cycles = {report['chip_us_per_image']:,.1f} us per image "
        f"on the chip (bound {report['bound_cycles']:,.0f}), {report['board_images_per_s']:,.0f} images/s on "
        f"{report['board']} (bound by the {report['board_binds']})",
        f"{report['synapses_used']:,} synapses on {report['pages']} page(s), batch {report['batch']}; "
        f"{report['chip_multiply_adds']:,} multiply-adds on the chip, {report['host_multiply_adds']:,} on the host "
        f"({_share(report):.1f} %)",
        "",
        f"{'layer':14s} {'where':5s} {'binds':7s} {'cycles':>10s} {'bound':>10s} {'near':>7s} {'SQNR dB':>8s} "
        f"{'saturated':>9s} {'rows':>5s} {'pages':>5s}",
    ]
    for entry in report["layers"]:
        if entry["where"] == "host":
            time = "" if entry["us"] is None else f"{entry['us']:,.1f} us"
            head.append(f"{entry['name']:14s} {'host':5s} {'host':7s} {time:>10s}")
            continue
        near = entry["bound_cycles"] / entry["cycles"] if entry["cycles"] else 1.0
        head.append(
            f"{entry['name']:14s} {'chip':5s} {entry['binds']:7s} {entry['cycles']:10,.0f} {entry['bound_cycles']:10,.0f} "
            f"{100 * near:6.1f}% {entry['sqnr_db']:8.1f} {100 * entry['saturated_share']:8.1f}% {entry['rows']:5d} "
            f"{entry['pages']:5d}"
        )
    head += ["", "where it lies"]
    for place in report["placement"]:
        maps = place["maps"]
        named = f"maps {maps[0]}" if len(maps) == 1 else f"maps {maps[0]} to {maps[-1]} ({len(maps)})"
        head.append(
            f"  page {place['page']:3d} rows {place['first_row']:2d} to {place['first_row'] + place['rows'] - 1:2d}  "
            f"{place['layer']:14s} {named}, {place['positions'][0]}x{place['positions'][1]} positions at once, registers of "
            f"{'+'.join(map(str, place['registers']))} columns and {place['constants']} constants"
        )
    return "\n".join(head) + "\n"


def _share(report: Mapping[str, Any]) -> float:
    total = report["chip_multiply_adds"] + report["host_multiply_adds"]
    return 100.0 * report["host_multiply_adds"] / total if total else 0.0
