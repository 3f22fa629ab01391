"""What makes a program legal, as a table of rules.

`RULES` states each rule and the sentence that a user gets. The first group looks at instructions one by one; the second
at what happens in time, as `anna.sequencer.timeline` walks it, and is checked only if the first group holds.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from anna.base.errors import IllegalProgram
from anna.program import isa
from anna.program.file import Program
from anna.program.isa import Op
from anna.program.line import line_of
from anna.sequencer.timeline import Hazard, Timeline
from anna.sequencer.walk import elaborate


@dataclass(frozen=True)
class Rule:
    """One rule: what must hold, and the message where it does not."""

    statement: str
    sentence: str


RULES = {
    # --- each instruction by itself
    "program-shape": Rule(
        "A program begins with PAGE and ends with its only STOP; END on a wide chip.",
        "{found}; a program begins with PAGE and ends with its only {stop}",
    ),
    "page-exists": Rule(
        "A page is resident before use: PAGE names a page that the program holds.",
        "page {page} does not exist; the program holds pages 0 to {last}",
    ),
    "columns-exist": Rule(
        "A SHIFT stays within the columns of an existing register.",
        "{what} {value} does not exist; the chip has {limit} {what}s",
    ),
    "states-moved": Rule(
        "A SHIFT or OUT moves at least one state, and a SHIFT no more than its columns.",
        "moves {states} states; it can move 1 to {limit}",
    ),
    "address-exists": Rule(
        "Addresses lie inside the state memory.",
        "address {address} lies outside the memory of {limit} states",
    ),
    "neurons-fit": Rule(
        "A CALC has at least one neuron and no more than the chip computes at once.",
        "{neurons} neurons; a CALC computes 1 to {limit}",
    ),
    "rows-exist": Rule(
        "The rows of a CALC exist.",
        "needs rows {first} to {last}; the chip has rows 0 to {limit}",
    ),
    "pair-exists": Rule("An RFSH writes a pair that exists.", "pair {pair} does not exist; the chip has pairs 0 to {last}"),
    "source-given": Rule(
        "A SHIFT names the register that it shifts, on a chip that shifts nothing else.",
        "names no register; on this chip (shift_from=register) a SHIFT goes on from a register",
    ),
    "something-stored": Rule("A STORE names registers or latches.", "names neither a register nor a latch"),
    "latches-fit": Rule(
        "The latches of a CALC exist, and the first is a multiple of how many its neurons read.",
        "reads {each} latches from latch {latch} on; it can begin at {starts}",
    ),
    "words-aligned": Rule(
        "A word begins at a multiple of its size, where the sequencer reads aligned words only.",
        "reaches address {address}; words of this sequencer begin at multiples of {size}",
    ),
    "time-passes": Rule("A WAIT waits at least one cycle.", "waits 0 cycles; a WAIT waits at least 1"),
    "batch-fits": Rule(
        "The windows of a batch fit into the state memory.",
        "a batch of {batch} images needs {batch} x {window} = {need} states, but the memory holds {limit}; "
        "choose a batch of at most {fits}",
    ),
    "regions-fit": Rule(
        "Constants lie outside the region of the image.",
        "the constant at address {address} lies inside input region {region}",
    ),
    # --- in time
    "register-held": Rule(
        "A register is not overwritten while a CALC reads it.",
        "overwrites {what} {register} in cycle {cycle}, which {reader} reads until cycle {until}; "
        "insert WAIT cycles={wait} before it",
    ),
    "defined-before-read": Rule(
        "A SHIFT reads only addresses that hold something: pixels, constants or results.",
        "reads address {address}, which was never written",
    ),
    "written-before-read": Rule(
        "A state is read only after it has arrived in memory.",
        "reads address {address} in cycle {cycle}, but it is readable from cycle {ready}; insert WAIT cycles={wait} before it",
    ),
    "read-before-overwritten": Rule(
        "A state is overwritten only after earlier instructions have read it.",
        "overwrites address {address} in cycle {cycle}, but an earlier SHIFT reads it in cycle {read}; "
        "insert WAIT cycles={wait} before it",
    ),
    "constants-kept": Rule(
        "Constants are not overwritten: the next image needs them.",
        "overwrites the constant at address {address}",
    ),
    "result-exists": Rule(
        "An OUT follows a CALC whose results have not been taken yet.",
        "no CALC before it has results left to take",
    ),
    "results-enough": Rule(
        "An OUT takes no more results than its CALC has neurons.",
        "takes {wanted} results, but {calc} has {neurons}",
    ),
    "results-kept": Rule(
        "Results are taken before the next CALC replaces them.",
        "its results are replaced by those of {by} before they are taken",
    ),
    "results-taken": Rule(
        "Results are taken before the page segment ends.",
        "its results are never taken",
    ),
    "state-under-weight": Rule(
        "A synapse that carries current reads a state that was stored.",
        "neuron {neuron} reads column {column} of {what} {register}, which was never stored, with a nonzero weight at "
        "page {page} row {row} column {column}",
    ),
    "outputs-written": Rule(
        "Every state of an output region is written.",
        "output region {region} is never written at {place}",
    ),
}

_INSTRUCTIONS = ("reader", "by", "calc")  # details that name an instruction


@dataclass(frozen=True)
class Violation:
    """One broken rule, with its message."""

    rule: str
    index: int | None  # instruction
    sentence: str


def violations(program: Program) -> tuple[list[Violation], Timeline | None]:
    """Every broken rule, in program order, and the timeline if the program could be walked; in a loop, its first turn's."""
    hazards = _first_turns(program, _well_formed(program))
    if hazards:
        return [_violation(program, hazard) for hazard in hazards], None
    timeline = elaborate(program)
    return [_violation(program, hazard) for hazard in _first_turns(program, timeline.hazards)], timeline


