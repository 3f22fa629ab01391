"""What the host does: parts with several readings and outputs, digits, layers before the chip, and all of it in a file."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from host_rounds import assembled

import anna
from anna.base import container
from anna.base.border import PROGRAM
from anna.base.errors import FileError, GraphError, MachineError
from anna.board import host_part
from anna.board.host import HostRound, HostWork, HostWriting, digit_codes
from anna.board.host_part import HostPart, HostReading
from anna.chip.codes import state_converter
from anna.chip.spec import ANNA_WIDE
from anna.network.activations import Activation
from anna.network.layers import Affine, Combination, Convolution, FullConnection, Prepare
from anna.program.file import KEY, Program

TEXT = (Path(__file__).parents[2] / "programs" / "host" / "rounds.asm").read_text()
GELU = Activation("gelu")


def meaning(maps: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return 0.2 + rng.random(maps), rng.normal(size=maps)


def floats(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def branched() -> HostPart:
    """Two stacks, one of them in two digits; their sum, and one of the branches, are the outputs."""
    readings = (HostReading("x", "third", (3, 1, 1), *meaning(3)), HostReading("y", "second", (2, 1, 1), *meaning(2), digits=2))
    layers = (FullConnection("a", floats(4, 3), floats(4), GELU), FullConnection("b", floats(4, 1)), Combination("sum", "sum"))
    return HostPart(readings, layers, {"b": ("y",), "sum": ("a", "b")}, ("sum", "a"))


def complete() -> Program:
    """A program with everything that a host may have."""
    program = assembled(TEXT)
    assert program.host is not None
    first, second = program.rounds
    part = HostPart(first.part.readings, (Affine("act", floats(2), floats(2), GELU),))
    first = HostRound(1, part, (replace(first.writings[0], output="act"),))
    before = (Convolution("early", floats(4, 1, 3, 3), padding=(1, 1, 1, 1), activation=GELU),)
    host = HostWork(None, *meaning(4), (branched(),), "", 1, (first, second), before, (1, 4, 4))
    return replace(program, host=host)


def test_a_part_with_branches_is_the_sum_of_its_branches() -> None:
    part, states = branched(), {"third": np.arange(3, dtype=np.uint8).reshape(1, 3, 1, 1),
                                "second": np.array([6, 1], np.uint8).reshape(1, 2, 1, 1)}  # fmt: skip
    found = part.run(ANNA_WIDE, states)
    x, y = (r.gain_m * state_converter(ANNA_WIDE).values(states[r.region].reshape(-1)) + r.offset_m for r in part.readings)
    a = GELU.value((floats(4, 3) @ x.astype(np.float32) + floats(4)).astype(np.float32))
    np.testing.assert_allclose(found["a"].reshape(-1), a, rtol=1e-5)
    np.testing.assert_allclose(found["sum"].reshape(-1), a + floats(4, 1)[:, 0] * y.sum(), rtol=1e-5)
    assert (list(found), part.output_shape, part.multiply_adds) == (["sum", "a"], (4, 1, 1), 12 + 4 + 4)


def test_pieces_and_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    states = {name: rng.integers(0, 8, (300, maps, 1, 1)).astype(np.uint8) for name, maps in (("third", 3), ("second", 2))}
    at_once = branched().run(ANNA_WIDE, states)
    monkeypatch.setattr(host_part, "PIECE_BYTES", 1)
    for threads in (1, 3):
        for name, part in branched().run(ANNA_WIDE, states, threads).items():
            assert part.tobytes() == at_once[name].tobytes()


def test_a_stack_in_digits_is_written_and_read_as_their_sum() -> None:
    """To half a step of the finest digit, the offset of each digit included."""
    gain = np.array([1.0, 2.0, 0.25, 0.5, 0.0625, 0.125])  # a digit spans two steps of the one before, which leaves it room
    offset = np.array([0.5, -1.0, 0.3, -0.4, 0.05, -0.1])
    values = np.random.default_rng(0).uniform(-3, 3, (50, 2, 3, 1))
    for digits in (2, 3):
        its, by = gain[: 2 * digits], offset[: 2 * digits]
        codes = digit_codes(ANNA_WIDE, its, by, digits, values + by.reshape(digits, 2).sum(0)[:, None, None]).astype(np.uint8)
        read = HostReading("x", "x", (2 * digits, 3, 1), its, by, digits=digits)
        back = read.values(ANNA_WIDE, codes).transpose(3, 0, 1, 2) - by.reshape(digits, 2).sum(0)[:, None, None]
        assert np.abs(back - values).max() <= its[-1] / 2 + 1e-6


def test_results_have_names_and_scores_are_the_first() -> None:
    program = complete()
    images = np.random.default_rng(0).normal(size=(30, 1, 4, 4))
    result = anna.Chip().run(program, images)
    slow = anna.Chip().run(program, images, engine="interpreter")
    assert list(result.results) == ["sum", "a"]
    assert result.results["a"].shape == (30, 4)
    np.testing.assert_array_equal(result.scores, result.results["sum"])
    for name in result.results:
        np.testing.assert_array_equal(result.results[name], slow.results[name])
    assert anna.Chip().run(program, images[:0]).scores.shape == (0, 4)


def test_a_program_without_a_tail_has_no_scores() -> None:
    program = assembled(TEXT)
    with pytest.raises(MachineError, match="has no scores"):
        _ = anna.Chip().run_codes(program, np.zeros((1, 4, 4, 4), np.uint8)).scores


def test_layers_before_the_chip_run_on_the_prepared_image() -> None:
    layer = Convolution("early", floats(4, 1, 3, 3), activation=GELU)
    work = HostWork(Prepare((6, 6)), *meaning(4), (), before=(layer,))
    images = np.random.default_rng(0).integers(0, 256, (900, 6, 6)).astype(np.uint8)
    found = work.input_codes(ANNA_WIDE, (4, 4, 4), images)
    assert (found.shape, found.dtype, len(np.unique(found))) == ((900, 4, 4, 4), np.uint8, 8)
    np.testing.assert_array_equal(found[7:8], work.input_codes(ANNA_WIDE, (4, 4, 4), images[7:8]))
    assert work.multiply_adds == 9 * 4 * 16


# --- in a file -------------------------------------------------------------------------------------------------------
def test_everything_survives_a_file(tmp_path: Path) -> None:
    program = complete()
    program.save(tmp_path / "p.anna")
    again = Program.load(tmp_path / "p.anna")
    assert again.to_bytes() == program.to_bytes()
    assert again.digest == program.digest
    images = np.random.default_rng(0).normal(size=(9, 1, 4, 4))
    np.testing.assert_array_equal(anna.Chip().run(again, images).scores, anna.Chip().run(program, images).scores)
    assert container.unpack(tmp_path / "p.anna", KEY, "program", PROGRAM)[0]["format"] == 3


Change = Callable[[dict[str, Any], dict[str, np.ndarray]], object]


def put(path: str, value: Any) -> Change:
    """Sets one key of the host section, several levels down."""

    def change(content: dict[str, Any], tensors: dict[str, np.ndarray]) -> None:
        *way, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
        where: Any = content["host"]
        for step in way:
            where = where[step]
        where[last] = value

    return change


def tensor(name: str, value: np.ndarray) -> Change:
    return lambda content, tensors: tensors.__setitem__(name, value)


def without(path: str) -> Change:
    """Takes one key of the host section out."""

    def change(content: dict[str, Any], tensors: dict[str, np.ndarray]) -> None:
        *way, last = path.split(".")
        where: Any = content["host"]
        for step in way:
            where = where[int(step) if step.isdecimal() else step]
        del where[last]

    return change


BEFORE = "the round before segment"
KNOWN = "it has x, y, a, b, sum"
FIRST = "rounds.0.part.readings.0"
HOSTILE: dict[str, tuple[Change, str]] = {
    "no such segment": (put("rounds.1.segment", 3), "a round of the host runs before segment 3; the program has segments 0 to"),
    "segment as text": (put("rounds.0.segment", "1"), f"{BEFORE} '1': expected the number of a page segment"),
    "segment before all": (put("rounds.0.segment", -1), f"{BEFORE} -1: expected the number of a page segment"),
    "falling order": (put("rounds.1.segment", 0), r"rounds run before segments \[1, 0\]; expected them in rising order"),
    "read nowhere": (put(f"{FIRST}.region", "nowhere"), r"the host reads nowhere as \(2, 1, 1\); the program has regions"),
    "read in another shape": (put(f"{FIRST}.shape", [1, 1, 1]), "expected finite float64, one per map"),
    "tail reads a map": (put("tails.0.readings.0.region", "first"), r"host reads first as \(3, 1, 1\); the program has out"),
    "written nowhere": (put("rounds.0.writings.0.region", "nowhere"), "the host writes nowhere; expected a region of kind"),
    "written to an output": (put("rounds.0.writings.0.region", "second"), "the host writes second; expected a region of kind"),
    "written twice": (put("rounds.0.writings.0.region", "again"), "two rounds of the host write again; expected one"),
    "writes nothing": (put("rounds.0.writings", []), f"{BEFORE} 1: writes no stack; expected at least one"),
    "writes what it has not": (put("rounds.0.writings.0.output", "x"), f"{BEFORE} 1: writes 'x'; it has states, act"),
    "digits of the image": (put("input_digits", 3), "4 input maps cannot be 3 digits; expected a divisor"),
    "no digit of the image": (put("input_digits", 0), "4 input maps cannot be 0 digits; expected a divisor"),
    "digits that do not fit": (put("tails.0.readings.0.digits", 2), "reading x: 3 maps cannot be 2 digits; expected a divisor"),
    "digits as text": (put("tails.0.readings.0.digits", "2"), "reading x: 3 maps cannot be '2' digits"),
    "many digits": (put("rounds.0.writings.0.digits", 1 << 40), "expected finite float64, one per map"),
    "reads itself": (put("tails.0.links.b", ["b"]), "b reads 'b'; expected layers before it or readings: x, y, a"),
    "reads two": (put("tails.0.links.b", ["x", "y"]), "b, a full layer, reads 2 stacks; expected one"),
    "reads none": (put("tails.0.links.b", []), "b, a full layer, reads 0 stacks; expected one"),
    "link of no layer": (put("tails.0.links.zz", ["x"]), f"a host part has no 'zz'; {KNOWN}"),
    "output that is not there": (put("tails.0.outputs", ["zz"]), f"a host part has no 'zz'; {KNOWN}"),
    "an output twice": (put("tails.0.outputs", ["a", "a"]), "a host part names an output twice"),
    "two of one name": (put("tails.0.readings.1.name", "x"), "a host part has two stacks called x; expected unique names"),
    "no name": (put("tails.0.readings.1.name", ""), "reading '': expected printable text as its name"),
    "no readings": (put("tails.0.readings", []), "a host part reads no stack; expected at least one"),
    "no image shape": (without("image_shape"), "expected the shape of the images that they take"),
    "image of another shape": (put("image_shape", [3, 4, 4]), "early: number of input maps is 3; expected 1"),
    "a gain of zero": (tensor("host.round.0.writing.0.gain", np.zeros(2)), "back: a gain is 0; expected a value for each"),
    "an infinite gain": (tensor("host.round.0.reading.0.gain", np.full(2, np.inf)), "a host gain or offset is float64 of"),
    "a gain too many": (tensor("host.0.reading.0.gain", np.ones(4)), "reading x: the gain is float64 of shape"),
    "an unused tensor": (tensor("host.round.7.gain", np.ones(4)), "the host section has 1 unused tensors"),
    "rounds as text": (put("rounds", "no"), "the host section is incomplete"),
    "a round without its part": (without("rounds.0.part"), "the host section is incomplete"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_damaged_host_section_gives_one_sentence(name: str, tmp_path: Path) -> None:
    change, sentence = HOSTILE[name]
    path = tmp_path / "p.anna"
    complete().save(path)
    content, tensors = container.unpack(path, KEY, "program", PROGRAM)
    change(content, tensors)
    path.write_bytes(container.pack(KEY, {key: value for key, value in content.items() if key != "sha256"}, tensors))
    with pytest.raises(FileError, match=sentence):
        Program.load(path)


def test_ensembles_have_one_output_a_member() -> None:
    tail = branched()
    with pytest.raises(GraphError, match=r"^the host adds the scores of 2 tails; expected one output of each"):
        HostWork(None, *meaning(1), (tail, tail))


def test_a_round_says_what_it_moves() -> None:
    part = HostPart((HostReading("x", "a", (4, 2, 1), *meaning(4), digits=2), HostReading("y", "a", (4, 2, 1), *meaning(4))))
    one = HostRound(1, part, (HostWriting("x", "b", *meaning(6), digits=3), HostWriting("y", "c", *meaning(4))))
    assert (one.states_read, one.states_written) == (8, 12 + 8)
