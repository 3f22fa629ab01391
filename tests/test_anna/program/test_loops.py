"""Loops: what REPEAT stands for, and a straight program rolled up again: exactly the same instructions, in fewer words."""

import random
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_published import published_programs

import anna
from anna.base.errors import FileError
from anna.program.isa import PUBLISHED, Op, encode
from anna.program.loops import order, unrolled
from anna.program.rolling import rolled

CONVOLVER = (Path(__file__).parents[3] / "examples" / "convolver.asm").read_text()


def lines(*ops: Op) -> list[str]:
    return [anna.program.line.line_of(anna.ANNA_1991, op) for op in ops]


def shift(address: int, **values: int) -> Op:
    return PUBLISHED.op("SHIFT", count=4, address=address, **values)


# --- what loops stand for --------------------------------------------------------------------------------------------
def test_a_loop_within_a_loop_moves_by_both_steps() -> None:
    code = [
        PUBLISHED.op("REPEAT", count=2), PUBLISHED.op("REPEAT", count=3), shift(10, step=4, outer_step=100),
        PUBLISHED.op("ENDREP"), PUBLISHED.op("RFSH", pair=1, step=5), PUBLISHED.op("ENDREP"),
    ]  # fmt: skip
    found = list(unrolled(code))
    assert [op["address"] for op in found if op.name == "SHIFT"] == [10, 14, 18, 110, 114, 118]
    assert [op["pair"] for op in found if op.name == "RFSH"] == [1, 6]
    assert order(code)[0].tolist() == [2, 2, 2, 4, 2, 2, 2, 4]


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (["ENDREP"], "word 0: ENDREP without a REPEAT before it"),
        (["REPEAT", "REPEAT", "ENDREP"], "word 0: REPEAT without an ENDREP after it"),
        (["REPEAT", "STOP", "ENDREP"], "word 1: STOP stands within a loop"),
        (["REPEAT", "REPEAT", "REPEAT", "ENDREP", "ENDREP", "ENDREP"],
         "word 2: REPEAT stands within 2 loops; expected at most 1 around it"),
    ],
)  # fmt: skip
def test_loops_that_do_not_match_are_refused(code: list[str], sentence: str) -> None:
    ops = [PUBLISHED.op(name, **({"count": 2} if name == "REPEAT" else {})) for name in code]
    with pytest.raises(FileError) as refusal:
        unrolled(ops)
    assert str(refusal.value) == sentence


def test_a_step_needs_a_loop_of_its_own() -> None:
    loop = [PUBLISHED.op("REPEAT", count=2), shift(0, outer_step=3), PUBLISHED.op("ENDREP")]
    with pytest.raises(FileError, match="word 1: SHIFT has outer_step 3, but stands within 1 loops"):
        unrolled(loop)
    with pytest.raises(FileError, match="word 0: SHIFT has step 3, but stands within 0 loops"):
        unrolled([shift(0, step=3)])


def test_a_file_whose_loops_are_endless_is_refused(tmp_path: Path) -> None:
    program = anna.assemble(CONVOLVER)
    ops = [PUBLISHED.op("REPEAT", count=1 << 21), shift(0), shift(0), shift(0), PUBLISHED.op("ENDREP")]
    replace(program, words=encode(program.spec, ops)).save(tmp_path / "long.anna")
    with pytest.raises(FileError, match=r"its loops make 6,291,456 instructions; expected at most 4,194,304$"):
        anna.Program.load(tmp_path / "long.anna")


# --- and back --------------------------------------------------------------------------------------------------------
def test_rolling_finds_the_loops_of_a_hand_written_program() -> None:
    program = anna.assemble(CONVOLVER)
    assert len(program.ops) == 536
    assert rolled(program.ops) == list(program.code)


def test_loops_are_made_only_where_they_pay() -> None:
    twice = [shift(0), shift(4)]
    assert rolled(twice) == twice
    assert lines(*rolled([shift(4 * i) for i in range(4)])) == ["REPEAT 4", "SHIFT 4 address=0 step=4", "ENDREP"]
    apart = [shift(8), shift(4), shift(0), shift(0)]  # no step is less than nothing
    assert rolled(apart) == apart


