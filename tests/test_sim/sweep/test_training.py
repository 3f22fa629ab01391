"""A sweep trains its networks itself: each distinct training once, with the same table whatever dies or computes."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import ELSEWHERE, ENV, good, refused
from sweep_cases import QUICK, here, made_up_mnist, tiny

from anna.base.errors import DataError, FileError, SpecError
from anna.network.forward import forward
from sim.inputs.digits import labelled_images
from sim.sweep.merge import merge
from sim.sweep.point import trainings
from sim.sweep.run import Progress, identity, run_sweep
from sim.sweep.store import Store
from sim.sweep.training import Training, TrainOptions, train, trained, weights_of

try:
    import torch  # noqa: F401
except ModuleNotFoundError:
    pytest.skip("PyTorch is absent: sweeps that train are NOT tested", allow_module_level=True)

import lenet.training.train

pytestmark = pytest.mark.torch

SHORT = {"train.digits": [200], "train.passes": [1, 2]}
AXES = {**SHORT, "chip.state_bits": [3, 4]}
LINEAR = Training.of("linear", None, 1, {"digits": 200, "passes": 1})


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made_up_mnist(tmp_path_factory.mktemp("digits"))


@pytest.fixture(autouse=True)
def data_folder(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANNA_DATA", str(data))
    monkeypatch.setitem(ENV, "ANNA_DATA", str(data))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """The folder of an undisturbed sweep."""
    folder = tmp_path_factory.mktemp("done")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANNA_DATA", str(data))
        here(tiny(axes=AXES), folder)
    return folder


def table(folder: Path) -> bytes:
    return (folder / "results.csv").read_bytes()


def file_of(folder: Path, axes: dict[str, Any]) -> Path:
    """The tiny sweep with these axes as a file."""
    lines = [f'"{name}" = {str(values).lower() if "fit" in name else values}' for name, values in {**axes, **QUICK}.items()]
    path = folder / "tiny.toml"
    path.write_text('name = "tiny"\nnetwork = "linear"\ncount = 20\nchips = 3\n\n[axes]\n' + "\n".join(lines) + "\n")
    return path


def test_each_distinct_training_is_done_once(tmp_path: Path, done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, real = [], lenet.training.train.run

    def counted(*arguments: Any, **named: Any) -> Any:
        calls.append(named["passes"])
        return real(*arguments, **named)

    monkeypatch.setattr(lenet.training.train, "run", counted)
    told: list[Progress] = []
    with ThreadPoolExecutor(1) as thread:
        found = run_sweep(tiny(axes=AXES), tmp_path, executor=thread, watch=told.append)
    assert (found.points_done, found.rows) == (4, 12)
    assert sorted(calls) == [1, 2]
    assert (told[0].trainings, told[-1].trainings, told[-1].done) == (2, 0, 4)
    assert table(tmp_path) == table(done)


def test_rows_are_of_the_network_that_anna_train_makes(done: Path, tmp_path: Path) -> None:
    network = lenet.training.train.run("linear", count=200, passes=2, output=tmp_path, test=False, watch=lambda _: None).network
    digits = labelled_images("holdout").first(20)
    wrong = int((forward(network, digits.images).labels != digits.labels).sum())
    with Store(done) as store:
        assert {row["float_wrong"] for row in store.rows() if row["train.passes"] == 2} == {wrong}


def test_processes_give_the_same_bytes(tmp_path: Path, done: Path) -> None:
    run_sweep(tiny(axes=AXES), tmp_path, workers=2)
    assert table(tmp_path) == table(done)


@pytest.mark.slow
def test_a_killed_training_continues_from_its_last_pass(tmp_path: Path) -> None:
    axes = {"train.digits": [2000], "train.passes": [40], "chip.state_bits": [3]}
    path = file_of(tmp_path, axes)
    with ThreadPoolExecutor(1) as thread:
        run_sweep(tiny(axes=axes), tmp_path / "whole", executor=thread)
    command = [sys.executable, "-m", "sim.cli", "sweep", str(path), "-o", str(tmp_path / "killed"), "--workers", "1"]
    running = subprocess.Popen(command, env=ENV, cwd=ELSEWHERE, start_new_session=True)
    folder = tmp_path / "killed" / "trained"
    while running.poll() is None and not list(folder.glob("*/.*.checkpoint")):
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    assert list(folder.glob("*/.*.checkpoint")) and not list(folder.glob("*/*.json"))
    good("sweep", path, "-o", tmp_path / "killed", "--workers", 1)
    assert table(tmp_path / "killed") == table(tmp_path / "whole")
    assert not list(folder.glob("*/.*.checkpoint"))


def test_concurrent_shards_share_their_trainings_and_merge(tmp_path: Path, done: Path) -> None:
    path, home = file_of(tmp_path, AXES), tmp_path / "shared"
    command = [sys.executable, "-m", "sim.cli", "sweep", str(path), "--workers", "1", "--trained", str(home)]
    shards = [subprocess.Popen([*command, "-o", str(tmp_path / f"part{k}"), "--shard", f"{k}/2"], env=ENV, cwd=ELSEWHERE,
                               stdout=subprocess.DEVNULL) for k in (1, 2)]  # fmt: skip
    assert [shard.wait() for shard in shards] == [0, 0]
    assert len(list(home.glob("*/*.json"))) == 2
    merge([tmp_path / "part1", tmp_path / "part2"], tmp_path / "whole")
    assert table(tmp_path / "whole") == table(done)
    with Store(tmp_path / "whole") as store:
        assert len(store.trainings) == 2


def test_two_processes_that_need_the_same_weights_train_them_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, real = [], lenet.training.train.run

    def counted(*arguments: Any, **named: Any) -> Any:
        calls.append(named)
        return real(*arguments, **named)

    monkeypatch.setattr(lenet.training.train, "run", counted)
    with ThreadPoolExecutor(3) as threads:
        digests = list(threads.map(lambda _: train(LINEAR, str(tmp_path)), range(3)))
    assert len(calls) == 1 and len(set(digests)) == 1


def test_training_for_the_chip_continues_from_the_float_weights_of_the_sweep(tmp_path: Path) -> None:
    spec = tiny(axes={"train.digits": [200], "train.passes": [1], "train.for_chip": [False, True]})
    here(spec, tmp_path)
    plain, chip = trainings(spec, spec.all_points())
    assert (plain.options.for_chip, chip.options.for_chip, chip.floats) == (False, True, plain)
    record = weights_of(chip, tmp_path / "trained").with_suffix(".json").read_text()
    assert trained(plain, tmp_path / "trained").digest in record
    assert len(list((tmp_path / "trained").glob("*/*.json"))) == 2


def test_a_training_is_identified_by_everything_that_determines_its_weights() -> None:
    others = [Training.of("linear", None, 2, {"digits": 200, "passes": 1}), Training.of("linear", None, 1, {"digits": 200}),
              Training.of("mlp300", None, 1, {"digits": 200, "passes": 1}), LINEAR.floats]  # fmt: skip
    assert len({LINEAR.key, *(other.key for other in others)}) == 4
    same = Training.of("linear", "holdout", 1, {"passes": 1, "digits": 200, "recipe": "modern"})
    assert same.key == LINEAR.key
    assert set(TrainOptions.model_fields) == {"recipe", "distort", "passes", "digits", "for_chip", "chip_passes"}


def test_weights_that_changed_are_refused(tmp_path: Path) -> None:
    spec = tiny(axes=SHORT)
    with ThreadPoolExecutor(1) as thread:
        run_sweep(spec, tmp_path / "a", executor=thread, shard=(1, 2))
    with Store(tmp_path / "a", identity(spec)) as store:
        store.expect_weights(store.trainings)
        with pytest.raises(
            FileError, match="holds rows computed with other weights from the training of linear on mnist, seed 1"
        ):
            store.expect_weights(dict.fromkeys(store.trainings, "other"))
    home = tmp_path / "b"
    train(LINEAR, str(home))
    path = weights_of(LINEAR, home)
    assert path is not None
    lenet_file = Path(lenet.__file__).parent / "weights" / "linear-mnist-seed1.safetensors"
    path.write_bytes(lenet_file.read_bytes())
    with pytest.raises(FileError, match="does not match its record; remove its folder to train again"):
        trained(LINEAR, home)


def test_points_that_cannot_be_trained_are_recorded_with_the_reason(tmp_path: Path) -> None:
    axes = {"train.digits": [200], "train.passes": [1], "train.for_chip": [False, True], "train.chip_passes": [1]}
    found = here(tiny(axes=axes), tmp_path)
    assert (found.points_done, found.refused) == (2, 1)
    with Store(tmp_path) as store:
        assert store.refusals() == [(0, "train.chip_passes needs train.for_chip; give both or neither")]


def test_what_cannot_be_trained_is_refused_before_anything_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"training takes 60000 digits; expected 1 to 55000"):
        run_sweep(tiny(axes={"train.digits": [60_000]}), tmp_path / "x")
    with pytest.raises(SpecError, match=r"network mine\.onnx is a file; a sweep can only train networks by name"):
        run_sweep(tiny(network="mine.onnx", axes=SHORT), tmp_path / "x")
    monkeypatch.delenv("ANNA_DATA")
    from sim.sweep import point

    point._training_digits.cache_clear()
    with pytest.raises(DataError, match="no data folder is known"):
        run_sweep(tiny(axes=SHORT), tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_without_torch_one_sentence_says_so(tmp_path: Path) -> None:
    path = file_of(tmp_path, SHORT)
    script = "import sys; sys.modules['torch'] = None; from sim.cli.main import main; raise SystemExit(main(sys.argv[1:]))"
    command = [sys.executable, "-P", "-c", script, "sweep", str(path), "-o", str(tmp_path / "x")]
    answer = subprocess.run(command, env=ENV, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stderr) == (
        2, "anna: training needs PyTorch, which is not installed: pip install 'anna-chip[train]'\n")  # fmt: skip
    assert not (tmp_path / "x").exists()


def test_the_plan_trains_nothing_and_takes_no_folder_of_weights(tmp_path: Path) -> None:
    path = file_of(tmp_path, AXES)
    assert "tiny: 4 points, 3 chips each" in good("sweep", "plan", path)
    assert "plan computes nothing" in refused("sweep", "plan", path, "--trained", tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["tiny.toml"]


def test_digits_of_a_part_are_a_part_of_more() -> None:
    whole = lenet.training.train.training_digits("mnist", os.environ["ANNA_DATA"])
    few, many = (lenet.training.train.split(whole, 100, count)[0] for count in (50, 200))
    names = [{image.tobytes() for image in part.images} for part in (few, many)]
    assert names[0] <= names[1] and (len(few), len(many)) == (50, 200)
    kept = lenet.training.train.split(whole, 100, 50)[1]
    assert kept is not None and np.array_equal(kept.images, lenet.training.train.split(whole, 100)[1].images)