def _first_turns(program: Program, hazards: Iterable[Hazard]) -> list[Hazard]:
    """What is wrong, once for each instruction as it is written: not again in each turn of its loop."""
    first, found = dict[tuple[str, int], int](), dict[tuple[str, int, str], Hazard]()
    for hazard in hazards:
        place = program.places[hazard.index] if hazard.index >= 0 else -1
        if first.setdefault((hazard.rule, place), hazard.index) == hazard.index:
            found.setdefault((hazard.rule, hazard.index, str(hazard.details)), hazard)
    return list(found.values())


@lru_cache(maxsize=16)
def verified(program: Program) -> Timeline:
    """The timeline of a legal program; raises IllegalProgram with everything that is wrong.

    A timeline does not depend on the chip's imperfections, so the last few are cached: many chips run one program.
    """
    found, timeline = violations(program)
    if found or timeline is None:
        raise IllegalProgram([violation.sentence for violation in found])
    return timeline


def _violation(program: Program, hazard: Hazard) -> Violation:
    details = {key: _name(program, value) if key in _INSTRUCTIONS else value for key, value in hazard.details.items()}
    what = RULES[hazard.rule].sentence.format(**details)
    if hazard.index < 0:
        return Violation(hazard.rule, None, f"program {program.name}: {what}")
    return Violation(hazard.rule, hazard.index, f"{_name(program, hazard.index)}: {what}")


def _name(program: Program, index: int) -> str:
    return f"instruction {index} ({line_of(program.spec, program.ops[index])})"


# --- each instruction by itself --------------------------------------------------------------------------------------
def _well_formed(program: Program) -> Iterator[Hazard]:
    ops = program.ops
    ends, stop = [i for i, op in enumerate(ops) if op.ends], isa.stop(program.spec).name
    if not ops or ops[0].name != "PAGE":
        found = f"begins with {ops[0].name}" if ops else "has no instructions"
        yield Hazard("program-shape", -1, {"found": found, "stop": stop})
    elif ends != [len(ops) - 1]:
        found = f"has {len(ends)} {stop}" if len(ends) != 1 else f"continues after the {stop} at instruction {ends[0]}"
        yield Hazard("program-shape", -1, {"found": found, "stop": stop})
    formed = True
    for index, op in enumerate(ops):
        for rule, details in _op_rules(program, op):
            formed = False
            yield Hazard(rule, index, details)
    if formed:
        yield from _memory_rules(program)


def _op_rules(program: Program, op: Op) -> Iterator[tuple[str, dict[str, Any]]]:
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
        case "RFSH":
            if op["pair"] >= spec.pairs:
                yield "pair-exists", {"pair": op["pair"], "last": spec.pairs - 1}
        case "WAIT":
            if op["cycles"] < 1:
                yield "time-passes", {}
    if op.name in ("SHIFT", "OUT") and op.states:
        if spec.memory_states is not None and op.last_address >= spec.memory_states:
            yield "address-exists", {"address": op.last_address, "limit": spec.memory_states}
        if program.sequencer.aligned and op["address"] % spec.word_states:
            yield "words-aligned", {"address": op["address"], "size": spec.word_states}


def _shift_rules(program: Program, op: Op) -> Iterator[tuple[str, dict[str, Any]]]:
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


def _calc_rules(program: Program, op: Op) -> Iterator[tuple[str, dict[str, Any]]]:
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


def _memory_rules(program: Program) -> Iterator[Hazard]:
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
    elif window > 1 << 28:
        yield Hazard("address-exists", -1, {"address": window - 1, "limit": 1 << 28})
    inside = np.isin(program.constant_addresses, program.input.addresses)
    for address in program.constant_addresses[inside][:1]:
        yield Hazard("regions-fit", -1, {"address": int(address), "region": program.input.name})
