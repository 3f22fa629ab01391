"""Every writer of files in turn, on a disk where `faulty_disk.c` makes calls fail; prints what each said.

It is started by tests/test_faulty_disk.py, with a folder of a small sweep, program and die as its argument.
"""

import contextlib
import errno
import io
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

import anna
from lenet.training.checkpoint import Checkpoint
from sim.cli.main import main

CALLS = (("write", errno.ENOSPC), ("write", errno.EIO), ("fsync", errno.EIO), ("close", errno.EIO), ("close", errno.ENOSPC))


def command(*words: str) -> Callable[[], str]:
    def run() -> str:
        said, printed = io.StringIO(), io.StringIO()
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(printed):
            code = main(words)
        return said.getvalue().removesuffix("\n") if code else ""

    return run


def function(save: Callable[[], None]) -> Callable[[], str]:
    def run() -> str:
        try:
            save()
        except anna.AnnaError as error:
            return f"anna: {error}"
        return ""

    return run


def writers(folder: Path) -> dict[str, Callable[[], str]]:
    """By the name of the file that each writes."""
    program, sweep = str(folder / "program.anna"), str(folder / "sweep")
    checkpoint = Checkpoint("run", (), {"p0": np.zeros(9, np.float32)})
    die = replace(anna.Die.load(folder / "x.die"))
    return {
        "program.anna": command("asm", str(folder / "program.asm"), "-o", program),
        "program.asm": command("disasm", program, "-o", str(folder / "program.asm")),
        "x.json": command("trace", program, "--codes", str(folder / "codes.npy"), "--perfetto", str(folder / "x.json")),
        "x.vcd": command("trace", program, "--codes", str(folder / "codes.npy"), "--vcd", str(folder / "x.vcd"), "--perfetto",
                         os.devnull),
        "x.die": function(lambda: die.save(folder / "x.die")),
        "x.checkpoint": function(lambda: checkpoint.save(folder / "x.checkpoint")),
        "sweep/report.html": command("report", sweep),
        "sweep/results.csv": command("report", sweep),
    }  # fmt: skip


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def tried(folder: Path) -> list[dict[str, object]]:
    found = []
    for name, write in writers(folder).items():
        assert write() == "", name  # on a good disk
        before = everything(folder)
        for call, number in CALLS:
            os.environ.update(FAULT_CALL=call, FAULT_ERRNO=str(number), FAULT_FILE=f".{Path(name).name}.")
            said = write()
            del os.environ["FAULT_CALL"]
            found.append({"file": name, "call": call, "errno": number, "said": said, "kept": everything(folder) == before})
    return found


if __name__ == "__main__":
    print(json.dumps(tried(Path(sys.argv[1]))))
