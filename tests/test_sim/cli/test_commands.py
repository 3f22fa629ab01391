"""The command line as a user sees it: results, JSON, error sentences and exit codes, each in its own process."""

import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import ELSEWHERE, ENV, ROOT, call, good, refused

import anna
import lenet
from anna.lab.pins import pins_program, straight, uniform_pages
from sim.cli.main import main

EDGES = ROOT / "examples" / "edges.asm"
COMMANDS = (
    "compare", "yield", "diagnose", "published", "sweep", "report", "plan", "compile", "fit-host", "export", "check", "info",
    "energy", "asm", "disasm", "run", "trace", "train", "data", "bench", "doctor", "completion",
)  # fmt: skip


def test_a_plan_says_what_a_network_takes() -> None:
    done = json.loads(good("plan", "lenet5", "--json"))
    assert (done["network"], done["machine"], done["pages"], done["cut"]) == ("lenet5", "sequencer", 21, ["output"])
    assert done["chip_multiply_adds"] + done["host_multiply_adds"] == lenet.load("lenet5").multiply_adds
    assert "take a board with more (chip max_pages=21), or run C5" in good("plan", "lenet5", "--chip", "max_pages=20")


def test_an_exported_network_answers_itself_and_a_difference_is_named(tmp_path: Path) -> None:
    quickly = ("--no-fit", "--round", "nearest", "--range-method", "max", "--check-count", 0)
    done = json.loads(good("export", "recognizer", "--count", 3, "-o", tmp_path / "new" / "it", *quickly, "--json"))
    assert (done["images"], done["layers"]) == (3, ["C1", "S2", "C3", "S4"])
    answers = Path(done["folder"]) / "answers.npz"
    agreed = json.loads(good("check", done["folder"], answers, "--json"))
    assert (agreed["images"], agreed["maps"], agreed["not_given"]) == (3, done["layers"], [])
    with np.load(answers) as found:
        maps = dict(found)
    maps["S2"][1, 0, 2, 3] ^= 1
    del maps["S4"]
    np.savez(tmp_path / "mine.npz", **maps)
    said = refused("check", done["folder"], tmp_path / "mine.npz")
    assert f"{tmp_path / 'mine.npz'}: layer S2, map 0 row 2 column 3 of image 1 is" in said
    del maps["S2"]
    np.savez(tmp_path / "mine.npz", **maps)
    assert good("check", done["folder"], tmp_path / "mine.npz").endswith("states of 3 images; not given: S2, S4\n")


def test_more_known_answers_than_there_are_images_are_refused(tmp_path: Path) -> None:
    assert refused("export", "recognizer", "--count", 501, "-o", tmp_path / "it") == (
        "anna: 501 images requested, but there are 500 for calibration; give --images\n"
    )


@pytest.mark.slow
def test_labelled_digits_give_the_error(paged: Path, tmp_path: Path) -> None:
    """Built-in ones, or a file with an array labels; a file without labels gives no error."""
    images, labels = lenet.holdout()
    found = json.loads(good("run", paged, "--images", "holdout", "--json"))
    misread = int((np.array(found["labels"]) != labels).sum())
    assert (found["images"], found["misread"], found["error"]) == (4500, misread, misread / 4500)
    np.savez(tmp_path / "digits.npz", images=images[:40], labels=labels[:40])
    wrong = int((np.array(found["labels"][:40]) != labels[:40]).sum())
    assert f"{wrong} of 40 misread: {wrong / 40:.2%}" in good("run", paged, "--images", tmp_path / "digits.npz")
    np.save(tmp_path / "digits.npy", images[:40])
    assert "misread" not in good("run", paged, "--images", tmp_path / "digits.npy")
    np.savez(tmp_path / "uneven.npz", images=images[:40], labels=labels[:39])
    assert "labels have shape (39,); expected (40,)" in refused("run", paged, "--images", tmp_path / "uneven.npz")


def test_built_in_digits_go_through_compiled_programs_only(edges: Path, paged: Path, tmp_path: Path) -> None:
    good("trace", paged, "holdout", "--perfetto", tmp_path / "p.json")
    assert json.loads((tmp_path / "p.json").read_text())["traceEvents"]
    said = refused("run", edges, "--images", "holdout")
    assert "program edges has no host to prepare images; give state codes with --codes FILE" in said


