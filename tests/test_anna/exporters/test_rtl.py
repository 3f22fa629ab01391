"""The chip in SystemVerilog: Verilator runs the words of programs, and its codes and cycles are those of the interpreter."""

import hashlib
import re
import shutil
import subprocess
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import host_rounds
import numpy as np
import pytest
from command_line import good, refused
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from made_once import made_once
from random_programs import random_codes
from random_published import chips, published_programs
from second_simulator import SecondSimulator

import anna
import lenet
from anna.base.errors import MachineError
from anna.exporters.rtl import SOURCES, export_rtl, program_files, source_files
from anna.program.file import Program

ROOT = Path(__file__).parents[3]
PUBLISHED = [path for path in sorted(ROOT.glob("tests/programs/*.asm")) + sorted(ROOT.glob("examples/*.asm"))
             if not anna.assemble(path.read_text(encoding="utf-8")).spec.wide]  # fmt: skip
WITHOUT = pytest.mark.skipif(shutil.which("verilator") is None, reason="there is no verilator: the SystemVerilog is NOT run")

# A chip that differs from the published one in everything that is wired.
ODD = anna.ANNA_1991.changed(
    rows=16, columns=16, registers=3, latches=5, neurons_at_once=5, fan_ins=(4, 16, 32), dacs=4, word_states=3,
    weight_bits=4, state_bits=5, scale_bits=0, weight_levels="mid-rise", state_levels="mid-tread", adc_curve="squash",
    adc_full_scale=2.0, memory_states=None, memory_latency_cycles=0, reset_state_code=9,
)  # fmt: skip

# What is no wire but a setting, so that one build runs programs of any timing.
SET = ("shift_from", "out_words", "calc_cycles", "store_cycles", "states_in_per_cycle", "states_out_per_cycle", "issue_width")

# For Verilator's own Makefile: C++ in one piece, since headers take the longest, and hardly optimised, since it runs briefly.
QUICK_TO_BUILD = ("VM_PARALLEL_BUILDS=0", "OPT_FAST=-O1", "OPT_GLOBAL=-O0")

Bench = Callable[..., str]
Test = TypeVar("Test", bound=Callable[..., None])


def needs_verilator(test: Test) -> Test:
    """A test that builds a machine, or waits for the one that does."""
    return pytest.mark.slow(WITHOUT(test))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[anna.ChipSpec], Path]:
    """Builds the machine of a chip once, whichever process of the tests asks first; any warning of -Wall is an error."""

    def build(spec: anna.ChipSpec) -> Path:
        files = source_files(spec)

        def make(folder: Path) -> None:
            for name, data in files.items():
                (folder / name).write_bytes(data)
            command = ["make", "CORES=1", *QUICK_TO_BUILD, "obj_dir/bench"]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]

        name = f"rtl-{hashlib.sha256(b''.join(files.values())).hexdigest()[:16]}"
        return made_once(tmp_path_factory, name, make) / "obj_dir" / "bench"

    return build


@pytest.fixture
def bench(built: Callable[[anna.ChipSpec], Path], tmp_path: Path) -> Bench:
    """Runs a program on the machine of its chip and tells what the bench printed."""

    def run(program: Program, codes: np.ndarray | None, *options: str, spoil: Callable[[Path], None] | None = None) -> str:
        folder = tmp_path / "program"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, data in program_files(program, codes).items():
            (folder / name).write_bytes(data)
        if spoil:
            spoil(folder)
        command = [built(program.spec), f"+program={folder}", *options]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) == ("FAIL" not in done.stdout)
        return done.stdout

    return run


ROUNDS = """\
.input  name=image  address=0 shape=1x1x4
.host   name=again  address=4 shape=1x1x4
.output name=code   address=8 shape=1
; round segment=0 reads=image writes=again
SHIFT 4 address=4
STORE A.L0
CALC fan_in=16 row=0 neurons=1
OUT 1
STOP
"""


