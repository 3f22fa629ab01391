"""Calls the command line as a user would, each time in a process of its own.

Half a second of each command is Python's start and imports. So the processes are forked from one that has loaded all
commands; that commands load what they need, and start without it, is what test_imports.py and test_examples.py see.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).parents[1]
ELSEWHERE = ROOT / "tests"  # not the project's folder: there Python would find the sources before what is installed
ENV = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def call(*arguments: str | Path | int, cwd: Path | None = None, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    words = [*map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder:
        streams = [Path(folder) / name for name in ("in", "out", "err")]
        streams[0].write_text(stdin or "", encoding="utf-8")
        server = _server()
        assert server.stdin and server.stdout
        server.stdin.write(json.dumps([words, str(cwd or ELSEWHERE), ENV, [*map(str, streams)]]) + "\n")
        server.stdin.flush()
        try:
            code = int(server.stdout.readline())
        except BaseException:  # a test that ran out of time: nobody may read the answer that it did not wait for
            os.killpg(server.pid, signal.SIGKILL)
            _server.cache_clear()
            raise
        return subprocess.CompletedProcess(words, code, *(path.read_text(encoding="utf-8") for path in streams[1:]))


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


@cache
def _server() -> "subprocess.Popen[str]":
    """The process that all commands of these tests are forked from; it ends when its standard input does."""
    command = [sys.executable, "-P", __file__]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen(command, **pipes, text=True, env=ENV, start_new_session=True)


def _serve() -> NoReturn:
    """Forks a process for each line of standard input and answers with its exit code."""
    import anna
    import lenet
    from sim.cli.main import COMMANDS, _command
    from sim.cli.start import main

    loaded = [*map(_command, COMMANDS), *(getattr(package, name) for package in (anna, lenet) for name in package.__all__)]
    assert loaded
    asked, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    for line in asked:
        arguments, folder, environment, streams = json.loads(line)
        child = os.fork()
        if not child:
            for number, path in enumerate(streams):
                os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environment)
            sys.argv[1:] = arguments
            sys.exit(main())
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)
    sys.exit(0)


if __name__ == "__main__":
    _serve()
