"""Training: same seed same bits, interruption costs nothing, records say what was done, refusals are one sentence."""

import json
from dataclasses import replace

import numpy as np
import pytest

from anna.base.errors import DataError
from lenet.datasets.digits import holdout
from lenet.datasets.labelled import LabelledImages
from lenet.networks.catalogue import define
from lenet.training.recipes import MODERN, RECIPE_1989, RECIPES, Distortion, recipe_for

try:
    import torch
except ModuleNotFoundError:
    pytest.skip("PyTorch is absent: training is NOT tested", allow_module_level=True)

from lenet.training import train
from lenet.training.boost import fit_boosted
from lenet.training.checkpoint import Checkpoint
from lenet.training.distort import distort
from lenet.training.fit import Setup, fit
from lenet.training.initial import initial
from lenet.training.task import Task
from sim.cli.main import main

pytestmark = pytest.mark.torch

SHORT = replace(MODERN, passes=3, steps=(0.01,), batch=20, distortion=Distortion(elastic_pixels=0.5))


@pytest.fixture(scope="module")
def some():
    """A few digits; networks trained on them are thrown away."""
    whole = holdout()
    return whole.picked("some digits", np.arange(300))


def quiet(line):
    pass


@pytest.mark.parametrize("recipe", [SHORT, replace(RECIPE_1989, passes=1)], ids=["modern", "1989"])
def test_the_same_seed_gives_the_same_bits(some, recipe):
    one, two, other = (fit(Setup(define("recognizer"), recipe, some, seed), watch=quiet) for seed in (7, 7, 8))
    assert one.graph.digest == two.graph.digest
    assert one.curve == two.curve
    assert other.graph.digest != one.graph.digest


def test_an_interrupted_run_continues_with_the_same_bits(some, tmp_path):
    setup = Setup(define("recognizer"), SHORT, some, 7, some)
    uninterrupted = fit(setup, watch=quiet)
    path = tmp_path / "run.checkpoint"
    for stop in (1, 2):
        fit(setup, checkpoint=path, stop_after=stop, watch=quiet)
        assert path.is_file()
    done = fit(setup, checkpoint=path, watch=quiet)
    assert done.graph.digest == uninterrupted.graph.digest
    assert done.curve == uninterrupted.curve
    assert list(tmp_path.iterdir()) == [path], "who asked for a checkpoint removes it"


def test_a_checkpoint_of_another_run_or_a_damaged_one_is_refused(some, tmp_path):
    path = tmp_path / "run.checkpoint"
    fit(Setup(define("recognizer"), SHORT, some, 7), checkpoint=path, stop_after=1, watch=quiet)
    with pytest.raises(DataError, match=r"run\.checkpoint: belongs to another run \(network, recipe, digits or seed differ\)"):
        fit(Setup(define("recognizer"), SHORT, some, 8), checkpoint=path, watch=quiet)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"run\.checkpoint: is not a valid checkpoint file .*; remove it to start over"):
        fit(Setup(define("recognizer"), SHORT, some, 7), checkpoint=path, watch=quiet)


def test_a_checkpoint_of_other_weights_under_the_same_fingerprint_is_refused(some, tmp_path):
    path, setup = tmp_path / "run.checkpoint", Setup(define("recognizer"), SHORT, some, 7)
    fit(setup, checkpoint=path, stop_after=1, watch=quiet)
    good = Checkpoint.load(path)
    for name, wrong in (("p0", np.zeros(3, np.float32)), ("p99", good.numbers["p0"])):
        replace(good, numbers={**good.numbers, name: wrong}).save(path)
        with pytest.raises(DataError, match=r"run\.checkpoint: holds other weights than those of recognizer; remove it"):
            fit(setup, checkpoint=path, watch=quiet)


