"""Training with the chip in the loop: it sees what the compiled program does, and its runs are as others: seeded,
resumable, recorded, refused in one sentence."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

import anna
import lenet
from anna.base.errors import DataError
from anna.compiler import compilation
from anna.network.file import graph_bytes
from lenet.datasets.digits import holdout
from lenet.datasets.labelled import LabelledImages
from lenet.networks.catalogue import define, shipped
from lenet.training.recipes import FOR_CHIP, MODERN, RECIPES, Distortion, ForChip, chip_recipe_for, recipe_for, recipe_of

try:
    import torch
except ModuleNotFoundError:
    pytest.skip("PyTorch is absent: training for the chip is NOT tested", allow_module_level=True)

from lenet.training import train
from lenet.training.boost import fit_boosted
from lenet.training.chip_net import ChipNet
from lenet.training.fit import Setup, fit
from lenet.training.results import in_new_options
from lenet.training.task import Task
from lenet.training.torch_net import prepared
from sim.cli.main import main

pytestmark = pytest.mark.torch

QUICK = replace(FOR_CHIP, passes=2, batch=30)
SINGLE = [name for name in lenet.names if name not in ("boosted_lenet4", "mlp1000")]  # mlp1000 is like mlp300, only larger


@pytest.fixture(scope="module")
def some():
    """A few digits; networks trained on them are thrown away."""
    return holdout().picked("some digits", np.arange(300))


def quiet(line):
    pass


def chip_net(graph, digits, **how):
    net = ChipNet(graph, ForChip(**how))
    net.begin_pass(digits.images, (1, 0, 2))
    return net


@pytest.mark.parametrize("name", ["recognizer", "lenet1", "lenet5", "lenet5_modern", "linear", "mlp300"])
def test_without_noise_it_is_the_compiled_program(some, name):
    """Compiled for the same digits with weights rounded to nearest."""
    graph = lenet.load(name, data="mnist")
    net = chip_net(graph, some).eval()
    with torch.no_grad():
        scores = net(prepared(graph, some.images)).numpy()
    program = anna.compile(net.to_graph(), some.images, round="nearest", check_count=0, calibration_count=300)
    np.testing.assert_array_equal(scores, anna.Chip().run(program, some.images).scores)


@pytest.mark.slow
def test_noise_costs_about_what_drawn_chips_cost(some):
    """A chip for every batch: their mean error lies near that of drawn chips with the compiled program."""
    graph = lenet.load("recognizer", data="mnist")
    digits = holdout().picked("more digits", np.arange(2000))
    net = chip_net(graph, digits).train()
    images = prepared(graph, digits.images)
    with torch.no_grad():
        found = torch.cat([net(images[at : at + 50]).argmax(1) for at in range(0, len(digits), 50)]).numpy()
    program = anna.compile(graph, some.images, round="nearest", check_count=0)
    chips = [anna.Chip(seed=seed).run(program, digits.images).labels for seed in range(4)]
    drawn = np.mean([(labels != digits.labels).mean() for labels in chips])
    ideal = (anna.Chip().run(program, digits.images).labels != digits.labels).mean()
    assert ideal < (found != digits.labels).mean()
    assert (found != digits.labels).mean() == pytest.approx(drawn, rel=0.4)


def test_no_imperfection_is_drawn_at_strength_zero(some):
    net = chip_net(lenet.load("recognizer", data="mnist"), some, strength=0.0)
    images = prepared(net.graph, some.images[:20])
    with torch.no_grad():
        assert torch.equal(net.train()(images), net.eval()(images))


@pytest.mark.parametrize("name", SINGLE)
def test_every_trainable_number_of_the_chip_layers_gets_a_gradient(some, name):
    graph = lenet.load(name, data="mnist")
    net = chip_net(graph, some)
    net(prepared(graph, some.images[:40])).square().sum().backward()
    for key, parameter in net.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, key


def test_the_same_seed_gives_the_same_bits(some):
    start = lenet.load("linear")
    one, two, other = (fit(Setup(start, QUICK, some, seed, chip=ForChip()), watch=quiet) for seed in (7, 7, 8))
    assert one.graph.digest == two.graph.digest and one.curve == two.curve
    assert other.graph.digest != one.graph.digest != start.digest


def test_an_interrupted_run_continues_with_the_same_bits(some, tmp_path):
    start, path = lenet.load("recognizer", data="mnist"), tmp_path / "run.checkpoint"
    setup, call = Setup(start, QUICK, some, 7, chip=ForChip()), {"watch": quiet, "checkpoint": path}
    uninterrupted = fit(setup, watch=quiet)
    fit(setup, stop_after=1, **call)
    for changed in ({"chip": ForChip(strength=2.0)}, {"chip": None}):
        with pytest.raises(DataError, match="belongs to another run"):
            fit(replace(setup, **changed), **call)
    with pytest.raises(DataError, match="belongs to another run"):
        fit(replace(setup, graph=lenet.load("recognizer", data="mnist", variant="chip")), **call)
    done = fit(setup, **call)
    assert done.graph.digest == uninterrupted.graph.digest and done.curve == uninterrupted.curve


def test_it_lowers_the_loss_on_noisy_chips(some):
    start = fit(Setup(define("lenet5_modern"), replace(MODERN, passes=4, batch=10), some, 1), watch=quiet).graph
    done = fit(Setup(start, replace(QUICK, passes=5), some, 1, chip=ForChip()), watch=quiet)
    assert done.curve[-1].loss < done.curve[0].loss


@pytest.fixture
def small_data(some, monkeypatch):
    """`run` with a few built-in digits in place of the data folder."""
    monkeypatch.setattr(train, "training_digits", lambda data, folder: some)
    monkeypatch.setattr(train, "digits", lambda data, part, folder: LabelledImages("mnist test", some.images, some.labels))


def test_a_run_writes_float_weights_and_those_for_the_chip(small_data, tmp_path):
    done = train.run("linear", train_seed=4, passes=2, for_chip=True, chip_passes=1, output=tmp_path, watch=quiet)
    names = ["linear-mnist-seed4-chip.json", "linear-mnist-seed4-chip.safetensors", "linear-mnist-seed4.json",
             "linear-mnist-seed4.safetensors"]  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    record = json.loads(done.record_path.read_text())
    before = json.loads((tmp_path / names[2]).read_text())
    assert (
        record["command"]
        == "anna train linear --data mnist --train-seed 4 --recipe modern --passes 2 --for-chip --chip-passes 1"
    )
    assert (record["recipe"]["name"], record["recipe"]["passes"], len(record["curve"])) == ("for-chip", 1, 1)
    assert record["training_digits"] == before["training_digits"]
    about = record["for_chip"]
    assert (about["start"], about["start_digest"]) == ("linear-mnist-seed4", before["weights_digest"])
    assert (about["analog"], about["strength"], about["range_digits"]) == ("typical-v2", 1.0, 500)
    for one in about["on_chip"]:
        assert set(one["ordinary"]) == set(one["trained"]) == {"ideal_wrong", "typical_wrong"}
        assert one["chip_seeds"] == list(range(100, 132)) and one["analog"] == "typical-v2"
        assert len(one["trained"]["typical_wrong"]) == len(one["ordinary"]["typical_wrong"]) == 32
    assert [one["images"] for one in about["on_chip"]] == [300, 4500]


def test_float_weights_of_the_same_recipe_digits_and_seed_are_not_trained_again(small_data, tmp_path):
    call = {"passes": 1, "output": tmp_path, "test": False, "watch": quiet}
    plain = train.run("linear", **call)
    stamp = plain.weights_path.stat().st_mtime_ns
    done = train.run("linear", for_chip=True, chip_passes=1, **call)
    assert done.record["for_chip"]["start_digest"] == plain.network.digest
    assert plain.weights_path.stat().st_mtime_ns == stamp
    other = train.run("linear", for_chip=True, chip_passes=1, **(call | {"passes": 2}))
    assert other.record["for_chip"]["start_digest"] != plain.network.digest, "another recipe: trained anew"
    plain.record_path.write_text("{}")
    with pytest.raises(DataError, match="is not a training record; remove it and its weights to train again"):
        train.run("linear", for_chip=True, **call)


def test_training_can_start_from_shipped_float_weights():
    digits = type("Digits", (), {"digest": lenet.record("recognizer", "mnist")["training_digits"]["sha256"]})
    recipe = recipe_for("recognizer", "mnist", "modern")
    found = train.trained_before((train.WEIGHTS,), "recognizer-mnist-seed1", recipe, digits, 1)
    assert found is not None and found.digest == lenet.load("recognizer", "mnist").digest
    assert train.trained_before((train.WEIGHTS,), "recognizer-mnist-seed1", replace(recipe, passes=3), digits, 1) is None


def test_copies_that_the_float_weights_saw_are_seen_again():
    before = recipe_for("recognizer", "usps", "modern")
    assert chip_recipe_for("recognizer", "usps", before).distortion == before.distortion is not None
    assert "for-chip" not in RECIPES, "it begins with trained weights, so it is no choice of --recipe"


@pytest.mark.parametrize("stem", shipped())
def test_a_record_gives_back_its_recipe(stem):
    told = lenet.record(stem)["recipe"]
    assert {name: value for name, value in json.loads(json.dumps(asdict(recipe_of(told)))).items() if name in told} == told


@pytest.mark.parametrize("stem", [stem for stem in shipped() if stem.endswith("-chip")])
def test_weights_for_todays_chips_come_from_todays_recipes(stem):
    told = lenet.record(stem)
    options = {"distort": "-distorted" in stem, "train_seed": told["seed"], "for_chip": True}
    task = Task.of(told["network"], told["data"], "reject" if "-reject" in stem else None, **options)
    assert task.stem == stem and task.command == in_new_options(told["command"])
    if told["for_chip"]["analog"] == "typical-v2":
        assert task.last_recipe == recipe_of(told["recipe"])
        assert {**told["for_chip"], **asdict(task.conditions)} == told["for_chip"]


def test_a_boosted_network_is_trained_for_the_chip_on_the_digits_its_own_members_chose(some):
    start, lines = lenet.load("boosted_lenet4"), []
    recipe = replace(QUICK, passes=1, distortion=Distortion())
    call = {"chip": ForChip(range_digits=50), "pool_passes": 1}
    done, curve = fit_boosted(start, recipe, some, 3, watch=lines.append, **call)
    assert len({member.digest for member in (*start.members, *done.members)}) == 6 and len(curve) == 3
    first, _, third = start.members
    twins = replace(start, members=(first, replace(first, name="lenet4_second"), third))
    with pytest.raises(DataError, match="network 3: no hard digits"):  # twins never disagree, though training parts them
        fit_boosted(twins, recipe, some, 3, watch=lines.append, **call)


def test_the_command(small_data, tmp_path, capsys):
    words = ["train", "linear", "--passes", "1", "--count", "100", "--for-chip", "--chip-passes", "1", "-o", str(tmp_path)]
    assert main(words) == 0
    assert "linear-mnist-seed1-chip.safetensors" in capsys.readouterr().out
    assert json.loads((tmp_path / "linear-mnist-seed1-chip.json").read_text())["training_digits"]["images"] == 100


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"network": "linear", "chip_passes": 2}, "chip_passes needs for_chip; give both or neither"),
        ({"network": "linear", "passes": 1, "for_chip": True, "chip_passes": 0}, "chip_passes is 0; expected at least 1"),
        ({"network": "linear", "count": 0}, "training takes 0 digits; expected 1 to 300"),
        ({"network": "linear", "count": 290, "validation": 20}, "training takes 290 digits; expected 1 to 280"),
    ],
)
def test_bad_calls_are_refused(small_data, tmp_path, arguments, sentence):
    with pytest.raises(DataError) as caught:
        train.run(**({"output": tmp_path, "watch": quiet, "test": False} | arguments))
    assert str(caught.value).startswith(sentence)


def test_the_compiler_knows_nothing_of_how_weights_were_trained(some):
    """The same numbers make the same program, whatever their name."""
    graph = lenet.load("linear")
    again = ChipNet(graph, ForChip()).to_graph()
    assert graph_bytes(again) == graph_bytes(graph)
    one, two = (compilation(g, some.images, check_count=0).program for g in (graph, again))
    assert one.digest == two.digest
