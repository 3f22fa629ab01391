"""What must hold for each instruction by itself, and for the memory, before a program can be walked."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.program import isa
from anna.program.file import Program
from anna.program.isa import Op
from anna.program.issued import Issued, moves
from anna.sequencer.timeline import Hazard

LARGEST_WINDOW = 1 << 24  # states of an image, however large the memory is: eight times that of the 1991 board

Broken = tuple[str, dict[str, Any]]  # a rule and the details of its sentence


def malformed(program: Program) -> list[Hazard]:
    """Every rule of the first group that is broken, in program order."""
    found = _instructions(program)
    return [*_shape(program), *found, *(() if found else _memory(program))]


def _shape(program: Program) -> Iterator[Hazard]:
    issued, stop = program.issued, isa.stop(program.spec).name
    ends = np.flatnonzero(issued.named("STOP", "END"))
    first = issued.forms[issued.form[0]].name if len(issued) else None
    found = None
    if first != "PAGE":
        found = f"begins with {first}" if first else "has no instructions"
    elif len(ends) != 1:
        found = f"has {len(ends)} {stop}"
    elif ends[0] != len(issued) - 1:
        found = f"continues after the {stop} at instruction {ends[0]}"
    if found:
        yield Hazard("program-shape", -1, {"found": found, "stop": stop})


def _instructions(program: Program) -> list[Hazard]:
    """Rules of instructions one by one: whatever their place, once for each form, and of their places, of all at once."""
    issued = program.issued
    broken = [tuple(_form_rules(program, form)) for form in issued.forms]
    wrong = _first_turns(issued, issued.of_form([len(rules) for rules in broken]) > 0)
    found = [Hazard(rule, index, details) for index in wrong for rule, details in broken[issued.form[index]]]
    return sorted([*found, *_place_rules(program)], key=lambda hazard: hazard.index)


def _first_turns(issued: Issued, wrong: NDArray[np.bool_]) -> list[int]:
    """Which instructions are wrong, each once as it is written: a loop may issue millions."""
    found = np.flatnonzero(wrong)
    return found[np.sort(np.unique(issued.word[found], return_index=True)[1])].tolist()  # type: ignore[no-any-return]


def _place_rules(program: Program) -> Iterator[Hazard]:
    """Addresses and pairs."""
    spec, issued = program.spec, program.issued
    moving = issued.of_form([moves(form) for form in issued.forms]).astype(bool)
    refresh = issued.named("RFSH")
    last = issued.place + issued.of_form([form.last_address if moves(form) else 0 for form in issued.forms])
    for index in _first_turns(issued, refresh & (issued.place >= spec.pairs)):
        yield Hazard("pair-exists", index, {"pair": int(issued.place[index]), "last": spec.pairs - 1})
    if spec.memory_states is not None:
        for index in _first_turns(issued, moving & (last >= spec.memory_states)):
            yield Hazard("address-exists", index, {"address": int(last[index]), "limit": spec.memory_states})
    if program.sequencer.aligned:
        for index in _first_turns(issued, moving & (issued.place % spec.word_states != 0)):
            yield Hazard("words-aligned", index, {"address": int(issued.place[index]), "size": spec.word_states})


def _form_rules(program: Program, op: Op) -> Iterator[Broken]:
    spec = program.spec
    match op.name:
        case "PAGE":
            if op["page"] >= len(program.weight_codes):
                yield "page-exists", {"page": op["page"], "last": len(program.weight_codes) - 1}
        case "SHIFT":
            yield from _shift_rules(program, op)
        case "STORE":
            held = [("register", "registers", spec.registers), ("latch", "latches", spec.latches)]
            for what, members, limit in held[:1] if spec.wide else held:
                for member in op.members(members):
                    if member >= limit:
                        yield "columns-exist", {"what": what, "value": member, "limit": limit}
            if spec.wide and not op["registers"]:
                yield "columns-exist", {"what": "register", "value": "(none)", "limit": spec.registers}
            elif not spec.wide and not (op["registers"] or op["latches"]):
                yield "something-stored", {}
        case "CALC":
            yield from _calc_rules(program, op)
        case "OUT":
            limit = spec.neurons_at_once if spec.wide else min(spec.neurons_at_once, spec.out_words * spec.word_states)
            if not 1 <= op.states <= limit:
                yield "states-moved", {"states": op.states, "limit": limit}
        case "WAIT":
            if op["cycles"] < 1:
                yield "time-passes", {}


def _shift_rules(program: Program, op: Op) -> Iterator[Broken]:
    spec = program.spec
    register = op["register"] if spec.wide else op["register"] - 1
    if register >= spec.registers:
        yield "columns-exist", {"what": "register", "value": register, "limit": spec.registers}
    if spec.wide:
        if op["first"] + op["width"] > spec.columns:
            yield "columns-exist", {"what": "column", "value": op["first"] + op["width"] - 1, "limit": spec.columns}
        if not 1 <= op.states <= op["width"]:
            yield "states-moved", {"states": op.states, "limit": op["width"]}
        return
    limit = min(spec.word_states, spec.columns)
    if not 1 <= op.states <= limit:
        yield "states-moved", {"states": op.states, "limit": limit}
    if register < 0 and spec.shift_from == "register":
        yield "source-given", {}


def _calc_rules(program: Program, op: Op) -> Iterator[Broken]:
    spec = program.spec
    if not 1 <= op["neurons"] <= spec.neurons_at_once:
        yield "neurons-fit", {"neurons": op["neurons"], "limit": spec.neurons_at_once}
        return
    rows = isa.rows_of(spec, isa.fan_in_of(spec, op), op["neurons"])
    if op["row"] + rows > spec.rows:
        yield "rows-exist", {"first": op["row"], "last": op["row"] + rows - 1, "limit": spec.rows - 1}
    if not spec.wide:
        each = max(1, isa.fan_in_of(spec, op) // spec.columns)
        if op["latch"] % each or op["latch"] + each > spec.latches:
            starts = ", ".join(str(latch) for latch in range(0, spec.latches - each + 1, each))
            yield "latches-fit", {"latch": op["latch"], "each": each, "starts": starts}
        return
    for register in op.per_row("registers"):
        if register >= spec.registers:
            yield "columns-exist", {"what": "register", "value": register, "limit": spec.registers}


def _memory(program: Program) -> Iterator[Hazard]:
    limit, window = program.spec.memory_states, program.window_states
    if limit is not None:
        for region in program.regions:
            if region.end > limit:
                yield Hazard("address-exists", -1, {"address": region.end - 1, "limit": limit})
        for address in program.constant_addresses[program.constant_addresses >= limit][:1]:
            yield Hazard("address-exists", -1, {"address": int(address), "limit": limit})
        if window <= limit < program.batch * window:
            yield Hazard("batch-fits", -1, {"batch": program.batch, "window": window, "need": program.batch * window,
                                            "limit": limit, "fits": limit // window})  # fmt: skip
    if window > LARGEST_WINDOW and (limit is None or window <= limit):
        yield Hazard("address-exists", -1, {"address": window - 1, "limit": LARGEST_WINDOW})
    for region in [region for region in program.regions if region.kind in ("input", "host")]:
        inside = np.isin(program.constant_addresses, region.addresses)
        for address in program.constant_addresses[inside][:1]:
            yield Hazard("regions-fit", -1, {"address": int(address), "kind": region.kind, "region": region.name})
    yield from _rounds(program)


def _rounds(program: Program) -> Iterator[Hazard]:
    """What the host writes."""
    regions = {region.name: region for region in program.regions if region.kind == "host"}
    written = [(one.segment, regions[each.region]) for one in program.rounds for each in one.writings]
    for name in sorted(regions.keys() - {region.name for _, region in written}):
        yield Hazard("host-writes", -1, {"region": name})
    for segment in sorted({segment for segment, _ in written}):
        addresses = np.concatenate([region.addresses.reshape(-1) for where, region in written if where == segment])
        different, count = np.unique(addresses, return_counts=True)
        for address in different[count > 1][:1].tolist():
            yield Hazard("host-apart", -1, {"address": address, "segment": segment})
