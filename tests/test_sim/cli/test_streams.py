"""Where the command line's results, progress and errors go: files, pipes, terminals, streams that are closed or plain ASCII."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import ELSEWHERE, ENV, ROOT, call, good, refused

EDGES = ROOT / "examples" / "edges.asm"
ANNA = f"{sys.executable} -m sim.cli"
ERASE = "\r\033[K"


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("edges") / "edges.anna"
    good("asm", EDGES, "-o", path)
    return path


def shell(line: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-c", line]
    return subprocess.run(command, capture_output=True, text=True, env={**ENV, **env}, cwd=ELSEWHERE, check=False)


def on_terminal(*arguments: str | Path | int, term: str = "xterm") -> str:
    """What a command writes to standard error on a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "sim.cli", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, env={**ENV, "TERM": term}, cwd=ELSEWHERE)
    os.close(theirs)
    said = b""
    try:
        while piece := os.read(ours, 4096):
            said += piece
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    process.wait()
    return said.decode().replace("\r\n", "\n")


def test_progress_is_shown_on_a_terminal_only(tmp_path: Path) -> None:
    command = ("compile", "recognizer", "-o", tmp_path / "x.anna")
    assert on_terminal(*command) == f"{ERASE}compile recognizer{ERASE}"
    assert on_terminal(*command, term="dumb") == ""
    assert call(*command).stderr == ""


def test_a_comparison_counts_its_chips_and_tells_the_time_left(tmp_path: Path) -> None:
    said = on_terminal("compare", "linear", "--count", 50, "--chips", 3, "-o", tmp_path / "x.html").split(ERASE)
    for what, total in (("typical chips", 3), ("ledger", None)):
        counted = [line for line in said if line.startswith(f"{what}: ")]
        assert len(counted) == (total or int(counted[-1].split()[-1].replace(",", "")))
        assert all(line.endswith(" s left") for line in counted[:-1]) and counted[-1].endswith(f"of {len(counted)}")


def test_an_error_is_not_glued_to_the_progress_line(tmp_path: Path) -> None:
    said = on_terminal("compare", "recognizer", "--batch", 1000, "-o", tmp_path / "x.html")
    assert said.startswith(f"{ERASE}compile recognizer{ERASE}anna: recognizer: a batch of 1000")


def test_a_line_of_progress_is_cut_to_the_terminal() -> None:
    """What wraps around could not be erased."""
    code = "from sim.cli.progress import progress\nwith progress() as show: show('x' * 500)"
    ours, theirs = pty.openpty()
    subprocess.run([sys.executable, "-c", code], stderr=theirs, env={**ENV, "TERM": "xterm"}, cwd=ELSEWHERE, check=True)
    assert os.read(ours, 4096).decode() == f"{ERASE}{'x' * 79}{ERASE}"
    os.close(ours)
    os.close(theirs)


@pytest.mark.parametrize(
    "command",
    [
        ("compare", "none.onnx", "-o"),
        ("compile", "recognizer", "--calibration", "none.npy", "-o"),
        ("asm", ROOT / "tests" / "programs" / "illegal" / "register-held.asm", "-o"),
        ("disasm", "EDGES", "-o"),
        ("run", "EDGES", "--images", "none.npy", "-o"),
        ("trace", "EDGES", "none.npy", "--vcd"),
        ("trace", "EDGES", "none.npy", "--perfetto"),
    ],
)
def test_a_place_that_cannot_be_written_is_told_before_the_work(
    command: tuple[str | Path, ...], edges: Path, tmp_path: Path
) -> None:
    command = tuple(edges if word == "EDGES" else word for word in command)
    assert refused(*command, tmp_path) == f"anna: {tmp_path}: cannot be written (it is a folder); expected a file name\n"
    assert refused(*command, tmp_path / "none" / "x").endswith(f"cannot be written (there is no folder {tmp_path / 'none'})\n")
    if command[0] != "disasm":
        assert "-: this result cannot go to standard output" in refused(*command, "-", cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_disasm_to_a_dash_goes_to_standard_output(edges: Path, tmp_path: Path) -> None:
    assert good("disasm", edges, "-o", "-", cwd=tmp_path) == good("disasm", edges)
    assert list(tmp_path.iterdir()) == []


def test_compare_prints_its_result_even_if_its_page_cannot_be_written(tmp_path: Path) -> None:
    page = tmp_path / "x.html"
    done = shell(f"ulimit -f 0; exec {ANNA} compare --count 20 --chips 1 --ledger none -o {page}")
    assert (done.returncode, done.stderr) == (2, f"anna: {page}: cannot be written (File too large)\n")
    assert "typical chips" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_closed_streams_are_like_a_pipe_that_nobody_reads() -> None:
    for line, code in (("info >&-", 0), ("info 2>&-", 0), ("fly 2>&-", 2), ("info <&- >&- 2>&-", 0)):
        done = shell(f"{ANNA} {line}")
        assert (done.returncode, done.stderr) == (code, "")
        assert done.stdout == (good("info") if line == "info 2>&-" else "")
    assert shell(f"{ANNA} fly >&-").stderr == "anna: there is no command fly; see anna --help\n"
    assert shell(f"{ANNA} asm - -o x.anna <&-").stderr == "anna: -: has no instructions\n"


def test_a_character_that_the_output_cannot_encode_is_replaced(tmp_path: Path) -> None:
    done = shell(f"{ANNA} asm {EDGES} -o {tmp_path}/ö.anna", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{tmp_path}/?.anna: ")
    assert (tmp_path / "ö.anna").exists()
    assert "S?ckinger" in shell(f"{ANNA} info --facts", PYTHONIOENCODING="ascii").stdout


def test_ctrl_c_is_not_a_bug_even_if_a_library_turns_it_into_an_error() -> None:
    code = """
import importlib, signal, sys
cli = importlib.import_module("sim.cli.main")
def interrupted(name):
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        raise ImportError("a library could not be loaded") from None
cli._command = interrupted
sys.exit(cli.main(["info"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENV, cwd=ELSEWHERE, check=False)
    assert (done.returncode, done.stderr) == (130, "anna: interrupted\n")