def test_a_page_and_the_end_stay_outside() -> None:
    page, stop = PUBLISHED.op("PAGE", page=0), PUBLISHED.op("STOP")
    pages = [page, *[shift(0)] * 9] * 5 + [stop]
    found = rolled(pages)
    assert list(unrolled(found)) == pages and len(found) == 5 * 4 + 1


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(program=published_programs())
def test_what_was_rolled_unrolls_to_the_same(program: anna.Program) -> None:
    found = rolled(program.ops)
    assert tuple(unrolled(found)) == program.ops
    assert len(found) <= len(program.ops)
    again = replace(program, words=encode(program.spec, found))
    assert again.ops == program.ops


SOME = st.builds(
    lambda count, register, address: PUBLISHED.op("SHIFT", count=count, register=register, address=address),
    st.integers(1, 2), st.integers(0, 1), st.integers(0, 6),
)  # fmt: skip
ANY = st.one_of(SOME, st.builds(lambda pair: PUBLISHED.op("RFSH", pair=pair), st.integers(0, 3)), st.just(PUBLISHED.op("STOP")))


@settings(max_examples=500, deadline=None)
@given(st.lists(ANY, min_size=1, max_size=12).flatmap(lambda some: st.lists(st.sampled_from(some), max_size=80)))
def test_anything_repetitive_unrolls_to_the_same(ops: list[Op]) -> None:
    found = rolled(ops)
    assert list(unrolled(found)) == ops
    assert len(found) <= len(ops)


def nested(rng: random.Random) -> list[Op]:
    """Two loops, one in the other, between other instructions."""

    def some(most: int, *steps: str, least: int = 0) -> list[Op]:
        return [
            PUBLISHED.op("SHIFT", count=rng.randint(1, 2), register=rng.randint(0, 1), address=rng.randint(0, 6),
                         **{step: rng.randint(0, 9) for step in steps})
            for _ in range(rng.randint(least, most))
        ]  # fmt: skip

    inner, outer = (PUBLISHED.op("REPEAT", count=rng.randint(4, 9)) for _ in range(2))
    end, around = PUBLISHED.op("ENDREP"), some(3)
    body = [inner, *some(4, "step", "outer_step", least=1), end]
    return [*around, outer, *some(4, "step"), *body, *some(4, "step"), end, *around]


@pytest.mark.slow
def test_two_loops_are_found_again() -> None:
    """But for those in which something repeats across their borders by chance."""
    longer = 0
    for seed in range(1000):
        code = nested(random.Random(seed))
        straight = list(unrolled(code))
        found = rolled(straight)
        assert list(unrolled(found)) == straight
        longer += len(found) > len(code)
    assert longer <= 5


@pytest.mark.slow
def test_a_long_program_is_rolled_in_seconds() -> None:
    """A quarter of a million instructions; and a hundred thousand among which nothing repeats."""
    text = CONVOLVER.replace("20x24", "100x128").replace("outer_step=4", "outer_step=1").replace("REPEAT 3 ", "REPEAT 113 ")
    text = text.replace("REPEAT 4                                    ; the other", "REPEAT 84 ; the other")
    for k in range(1, 5):
        text = text.replace(f"address={96 * k} step", f"address={512 * k} step")
    program = anna.assemble(text.replace("step=24", "step=128").replace("address=480 shape=3x5", "address=12800 shape=113x85"))
    assert len(program.ops) > 250_000
    rng = np.random.default_rng(0)
    chaos = [shift(int(address), register=int(register)) for address, register in rng.integers(0, [2000, 5], (100_000, 2))]
    for ops, words in ((program.ops, len(program.code)), (chaos, len(chaos))):
        begun = time.process_time()
        found = rolled(ops)
        assert time.process_time() - begun < 20  # some two seconds; a tenfold machine may be slower still
        assert len(found) <= words
        assert list(unrolled(found)) == list(ops)
