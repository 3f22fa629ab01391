"""All that a page needs to show one image on one or several chips: plain data, its arrays packed.

A page computes nothing that the interpreter defines: it replays cells, and multiplies weights by states to show products.
"""

import base64
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.chip import refresh
from anna.program import isa
from anna.program.file import Program
from anna.program.issued import moves
from anna.program.line import line_of
from anna.sequencer.layers import layer_names, layer_of_instructions
from anna.sequencer.rules import verified
from anna.sequencer.timeline import Ints, Timeline
from anna.trace.events import UNIT_OF, image_cycles, layers, page_loads, segment_starts, tracks
from anna.trace.recording import Recording, blocks

PACKED = {"int8": "i1", "int16": "i2", "int32": "i4", "float64": "f8"}  # types of an array, as a page knows them


def packed(array: NDArray[Any]) -> dict[str, Any]:
    """An array in the smallest type that holds it, deflated, as text; axes are the reader's business."""
    flat = np.ascontiguousarray(array).reshape(-1)
    low, high = (int(flat.min()), int(flat.max())) if flat.size else (0, 0)
    kinds = (np.int8, np.int16, np.int32)
    fits = [k for k in kinds if flat.dtype.kind != "f" and np.iinfo(k).min <= low and high <= np.iinfo(k).max]
    made = flat.astype(np.dtype(fits[0] if fits else np.float64).newbyteorder("<"))
    return {"type": PACKED[made.dtype.name], "data": _deflated(made.tobytes())}


def _deflated(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 9)).decode()


def steps(values: Ints) -> Ints:
    """Differences from each to the next, which pack better; the first one counts from 0."""
    return np.diff(values, prepend=0)


def program_data(program: Program) -> dict[str, Any]:
    """What is the same on every chip: the chip's sizes, the program, its timeline."""
    timeline, spec = verified(program), program.spec
    wide = {"period": spec.refresh_period_cycles, "written": packed(refresh.write_cycles(spec))} if spec.wide else None
    return {
        "name": program.name,
        "batch": program.batch,
        "chip": {"rows": spec.rows, "columns": spec.columns, "dacs": spec.dacs, "groups": spec.groups,
                 "stateBits": spec.state_bits, "weightBits": spec.weight_bits, "calcCycles": spec.calc_cycles,
                 "fractionBits": spec.weight_fraction_bits, "cycleNs": spec.cycle_ns, "wide": spec.wide,
                 "neurons": spec.neurons_at_once, "weightLevels": spec.weight_levels},
        "refresh": wide,
        "blocks": [[block.name, block.first, block.cells] for block in blocks(program)],
        "regions": [{"name": region.name, "kind": region.kind, "address": region.address, "shape": region.shape,
                     "steps": region.steps} for region in program.regions],
        "pages": packed(program.weight_codes),
        "scales": packed(program.scale_codes),
        "cycles": float(image_cycles(timeline)),
        "layers": [[layer.name, float(layer.start), float(layer.cycles)] for layer in layers(timeline)],
        "segments": _segments(timeline),
        "instructions": _instructions(timeline),
        "calcs": _calcs(timeline),
    }  # fmt: skip


def _segments(timeline: Timeline) -> list[dict[str, Any]]:
    """Page, load and time of each segment."""
    rows = [[]] * len(timeline.segments) if timeline.spec.wide else [r.tolist() for r in timeline.charges.loaded_rows]
    return [
        {"page": segment.page, "load": float(load.start), "loadCycles": float(load.cycles),
         "start": float(load.start + load.cycles), "cycles": segment.cycles, "rows": mine}
        for segment, load, mine in zip(timeline.segments, page_loads(timeline), rows, strict=True)
    ]  # fmt: skip


