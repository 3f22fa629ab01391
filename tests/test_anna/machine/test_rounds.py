"""Rounds of the host between page segments: the interpreter defines them, and the engine agrees to the bit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from host_rounds import assembled, with_rounds
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from random_programs import PARTS, CrookedSilicon, legal_programs, random_codes
from random_published import published_programs

import anna
from anna.base.errors import DataError
from anna.engine import simd_levels
from anna.machine import stages
from anna.machine.interpreter import Interpreter
from anna.machine.lockstep import engine_reference, lockstep
from anna.network.activations import Activation
from anna.network.layers import Affine
from anna.program.file import Program
from anna.trace.vcd import vcd

TEXT = (Path(__file__).parents[2] / "programs" / "host" / "rounds.asm").read_text()
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@pytest.fixture
def program() -> Program:
    return assembled(TEXT)


def codes_of(program: Program, images: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 8, (images, *program.input.shape)).astype(np.uint8)


def test_what_a_round_writes_is_what_it_read(program: Program) -> None:
    result = anna.Chip().run_codes(program, codes_of(program, 50), taps=("first", "back", "again"))
    np.testing.assert_array_equal(result.maps["back"], result.maps["first"])
    np.testing.assert_array_equal(result.maps["again"], result.codes["second"])
    assert len(np.unique(result.codes["third"])) > 2


@pytest.mark.parametrize("chip", [anna.Chip(), anna.Chip(seed=3)], ids=["ideal", "typical"])
def test_interpreter_and_engine_agree_with_threads_lanes_and_pieces(
    program: Program, chip: anna.Chip, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes, taps = codes_of(program, 40), ("first", "back", "again")
    slow = chip.run_codes(program, codes, taps=taps, engine="interpreter", noise_seed=5)
    for options in ({}, {"threads": 2, "lanes": 3}, *({"simd": simd, "threads": 1} for simd in simd_levels())):
        for piece in (stages.PIECE_BYTES, 7 * 70):
            monkeypatch.setattr(stages, "PIECE_BYTES", piece)
            fast = chip.run_codes(program, codes, taps=taps, noise_seed=5, **options)  # type: ignore[arg-type]
            for name, part in {**slow.codes, **slow.maps}.items():
                np.testing.assert_array_equal({**fast.codes, **fast.maps}[name], part, err_msg=f"{name} {options}")


@pytest.mark.slow
@pytest.mark.parametrize("programs", [legal_programs, published_programs], ids=["wide", "published"])
@settings(max_examples=60, deadline=None, suppress_health_check=SLOW)
@given(data=st.data(), parts=st.frozensets(st.sampled_from(PARTS)), seed=st.integers(0, 2**31))
def test_random_programs_with_rounds_give_the_same_bits(
    programs, data: st.DataObject, parts: frozenset[str], seed: int
) -> None:
    program = data.draw(with_rounds(programs()))
    assume(program.rounds)
    chip, codes = anna.Chip(silicon=CrookedSilicon(program.spec, seed, parts)), random_codes(program, 5, seed)
    options = {"taps": [region.name for region in program.regions if region.kind in ("map", "host")], "noise_seed": seed,
               "image_ids": np.array([7, 2, 9, 0, 5])}  # fmt: skip
    slow = chip.run_codes(program, codes, engine="interpreter", **options)  # type: ignore[arg-type]
    fast = chip.run_codes(program, codes, threads=2, lanes=data.draw(st.integers(1, 9)), **options)  # type: ignore[arg-type]
    for name, part in {**slow.codes, **slow.maps}.items():
        np.testing.assert_array_equal({**fast.codes, **fast.maps}[name], part, err_msg=name)


def test_a_stage_computes_only_what_it_needs(program: Program) -> None:
    ready = anna.Chip().engine(program)
    first, second, last = ready.stages
    assert first.useful_macs == 9  # segment 0
    assert second.useful_macs == 4  # segment 1, from what the host wrote
    assert last.useful_macs == 4 + 6
    assert ready.useful_macs == sum(stage.useful_macs for stage in ready.stages)


def test_many_chips_run_a_program_with_rounds(program: Program) -> None:
    codes = codes_of(program, 6)
    chips = [anna.Chip(seed=seed) for seed in range(3)]
    for chip, result in zip(chips, anna.run_chips(chips, program, codes=codes, threads=2), strict=True):
        np.testing.assert_array_equal(result.codes["third"], chip.run_codes(program, codes).codes["third"])
    assert anna.Chip().run_codes(program, codes[:0]).codes["third"].shape == (0, 3, 1, 1)


def test_the_debugger_steps_back_over_a_round(program: Program) -> None:
    machine = Interpreter(program, codes_of(program, 1)[0])
    while machine.state.segment < 1:
        machine.step()
    before = machine.output("back").copy()
    machine.run()
    end = machine.output("third").copy()
    machine.back(8)
    assert machine.state.segment == 1
    np.testing.assert_array_equal(machine.output("back"), before)
    machine.run()
    np.testing.assert_array_equal(machine.output("third"), end)


def test_traces_go_through_rounds(program: Program) -> None:
    machine = Interpreter(program, codes_of(program, 1)[0])
    assert "$enddefinitions" in vcd(machine, anna.verified(program))


@pytest.mark.parametrize("seed", [None, 3])
def test_lockstep_goes_through_rounds(program: Program, seed: int | None) -> None:
    chip, codes = anna.Chip(seed=seed), codes_of(program, 1)[0]
    silicon = chip.silicon(program.spec)
    reference = engine_reference(program, codes, silicon, noise_seed=1, image_id=4)
    assert lockstep(Interpreter(program, codes, silicon, noise_seed=1, image_id=4), reference) is None


def test_values_that_are_not_finite_are_refused(program: Program) -> None:
    assert program.host is not None
    first, second = program.rounds
    logarithm = Affine("log", np.ones(2), np.zeros(2), Activation("log"))
    part = replace(first.part, layers=(logarithm,))
    writing = replace(first.writings[0], output="log")
    broken = replace(program, host=replace(program.host, rounds=(replace(first, part=part, writings=(writing,)), second)))
    for engine in ("engine", "interpreter"):
        with pytest.raises(DataError, match=r"^the host's layers before segment 1 give values that are NaN or infinite; "):
            anna.Chip().run_codes(broken, codes_of(broken, 20), engine=engine)
