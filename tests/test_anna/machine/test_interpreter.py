"""The oracle as a debugger: step, run to a cycle, breakpoints, watches, hooks, stepping back, lock-step."""

from pathlib import Path

import numpy as np
import pytest

import anna
from anna.analog.silicon import IdealSilicon
from anna.base.errors import AnnaError, DataError, IllegalProgram, MachineError
from anna.chip.codes import Ints
from anna.machine import interpreter
from anna.machine.interpreter import Interpreter
from anna.machine.state import CalcRecord

PROGRAMS = Path(__file__).parents[2] / "programs"


def machine(name: str = "overlap") -> Interpreter:
    program = anna.assemble((PROGRAMS / f"{name}.asm").read_text())
    codes = np.arange(program.input.size).reshape(program.input.shape) % (1 << program.spec.state_bits)
    return Interpreter(program, codes)


def test_a_step_is_one_instruction() -> None:
    m = machine()
    assert [m.step().name for _ in range(4)] == ["PAGE", "SHIFT", "STORE", "CALC"]
    assert m.register(0)[:8].tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert m.memory(96) is None
    assert m.run() == "end"
    assert m.memory(96) is not None
    with pytest.raises(MachineError, match="program overlap has ended"):
        m.step()


def test_an_interpreter_says_where_it_stands() -> None:
    m = machine()
    m.step()
    assert repr(m) == f"Interpreter(overlap: before instruction 1 of {len(m.program.ops)}, cycle {m.cycle})"
    m.run()
    assert repr(m) == f"Interpreter(overlap: done, {len(m.program.ops)} instructions, cycle {m.cycle})"


def test_run_to_a_cycle() -> None:
    m = machine()
    assert m.run(to_cycle=16) == "cycle 16"
    assert m.cycle == 16 and m.state.index == 4  # the CALC that starts in cycle 16 was carried out


def test_breakpoint() -> None:
    m = machine()
    m.breakpoints.add(6)
    assert m.run() == "breakpoint at instruction 6"
    assert m.run() == "end"


def test_watch_a_register_a_column_an_address_and_a_synapse() -> None:
    m = machine("paging")
    m.watch_register(0, column=1)
    assert m.run() == "register 0 column 1 changed from (0,) to (1,) in instruction 2"
    m.unwatch()
    m.watch_memory(64)
    assert m.run() == "address 64 changed from None to 0 in instruction 4"
    m.unwatch()
    m.watch_synapse(0, 1)
    assert m.run() == "synapse 0.1 changed from 20.0 to -16.0 in instruction 5"


def test_a_hook_sees_every_operand_of_every_calc() -> None:
    m, seen = machine(), list[CalcRecord]()
    m.hooks.append(seen.append)
    m.run()
    assert [record.cycle for record in seen] == [16, 20, 24]
    first = seen[0]
    assert first.weights.shape == first.states.shape == first.ages.shape == (8, 64)
    state_numerators = 2 * first.states - 7
    assert (first.sums == (first.weights * state_numerators).sum(axis=1)).all()


def test_steps_back_to_the_very_same_state() -> None:
    m, before = machine(), list[str]()
    while not m.done:
        before.append(repr(m.state))
        m.step()
    for state in reversed(before):
        m.back()
        assert repr(m.state) == state
    with pytest.raises(MachineError, match="cannot step back 1 instructions; 0 have been executed"):
        m.back()


def test_stepping_back_calls_no_hook_twice() -> None:
    m, seen = machine(), list[int]()
    m.hooks.append(lambda record: seen.append(record.ordinal))
    m.run()
    m.back(3)
    assert seen == [0, 1, 2]


class OneOff(IdealSilicon):
    """A chip whose neuron 5 has all its thresholds too high in cycle 20 and after, by way of a leaking weight."""

    def weights(self, weight_codes: Ints, rows: Ints, columns: Ints, ages_cycles: Ints) -> Ints:
        exact = super().weights(weight_codes, rows, columns, ages_cycles)
        return np.where((rows == 5) & (columns == 0), exact * 40, exact)


def test_lockstep_stops_at_the_first_calc_that_is_off() -> None:
    m = machine()
    crooked = anna.engine_reference(m.program, m.state.memory[m.program.input.addresses], OneOff(m.spec))
    found = anna.lockstep(m, crooked)
    assert found is not None
    assert (found.record.ordinal, found.neuron, found.record.cycle) == (0, 5, 16)
    text = str(found)
    assert text.startswith("cycle 16, instruction 3, CALC 0, neuron 5: code 4, expected 7; sum 7168 of ")
    assert "(state code*weight) 0*-1024 1*-2048" in text
    assert not m.done


def test_lockstep_tolerates_what_it_is_told_to() -> None:
    m = machine()
    crooked = anna.engine_reference(m.program, m.state.memory[m.program.input.addresses], OneOff(m.spec))
    assert anna.lockstep(m, crooked, tolerance_lsb=7) is None
    assert m.done


def test_a_reference_without_an_opinion_is_nan() -> None:
    assert anna.lockstep(machine(), lambda calc: np.full(8, np.nan)) is None


@pytest.mark.parametrize(
    ("codes", "sentence"),
    [
        (np.zeros((3, 3)), r"codes have shape \(3, 3\); region image takes \(16, 6\)"),
        (np.full((16, 6), 8), "codes must be state codes, whole numbers from 0 to 7"),
        (np.full((16, 6), -1), "whole numbers from 0 to 7"),
        (np.full((16, 6), np.nan), "whole numbers from 0 to 7"),
    ],
)
def test_bad_codes_are_refused(codes: np.ndarray, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        Interpreter(machine().program, codes)


def test_an_illegal_program_is_refused() -> None:
    program = anna.assemble((PROGRAMS / "illegal" / "register-held.asm").read_text())
    with pytest.raises(IllegalProgram):
        Interpreter(program, np.zeros(64, int))


def test_an_unknown_region_is_told_with_those_there_are() -> None:
    with pytest.raises(MachineError, match="program overlap has no region maps; it has row"):
        machine().output("maps")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"codes": np.zeros((2, 3))}, r"codes have shape \(2, 3\); program overlap takes \(n, 16, 6\)"),
        ({"codes": np.zeros((2, 16, 6))}, "codes are float64; program overlap takes state codes, whole numbers 0 to 7"),
        ({"codes": np.full((2, 16, 6), 9)}, "image 0 holds a state code outside 0 to 7"),
        ({"image_ids": [1, 2, 3]}, "image_ids must be 2 whole numbers, zero or more, one per image"),
        ({"image_ids": [-1, 2]}, "image_ids must be 2 whole numbers"),
        ({"taps": ["c1"]}, "program overlap has no map c1; it has none"),
        ({"engine": "steam"}, "there is no engine 'steam'"),
        ({"threads": 0}, "threads is 0"),
        ({"lanes": 0}, "lanes is 0"),
        ({"lanes": 1.5}, "lanes is 1.5; expected a whole number"),
        ({"noise_seed": -1}, "the noise seed is -1; expected 0 to 18446744073709551615"),
        ({"noise_seed": 1.5}, "the noise seed is 1.5; expected a whole number"),
        ({"phase_cycles": "a"}, "phase_cycles is 'a'; expected a whole number"),
        ({"simd": "mmx"}, "mmx"),
    ],
)
def test_a_bad_run_is_refused_in_one_sentence(arguments: dict[str, object], sentence: str) -> None:
    program = machine().program
    given = {"codes": np.zeros((2, 16, 6), int), **arguments}
    codes = given.pop("codes")
    with pytest.raises(AnnaError, match=sentence):
        anna.Chip().run_codes(program, codes, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("chip", [7, "overlap", None])
def test_a_chip_runs_programs_and_nothing_else(chip: object) -> None:
    sentence = (
        f"a chip runs a program, not {type(chip).__name__}; anna.compile makes one from a network, anna.assemble from text"
    )
    for run in (anna.Chip().run, anna.Chip().run_codes, lambda *given: next(anna.run_chips([anna.Chip()], *given))):
        with pytest.raises(MachineError, match=f"^{sentence}$"):
            run(chip, np.zeros((2, 16, 6), int))  # type: ignore[arg-type]


def test_no_images_give_no_results() -> None:
    result = anna.Chip().run_codes(machine().program, np.zeros((0, 16, 6), np.uint8))
    assert result.codes["row"].shape == (0, 3, 8)
    assert result.cycles == 0


def test_a_result_says_what_it_is() -> None:
    result = anna.Chip().run_codes(machine().program, np.zeros((5, 16, 6), np.uint8))
    assert repr(result) == "Result(overlap: 5 images, 32 cycles each; row (5, 3, 8))"
    assert result.cycles == 160 and result.seconds == 160 / 20e6
    assert set(np.unique(result.outputs["row"])) <= {-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5}


def test_a_long_program_keeps_few_checkpoints_and_steps_back_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "CHECKPOINT_EVERY", 1)
    monkeypatch.setattr(interpreter, "MOST_CHECKPOINTS", 3)
    m, passed = machine(), list[str]()
    while not m.done:
        passed.append(repr(m.save()))
        m.step()
    assert len(passed) > 12
    assert len(m._checkpoints) <= 3
    for state in reversed(passed):
        m.back()
        assert repr(m.save()) == state