def _instructions(timeline: Timeline) -> dict[str, Any]:
    """Of each instruction: what it is, when it works, for which layer, and which addresses of the memory it touches."""
    program, spec = timeline.program, timeline.spec
    ops, units = program.ops, ("sequencer", *tracks(spec))
    names = sorted({op.name for op in ops})
    starts = np.array([float(start) for start in segment_starts(timeline)])
    touched = [op.addresses if moves(op) else np.zeros(0, np.int64) for op in ops]
    return {
        "names": names,
        "units": units,
        "name": packed(np.array([names.index(op.name) for op in ops])),
        "unit": packed(np.array([units.index(UNIT_OF.get(op.name, op.instruction.unit.value)) for op in ops])),
        "start": packed(steps(starts[timeline.segment] + timeline.start)),
        "cycles": packed(timeline.end - timeline.start),
        "stall": packed(timeline.stall),
        "segment": packed(timeline.segment),
        "layer": packed(layer_of_instructions(timeline)),
        "layers": layer_names(program),
        "touched": packed(np.array([len(addresses) for addresses in touched])),
        "addresses": packed(steps(np.concatenate([np.zeros(0, np.int64), *touched]))),
        "result": packed(np.where(timeline.first_result >= 0, timeline.first_result - timeline.values.fixed, -1)),
        "text": _deflated("\n".join(line_of(spec, op) for op in ops).encode()),
    }


def _calcs(timeline: Timeline) -> dict[str, Any]:
    """Of each CALC: its synapses, the latch that each of its rows reads, and where in the memory its states came from."""
    of, spec, ops = timeline.columns, timeline.spec, timeline.program.ops
    latches = [isa.latches_of(spec, ops[index]) for index in of.index.tolist()]
    return {
        "index": packed(of.index),
        "page": packed(of.page),
        "cycle": packed(of.cycle),
        "fanIn": packed(of.fan_in),
        "row": packed(of.row),
        "neurons": packed(of.neurons),
        "rows": packed(np.array([len(rows) for rows in latches])),
        "latches": packed(np.array([latch for rows in latches for latch in rows])),
        "origins": packed(_addresses(timeline)[of.values]),
    }


def _addresses(timeline: Timeline) -> Ints:
    """Where each value lies in the memory while it is used; -1: nowhere."""
    program, values = timeline.program, timeline.values
    found = np.full(values.total(len(timeline.columns)), -1, np.int64)
    found[: values.inputs] = program.input.addresses.reshape(-1)
    found[values.given : values.reset] = program.constant_addresses
    regions = {region.name: region.addresses for region in program.regions}
    for exchange in timeline.exchanges:
        for name, written in exchange.writes.items():
            found[written.reshape(-1)] = regions[name].reshape(-1)
    for index, stored in timeline.stored.items():
        found[stored] = program.ops[index].addresses
    return found


def chip_data(program: Program, recording: Recording) -> dict[str, Any]:
    """What happened on one chip."""
    thresholds, which = np.unique(recording.thresholds, axis=0, return_inverse=True)
    return {
        "begin": packed(recording.begin),
        "changed": packed(recording.changed),
        "cells": packed(steps(recording.cells)),
        "values": packed(recording.values),
        "states": packed(recording.states),
        "weights": packed(_since_last_use(program, recording.weights)),
        "sums": packed(recording.sums),
        "thresholds": packed(thresholds),
        "threshold": packed(which),
        "codes": packed(recording.codes),
        "drives": packed(recording.drives),
        "driveOf": packed(recording.drive_of),
        "results": _results(program, recording.outputs),
    }


def _since_last_use(program: Program, weights: Ints) -> Ints:
    """How the weight of each operand differs from what its synapse had in the CALC before: nearly always nothing."""
    of, spec = verified(program).columns, program.spec
    first, count = of.first_place(spec), of.neurons * of.fan_in
    last, found, begin = np.zeros(program.weight_codes.size, np.int64), np.empty_like(weights), 0
    for place, operands in zip(first.tolist(), count.tolist(), strict=True):
        mine = weights[begin : begin + operands]
        found[begin : begin + operands] = mine - last[place : place + operands]
        last[place : place + operands] = mine
        begin += operands
    return found


def _results(program: Program, outputs: Mapping[str, Ints]) -> dict[str, Any]:
    """What the host makes of a chip's outputs, of a compiled network."""
    if program.host is None or not program.host.tails:
        return {}
    found = program.host.results(program.spec, {name: codes.astype(np.uint16)[None] for name, codes in outputs.items()})
    return {name: values[0].reshape(-1).tolist() for name, values in found.items()}