def test_training_that_is_stopped_while_errors_are_counted_goes_on_from_its_last_pass(some, tmp_path, monkeypatch):
    """Counting errors takes minutes on drawn chips, all after the last pass; so the checkpoint stays until all is written."""
    parts = train.Parts(some, None, (some,))
    monkeypatch.setattr(train, "parts_of", lambda *_, **_named: parts)

    def call():
        lines = []
        train.run("linear", train_seed=7, recipe="modern", passes=2, output=tmp_path, watch=lines.append)
        return lines

    with monkeypatch.context() as stopped:
        stopped.setattr(train, "result", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            call()
    assert [path.name for path in tmp_path.iterdir()] == [".linear-mnist-seed7.checkpoint"]
    assert call() == []  # no pass is trained again
    assert not list(tmp_path.glob(".*"))


def test_the_number_of_threads_is_restored(some):
    before = torch.get_num_threads()
    fit(Setup(define("linear"), replace(SHORT, passes=1, distortion=None), some, 1), watch=quiet)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("name", "recipe"),
    [(n, r) for r in ("modern", "1989", "1998") for n in ("lenet1", "lenet5", "lenet1_28", "linear")]
    + [("lenet5_modern", "modern")],  # its ReLUs carry nothing on from the small initial weights of the period
)
def test_every_recipe_learns(some, name, recipe):
    chosen = replace(recipe_for(name, "mnist", recipe), passes=2)
    if recipe == "modern":
        chosen = replace(chosen, batch=10)
    done = fit(Setup(define(name, "mnist"), chosen, some, 1), watch=quiet)
    assert done.curve[-1].loss < done.curve[0].loss


def test_boosting_trains_three_different_networks(some):
    recipe = replace(SHORT, passes=2)
    ensemble, curve = fit_boosted(define("boosted_lenet4"), recipe, some, 3, watch=quiet, pool_passes=2)
    again, _ = fit_boosted(define("boosted_lenet4"), recipe, some, 3, watch=quiet, pool_passes=2)
    assert ensemble.digest == again.digest
    assert len({member.digest for member in ensemble.members}) == 3
    assert len(curve) == 6


def test_interrupted_boosting_trains_no_finished_network_again(some, tmp_path):
    recipe = replace(SHORT, passes=1)
    path = tmp_path / "boost.checkpoint"

    class StopHereError(Exception):
        pass

    def stop_at_the_third(line):
        if line.startswith("lenet4_third"):
            raise StopHereError

    call = {"checkpoint": path, "pool_passes": 1}
    with pytest.raises(StopHereError):
        fit_boosted(define("boosted_lenet4"), recipe, some, 3, watch=stop_at_the_third, **call)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["boost.checkpoint1", "boost.checkpoint2"]
    lines = []
    done, _ = fit_boosted(define("boosted_lenet4"), recipe, some, 3, watch=lines.append, **call)
    assert not [line for line in lines if line.startswith(("lenet4_first", "lenet4_second"))]
    assert done.digest == fit_boosted(define("boosted_lenet4"), recipe, some, 3, watch=quiet, pool_passes=1)[0].digest


def test_distorted_copies_follow_the_seed_and_stay_digits():
    images = holdout().images[:50]
    one = distort(images, Distortion(elastic_pixels=1.0), (1, 2))
    assert one.dtype == np.uint8
    assert np.array_equal(one, distort(images, Distortion(elastic_pixels=1.0), (1, 2)))
    assert not np.array_equal(one, distort(images, Distortion(elastic_pixels=1.0), (1, 3)))
    assert 0.7 < one.mean() / images.mean() < 1.3
    still = Distortion(0.0, 0.0, 0.0, 0.0)
    assert np.abs(distort(images, still, (1,)).astype(int) - images).max() <= 1


def test_an_elastic_field_has_the_size_it_says():
    """A ramp of one grey level per column shows how far each pixel moved along the columns."""
    ramp = np.broadcast_to(np.arange(100, dtype=np.uint8) * 2, (200, 100, 100)).copy()
    moved = distort(ramp, Distortion(0.0, 0.0, 0.0, 0.0, elastic_pixels=3.0), (5,))
    inner = (moved[:, 40:60, 40:60].astype(float) - ramp[:, 40:60, 40:60]) / 2
    assert inner.std() == pytest.approx(3.0, rel=0.1)


def test_initial_weights_follow_the_rule():
    graph = define("recognizer")
    for rule, reach in (("uniform_2.4_over_fan_in", 2.4 / 300), ("deviation_1_over_root_fan_in", (3 / 300) ** 0.5)):
        weights = initial(graph, 1, rule)["output"].layer.weights_oi
        assert np.abs(weights).max() <= reach
        assert np.abs(weights).max() > 0.95 * reach


def test_the_published_recipes():
    published = RECIPES["1998"]
    assert published.steps[:12] == (5e-4, 5e-4, 2e-4, 2e-4, 2e-4, 1e-4, 1e-4, 1e-4, 5e-5, 5e-5, 5e-5, 5e-5)
    assert (published.steps[-1], published.passes, published.batch) == (1e-5, 20, 1)
    assert (published.second_order_floor, published.second_order_digits) == (0.02, 500)
    assert (RECIPES["1989"].passes, RECIPES["1989"].batch) == (23, 1)
    assert (RECIPES["1990"].passes, RECIPES["1990"].distortion) == (30, None)


