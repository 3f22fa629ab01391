"""What the assembler refuses, and in which words; the round trip is tested with the programs."""

import re
from pathlib import Path

import numpy as np
import pytest

import anna
from anna.base.errors import AssemblyError

HEAD = ".input name=image address=0 shape=4\n"
WIDE = ".chip name=anna-wide\n"
ON_THE_WIDE_CHIP = "for a program of the former machine write .chip name=anna-wide"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "x.asm: has no instructions"),
        ("; only a comment", "x.asm: has no instructions"),
        ("STOP", "x.asm: program program: has 0 input regions; expected one"),
        ("PAGE 3", "x.asm, line 1: 3: expected key=value"),
        ("JUMP to=3", "x.asm, line 1: there is no JUMP; known: RFSH, SHIFT, STORE, CALC, OUT, PAGE, WAIT, REPEAT, ENDREP, "
                      "STOP, .program, .chip, .sequencer, .input, .host, .output, .map, .constant, .weights, .scale"),
        ("SHIFT register=R0", "x.asm, line 1: SHIFT needs count"),
        ("SHIFT R0,4", "x.asm, line 1: SHIFT does not take 4 here; it takes count (4), then register (R0)"),
        ("SHIFT 4,R0,R1", "x.asm, line 1: SHIFT does not take R1 here; it takes count (4), then register (R0)"),
        ("SHIFT 4 R0", "x.asm, line 1: 4 R0: expected operands with a comma between them, then key=value"),
        ("STORE R0,,A.L1", "x.asm, line 1: R0,,A.L1: expected operands with a comma between them, then key=value"),
        ("STORE A.L1,R0", "x.asm, line 1: STORE does not take R0 here; it takes registers (R0), then latches (A.L0)"),
        ("SHIFT 4 count=4", "x.asm, line 1: SHIFT has its count twice"),
        ("SHIFT 4", "x.asm, line 1: SHIFT needs address=: no region says where the first one begins"),
        (HEAD + "SHIFT 4 step=1", "x.asm, line 2: SHIFT has step= but no address=; leave both out, or give both"),
        (HEAD + "STOP 3", "x.asm, line 2: 3: expected key=value"),
        (HEAD + "REPEAT 2\nSHIFT 4", "x.asm, line 2: REPEAT without an ENDREP after it"),
        (HEAD + "SHIFT 4\nENDREP", "x.asm, line 3: ENDREP without a REPEAT before it"),
        (HEAD + "REPEAT 0\nENDREP", "x.asm, line 2: REPEAT repeats at least once, got 0"),
        (HEAD + "REPEAT 2\nREPEAT 2\nREPEAT 2\nENDREP\nENDREP\nENDREP",
         "x.asm, line 4: REPEAT stands within 2 loops; expected at most 1 around it"),
        (HEAD + "REPEAT 2\nPAGE page=0\nENDREP", "x.asm, line 3: PAGE stands within a loop"),
        (HEAD + "SHIFT 4 address=0 step=4", "x.asm, line 2: SHIFT has step 4, but stands within 0 loops"),
        (HEAD + "REPEAT 4096\nREPEAT 4096\nSTORE R0\nSTORE R1\nENDREP\nENDREP",
         "x.asm: its loops make 33,554,432 instructions; expected at most 4,194,304"),
        ("SHIFT count=4 register=zero address=0", "x.asm, line 1: register=zero: expected a name like R0"),
        ("SHIFT count=4 register=R9 address=0", "x.asm, line 1: register=R9 does not fit its 3 bits"),
        ("SHIFT count=9 address=0", "x.asm, line 1: count=9 does not fit its 3 bits"),
        ("STORE latches=L2", "x.asm, line 1: latches=L2: expected a name like A.L0"),
        ("STORE latches=A.L4", "x.asm, line 1: latches=A.L4 does not fit its 4 bits"),
        ("CALC fan_in=17 row=0 neurons=1", "x.asm, line 1: fan_in=17: the chip has fan-ins 16, 64, 128, 256"),
        (".sequencer name=tape", "x.asm, line 1: there is no sequencer tape; known: dedicated, dsp"),
        (".sequencer overlap=some",
         "x.asm, line 1: sequencer: overlap: expected 'none', 'shift-calc' or 'all', got 'some'"),
        (WIDE + ".sequencer name=dsp", "x.asm, line 2: a wide chip has a sequencer of its own; leave .sequencer out"),
        (WIDE + "JUMP to=3", "x.asm, line 2: there is no JUMP; known: PAGE, SHIFT, STORE, CALC, OUT, WAIT, END, .program, "
                             ".chip, .sequencer, .input, .host, .output, .map, .constant, .weights, .scale"),
        (WIDE + "SHIFT register=0", "x.asm, line 2: SHIFT needs width="),
        (WIDE + "SHIFT register=zero width=1 address=0", "x.asm, line 2: register=zero: expected a whole number, zero or more"),
        (WIDE + "SHIFT register=9 width=1 address=0", "x.asm, line 2: register=9 does not fit its 2 bits"),
        (WIDE + "SHIFT register=0 width=1 address=0 colour=3",
         "x.asm, line 2: SHIFT does not take colour=; it takes register, first, width, address, count, stride, blocks, "
         "block_stride"),
        (WIDE + "WAIT cycles=1 cycles=2", "x.asm, line 2: cycles= is given twice"),
        (WIDE + "CALC fan_in=17 row=0 neurons=1 registers=0",
         "x.asm, line 2: fan_in=17: the chip has fan-ins 16, 64, 128, 256"),
        (WIDE + "CALC fan_in=64 row=0 neurons=3 registers=0,1",
         "x.asm, line 2: registers= names 2 registers; this CALC uses 3 rows"),
        (".chip name=eniac", "x.asm, line 1: there is no chip eniac; known: anna-1991, anna-wide"),
        (".chip weight_bits=0", "x.asm, line 1: chip: weight_bits: expected at least 2, got '0'"),
        ("STOP\n.chip name=anna-1991", "x.asm, line 2: .chip must come before anything that depends on it"),
        (".weights values=0.5", "x.asm, line 1: 0.5 is not a level of a 6-bit weight (whole numbers from -32 to 31)"),
        (".weights values=nan", "x.asm, line 1: values=nan: expected a number of weight LSBs"),
        (".weights column=63 values=1,1",
         "x.asm, line 1: there is no weight at page 0, row 0, place 64; the chip has 256 pages of 64 rows of 64"),
        (".weights values=1\n.weights values=2", "x.asm, line 2: page 0, row 0, place 0 already has a weight"),
        (".scale codes=16", "x.asm, line 1: code 16 does not fit 4 bits"),
        (".constant address=3 codes=1\n.constant address=2 codes=1,1", "x.asm, line 2: address 3 already has a constant"),
        (".input name=a address=0 shape=0x4", "x.asm, line 1: .input region a cannot have shape 0x4"),
        (".input name=a address=0 shape=4x4 strides=1",
         "x.asm, line 1: .input region a needs one stride, zero or more, for each of its 2 axes"),
        (HEAD + ".output name=image address=9 shape=1\nSTOP", "x.asm: program program: two regions share a name"),
        (".program name=a/b\n" + HEAD + "STOP", "x.asm: program 'a/b': a name has 1 to 100 letters, digits, dots, dashes and "
                                               "underscores"),
    ],
)  # fmt: skip
def test_a_refusal_names_line_value_and_what_was_expected(text: str, sentence: str) -> None:
    with pytest.raises(AssemblyError) as refusal:
        anna.assemble(text, "x.asm")
    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("SHIFT register=0 width=16 address=0 count=16",
         "SHIFT does not take width=; it takes count, register, address, step, outer_step"),
        ("SHIFT register=R0 address=0 count=4 stride=2",
         "SHIFT does not take stride=; it takes count, register, address, step, outer_step"),
        ("STORE registers=0", "registers=0: expected a name like R0"),
        ("CALC fan_in=16 row=0 neurons=1 registers=0", "CALC does not take registers=; it takes fan_in, row, neurons, latch"),
        ("OUT address=16 blocks=2", "OUT does not take blocks=; it takes count, address, step, outer_step"),
        ("END", "there is no END; known: RFSH, SHIFT, STORE, CALC, OUT, PAGE, WAIT, REPEAT, ENDREP, STOP, .program, .chip, "
                ".sequencer, .input, .host, .output, .map, .constant, .weights, .scale"),
    ],
)  # fmt: skip
def test_a_program_of_the_former_machine_is_told_to_name_its_chip(line: str, what: str) -> None:
    for head in ("", ".chip name=anna-1991\n"):
        with pytest.raises(AssemblyError) as refusal:
            anna.assemble(head + line, "x.asm")
        assert str(refusal.value) == f"x.asm, line {1 + bool(head)}: {what}; {ON_THE_WIDE_CHIP}"


