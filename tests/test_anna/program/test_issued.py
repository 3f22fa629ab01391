"""Instructions in numbers: the same as the instructions themselves, loops unrolled, of both sets."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_programs import legal_programs
from random_published import published_programs

import anna
from anna.base.errors import FileError
from anna.chip.spec import ANNA_1991, ANNA_WIDE, ChipSpec
from anna.program.isa import Op, encode, limbs, of
from anna.program.issued import issued
from anna.program.loops import moving

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def told(program: anna.Program) -> list[Op]:
    """The instructions that the numbers tell of."""
    numbers = program.issued
    return [form.changed(**{moving(form): place}) if moving(form) in form.instruction.place else form
            for form, place in zip([numbers.forms[k] for k in numbers.form], numbers.place.tolist(), strict=True)]  # fmt: skip


@settings(max_examples=200, deadline=None, suppress_health_check=SLOW)
@given(program=st.one_of(legal_programs(), published_programs()))
def test_form_and_place_are_the_instruction(program: anna.Program) -> None:
    still = [op.changed(step=0, outer_step=0) if "step" in op.instruction.place else op for op in program.ops]
    assert told(program) == still
    assert program.issued.end == max((op.last_address + 1 for op in program.ops if op.name in ("SHIFT", "OUT")), default=0)


@settings(max_examples=100, deadline=None, suppress_health_check=SLOW)
@given(program=st.one_of(legal_programs(), published_programs()))
def test_each_instruction_knows_its_word(program: anna.Program) -> None:
    words = [program.code[word] for word in program.issued.word]
    assert [op.name for op in words] == [op.name for op in program.ops]


def test_a_program_has_few_forms() -> None:
    program = anna.assemble(".input name=image address=0 shape=64\n" + "SHIFT 4\nSHIFT 4 address=8\nSTORE A.L0\n" * 9 + "STOP")
    assert len(program.issued) == 29 and len(program.issued.forms) == 4  # PAGE, SHIFT 4, STORE A.L0, STOP


@pytest.mark.parametrize("spec", [ANNA_1991, ANNA_WIDE], ids=["published", "wide"])
def test_words_of_no_instruction_are_refused_by_their_number(spec: ChipSpec) -> None:
    good = encode(spec, [of(spec).op("PAGE", page=0)] * 3)
    for word, sentence in (
        (0, "word 1: there is no opcode 0"),
        (int(good[1, 0]) | 1 << 63, "word 1: PAGE has bits set beyond"),
    ):
        words = good.copy()
        words[1, 0] = word
        with pytest.raises(FileError, match=sentence):
            issued(spec, words)
    with pytest.raises(FileError, match=f"have {limbs(spec)} limbs"):
        issued(spec, np.zeros((1, limbs(spec) + 1), np.uint64))
