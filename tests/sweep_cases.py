"""Small sweeps for tests: seconds at most, on a network of one layer compiled the quick way."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from lenet.datasets.digits import built_in
from sim.sweep.run import SweepStatus, run_sweep
from sim.sweep.spec import SweepSpec, make_spec

QUICK = {
    "compile.fit": [False], "compile.round": ["nearest"], "compile.range_method": ["max"],
    "compile.calibration_count": [20], "compile.check_count": [0],
}  # fmt: skip

TOML = (Path(__file__).parent / "data" / "tiny.toml").read_text(encoding="utf-8")
POINTS, ROWS = 12, 36


def tiny_file(folder: Path) -> Path:
    path = folder / "tiny.toml"
    path.write_text(TOML, encoding="utf-8")
    return path


def tiny(**changes: Any) -> SweepSpec:
    """A sweep of the same kind; axes as given, or two points."""
    axes = changes.pop("axes", {"chip.state_bits": [3, 4]})
    return make_spec({"name": "tiny", "network": "linear", "count": 20, "chips": 3, **changes, "axes": {**axes, **QUICK}})


def made_up_mnist(folder: Path) -> Path:
    """A data folder with a training set of MNIST's size: the built-in digits, and all of them moved in eleven ways."""
    whole = built_in()
    moved = [np.roll(whole.images, (row, column), (1, 2)) for row in range(3) for column in range(4)]
    home = folder / "data" / "mnist"
    home.mkdir(parents=True)
    for name, array in (("images-idx3", np.concatenate(moved)), ("labels-idx1", np.tile(whole.labels, len(moved)))):
        head = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
        (home / f"train-{name}-ubyte").write_bytes(head + array.tobytes())
    return home.parent


def here(spec: SweepSpec, folder: Path) -> SweepStatus:
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
