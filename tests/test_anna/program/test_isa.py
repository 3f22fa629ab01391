"""One table: encoder, decoder and manual page come from it."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anna.base.errors import FileError
from anna.chip.spec import ANNA_WIDE, ChipSpec
from anna.program import isa
from anna.program.instructions import Form
from anna.program.isa import WIDE, Op
from anna.sequencer.manual import MARK, filled, tables

DOCS = Path(__file__).parents[3] / "docs"
MANUAL = ("isa.md", "isa-wide.md")

SPECS = st.builds(
    lambda **fields: ANNA_WIDE.changed(**fields),
    registers=st.integers(4, 9),
    neurons_at_once=st.integers(1, 32),
    memory_states=st.one_of(st.none(), st.integers(1, 1 << 30)),
)


@st.composite
def ops(draw: st.DrawFn, spec: ChipSpec) -> Op:
    """Any instruction whose values fit their fields."""
    instruction = draw(st.sampled_from(isa.WIDE.table))
    if instruction.name == "CALC":
        fan_in, neurons = draw(st.integers(0, 3)), draw(st.integers(0, spec.neurons_at_once))
        rows = isa.rows_of(spec, spec.fan_ins[fan_in], neurons)
        named = tuple(draw(st.lists(st.integers(0, spec.registers - 1), min_size=rows, max_size=rows)))
        return WIDE.op("CALC", fan_in=fan_in, row=draw(st.integers(0, 63)), neurons=neurons, registers=named)
    return WIDE.op(instruction.name, **{f.name: draw(st.integers(0, (1 << f.bits(spec)) - 1)) for f in instruction.fields})


@given(st.data())
def test_words_and_back_is_the_identity(data: st.DataObject) -> None:
    spec = data.draw(SPECS)
    program = data.draw(st.lists(ops(spec), max_size=8))
    words = isa.encode(spec, program)
    assert words.shape == (len(program), isa.limbs(spec))
    assert isa.decode(spec, words) == program


def test_a_word_of_the_1991_chip_is_128_bits() -> None:
    assert isa.limbs(ANNA_WIDE) == 2


def test_opcodes_and_names_are_unique_and_fields_fit_their_word() -> None:
    assert len(isa.WIDE.by_name) == len(isa.WIDE.table)
    assert len({instruction.opcode for instruction in isa.WIDE.table}) == len(isa.WIDE.table)
    assert all(0 < instruction.opcode < 1 << isa.WIDE_OPCODE_BITS for instruction in isa.WIDE.table)  # 0 is empty memory


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ([0, 0], "word 0: there is no opcode 0"),
        ([15, 0], "word 0: there is no opcode 15"),
        ([7 | 1 << 10, 0], "word 0: END has bits set beyond its fields"),
        ([4, 1 << 40], "word 0: CALC has bits set beyond its fields"),
        ([4, 1], "word 0: CALC names registers for rows that it does not use"),
    ],
)
def test_a_bad_word_is_refused(word: list[int], sentence: str) -> None:
    with pytest.raises(FileError) as refusal:
        isa.decode(ANNA_WIDE, np.array([word], dtype=np.uint64))
    assert str(refusal.value) == sentence


def test_words_of_another_chip_are_refused() -> None:
    with pytest.raises(FileError, match=r"words of this chip have 2 limbs, got an array of shape \(3, 3\)"):
        isa.decode(ANNA_WIDE, np.zeros((3, 3), np.uint64))


def test_a_value_that_does_not_fit_its_field_is_refused() -> None:
    with pytest.raises(FileError, match="SHIFT: register holds 0 to 3, got 4"):
        isa.encode(ANNA_WIDE, [WIDE.op("SHIFT", register=4, width=1, address=0)])


@pytest.mark.parametrize("page", MANUAL)
def test_the_tables_of_a_manual_page_are_those_of_today(page: str, update_golden: bool) -> None:
    """`--update-golden` puts them in."""
    text = (DOCS / page).read_text(encoding="utf-8")
    if update_golden:
        (DOCS / page).write_text(text := filled(text), encoding="utf-8")
    assert text == filled(text)


def test_every_table_stands_on_one_manual_page() -> None:
    marks = [mark[2] for page in MANUAL for mark in MARK.finditer((DOCS / page).read_text(encoding="utf-8"))]
    assert sorted(marks) == sorted(tables())


def test_every_field_says_what_it_means() -> None:
    for instruction in isa.WIDE.table:
        assert instruction.summary.endswith(".") and instruction.timing and instruction.mark in "PRDA"
        for field in instruction.fields:
            assert field.note
            assert field.form is Form.PER_ROW or field.entries(ANNA_WIDE) == 1
