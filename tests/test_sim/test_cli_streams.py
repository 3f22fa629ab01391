"""Where the command line's results and errors go: streams that are closed or plain ASCII."""

import subprocess
import sys
from pathlib import Path

from command_line import ELSEWHERE, ENV, ROOT, good

EDGES = ROOT / "examples" / "edges.asm"
ANNA = f"{sys.executable} -m sim.cli"


def shell(line: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", "-c", line]
    return subprocess.run(command, capture_output=True, text=True, env={**ENV, **env}, cwd=ELSEWHERE, check=False)


def test_closed_streams_are_like_a_pipe_that_nobody_reads() -> None:
    for line, code in (("info >&-", 0), ("info 2>&-", 0), ("fly 2>&-", 2), ("info <&- >&- 2>&-", 0)):
        done = shell(f"{ANNA} {line}")
        assert (done.returncode, done.stderr) == (code, "")
        assert done.stdout == (good("info") if line == "info 2>&-" else "")
    assert shell(f"{ANNA} fly >&-").stderr == "anna: there is no command fly; see anna --help\n"
    assert shell(f"{ANNA} asm - -o x.anna <&-").stderr == "anna: -: holds no instruction\n"


def test_a_letter_that_the_output_cannot_show_is_replaced(tmp_path: Path) -> None:
    done = shell(f"{ANNA} asm {EDGES} -o {tmp_path}/ö.anna", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{tmp_path}/?.anna: ")
    assert (tmp_path / "ö.anna").exists()
    assert "S?ckinger" in shell(f"{ANNA} info --facts", PYTHONIOENCODING="ascii").stdout


def test_ctrl_c_is_no_bug_where_a_library_makes_an_error_of_it() -> None:
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
