"""What the assembler refuses, and with which words; the round trip is tested where programs are."""

import pytest

import anna
from anna.base.errors import AssemblyError

HEAD = ".input name=image address=0 shape=4\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "x.asm: holds no instruction"),
        ("; only a comment", "x.asm: holds no instruction"),
        ("END", "x.asm: program program: has 0 input regions; expected one"),
        ("JUMP 3", "x.asm, line 1: 3: expected key=value"),
        ("JUMP to=3", "x.asm, line 1: there is no JUMP; known: PAGE, SHIFT, STORE, CALC, OUT, WAIT, END, .program, .chip, "
                      ".input, .output, .map, .constant, .weights, .scale"),
        ("SHIFT register=0", "x.asm, line 1: SHIFT needs width="),
        ("SHIFT register=zero width=1 address=0", "x.asm, line 1: register=zero: expected a whole number, zero or more"),
        ("SHIFT register=9 width=1 address=0", "x.asm, line 1: register=9 does not fit its 2 bits"),
        ("SHIFT register=0 width=1 address=0 colour=3",
         "x.asm, line 1: SHIFT knows no colour=; it knows register, first, width, address, count, stride, blocks, "
         "block_stride"),
        ("WAIT cycles=1 cycles=2", "x.asm, line 1: cycles= is given twice"),
        ("CALC fan_in=17 row=0 neurons=1 registers=0", "x.asm, line 1: fan_in=17: the chip has fan-ins 16, 64, 128, 256"),
        ("CALC fan_in=64 row=0 neurons=3 registers=0,1", "x.asm, line 1: registers= names 2 registers, this CALC uses 3 rows"),
        (".chip name=eniac", "x.asm, line 1: there is no chip eniac; known: anna-1991"),
        (".chip weight_bits=0", "x.asm, line 1: chip: weight_bits: expected at least 2, got '0'"),
        ("END\n.chip name=anna-1991", "x.asm, line 2: .chip must come before anything that depends on it"),
        (".weights values=0.5", "x.asm, line 1: 0.5 is not a level of a 6-bit weight (whole numbers from -32 to 31)"),
        (".weights values=nan", "x.asm, line 1: values=nan: expected a number of weight LSBs"),
        (".weights column=63 values=1,1",
         "x.asm, line 1: there is no weight at page 0, row 0, place 64; the chip has 256 pages of 64 rows of 64"),
        (".weights values=1\n.weights values=2", "x.asm, line 2: page 0 row 0 place 0 has a weight already"),
        (".scale codes=16", "x.asm, line 1: code 16 does not fit 4 bits"),
        (".constant address=3 codes=1\n.constant address=2 codes=1,1", "x.asm, line 2: address 3 has a constant already"),
        (".input name=a address=0 shape=0x4", "x.asm, line 1: .input region a cannot have shape 0x4"),
        (".input name=a address=0 shape=4x4 strides=1",
         "x.asm, line 1: .input region a needs one stride, zero or more, for each of its 2 axes"),
        (HEAD + ".output name=image address=9 shape=1\nEND", "x.asm: program program: two regions share a name"),
        (".program name=a/b\n" + HEAD + "END", "x.asm: program 'a/b': a name has 1 to 100 letters, digits, dots, dashes and "
                                               "underscores"),
    ],
)  # fmt: skip
def test_a_refusal_names_line_value_and_what_was_expected(text: str, sentence: str) -> None:
    with pytest.raises(AssemblyError) as refusal:
        anna.assemble(text, "x.asm")
    assert str(refusal.value) == sentence


def test_lower_case_and_comments_are_read() -> None:
    program = anna.assemble(HEAD + "page page=0 ; begin\n\n  end")
    assert [op.name for op in program.ops] == ["PAGE", "END"]
    assert "PAGE page=0\nEND\n" in anna.disassemble(program)