# Eight results of either CALC, taken in OUTs of so many, the second CALC between them.
TWO_CALCS = """\
.chip name=anna-1991 out_words=2 calc_cycles={cycles}
.sequencer overlap=all
.input  name=image address=0 shape=4
.output name=codes address=4 shape=16
SHIFT 4
STORE A.L0
CALC fan_in=16 row=0 neurons=8
OUT {first}
CALC fan_in=16 row=4 neurons=8
{others}
STOP
"""


def assembled(path: Path) -> Program:
    return anna.assemble(path.read_text(encoding="utf-8"))


def of_any_timing(spec: anna.ChipSpec) -> st.SearchStrategy[anna.ChipSpec]:
    return chips().map(lambda drawn: spec.changed(**{name: getattr(drawn, name) for name in SET}))


# --- codes and cycles


@needs_verilator
@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_a_program_of_the_tests_gives_equal_codes_and_cycles(path: Path, bench: Bench) -> None:
    program = assembled(path)
    said = bench(program, random_codes(program, 2, 1))
    assert re.search(r"^PASS: \d+ comparisons$", said, re.M), said
    cycles = anna.verified(program)
    assert f"image 1: {cycles.run_cycles} cycles, {cycles.page_load_cycles} of page loads" in said


@needs_verilator
@pytest.mark.parametrize(
    ("cycles", "counts", "starts"),
    [
        (2, (8, 4, 4), [1, 3, 4, 6, 8, 10, 12]),  # the second CALC ends with the OUT that began before it
        (1, (8, 4, 4), [1, 3, 4, 5, 8, 9, 11]),
        (5, (4, 4, 4, 4), [1, 3, 4, 9, 10, 11, 15, 17]),  # an OUT of the first CALC's results beside the second
    ],
)
def test_a_calc_runs_beside_the_results_of_the_one_before(
    cycles: int, counts: tuple[int, ...], starts: list[int], bench: Bench
) -> None:
    others = "\n".join(f"OUT {count}" for count in counts[1:])
    program = anna.assemble(TWO_CALCS.format(cycles=cycles, first=counts[0], others=others))
    files = program_files(program)
    assert [int(start) for start in files["starts.txt"].split()] == starts
    assert "PASS" in bench(program, random_codes(program, 2, 1))


@needs_verilator
@pytest.mark.parametrize(
    ("name", "machine"), [("recognizer", "sequencer"), ("recognizer", "board-1991"), ("lenet5", "sequencer")]
)
def test_a_network_gives_equal_codes_and_cycles(name: str, machine: str, bench: Bench) -> None:
    """The recogniser under both sequencers, and LeNet-5 with its 21 pages."""
    program = anna.compile(lenet.load(name), lenet.calibration()[0][:40], machine=machine, fit=False, round="nearest",
                           range_method="max", check_count=0)  # fmt: skip
    said = bench(program, anna.input_codes(program, lenet.holdout()[0][:1]))
    assert re.search(r"^PASS: \d{5} comparisons$", said, re.M), said


@needs_verilator
@pytest.mark.parametrize("spec", [anna.ANNA_1991, ODD], ids=["published", "odd"])
def test_random_programs_give_equal_codes_and_cycles(spec: anna.ChipSpec, bench: Bench, request: pytest.FixtureRequest) -> None:
    """Any timing, any sequencer, loops, RFSH and several pages: as many as a tenth of --programs."""

    @settings(max_examples=request.config.getoption("--programs") // 10, deadline=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(program=published_programs(of_any_timing(spec)), seed=st.integers(0, 2**31))
    def check(program: Program, seed: int) -> None:
        said = bench(program, random_codes(program, 1, seed))
        assert re.search(r"^PASS: ", said, re.M), said

    check()


# --- the bench finds what differs


@needs_verilator
@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("calcs_0.txt", "code of neuron 0 is"),
        ("starts.txt", "start of an instruction is 1, expected 9"),
        ("segments.txt", "length of a load is 32, expected 9"),
        ("states_0.txt", "state 9 is"),
    ],
)
def test_a_wrong_expectation_is_told(name: str, what: str, bench: Bench) -> None:
    program = assembled(ROOT / "tests" / "programs" / "paper.asm")

    def spoil(folder: Path) -> None:
        first, _, rest = (folder / name).read_text().partition("\n")
        (folder / name).write_text(f"{'9 9' if ' ' in first else 9}\n{rest}")

    said = bench(program, random_codes(program, 1, 1), spoil=spoil)
    assert f"DIFFERENT: {what}" in said
    assert "FAIL: 1 differences in" in said and "PASS" not in said