def test_a_chip_seed_draws_a_typical_chip(edges: Path) -> None:
    """As `Chip(seed=7)` does; without a seed the chip is ideal, and a seed is checked for every chip."""

    def told(*options: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(good("run", edges, "--random", 20, *options, "--json"))
        return found

    seven = told("--chip-seed", "7")
    assert (seven["analog"], seven["chip_seed"]) == ("typical", 7)
    assert seven == told("--chip-seed", "7", "--analog", "typical") != told("--chip-seed", "8")
    assert told()["analog"] == "ideal" and told()["outputs"] == told("--analog", "ideal")["outputs"]
    assert "seed is -1" in refused("run", edges, "--random", 1, "--chip-seed", -1)


def test_a_seed_for_the_ideal_chip_alone_is_refused(edges: Path, tmp_path: Path) -> None:
    """It would draw nothing, and who gives one believes that it does."""
    images = tmp_path / "codes.npy"
    np.save(images, np.zeros((1, 8, 8), np.uint8))
    ideal = ("--analog", "ideal", "--chip-seed", 3)
    for command in (
        ("run", edges, "--random", 1), ("watch", edges, "--codes", images), ("compare",), ("sensitivity",),
        ("application", "slant"), ("fit-host", edges, "--images", "holdout"),
    ):  # fmt: skip
        assert "--chip-seed 3 draws nothing, since an ideal chip is the same for every seed" in refused(*command, *ideal)
    good("compare", "linear", "--count", 50, "--chips", 1, "--ledger", "none", *ideal, "--analog", "typical",
         "-o", tmp_path / "x.html")  # fmt: skip


def test_shipped_weights_go_by_their_own_name(tmp_path: Path) -> None:
    def sha256(*words: str) -> str:
        made = good("compile", *words, "--check-count", "0", "--json", "-o", tmp_path / "x.anna")
        return str(json.loads(made)["sha256"])

    found = sha256("recognizer-mnist-seed1-chip")
    assert found == sha256("recognizer", "--data", "mnist", "--variant", "chip") != sha256("recognizer", "--data", "mnist")
    plans = [json.loads(good("plan", name, "--json")) for name in ("recognizer-mnist-seed1-chip", "recognizer")]
    assert plans[0] | {"seconds": 0} == plans[1] | {"seconds": 0}
    said = refused("compile", "recognizer-mnist-seed1-chip", "--data", "usps")
    assert (
        said == "anna: recognizer-mnist-seed1-chip: says its data set, seed and variant itself; expected no others beside it\n"
    )
    assert "no trained weights recognizer-mnist-seed9 ship with anna" in refused("compile", "recognizer-mnist-seed9")


def test_a_network_is_compiled_in_digits(tmp_path: Path) -> None:
    words = ("compile", "linear", "--digits", "input=2,others=1", "--copies", "2", "--json", "-o", tmp_path / "two.anna")
    report = json.loads(good(*words))
    assert (report["options"]["digits"], report["options"]["copies"]) == ({"input": 2, "others": 1}, 2)
    program = anna.Program.load(tmp_path / "two.anna")
    assert program.host is not None and program.host.input_digits == 2
    assert anna.Chip().run(program, lenet.holdout()[0][:1]).labels.shape == (1,)
    said = call("compile", "linear", "-o", tmp_path / "one.anna").stderr
    assert said.startswith("warning: linear: the ideal chip gives") and said.count("\n") == 1
    wrong = refused("compile", "linear", "--digits", "C9=2", "-o", tmp_path / "three.anna")
    assert "option digits: 'C9' names no layer of the chip" in wrong
    assert "'2x' is not an integer" in refused("compile", "linear", "--digits", "others=2x")


def test_a_slot_chooses_how_old_charges_are(edges: Path, tmp_path: Path) -> None:
    """A batch of three on the published chip: by default the last slot's charges, a fresh slot errs less."""
    spec = anna.ANNA_1991
    weights, scales = uniform_pages(spec, 63, 12)
    made = replace(pins_program(spec, [straight(spec, 256, 0, 8)], weights, scales, wait_cycles=1 << 15), batch=3)
    made.save(tmp_path / "pins.anna")

    def found(*slot: object) -> Any:
        return json.loads(good("run", tmp_path / "pins.anna", "--random", 50, "--chip-seed", 3, "--json", *slot))

    last, first = found(), found("--slot", 0)
    assert (last["slot"], first["slot"]) == (2, 0)
    assert last["outputs"] == found("--slot", 2)["outputs"] != first["outputs"]
    said = refused("run", tmp_path / "pins.anna", "--random", 1, "--slot", 3, cwd=tmp_path)
    assert said == "anna: slot is 3; this program has a batch of 3, slots 0 to 2\n"
    assert json.loads(good("run", edges, "--random", 1, "--json"))["slot"] is None
    said = refused("run", edges, "--random", 1, "--slot", 1, cwd=tmp_path)
    assert said == "anna: slot is 1, but a wide chip refreshes by itself, whatever the slot; leave slot out\n"


def test_facts_and_manual_are_printed() -> None:
    facts = json.loads(good("info", "--facts", "--json"))["facts"]
    assert facts["WEIGHT_BITS"] == {"value": 6, "unit": "bits", "mark": "P", "source": "1"}
    assert good("info", "--isa").startswith("# Instruction set")


def test_asm_disasm_asm_gives_the_same_bytes(edges: Path, tmp_path: Path) -> None:
    good("disasm", edges, "-o", tmp_path / "again.asm")
    good("asm", tmp_path / "again.asm")
    assert (tmp_path / "again.anna").read_bytes() == edges.read_bytes()


def test_run_gives_what_the_chip_gives(edges: Path, tmp_path: Path) -> None:
    codes = np.random.default_rng(5).integers(0, 8, (20, 8, 8)).astype(np.uint8)
    np.save(tmp_path / "codes.npy", codes)
    found = json.loads(good("run", edges, "--codes", tmp_path / "codes.npy", "-o", tmp_path / "out.npz", "--json"))
    expected = anna.Chip().run_codes(anna.Program.load(edges), codes[:, None]).codes["edges"]
    np.testing.assert_array_equal(found["outputs"]["edges"], expected)
    np.testing.assert_array_equal(np.load(tmp_path / "out.npz")["edges"], expected)
    assert (found["images"], found["seed"]) == (20, 0)


def test_edges_are_found(edges: Path) -> None:
    """A dark left half and a bright right half: vertical edges in the middle, no horizontal ones."""
    codes = np.where(np.arange(8) < 4, 0, 7) * np.ones((1, 1, 8, 1), int)
    maps = anna.Chip().run_codes(anna.Program.load(edges), codes).codes["edges"][0]
    assert (maps[0] == [4, 4, 7, 7, 4, 4]).all()
    assert (maps[1] == 4).all()


def test_interpreter_and_engine_print_the_same(edges: Path) -> None:
    engine = good("run", edges, "--random", 5, "--noise-seed", 3, "--json")
    assert good("run", edges, "--random", 5, "--noise-seed", 3, "--json", "--interpreter") == engine
    assert good("run", edges, "--random", 5, "--noise-seed", 3, "--json", "--simd", "plain", "--threads", 2) == engine


@pytest.mark.parametrize("threads", [0, -3])
def test_a_bad_number_of_threads_is_refused(edges: Path, threads: int) -> None:
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
        (text, "is neither .npy, .npz nor IDX; expected codes as integers"),
        (empty, "is neither .npy, .npz nor IDX"),
        (tmp_path / "none.npy", "cannot be read (No such file or directory)"),
        (tmp_path, "cannot be read (Is a directory)"),
        (tmp_path / "float.npy", "holds float64; expected integers"),
        (tmp_path / "nan.npy", "holds float64; expected integers"),
        (tmp_path / "shape.npy", "codes have shape (2, 9, 9); program edges takes (n, 1, 8, 8)"),
        (tmp_path / "object.npy", "holds object; expected numbers"),
        (tmp_path / "two.npz", "holds a, b; expected a single array, or one named codes"),
        (tmp_path / "cut.npy", "holds 1,289 bytes after its header; expected 1,296 for shape (2, 9, 9)"),
        (cut, "holds 319 numbers; its header says 320"),
    ]:
        said = refused("run", edges, "--codes", file)
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
        (("asm", "none.asm"), "none.asm: cannot be read (No such file or directory); expected assembly text"),
        (("asm", "-"), "assembly from standard input needs -o FILE.anna"),
    ],
)
def test_bad_usage_gets_one_clear_sentence(arguments: tuple[str, ...], sentence: str, tmp_path: Path) -> None:
    said = refused(*arguments, cwd=tmp_path, stdin="")
    assert sentence in said and said.count("\n") == 1