@pytest.fixture
def small_data(some, monkeypatch):
    """`run` with a few built-in digits in place of the data folder."""
    monkeypatch.setattr(train, "training_digits", lambda data, folder: some)
    monkeypatch.setattr(train, "digits", lambda data, part, folder: LabelledImages("mnist test", some.images, some.labels))


def test_a_run_writes_weights_and_record(small_data, tmp_path):
    done = train.run("linear", train_seed=4, passes=2, validation=100, output=tmp_path, watch=quiet)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["linear-mnist-seed4.json", "linear-mnist-seed4.safetensors"]
    record = json.loads(done.record_path.read_text())
    assert record["command"] == "anna train linear --data mnist --train-seed 4 --recipe modern --validation 100 --passes 2"
    assert record["training_digits"]["images"] == 200
    assert record["validation_digits"]["images"] == 100
    assert len(record["curve"]) == 2
    assert record["curve"][0]["validation_error_percent"] is not None
    assert record["weights_digest"] == done.network.digest
    assert [one["images"] for one in record["results"]] == [300, 4500]
    assert set(record["versions"]) == {"python", "machine", "anna", "numpy", "torch"}


def test_a_run_off_the_usual_recipe_says_so_in_its_name(small_data, tmp_path):
    call = {"passes": 1, "output": tmp_path, "watch": quiet, "test": False}
    assert train.run("linear", distort=True, **call).weights_path.name == "linear-mnist-seed1-distorted.safetensors"
    assert train.run("linear", recipe="1998", **call).weights_path.name == "linear-mnist-seed1-1998.safetensors"
    assert train.run("lenet1", data="mnist", **call).weights_path.name == "lenet1-mnist-seed1.safetensors"


def test_the_command(small_data, tmp_path, capsys):
    assert main(["train", "linear", "--passes", "1", "-o", str(tmp_path)]) == 0
    assert "mnist test" in capsys.readouterr().out
    assert main(["train", "linear", "--passes", "0", "-o", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "anna: passes is 0; expected at least 1\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"network": "lenet9"}, "network 'lenet9' is not known; expected one of lenet1,"),
        ({"network": "linear", "recipe": "2024"}, "recipe '2024' is not known; expected one of modern, 1989, 1990, 1998"),
        ({"network": "linear", "train_seed": -1}, "train_seed is -1; expected at least 0"),
        ({"network": "linear", "validation": 300}, "validation takes 300 of 300 digits; expected fewer"),
        ({"network": "linear", "output": "/nowhere"}, "/nowhere: is not a folder; expected one for the weights"),
    ],
)
def test_bad_calls_are_refused(small_data, tmp_path, arguments, sentence):
    with pytest.raises(DataError) as caught:
        train.run(**({"output": tmp_path, "watch": quiet} | arguments))
    assert str(caught.value).startswith(sentence)


def test_training_twice_with_one_seed_writes_the_same_weights_file(small_data, tmp_path):
    files = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        files.append(train.run("linear", passes=1, output=tmp_path / name, test=False).weights_path.read_bytes())
    assert files[0] == files[1]


def test_a_task_gives_the_command_that_reproduces_its_weights():
    task = Task.of("lenet5", None, "1998", train_seed=2, distort=True, validation=10, passes=3, count=500)
    words = "--data mnist --train-seed 2 --recipe 1998 --distort --validation 10 --passes 3 --count 500"
    assert task.command == f"anna train lenet5 {words}"
    assert task.stem == "lenet5-mnist-seed2-distorted-1998"
    for_chip = Task.of("linear", None, None, for_chip=True, chip_passes=1)
    assert for_chip.command == "anna train linear --data mnist --train-seed 1 --recipe modern --for-chip --chip-passes 1"
    assert (for_chip.stem, for_chip.floats.stem) == ("linear-mnist-seed1-chip", "linear-mnist-seed1")


def test_former_argument_names_still_work_with_a_warning(small_data, tmp_path):
    with pytest.warns(DeprecationWarning, match="seed is now train_seed"):
        done = train.run("linear", seed=4, passes=1, output=tmp_path, test=False)
    assert done.record["seed"] == 4
