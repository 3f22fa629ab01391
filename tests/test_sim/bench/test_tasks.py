"""What `anna bench` tells of what a user waits for: commands, new dies, networks of one's own."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import good, refused

import anna
import lenet
from sim.bench import tasks
from sim.bench.natural import natural
from sim.bench.processes import Used, run

BUSY = "import sys, time\nwhile time.process_time() < {}: pass\nsys.exit({})"


def own_network(folder: Path, name: str = "mine") -> Path:
    """A small network of one's own, which needs sample images."""
    weights = np.random.default_rng(0).normal(0, 0.1, (3, 64)).astype(np.float32)
    network = anna.Graph(name, (1, 8, 8), (anna.FullConnection("out", weights),))
    anna.save_network(network, folder / f"{name}.safetensors")
    return folder / f"{name}.safetensors"


def test_the_time_of_a_command_includes_the_processes_that_it_starts() -> None:
    inner = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BUSY.format(0.4, 0)!r}])"
    used = run([sys.executable, "-c", inner])
    assert used.clock > 0 and used.processor > 0.4


def test_a_median_of_rounds_is_told_and_tasks_take_turns() -> None:
    order: list[str] = []

    def work(name: str, seconds: list[float]) -> Used:
        order.append(name)
        return Used(seconds.pop(), 2.0)

    first, second = [1.0, 9.0, 3.0], [4.0, 4.0, 4.0]
    waits = [tasks.Task("a", None, None, lambda: work("a", first)), tasks.Task("b", "net", None, lambda: work("b", second))]
    rows = tasks.measure(waits, 3, lambda _: None)
    assert order == ["a", "b"] * 3
    assert [(row["cpu_s"], row["wall_s"], row["rounds"]) for row in rows] == [(3.0, 2.0, 3), (4.0, 2.0, 3)]


def test_a_command_that_fails_tells_why_and_is_not_tried_again(tmp_path: Path) -> None:
    (task,) = tasks.shipped_tasks("recognizer", lenet.load("recognizer"), ["compile"])
    task.work = tasks.command("compile", tmp_path / "nothing.onnx")
    task.once()
    assert "nothing.onnx" in (task.failed or "")
    task.work = lambda: pytest.fail("tried again")
    task.once()
    assert task.row()["wall_s"] is None


def test_every_new_die_is_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []

    class Counted(anna.Chip):
        def __init__(self, seed: int) -> None:
            seeds.append(seed)
            super().__init__(seed=seed)

    monkeypatch.setattr(tasks, "Chip", Counted)
    network = lenet.load("linear")
    program = anna.compile(network, lenet.calibration())
    task = tasks.die_task("linear", program, lenet.holdout()[0], "plain")
    task.once()
    task.once()
    assert len(set(seeds)) == len(seeds) == 2 * tasks.DIES + 1
    assert 0 < task.row()["cpu_s"] < 1


@pytest.mark.parametrize("samples", [False, True])
def test_own_networks_are_compiled_on_samples_beside_them_or_drawn_ones(tmp_path: Path, samples: bool) -> None:
    own_network(tmp_path)
    if samples:
        np.savez(tmp_path / "mine.npz", images=natural((1, 8, 8), 20))
    words = ("bench", "--quick", "--measure", "own", "--own", tmp_path, "--json")
    found = json.loads(good(*words))
    (row,) = found["tasks"]
    assert (row["task"], row["network"], row["failed"], row["rounds"]) == ("anna compile", "mine.safetensors", None, 1)
    assert row["calibration"] == ("mine.npz" if samples else "100 drawn images of natural statistics, 0 to 1")
    assert row["wall_s"] > 0.1 < row["cpu_s"]
    assert found["rows"] == found["programs"] == []


def test_any_shipped_network_is_taken_by_name_or_by_its_weights() -> None:
    words = ("bench", "--quick", "--measure", "dies", "--network", "linear", "--network", "linear-mnist-seed1")
    text = good(*words)
    assert "new die, one image  linear" in text and "linear-mnist-seed1" in text
    assert "network 'lenet7' is not known" in refused("bench", "--network", "lenet7")


def test_own_networks_must_be_there(tmp_path: Path) -> None:
    assert "--measure own needs a network" in refused("bench", "--measure", "own")
    assert "holds no network" in refused("bench", "--own", tmp_path)


def test_drawn_images_are_of_natural_statistics() -> None:
    """Black to white, and their power falls with the square of frequency, which makes it the same in every octave."""
    images = natural((2, 64, 64), 60, top=4.0)
    assert images.dtype == np.float32 and 0 <= images.min() < 0.1 and 3.9 < images.max() <= 4
    spectrum = (np.abs(np.fft.fft2(images)) ** 2).mean(axis=(0, 1))
    assert spectrum[0, 2] / spectrum[0, 8] == pytest.approx(16, rel=0.5)
    assert (natural((1, 8, 8), 3) == natural((1, 8, 8), 3)).all()
