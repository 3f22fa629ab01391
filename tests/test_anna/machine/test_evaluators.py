"""Same bits everywhere: interpreter and engine on random legal programs, at every SIMD level, thread and lane count."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_programs import PARTS, CrookedSilicon, legal_programs, random_codes
from random_published import published_programs
from tick_counter import tick_cycles

import anna
from anna.engine import Engine, simd_levels
from anna.engine.building import build_workload
from anna.machine.interpreter import Interpreter, interpret
from anna.machine.lockstep import engine_reference, lockstep
from anna.program.file import Program

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def many(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, suppress_health_check=SLOW)


BOTH_SETS = pytest.mark.parametrize("programs", [legal_programs, published_programs], ids=["wide", "published"])


def moment_of(program: Program, number: int) -> dict[str, int]:
    """A slot of the program's batch; on a wide chip a phase of its refresh."""
    return {"phase_cycles": (0, 0, 1, 1000)[number % 4]} if program.spec.wide else {"slot": number % program.batch}


def expected(program: Program, silicon, states, ids, seed: int, moment: dict[str, int]) -> np.ndarray:
    rows = [interpret(program, codes, silicon, noise_seed=seed, image_id=int(i), **moment)
            for codes, i in zip(states, ids, strict=True)]  # fmt: skip
    return np.array([[int(part.reshape(-1)[0]) for part in row.values()] for row in rows]).reshape(len(rows), -1)


@pytest.mark.slow
@BOTH_SETS
def test_interpreter_equals_engine_to_the_bit_and_cycles_those_counted_one_by_one(
    programs, request: pytest.FixtureRequest
) -> None:
    """On 2,000 programs of each set: every SIMD level, both kernels, 1 and 2 threads, 1 to 130 lanes, images in any order."""

    @many(request.config.getoption("--programs"))
    @given(
        program=programs(),
        parts=st.one_of(st.just(frozenset()), st.frozensets(st.sampled_from(PARTS))),
        seed=st.integers(0, 2**64 - 1),
        when=st.integers(0, 19),
        lanes=st.integers(1, 130),
        threads=st.integers(1, 2),
    )
    def check(program: Program, parts: frozenset[str], seed: int, when: int, lanes: int, threads: int) -> None:
        silicon = CrookedSilicon(program.spec, seed % 2**32, parts)
        images = 1 + lanes
        states = random_codes(program, images, seed % 2**31)
        ids = np.random.default_rng(seed % 2**31).permutation(images).astype(np.uint64) + np.uint64(seed >> 32)
        timeline = anna.verified(program)
        assert [segment.cycles for segment in timeline.segments] == tick_cycles(program)
        wanted = list(timeline.outputs.values())
        moment = moment_of(program, when)
        workload = build_workload(timeline, silicon, wanted, next(iter(moment.values())))
        few = [0, images - 1]
        truth = expected(program, silicon, states[few], ids[few], seed, moment)
        flat = states.reshape(images, -1)
        order = np.random.default_rng(seed % 2**31 + 1).permutation(images)
        whole = Engine(workload).run(flat, ids, noise_seed=seed)
        np.testing.assert_array_equal(whole[few], truth)
        for simd in simd_levels():
            engine = Engine(workload, simd=simd)
            found = engine.run(flat[order], ids[order], noise_seed=seed, threads=threads, lanes=lanes)
            np.testing.assert_array_equal(found, whole[order], err_msg=f"{simd} {engine.kernel}")
            if engine.kernel == "narrow":
                wide = Engine(workload, simd=simd, kernel="wide").run(flat, ids, noise_seed=seed)
                np.testing.assert_array_equal(wide, whole, err_msg=f"{simd} wide")

    check()


@many(200)
@given(program=st.one_of(legal_programs(), published_programs()))
def test_text_to_words_to_text_is_the_identity(program: Program) -> None:
    text = anna.disassemble(program)
    again = anna.assemble(text)
    assert anna.disassemble(again) == text
    assert again.to_bytes() == program.to_bytes()


@many(200)
@given(
    program=st.one_of(legal_programs(), published_programs()),
    seed=st.integers(0, 2**31),
    parts=st.frozensets(st.sampled_from(PARTS)),
)
def test_lockstep_with_the_engine_finds_no_difference(program: Program, seed: int, parts: frozenset[str]) -> None:
    codes, silicon = random_codes(program, 1, seed)[0], CrookedSilicon(program.spec, seed, parts)
    reference = engine_reference(program, codes, silicon, noise_seed=seed, image_id=3)
    assert lockstep(Interpreter(program, codes, silicon, noise_seed=seed, image_id=3), reference) is None


@many(120)
@given(program=st.one_of(legal_programs(), published_programs()), seed=st.integers(0, 2**31), data=st.data())
def test_save_go_on_restore_go_on_gives_equal_states(program: Program, seed: int, data: st.DataObject) -> None:
    machine = Interpreter(program, random_codes(program, 1, seed)[0])
    for _ in range(data.draw(st.integers(0, len(program.ops) - 1))):
        machine.step()
    saved, before = machine.save(), repr(machine.state)
    machine.run()
    end = repr(machine.state)
    machine.restore(saved)
    assert repr(machine.state) == before
    machine.run()
    assert repr(machine.state) == end
    steps = data.draw(st.integers(0, len(program.ops)))
    machine.restore(Interpreter(program, random_codes(program, 1, seed)[0]).save())
    machine.run()
    machine.back(steps)
    assert machine.state.index == len(program.ops) - steps
    machine.run()
    assert repr(machine.state) == end
