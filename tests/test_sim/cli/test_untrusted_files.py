"""Files come from anywhere: nothing in one is ever executed or unpickled."""

import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import anna
from anna.base.errors import AnnaError
from anna.importers import load_network
from sim.inputs.files import read_images


class Trap:
    """Creates a file when unpickled."""

    def __init__(self, made: Path) -> None:
        self.made = made

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.made,)


READERS: dict[str, Callable[[Path], object]] = {
    "a.anna": anna.Program.load, "a.die": anna.Die.load, "a.onnx": load_network, "a.safetensors": load_network,
    "a.npy": read_images, "a.npz": read_images,
}  # fmt: skip


def written(path: Path, trap: Trap, kind: str) -> None:
    if kind == "pickle":
        path.write_bytes(pickle.dumps(trap))
        return
    objects = np.empty(1, dtype=object)
    objects[0] = trap
    with path.open("wb") as file:
        if kind == "npz":
            np.savez(file, images=objects)
        else:
            np.save(file, objects)


@pytest.mark.parametrize("kind", ["pickle", "npy", "npz"])
@pytest.mark.parametrize("name", READERS)
def test_nothing_in_a_file_is_executed(name: str, kind: str, tmp_path: Path) -> None:
    path, made = tmp_path / name, tmp_path / "made"
    written(path, Trap(made), kind)
    with pytest.raises(AnnaError, match=name):
        READERS[name](path)
    assert not made.exists()


def test_the_trap_would_work(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Trap(tmp_path / "made")))
    assert (tmp_path / "made").exists()
