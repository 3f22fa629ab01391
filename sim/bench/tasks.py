"""What a user waits for: whole commands, each in processes of its own, and new dies; several times in turn, with medians.

A command's time is that of all its processes, Python's start included, in a new folder each time. A new die is drawn, its
operands are gathered, and it runs one image on one thread; what all chips of a program share was computed before.
"""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import UsageError
from anna.machine.chip import Chip
from anna.network.graph import Network
from anna.program.file import Program
from sim.bench.natural import natural
from sim.bench.processes import Used, run
from sim.inputs.models import load_network

ANNA = (sys.executable, "-P", "-m", "sim.cli")
DRAWN = 100  # images for a network without samples, as many as the compiler uses of more
DIES = 10  # in one round
SUFFIXES = (".onnx", ".safetensors")  # of networks
IMAGES = "drawn.npz"  # in the folder of a command


@dataclass
class Task:
    """Something to wait for: its work, which tells the time of one, and the times measured; a task that failed says why."""

    name: str
    network: str | None
    calibration: str | None  # images that ranges were chosen on
    work: Callable[[], Used]
    used: list[Used] = field(default_factory=list)
    failed: str | None = None

    def once(self) -> None:
        """Does the work once; what failed is not tried again."""
        if self.failed is not None:
            return
        try:
            self.used.append(self.work())
        except subprocess.CalledProcessError as error:
            said = (error.stderr or "").strip().splitlines()
            self.failed = said[-1] if said else f"ended with code {error.returncode}"

    def row(self) -> dict[str, Any]:
        """Medians as a row."""
        middle = (lambda field: statistics.median(getattr(one, field) for one in self.used)) if self.used else lambda _: None
        return {"task": self.name, "network": self.network, "calibration": self.calibration, "wall_s": middle("clock"),
                "cpu_s": middle("processor"), "rounds": len(self.used), "failed": self.failed}  # fmt: skip


def command(*words: str | Path, images: NDArray[Any] | None = None) -> Callable[[], Used]:
    """An anna command as work, in a new folder, which holds the images, if any."""

    def work() -> Used:
        with tempfile.TemporaryDirectory() as folder:
            if images is not None:
                np.savez(Path(folder) / IMAGES, images=images)
            return run([*ANNA, *map(str, words)], folder)

    return work


def shipped_tasks(name: str, network: Network, what: Sequence[str]) -> list[Task]:
    """Those of compiling and comparing a network by name that are asked for."""
    ends = {"compile": "network.anna", "compare": "report.html"}
    return [Task(f"anna {one}", name, f"{network.data} digits", command(one, name, "-o", end))
            for one, end in ends.items() if one in what]  # fmt: skip


def sweep_task(spec: Path) -> Task:
    """A sweep, with all its points."""
    return Task(f"anna sweep {spec.name}", None, None, command("sweep", spec.absolute(), "-o", "sweep"))


def die_task(name: str, program: Program, images: NDArray[Any], simd: str) -> Task:
    """A new die of a compiled network, again and again with other seeds."""
    seeds = itertools.count(1)

    def new_die() -> None:
        Chip(seed=next(seeds)).run(program, images[:1], threads=1, simd=simd)

    def work() -> Used:
        clock, processor = time.perf_counter(), time.process_time()
        for _ in range(DIES):
            new_die()
        return Used((time.process_time() - processor) / DIES, (time.perf_counter() - clock) / DIES)

    new_die()
    return Task("new die, one image", name, None, work)


def own_networks(given: Sequence[str]) -> list[Path]:
    """The files named, and those in the folders named."""
    found = []
    for path in map(Path, given):
        inside = sorted(one for one in path.iterdir() if one.suffix in SUFFIXES) if path.is_dir() else [path]
        if not inside:
            raise UsageError(f"{path}: holds no network; expected files that end in {' or '.join(SUFFIXES)}")
        found += inside
    return found


def own_task(path: Path) -> Task:
    """Compiling a user's own network, calibrated on the .npz of its name beside it, if there is one; else on its data set or,
    without one, on drawn images."""
    network, beside = load_network(str(path)), path.with_suffix(".npz")
    given: tuple[str | Path, ...] = ()
    images, text = None, f"{network.data} digits"
    if beside.is_file():
        given, text = ("--calibration", beside.absolute()), beside.name
    elif network.prepare is None:
        images, given = natural(network.input_shape, DRAWN), ("--calibration", IMAGES)
        text = f"{DRAWN} drawn images of natural statistics, 0 to 1"
    work = command("compile", path.absolute(), *given, "-o", "network.anna", images=images)
    return Task("anna compile", path.name, text, work)


def measure(tasks: Sequence[Task], rounds: int, watch: Callable[[str], None]) -> list[dict[str, Any]]:
    """Does all tasks in turn, `rounds` times, and gives their rows."""
    for number in range(rounds):
        for task in tasks:
            watch(f"round {number + 1} of {rounds}: {task.name} {task.network or ''}")
            task.once()
    return [task.row() for task in tasks]