def test_an_illegal_program_leaves_no_file(tmp_path: Path) -> None:
    source = ROOT / "tests" / "programs" / "illegal" / "register-held.asm"
    said = refused("asm", source, "-o", tmp_path / "x.anna")
    assert "insert WAIT cycles=3 before it" in said
    assert list(tmp_path.iterdir()) == []


def test_images_are_required(edges: Path) -> None:
    assert "no images given; give one of --images SOURCE, --codes FILE and --random N" in refused("run", edges)


def test_images_of_two_sources_are_told_as_two(edges: Path) -> None:
    said = refused("run", edges, "--images", "none.npy", "--random", 5)
    assert "--images none.npy and --random 5 are given; expected one of them" in said


def test_a_full_disk_gives_one_sentence(edges: Path) -> None:
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
    time.sleep(4)  # well after the start, even on a busy machine
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "anna: interrupted\n")


def test_ctrl_c_while_the_command_line_is_loaded_prints_no_traceback() -> None:
    code = """
import signal, sys
from importlib.abc import MetaPathFinder
class Interrupting(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "sim.cli.main":
            signal.raise_signal(signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
from sim.cli.start import main
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENV, cwd=ELSEWHERE, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_trace_writes_both_kinds(edges: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.zeros((2, 8, 8), np.uint8))
    found = json.loads(good("trace", edges, "--codes", tmp_path / "p.npy", "--vcd", tmp_path / "e.vcd", "--perfetto",
                            tmp_path / "e.json", "--json"))  # fmt: skip
    assert found["cycles_per_image"] == json.loads(good("info", edges, "--json"))["cycles_per_image"]
    assert json.loads((tmp_path / "e.json").read_text())["traceEvents"]
    assert (tmp_path / "e.vcd").read_text().startswith("$comment program edges")
    assert "expected --image below that, got 5" in refused("trace", edges, "--codes", tmp_path / "p.npy", "--image", 5)


def run_in_process(command: str, monkeypatch: pytest.MonkeyPatch, *absent: str) -> None:
    """`anna command` where these packages are not installed."""
    found = metadata.version

    def version(package: str) -> str:
        if package in absent:
            raise metadata.PackageNotFoundError(package)
        return found(package)

    monkeypatch.setattr(metadata, "version", version)
    assert main([command]) == 0


def test_doctor_says_what_each_missing_package_is_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No package is needed to read .onnx files."""
    run_in_process("doctor", monkeypatch, "torch", "onnx", "onnxruntime", "h5py", "distributed", "pyarrow", "numpy")
    rows = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    peer = "not installed; only needed for the ONNX Runtime rows of anna bench, which need both onnx and onnxruntime"
    assert rows["onnx"] == rows["onnxruntime"] == peer
    assert rows["torch"] == "not installed; only needed for anna train and the PyTorch rows of anna bench"
    assert rows["h5py"] == "not installed; only needed for reading the usps digits from usps.h5"
    assert rows["distributed"] == "not installed; only needed for sweeps on a cluster"
    assert rows["pyarrow"] == "not installed; only needed for the Parquet table of anna report"
    assert rows["numpy"] == "missing: pip install ."


@pytest.mark.parametrize(
    ("arguments", "ways"),
    [
        (("compile", "lenet1"), "give sample images with --calibration FILE, or use weights for the built-in digits: "
         "--data mnist"),
        (("compare", "lenet1"), "use weights for the built-in digits: --data mnist --images holdout"),
        (("compare", "lenet1.safetensors"), "give your own images with --calibration FILE and --images FILE.npz"),
    ],
)  # fmt: skip
def test_without_a_data_folder_the_error_names_the_options_of_the_command(
    arguments: tuple[str, ...], ways: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The 1989 network is trained on USPS digits, which are not built in."""
    monkeypatch.delitem(ENV, "ANNA_DATA", raising=False)
    shutil.copy(ROOT / "lenet" / "weights" / "lenet1-usps-seed1.safetensors", tmp_path / "lenet1.safetensors")
    said = refused(*arguments, cwd=tmp_path)
    assert said.endswith(f"set ANNA_DATA to the folder that holds usps, or {ways}\n") and said.count("\n") == 1


def test_the_suggested_command_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(ENV, "ANNA_DATA", raising=False)
    assert good("compile", "lenet1", "--data", "mnist", cwd=tmp_path).startswith("lenet1 on machine sequencer: ")