@needs_verilator
def test_what_is_missing_or_left_over_is_told(bench: Bench) -> None:
    program = assembled(ROOT / "tests" / "programs" / "paper.asm")

    def cut(folder: Path) -> None:
        (folder / "starts.txt").write_text("1\n")

    def lengthen(folder: Path) -> None:
        (folder / "calcs_0.txt").write_text((folder / "calcs_0.txt").read_text() + "5\n")

    assert "start of an instruction is 3, expected -1" in bench(program, random_codes(program, 1, 1), spoil=cut)
    assert "DIFFERENT: codes end early, expected 5" in bench(program, random_codes(program, 1, 1), spoil=lengthen)


@needs_verilator
def test_a_wrong_weight_changes_codes(bench: Bench) -> None:
    program = assembled(ROOT / "tests" / "programs" / "paper.asm")

    def spoil(folder: Path) -> None:
        weights = (folder / "weights.hex").read_text().split()
        (folder / "weights.hex").write_text("\n".join(["000", *weights[1:]]))

    assert "DIFFERENT: code of neuron 0" in bench(program, np.full((1, 64), 7), spoil=spoil)


@needs_verilator
def test_without_images_cycles_alone_are_compared(bench: Bench) -> None:
    program = assembled(ROOT / "tests" / "programs" / "paper.asm")
    instructions = sum(op.name not in ("PAGE", "STOP") for op in program.ops)
    assert f"PASS: {instructions + 2} comparisons" in bench(program, None)


# --- waveforms


def waveforms(text: str) -> dict[str, list[tuple[int, str]]]:
    """Of each signal in the scope `anna`, when it changes and to what."""
    names, scopes, found, now = dict[str, list[str]](), list[str](), dict[str, list[tuple[int, str]]](), 0
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == "$scope":
            scopes.append(words[2])
        elif words[0] == "$upscope":
            scopes.pop()
        elif words[0] == "$var" and scopes[-1] == "anna":
            names.setdefault(words[3], []).append(re.sub(r"\[(\d+)\]", r"_\1", words[4]))
        elif line[0] == "#":
            now = int(line[1:])
        elif line[0] in "b01x" and (words[-1] if line[0] == "b" else line[1:]) in names:
            value, code = (line[1:].split()) if line[0] == "b" else (line[0], line[1:])
            for name in names[code]:
                found.setdefault(name, []).append((now, value.lstrip("0") or "0"))
    return found


def value_at(changes: list[tuple[int, str]], time: int) -> str:
    return changes[bisect_right(changes, time, key=lambda change: change[0]) - 1][1]


@needs_verilator
@pytest.mark.parametrize("name", ["tests/programs/refresh.asm", "tests/programs/two_words.asm", "examples/convolver.asm"])
def test_waveforms_show_the_same_as_those_of_anna_trace(name: str, bench: Bench, tmp_path: Path) -> None:
    """Just before the end of each cycle: units, page, CALC, shifter, registers, latches, results, wherever ours are known.

    Only ours tell layers, and how long page loads take.
    """
    program = assembled(ROOT / name)
    codes, timeline = random_codes(program, 1, 3), anna.verified(program)
    assert "PASS" in bench(program, codes, f"+trace={tmp_path / 'rtl.vcd'}")
    theirs = waveforms((tmp_path / "rtl.vcd").read_text())
    ours = waveforms(anna.vcd(anna.Interpreter(program, codes[0]), timeline))
    assert ours.keys() - theirs.keys() == {"page_load_busy"} | ({"layer"} & ours.keys())
    (load,) = timeline.load_cycles  # ours begin with it: an image's share
    began, rest = divmod(load * 50_000, timeline.program.batch)
    assert rest == 0
    assert {"input_busy", "store_busy", "array_busy", "output_busy", "weights_busy", "page", "shifter", "register_3", "latch_0",
            "neuron_7", "calc"} <= set(ours)  # fmt: skip
    compared = 0
    for signal in ours.keys() & theirs.keys():
        for cycle in range(timeline.run_cycles):
            at = (cycle + 1) * 50_000 - 1
            if (value := value_at(ours[signal], at + began)) != "x":
                assert value_at(theirs[signal], at) == value, f"{signal} in cycle {cycle}"
                compared += 1
    assert compared > 5 * timeline.run_cycles