def test_lower_case_and_comments_are_read() -> None:
    program = anna.assemble(HEAD + "page page=0 ; begin\n\n  stop")
    assert [op.name for op in program.ops] == ["PAGE", "STOP"]
    assert "PAGE page=0\nSTOP\n" in anna.disassemble(program)


def blocks() -> list[str]:
    """The indented blocks of the page about assembly."""
    page = (Path(__file__).parents[3] / "docs" / "assembly.md").read_text(encoding="utf-8")
    return ["\n".join(line[4:] for line in found.splitlines()) for found in re.findall(r"(?:^ {4}.*\n)+", page, re.M)]


def test_the_program_in_the_manual_is_one() -> None:
    program = anna.assemble(blocks()[0])
    found = anna.Chip().run_codes(program, np.full((1, 4, 4), 6)).codes["mean"]
    assert found == 4 + 16 * 4 * 2.5 // 64  # sixteen states of 2.5 under weights of 4; 64 to a code


def test_the_cycles_in_the_manual_are_those_of_its_instructions() -> None:
    (lines,) = (block for block in blocks() if "; cycles 0 to 3" in block)
    head = HEAD.replace("shape=4", "shape=80") + "STORE R0,A.L0\n"
    program = anna.assemble(f".weights values=0\n{head}.output name=o address=80 shape=8\n{lines}\nSTOP")
    begin = next(i for i, op in enumerate(program.ops) if op.name == "CALC")
    spans = anna.verified(program).spans[begin:-1]
    told = [[int(number) for number in re.findall(r"\d+", re.split(r";|:", line)[1])] for line in lines.splitlines()]
    zero = spans[0].start
    assert [[span.start - zero, span.end - 1 - zero] for span in spans] == [[one[0], one[-1]] for one in told]
