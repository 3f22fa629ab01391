"""Recordings: replayed, they are the interpreter at every instruction; packed and unpacked, they are the same."""

import base64
import json
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from random_programs import legal_programs, random_codes
from random_published import published_programs

import anna
import lenet
from anna.base.errors import MachineError
from anna.trace import recording
from anna.trace.recording import Recording, blocks, record
from anna.trace.watched import PACKED, chip_data, packed, program_data, steps


def unpacked(found: dict[str, Any]) -> Any:
    kinds = {name: kind for kind, name in PACKED.items()}
    return np.frombuffer(zlib.decompress(base64.b64decode(found["data"])), np.dtype(kinds[found["type"]]).newbyteorder("<"))


def chip_of(seed: int | None) -> anna.Chip:
    return anna.Chip() if seed is None else anna.Chip(seed=seed)


def both(program: anna.Program, seed: int | None) -> tuple[Recording, anna.Interpreter]:
    """A recording, and an interpreter of the same run before its first instruction."""
    codes, silicon = random_codes(program, 1, 1)[0], chip_of(seed).silicon(program.spec)
    return record(program, codes, silicon, noise_seed=5, image_id=2), anna.Interpreter(
        program, codes, silicon, noise_seed=5, image_id=2
    )


@settings(max_examples=40, deadline=None)
@given(program=legal_programs() | published_programs(), seed=st.sampled_from([None, 3]))
def test_replayed_cells_are_the_interpreter_s_after_every_instruction(program: anna.Program, seed: int | None) -> None:
    found, machine = both(program, seed)
    block = {one.name: slice(one.first, one.first + one.cells) for one in blocks(program)}
    cells, at = found.begin.copy(), 0
    for changed in found.changed.tolist():
        machine.step()
        cells[found.cells[at : at + changed]] = found.values[at : at + changed]
        at += changed
        assert np.array_equal(cells[block["memory"]], machine.state.memory)
        if program.spec.wide:
            held = {f"shift {k}": machine.shifter(k) for k in range(program.spec.shifters)}
            held |= {f"register {k}": machine.register(k) for k in range(program.spec.registers)}
        else:
            held = {"shifter": machine.shifter(), "charges": machine.state.written}
            held |= {f"register {k}": machine.register(k) for k in range(program.spec.registers)}
            held |= {f"latch {k}": machine.latch(k) for k in range(program.spec.latches)}
        assert {"memory", *held} == {name for name in block if name != "charges" or not program.spec.wide}
        for name, states in held.items():
            assert np.array_equal(cells[block[name]], states), name
    assert machine.done and at == len(found.cells)


@settings(max_examples=40, deadline=None)
@given(program=legal_programs() | published_programs(), seed=st.sampled_from([None, 3]))
def test_calcs_are_the_interpreter_s_and_their_ages_follow_from_the_cells(program: anna.Program, seed: int | None) -> None:
    found, machine = both(program, seed)
    block = {one.name: slice(one.first, one.first + one.cells) for one in blocks(program)}
    operand, neuron, at, cells, timeline = 0, 0, 0, found.begin.copy(), anna.verified(program)
    calcs = list[Any]()
    machine.hooks.append(calcs.append)
    for changed in found.changed.tolist():
        before = len(calcs)
        machine.step()
        cells[found.cells[at : at + changed]] = found.values[at : at + changed]
        at += changed
        for calc in calcs[before:]:
            mine, sums = slice(operand, operand + calc.states.size), slice(neuron, neuron + len(calc.codes))
            assert np.array_equal(found.states[mine], calc.states.reshape(-1))
            assert np.array_equal(found.weights[mine], calc.weights.reshape(-1))
            assert np.array_equal(found.sums[sums], calc.sums) and np.array_equal(found.codes[sums], calc.codes)
            assert np.array_equal(found.thresholds[sums], calc.thresholds)
            if seed is None:
                drives = found.drives.reshape(-1)[found.states[mine]]
                assert np.array_equal((found.weights[mine] * drives).reshape(calc.states.shape).sum(axis=1), calc.sums)
            if not program.spec.wide:
                pairs = (calc.rows * program.spec.columns + calc.columns) // program.spec.dacs
                assert np.array_equal(timeline.calcs[calc.ordinal].cycle - cells[block["charges"]][pairs], calc.ages)
            operand, neuron = mine.stop, sums.stop
    assert (operand, neuron) == (len(found.weights), len(found.codes))


@settings(max_examples=40, deadline=None)
@given(program=legal_programs() | published_programs())
def test_the_page_s_data_tell_where_each_operand_came_from(program: anna.Program) -> None:
    """Read from there just before the CALC, or written there before by nobody else, it is the operand's state."""
    codes = random_codes(program, 1, 1)[0]
    found, data = record(program, codes), json.loads(json.dumps(program_data(program)))
    origins, operand = unpacked(data["calcs"]["origins"]), 0
    last = np.full(program.window_states, -1)
    machine = anna.Interpreter(program, codes)
    seen: list[set[int]] = [set() for _ in last]
    while not machine.done:
        for address, code in enumerate(machine.state.memory.tolist()):
            if code >= 0:
                seen[address].add(code)
        calcs = machine.state.calcs
        machine.step()
        if machine.state.calcs > calcs:
            calc = anna.verified(program).calcs[calcs]
            for state, origin in zip(found.states[operand : operand + calc.operands.size], origins[operand:], strict=False):
                assert int(state) == program.spec.reset_state_code if origin < 0 else int(state) in seen[origin]
            operand += calc.operands.size
    assert operand == len(origins)


@given(arrays.arrays(np.int64, st.integers(0, 50), elements=st.integers(-(2**53), 2**53)))
def test_packed_integers_come_back(numbers: Any) -> None:
    assert np.array_equal(unpacked(packed(numbers)), numbers)


@given(arrays.arrays(np.int64, st.integers(0, 50), elements=st.integers(-(2**30), 2**30)))
def test_steps_sum_up_to_what_they_were_taken_of(numbers: Any) -> None:
    assert np.array_equal(np.cumsum(steps(numbers)), numbers)


def test_weights_come_back_from_what_changed_since_their_synapse_was_last_used() -> None:
    program = anna.assemble("""
.program name=twice
.input name=image address=0 shape=64
.output name=seen address=64 shape=2
.weights row=0 column=60 values=1,2,3
PAGE page=0
SHIFT 4 address=0
STORE R0,A.L0
CALC fan_in=64 row=0 neurons=1
OUT 1 address=64
CALC fan_in=64 row=0 neurons=1
OUT 1 address=65
STOP
""")
    found = record(program, np.arange(64) % 8)
    differences = unpacked(chip_data(program, found)["weights"])
    assert np.array_equal(differences[:64], found.weights[:64]) and not differences[64:].any()


def test_a_program_too_long_to_keep_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    program = anna.compile(lenet.load("recognizer"), lenet.calibration()[0][:20], check_count=0)
    for name, what in (("MOST_OPERANDS", "operands"), ("MOST_COMPARED", "instructions times cells")):
        with monkeypatch.context() as patch:
            patch.setattr(recording, name, 1000)
            with pytest.raises(MachineError, match=rf"has [\d,]+ {what}; expected at most 1,000 to"):
                record(program, np.zeros(program.input.shape, int))
