"""Programs by hand as of 1991: the paper's example, and a convolver against plain NumPy, under every sequencer."""

import json
from pathlib import Path

import numpy as np
import pytest

import anna
from anna.base.errors import IllegalProgram

TESTS = Path(__file__).parents[2]
PAPER = (TESTS / "programs" / "paper.asm").read_text()
CONVOLVER = (TESTS.parent / "examples" / "convolver.asm").read_text()
EXAMPLE = "REPEAT 16\nSHIFT 4,R0\nSTORE R0,A.L2\nENDREP\n"


def under(sequencer: str) -> anna.Program:
    """The convolver under a sequencer, as its head says."""
    return anna.assemble(CONVOLVER.replace(".input ", f".sequencer {sequencer}\n.input ", 1))


def convolved(program: anna.Program, images: np.ndarray, rows: int, row_step: int) -> np.ndarray:
    """Codes of 16 neurons of 16 x 16 at every column and every so many rows: whole sums, 128 to a code, clipped."""
    kernels = (program.weight_codes.astype(int)[0] - 32).reshape(16, 16, 16)  # neuron, column, row
    found = np.zeros((len(images), rows, images.shape[1] - 15, 16), int)
    for image, y, x in np.ndindex(found.shape[:3]):
        window = images[image, x : x + 16, y * row_step : y * row_step + 16]
        sums = (kernels * (2 * window - 7)).sum(axis=(1, 2))  # in half products
        found[image, y, x] = np.clip(sums // 256 + 4, 0, 7)
    return found


# --- the paper's example ---------------------------------------------------------------------------------------------
def test_the_papers_example_is_read_as_it_was_printed() -> None:
    assert EXAMPLE in PAPER
    loose, lower = EXAMPLE.replace(",", " , "), EXAMPLE.replace(",", ", ").lower()
    named = EXAMPLE.replace("R0,A.L2", "registers=R0 latches=A.L2").replace("4,R0", "count=4 register=R0")
    for text in (EXAMPLE, loose, lower, EXAMPLE.replace("4,R0", "R0 count=4"), named):
        assert anna.assemble(PAPER.replace(EXAMPLE, text)).to_bytes() == anna.assemble(PAPER).to_bytes()
    assert "PAGE page=0\nREPEAT 16\n  SHIFT 4,R0 address=0 step=4\n  STORE R0,A.L2\nENDREP\n" in anna.disassemble(
        anna.assemble(PAPER)
    )


def test_the_papers_example_is_stepped() -> None:
    machine = anna.Interpreter(anna.assemble(PAPER), np.arange(64) % 8)
    assert [machine.step().name for _ in range(3)] == ["PAGE", "SHIFT", "STORE"]
    for held in (machine.shifter(), machine.register(0), machine.latch(2)):
        assert held.tolist() == [0] * 60 + [0, 1, 2, 3]
    assert machine.register(1).tolist() == machine.latch(0).tolist() == [0] * 64
    machine.breakpoints.add(33)
    assert machine.run() == "breakpoint at instruction 33"  # the CALC: 16 turns have gone by
    assert machine.latch(2).tolist() == [0, 1, 2, 3, 4, 5, 6, 7] * 8
    machine.back(2)
    assert machine.latch(2).tolist() == [0] * 4 + ([0, 1, 2, 3, 4, 5, 6, 7] * 8)[:60]


def test_the_papers_example_is_traced() -> None:
    program = anna.assemble(PAPER)
    timeline = anna.verified(program)
    events = json.loads(anna.perfetto(timeline))["traceEvents"]
    slices = [event for event in events if event["ph"] == "X" and "text" in event["args"]]
    assert [(one["name"], one["args"]["cycle"] - timeline.page_load_cycles) for one in slices[:4]] == [
        ("SHIFT", 1),
        ("STORE", 3),
        ("SHIFT", 4),
        ("STORE", 6),
    ]
    assert slices[0]["args"]["text"] == "SHIFT 4,R0 address=0"
    waves = anna.vcd(anna.Interpreter(program, np.arange(64) % 8), timeline)
    for name in ("shifter", "register_0", "register_3", "latch_2", "weights_busy"):
        assert f" {name} $end" in waves


# --- the convolver ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("sequencer", ["overlap=none", "name=dedicated", "overlap=all", "name=dsp"])
def test_the_convolver_computes_what_numpy_does(sequencer: str) -> None:
    program = under(sequencer)
    images = np.random.default_rng(0).integers(0, 8, (20, 20, 24))
    expected = convolved(program, images, rows=3, row_step=4)
    assert np.bincount(expected.reshape(-1), minlength=8).min() > 100  # every code, and no end of the range alone
    np.testing.assert_array_equal(anna.Chip().run_codes(program, images).codes["maps"], expected)
    one = anna.Interpreter(program, images[0])
    one.run()
    np.testing.assert_array_equal(one.output("maps"), expected[0])


def test_every_row_of_a_large_image() -> None:
    """113 x 113 positions of a 128 x 128 image: the same text with other sizes; the memory holds it with ease."""
    text = CONVOLVER.replace("20x24", "20x128").replace("outer_step=4", "outer_step=1").replace("REPEAT 3 ", "REPEAT 113 ")
    for k in range(1, 5):
        text = text.replace(f"address={96 * k} step", f"address={512 * k} step")
    text = text.replace("step=24", "step=128").replace("address=480 shape=3x", "address=2560 shape=113x")
    images = np.random.default_rng(1).integers(0, 8, (1, 20, 128))
    program = anna.assemble(text)
    assert len(program.code) == len(under("name=dedicated").code) == 66 and len(program.ops) > 19_000
    found = anna.Chip().run_codes(program, images).codes["maps"]
    np.testing.assert_array_equal(found, convolved(program, images, rows=113, row_step=1))
    with pytest.raises(IllegalProgram, match=r"reaches address 1; words of this sequencer begin at multiples of 4"):
        anna.verified(anna.assemble(text.replace(".input ", ".sequencer name=dsp\n.input ", 1)))


def test_the_time_of_a_position_is_counted_by_hand() -> None:
    """A position after the first: 16 words in, four STOREs, two CALCs, four words out."""
    words_in, stores, calcs, words_out = 16 * 2, 4 * 1, 2 * 4, 4 * 2
    fill, first = 64 * 2 + 4, 3  # a row begins with a whole window
    one_by_one = 1 + first * (fill + calcs + words_out) + first * 4 * (words_in + stores + calcs + words_out)
    assert anna.verified(under("overlap=none")).run_cycles == one_by_one
    assert anna.verified(under("name=dedicated")).run_cycles == one_by_one  # OUT stands between CALC and the next SHIFT
    instruction, word = 4, 8  # cycles: the DSP makes an instruction in 200 ns and moves two bytes in 400
    fill, moved_on, results = 64 * word + 4 * instruction, 16 * word + 4 * instruction, 2 * instruction + 4 * word
    dsp = 1 + first * (fill + results) + first * 4 * (moved_on + results)
    assert anna.verified(under("name=dsp")).run_cycles == dsp
