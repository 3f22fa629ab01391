"""Small sweeps for tests: seconds at most, on a network of one layer compiled the quick way."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sim.sweep.run import Swept, run_sweep
from sim.sweep.spec import SweepSpec, make_spec

QUICK = {
    "compile.fit": [False], "compile.round": ["nearest"], "compile.calibrate": ["max"],
    "compile.calibration_pictures": [20], "compile.check_pictures": [0],
}  # fmt: skip

TOML = """
name = "tiny"
network = "linear"
images = 20
chips = 3

[axes]
"chip.weight_bits" = { first = 4, last = 7 }
"chip.state_bits" = [2, 3, 4]
"compile.fit" = [false]
"compile.round" = ["nearest"]
"compile.calibrate" = ["max"]
"compile.calibration_pictures" = [20]
"compile.check_pictures" = [0]
"""
POINTS, ROWS = 12, 36


def tiny_file(folder: Path) -> Path:
    path = folder / "tiny.toml"
    path.write_text(TOML, encoding="utf-8")
    return path


def tiny(**changes: Any) -> SweepSpec:
    """A sweep of the same kind; axes as given, or two points."""
    axes = changes.pop("axes", {"chip.state_bits": [3, 4]})
    return make_spec({"name": "tiny", "network": "linear", "images": 20, "chips": 3, **changes, "axes": {**axes, **QUICK}})


def here(spec: SweepSpec, folder: Path) -> Swept:
    """Run a sweep in this process."""
    with ThreadPoolExecutor(1) as thread:
        return run_sweep(spec, folder, executor=thread)


def die(marker: str) -> int:
    """Ends its process the first time, as if it were out of memory."""
    if not os.path.exists(marker):
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return os.getpid()


def double(x: int) -> int:
    print("what is printed must not disturb")
    return 2 * x
