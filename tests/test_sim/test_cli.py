"""The command line as a user meets it: results, machine output, sentences and exit codes, each in a process of its own."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from command_line import ELSEWHERE, ENV, ROOT, good, refused

import anna

EDGES = ROOT / "examples" / "edges.asm"
COMMANDS = (
    "compare", "sweep", "report", "compile", "info", "asm", "disasm", "run", "trace", "train", "data", "bench", "doctor",
    "completion",
)  # fmt: skip


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("edges") / "edges.anna"
    good("asm", EDGES, "-o", path)
    return path


def test_info_of_the_chip_has_the_documented_fields() -> None:
    info = json.loads(good("info", "--json"))
    assert info["clock_hz"] == 20_000_000
    assert info["synapses"] == 4096
    assert info["neurons_at_once"] == 8
    assert info["max_inputs"] == 256
    assert info["peak_connections_per_s"] == 10.24e9
    assert info["refresh_us"] == pytest.approx(110)
    assert info["state_rate_per_s"] == 40_000_000


def test_info_shows_the_refresh_both_ways_and_the_marks() -> None:
    text = good("info")
    assert "110 us = 102.4 us of writes + 152 cycles" in text
    assert "marks: P published, R recalled, D derived, A assumed" in text


def test_info_of_a_program(edges: Path) -> None:
    info = json.loads(good("info", edges, "--json"))
    assert info["cycles_per_image"] == anna.verified(anna.Program.load(edges)).cycles_per_image
    assert info["utilisation"]["array"] == pytest.approx(48 / info["cycles_per_image"])
    assert good("info", edges).startswith("program")


def test_facts_and_manual_are_printed() -> None:
    facts = json.loads(good("info", "--facts", "--json"))["facts"]
    assert facts["WEIGHT_BITS"] == {"value": 6, "unit": "bits", "mark": "P", "source": "1"}
    assert good("info", "--isa").startswith("# Instruction set")


def test_asm_disasm_asm_gives_the_same_bytes(edges: Path, tmp_path: Path) -> None:
    good("disasm", edges, "-o", tmp_path / "again.asm")
    good("asm", tmp_path / "again.asm")
    assert (tmp_path / "again.anna").read_bytes() == edges.read_bytes()


def test_run_gives_what_the_chip_gives(edges: Path, tmp_path: Path) -> None:
    pictures = np.random.default_rng(5).integers(0, 8, (20, 8, 8)).astype(np.uint8)
    np.save(tmp_path / "pictures.npy", pictures)
    found = json.loads(good("run", edges, "--images", tmp_path / "pictures.npy", "-o", tmp_path / "out.npz", "--json"))
    expected = anna.Chip().run(anna.Program.load(edges), pictures[:, None]).codes["edges"]
    np.testing.assert_array_equal(found["outputs"]["edges"], expected)
    np.testing.assert_array_equal(np.load(tmp_path / "out.npz")["edges"], expected)
    assert (found["images"], found["seed"]) == (20, 0)


def test_edges_are_found(edges: Path) -> None:
    """A dark left half and a bright right half: vertical edges in the middle, no horizontal ones."""
    picture = np.where(np.arange(8) < 4, 0, 7) * np.ones((1, 1, 8, 1), int)
    maps = anna.Chip().run(anna.Program.load(edges), picture).codes["edges"][0]
    assert (maps[0] == [4, 4, 7, 7, 4, 4]).all()
    assert (maps[1] == 4).all()


def test_interpreter_and_engine_print_the_same(edges: Path) -> None:
    engine = good("run", edges, "--random", 5, "--noise-seed", 3, "--json")
    assert good("run", edges, "--random", 5, "--noise-seed", 3, "--json", "--interpreter") == engine
    assert good("run", edges, "--random", 5, "--noise-seed", 3, "--json", "--simd", "plain", "--threads", 2) == engine


@pytest.mark.parametrize("threads", [0, -3])
def test_no_threads_are_no_number_of_threads(edges: Path, threads: int) -> None:
    assert f"threads is {threads}; expected at least 1" in refused("run", edges, "--random", 5, "--threads", threads)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    text = good(command, "--help")
    assert "example:" in text and f"anna {command}" in text


def test_version() -> None:
    assert good("--version") == f"anna {anna.__version__}\n"


def idx(path: Path, head: bytes, size: int) -> Path:
    path.write_bytes(head + bytes(size))
    return path


def test_bad_input_gets_one_clear_sentence(edges: Path, tmp_path: Path) -> None:
    text, empty = tmp_path / "text.npy", tmp_path / "empty.npy"
    text.write_text("hello")
    empty.write_bytes(b"")
    np.save(tmp_path / "float.npy", np.zeros((2, 8, 8)))
    np.save(tmp_path / "nan.npy", np.full((2, 8, 8), np.nan))
    np.save(tmp_path / "shape.npy", np.zeros((2, 9, 9), int))
    np.save(tmp_path / "object.npy", np.array([{}], dtype=object))
    np.savez(tmp_path / "two.npz", a=np.zeros(1), b=np.zeros(1))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "shape.npy").read_bytes()[:-7])
    cut = idx(tmp_path / "cut.idx", b"\0\0\x08\x03\0\0\0\x05\0\0\0\x08\0\0\0\x08", 5 * 64 - 1)
    for file, sentence in [
        (text, "is neither .npy, .npz nor IDX; expected pictures as whole numbers"),
        (empty, "is neither .npy, .npz nor IDX"),
        (tmp_path / "none.npy", "cannot be read (No such file or directory)"),
        (tmp_path, "cannot be read (Is a directory)"),
        (tmp_path / "float.npy", "holds float64; expected whole numbers"),
        (tmp_path / "nan.npy", "holds float64; expected whole numbers"),
        (tmp_path / "shape.npy", "images have shape (2, 9, 9); program edges takes (n, 1, 8, 8)"),
        (tmp_path / "object.npy", "is not a whole file of pictures"),
        (tmp_path / "two.npz", "holds a, b; expected one array, or one called images"),
        (tmp_path / "cut.npy", "is not a whole file of pictures"),
        (cut, "holds 319 numbers; its head announces 320"),
    ]:
        said = refused("run", edges, "--images", file)
        assert said.startswith("anna: ") and sentence in said and said.count("\n") == 1, said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "the following arguments are required: COMMAND; see anna --help"),
        (("fly",), "there is no command fly; see anna --help"),
        (("comapre",), "there is no command comapre; the nearest is compare; see anna --help"),
        (("compare", "--imges", "3"), "anna compare has no option --imges; the nearest is --images; see anna compare --help"),
        (("compare", "lenet5", "b"), "anna compare has no argument b; see anna compare --help"),
        (("run",), "the following arguments are required: FILE.anna; see anna run --help"),
        (("run", "none.anna", "--random", "3"), "none.anna: cannot be read (No such file or directory)"),
        (("info", "none.anna"), "none.anna: cannot be read (No such file or directory)"),
        (("asm", "none.asm"), "none.asm: No such file or directory"),
        (("asm", "-"), "assembly from standard input needs -o FILE.anna"),
    ],
)
def test_bad_usage_gets_one_clear_sentence(arguments: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    said = refused(*arguments, cwd=tmp_path, stdin="")
    assert sentence in said and said.count("\n") == 1


def test_an_illegal_program_leaves_no_file(tmp_path: Path) -> None:
    source = ROOT / "tests" / "programs" / "illegal" / "register-held.asm"
    said = refused("asm", source, "-o", tmp_path / "x.anna")
    assert "WAIT cycles=3 before it would do" in said
    assert list(tmp_path.iterdir()) == []


def test_pictures_are_asked_for(edges: Path) -> None:
    assert "give either --images FILE or --random N" in refused("run", edges)


def test_a_full_disk_is_told_in_one_sentence(edges: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "sim.cli", "disasm", str(edges)]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=ENV, cwd=ELSEWHERE, check=False)
    assert done.returncode == 2
    assert done.stderr == "anna: No space left on device\n"


def test_a_closed_pipe_is_no_error(edges: Path) -> None:
    line = f"{sys.executable} -m sim.cli run {edges} --random 20000 --json | head -c 10; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=ENV, cwd=ELSEWHERE, check=True)
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1].endswith("0")


def test_ctrl_c_ends_a_long_run_with_one_word(edges: Path) -> None:
    command = [sys.executable, "-m", "sim.cli", "run", str(edges), "--random", "50000", "--interpreter"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV, cwd=ELSEWHERE)
    time.sleep(4)  # well after the start, even of a busy machine
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "anna: interrupted\n")


def test_trace_writes_both_kinds(edges: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.zeros((2, 8, 8), np.uint8))
    found = json.loads(good("trace", edges, tmp_path / "p.npy", "--vcd", tmp_path / "e.vcd", "--perfetto",
                            tmp_path / "e.json", "--json"))  # fmt: skip
    assert found["cycles"] == anna.verified(anna.Program.load(edges)).run_cycles
    assert json.loads((tmp_path / "e.json").read_text())["traceEvents"]
    assert (tmp_path / "e.vcd").read_text().startswith("$comment program edges")
    assert "there is no number 5" in refused("trace", edges, tmp_path / "p.npy", "--picture", 5)