# --- what is written


@pytest.mark.parametrize("spec", [anna.ANNA_1991, ODD.changed(adc_curve="linear", scale_bits=3)], ids=["published", "odd"])
def test_thresholds_are_those_of_the_manual(spec: anna.ChipSpec) -> None:
    """As the second simulator computes them, in which there is no line of anna."""
    table = re.search(r"THRESHOLDS\[\d+\] = '\{(.*)\};", source_files(spec)["parameters.svh"].decode(), re.S)
    assert table
    second = SecondSimulator.__new__(SecondSimulator)
    second.spec = spec.model_dump()
    expected = [threshold for code in range(1 << spec.scale_bits) for threshold in second.thresholds(code)]
    assert [int(number) for number in re.findall(r"-?\d+", table[1])] == expected


def test_words_are_those_of_the_file(tmp_path: Path) -> None:
    program = assembled(ROOT / "tests" / "programs" / "paper.asm")
    lines = program_files(program)["words.hex"].decode().split()
    assert [[int(line, 16) >> 64 * i & 2**64 - 1 for i in range(2)] for line in lines] == program.words.tolist()


def test_every_source_begins_with_a_sentence_and_holds_the_module_of_its_name() -> None:
    sources = sorted(SOURCES.glob("*.sv"))
    assert len(sources) > 10
    for path in sources:
        text = path.read_text(encoding="utf-8")
        assert re.match(r"// [A-Z].*[.,]\n", text), path.name
        assert re.findall(r"^(?:module|package) (\w+)", text, re.M) == [path.stem]


def test_what_is_beyond_the_chip_is_refused(tmp_path: Path) -> None:
    wide = assembled(ROOT / "tests" / "programs" / "calc.asm")
    with pytest.raises(MachineError, match="this chip has the wide one"):
        export_rtl(wide, tmp_path / "wide")
    with pytest.raises(MachineError, match=r"has rounds of the host, the first before segment \d+"):
        export_rtl(host_rounds.assembled(ROUNDS), tmp_path / "rounds")
    with pytest.raises(MachineError, match="the SystemVerilog takes at most 8192"):
        source_files(anna.ANNA_1991.changed(state_bits=10, scale_bits=4))


def test_anna_export_writes_a_folder_for_verilator(tmp_path: Path) -> None:
    program = assembled(ROOT / "tests" / "programs" / "paper.asm")
    program.save(tmp_path / "paper.anna")
    np.save(tmp_path / "codes.npy", random_codes(program, 3, 1))
    said = good("export", tmp_path / "paper.anna", "--codes", tmp_path / "codes.npy", "--count", 2, "--rtl", tmp_path / "rtl")
    assert f"run it with Verilator: make -C {tmp_path / 'rtl'}\n" in said
    assert {"Makefile", "parameters.svh", "bench.sv", "program"} <= {path.name for path in (tmp_path / "rtl").iterdir()}
    assert (tmp_path / "rtl" / "program" / "states_1.txt").exists()
    assert not (tmp_path / "rtl" / "program" / "states_2.txt").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["paper.anna"], "is a program, which has no layers left to write as ONNX; give --rtl FOLDER or a network"),
        (["recognizer", "--codes", "codes.npy"], "--codes goes with --rtl and a program; a network takes --images"),
        (["recognizer", "--codes", "codes.npy", "--rtl", "it"], "--codes goes with a program; a network takes --images"),
        (["recognizer", "--rtl", "it", "-o", "there"], "--rtl names the folder already; leave out --output"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options: list[str], sentence: str, tmp_path: Path) -> None:
    assert sentence in refused("export", *options, cwd=tmp_path)
