"""Calls the command line as a user would, each time in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
ELSEWHERE = ROOT / "tests"  # not the project's folder: there Python would find the sources before what is installed
ENV = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def call(*arguments: str | Path | int, cwd: Path | None = None, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sim.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd or ELSEWHERE, env=ENV, input=stdin, check=False)


def good(*arguments: str | Path | int, cwd: Path | None = None) -> str:
    """What a command printed that went well, and silently."""
    done = call(*arguments, cwd=cwd)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refused(*arguments: str | Path | int, cwd: Path | None = None, stdin: str | None = None, stdout: bool = False) -> str:
    """What a command said that was refused; it printed nothing else, unless `stdout`."""
    done = call(*arguments, cwd=cwd, stdin=stdin)
    assert done.returncode == 2
    assert stdout or done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr
