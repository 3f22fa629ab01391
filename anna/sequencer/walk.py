"""The control plane: a program walked once, cycle by cycle, moving addresses instead of values.

ANNA's control flow never depends on data, so one walk tells what happens when, for every image. What breaks a rule of time or
data on the way is recorded; `anna.sequencer.rules` says it. The loop itself is compiled (`anna.sequencer.stepping`); here the
program and the rules of timing become arrays for it, and what it finds a timeline.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import IllegalProgram
from anna.chip import codes
from anna.chip.spec import ChipSpec, Sequencer
from anna.native.loader import compiled
from anna.program import isa
from anna.program.file import Program
from anna.program.isa import Op
from anna.program.issued import moves
from anna.sequencer import exchanges
from anna.sequencer.timeline import UNDEFINED, Calcs, Hazard, Ints, Segment, Timeline, Values
from anna.sequencer.timing import ENDS, busy_cycles, held_cycles, waits_table
from anna.sequencer.wellformed import malformed

ENDS_AS = {"END": "STOP"}  # a wide chip's name for the same


def elaborate(program: Program) -> Timeline:
    """Walk a program whose instructions are well formed (see `anna.sequencer.rules`); hazards are recorded, not raised."""
    if wrong := malformed(program):
        where = f" at instruction {wrong[0].index}" if wrong[0].index >= 0 else ""
        raise IllegalProgram([f"program {program.name} breaks the rule {wrong[0].rule}{where}; anna.violations says how"])
    return walked(program)


def walked(program: Program) -> Timeline:
    """The same without looking whether instructions are well formed."""
    spec, issued = program.spec, program.issued
    host = exchanges.host_states(program)
    values = Values(program.input.size, len(program.constant_addresses), spec.neurons_at_once, host)
    kinds: tuple[str, ...] = compiled("anna.sequencer.stepping").KINDS
    kind = np.array([kinds.index(ENDS_AS.get(form.name, form.name)) for form in issued.forms], np.int64)
    each = kind[issued.form]
    pages, calcs = np.flatnonzero(each == kinds.index("PAGE")), np.flatnonzero(each == kinds.index("CALC"))
    forms, memory = _forms(spec, program.sequencer, issued.forms, kind), _memory(program, values)
    size = (forms["fan_in"] * forms["neurons"])[issued.form[calcs]]
    none, rounds = np.zeros(len(issued), np.int64), exchanges.steps(program, len(pages), values.inputs)
    found: dict[str, Any] = {
        "start": none.copy(),
        "end": none.copy(),
        "stall": none.copy(),
        "first_result": none - 1,
        "segment_cycles": np.zeros(len(pages), np.int64),
        "operands": np.empty(size.sum(), np.int32),
        "exchanged": np.empty(len(rounds["exchange_value"]), np.int32),
    }
    live = codes.weight_converter(spec).numerators[program.weight_codes] != 0
    constant = np.zeros(len(memory), np.uint8)
    constant[program.constant_addresses] = True
    steps = {**forms, **rounds, "form": issued.form, "place": issued.place, "calc_index": calcs, "constant": constant,
             "live": live.reshape(-1).view(np.uint8)}  # fmt: skip
    hazards = compiled("anna.sequencer.stepping").Walk(
        _chip(spec, program.sequencer, values), steps, _state(spec, memory), found
    ).run()  # fmt: skip
    exchanged = exchanges.found(program, found["exchanged"])
    hazards = [*(Hazard(*hazard) for hazard in hazards), *exchanges.hazards(exchanged, pages)]

    outputs = {region.name: memory[region.addresses].astype(np.int64) for region in program.readable}
    for name, held in outputs.items():
        if (held == UNDEFINED).any():
            place = tuple(int(i) for i in np.argwhere(held == UNDEFINED)[0])
            hazards.append(Hazard("outputs-written", len(issued) - 1, {"region": name, "place": place}))
    segment, page = np.cumsum(each == kinds.index("PAGE")) - 1, forms["amount"][issued.form[pages]]
    segments = tuple(map(Segment, page.tolist(), pages.tolist(), found["segment_cycles"].tolist()))
    of = {name: forms[name][issued.form[calcs]] for name in ("fan_in", "row", "neurons")}
    columns = Calcs(calcs, segment[calcs], page[segment[calcs]], found["start"][calcs], **of, values=found["operands"])
    return Timeline(program, values, found["start"], found["end"], found["stall"], segment, segments, columns, outputs,
                    found["first_result"], tuple(hazards), exchanged)  # fmt: skip


def _chip(spec: ChipSpec, sequencer: Sequencer, values: Values) -> dict[str, Any]:
    """The chip, and the rules of timing as (instruction, end) cycles."""
    return {"wide": spec.wide, "issue_width": spec.issue_width, "states_in": spec.states_in_per_cycle,
            "states_out": spec.states_out_per_cycle, "latency": spec.memory_latency_cycles, "rows": spec.rows,
            "columns": spec.columns, "neurons_at_once": spec.neurons_at_once, "reset": values.reset,
            "first_result": values.fixed, "waits": waits_table(spec, sequencer)}  # fmt: skip


def _memory(program: Program, values: Values) -> NDArray[np.int32]:
    """The value at each address before the first instruction."""
    memory = np.full(program.window_states, UNDEFINED, np.int32)
    memory[program.input.addresses.reshape(-1)] = np.arange(values.inputs)
    memory[program.constant_addresses] = values.given + np.arange(values.constants)
    return memory


def _state(spec: ChipSpec, memory: NDArray[np.int32]) -> dict[str, NDArray[Any]]:
    """Room for everything that changes; PAGE sets all but the memory."""
    shift, stored, hold = (np.empty((count, spec.columns), np.int32) for count in (spec.shifters, spec.registers, spec.latches))
    readable, last_read, until, reader, ends, untaken = (
        np.zeros(size, np.int64) for size in (len(memory), len(memory), spec.latches, spec.latches, len(ENDS), 3)
    )
    return {"memory": memory, "readable": readable, "last_read": last_read, "shift": shift, "stored": stored, "hold": hold,
            "hold_read_until": until, "hold_reader": reader, "ends": ends, "untaken": untaken}  # fmt: skip


def _forms(spec: ChipSpec, sequencer: Sequencer, forms: tuple[Op, ...], kind: Ints) -> dict[str, NDArray[Any]]:
    """Everything that the loop has to know of the forms, an array for each field."""
    rows = [_form(spec, sequencer, form) for form in forms]
    numbers = {name: np.array([row[name] for row in rows], np.int64) for name in rows[0] if name not in _MASKS}
    masks = {name: np.array([row[name] for row in rows], np.uint64) for name in _MASKS}
    offsets = [form.addresses if moves(form) else np.zeros(0, np.int64) for form in forms]
    reads = [isa.latches_of(spec, form) if form.name == "CALC" else () for form in forms]
    return {"kind": kind, **numbers, **masks, **_lists("offset", offsets), **_lists("read", reads)}


_MASKS = ("registers", "latches")


def _form(spec: ChipSpec, sequencer: Sequencer, op: Op) -> Mapping[str, int]:
    """A form's numbers, 0 for what its instruction has not."""
    calc, shift, store = op.name == "CALC", op.name == "SHIFT", op.name == "STORE"
    through = shift and not spec.wide and op["register"] and spec.shift_from != "shifter"
    return {
        "amount": op.get("page", 0) + op.get("cycles", 0),
        "cycles": busy_cycles(spec, op),
        "held": held_cycles(spec, sequencer, op),
        "states": op.states if moves(op) else 0,
        "first": op.get("first", 0),
        "width": op.get("width", spec.columns if shift else 0),
        "shifter": op["register"] if shift and spec.wide else 0,
        "source": op["register"] - 1 if through else -1,  # the register whose states are shifted
        "fan_in": isa.fan_in_of(spec, op) if calc else 0,
        "row": op["row"] if calc else 0,
        "neurons": op["neurons"] if calc else 0,
        "registers": op["registers"] if store and not spec.wide else 0,
        "latches": op["registers" if spec.wide else "latches"] if store else 0,
    }


def _lists(name: str, lists: list[Any]) -> dict[str, Ints]:
    """Lists one after another, and where each begins."""
    sizes = np.array([len(one) for one in lists], np.int64)
    joined = np.concatenate([np.zeros(0, np.int64), *(np.asarray(one, np.int64) for one in lists)])
    return {name: joined, f"{name}s_of": np.cumsum(sizes) - sizes}
