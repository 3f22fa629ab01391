"""Arms of a comparison beside float, ideal and drawn chips: plain integer arithmetic, and weights trained for the chip."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import good, refused

import anna
import lenet
from anna.compiler import compilation
from anna.compiler.passes import Compilation
from anna.network.file import save_network
from anna.network.forward import forward
from anna.network.graph import Network
from lenet.datasets.labelled import LabelledImages
from sim.comparison.arms import ChipTrained, quantised_arm
from sim.inputs.digits import for_network
from sim.inputs.models import chip_trained
from sim.results.comparison import Comparison, compare

IMAGES = 250


def compiled(network: Network) -> tuple[Compilation, LabelledImages]:
    digits, (images, _) = for_network(network, None)
    return compilation(network, images, check_count=0, calibration_count=100), digits.first(IMAGES)


@pytest.mark.parametrize("name", ["recognizer", "lenet1", "lenet1_28", "lenet4", "lenet5", "lenet5_modern", "linear", "mlp300"])
def test_the_quantised_graph_is_the_ideal_chip_label_for_label_and_score_for_score(name: str) -> None:
    made, digits = compiled(lenet.load(name, data="mnist"))
    arm = quantised_arm(made.program, made.quantised, digits, threads=2)
    chip = anna.Chip().run(made.program, digits.images)
    np.testing.assert_array_equal(arm.labels_cn[0], chip.labels)
    np.testing.assert_array_equal(arm.scores_nk, chip.scores)
    assert (arm.chips, arm.seeds, arm.analog) == (1, (), None)


def test_the_quantised_graph_of_an_ensemble_adds_the_scores_of_its_members() -> None:
    made, digits = compiled(lenet.load("boosted_lenet4"))
    arm = quantised_arm(made.program, made.quantised, digits.first(30), threads=1)
    np.testing.assert_array_equal(arm.scores_nk, anna.Chip().run(made.program, digits.first(30).images).scores)


def test_the_quantised_graph_needs_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    made, digits = compiled(lenet.load("linear"))
    monkeypatch.setattr(anna.Chip, "run", lambda *_, **__: pytest.fail("the chip was run"))
    assert quantised_arm(made.program, made.quantised, digits, threads=1).scores_nk.shape == (IMAGES, 10)


@pytest.fixture(scope="module")
def made() -> tuple[Compilation, LabelledImages]:
    return compiled(lenet.load("recognizer", data="mnist"))


@pytest.fixture(scope="module")
def found(made: tuple[Compilation, LabelledImages]) -> Comparison:
    """With all arms that there are."""
    done, digits = made
    other = lenet.load("recognizer", data="mnist", variant="chip")
    program = anna.compile(other, lenet.calibration(), calibration_count=100)
    rival = ChipTrained("recognizer-mnist-seed1-chip", other, program)
    return compare(done.checked.network, done.program, digits, chips=2, chip_seed=3, noise_seed=3, threads=2, trimmed=True,
                   quantised=done.quantised, chip_trained=rival)  # fmt: skip


@pytest.mark.slow
def test_arms_stand_in_a_fixed_order(found: Comparison) -> None:
    assert [arm.name for arm in found.arms] == [
        "float", "quantised graph", "ideal chip", "typical chips", "typical chips, trimmed",
        "ideal, chip-trained", "typical, chip-trained"]  # fmt: skip
    assert found.headline.name == "typical chips, trimmed"
    assert {row["layer"] for row in found.layers} == {"C1", "S2", "C3", "S4"}
    assert set(found.layers[0]) == {"layer", "ideal chip", "typical chips"}, "layers are those of the network's own program"


def test_chip_trained_weights_run_on_the_same_chips_with_the_same_noise(found: Comparison) -> None:
    typical, trained = found.arms[3], found.arms[6]
    assert trained.seeds == typical.seeds == (3, 4)
    other = lenet.load("recognizer", data="mnist", variant="chip")
    program = anna.compile(other, lenet.calibration(), calibration_count=100)
    for chip, seed in enumerate(trained.seeds):
        expected = anna.Chip(seed=seed).run(program, found.digits.images, noise_seed=3)
        np.testing.assert_array_equal(trained.labels_cn[chip], expected.labels)
    wrong = (forward(other, found.digits.images).labels != found.digits.labels).mean()
    assert trained.what == (
        f"other weights: recognizer-mnist-seed1-chip (in floats {100 * wrong:.2f} %), chips 3 to 4, noise seed 3"
    )


def test_rows_of_other_weights_say_what_they_gain(found: Comparison) -> None:
    rows = {row["name"]: row for row in found.rows()}
    gained = rows["typical, chip-trained"]
    assert gained["ordinary"] == "typical chips"
    assert gained["points_against_ordinary"] == pytest.approx(100 * (gained["error"] - rows["typical chips"]["error"]))
    assert gained["points_low"] < gained["points_against_ordinary"] < gained["points_high"]
    assert 0 < gained["p_value_against_ordinary"] <= 1
    assert all("ordinary" not in rows[name] for name in ("float", "quantised graph", "ideal chip", "typical chips, trimmed"))
    assert rows["quantised graph"]["error"] == rows["ideal chip"]["error"]
    assert "chip-trained: other weights: recognizer-mnist-seed1-chip" in found.table()
    json.dumps(found.to_json(), allow_nan=False)


def test_a_comparison_without_other_weights_does_not_mention_them(made: tuple[Compilation, LabelledImages]) -> None:
    done, digits = made
    plain = compare(done.checked.network, done.program, digits.first(20), chips=1, threads=1)
    assert "chip-trained:" not in plain.table() and "own weights" not in plain.table()
    assert [arm.name for arm in plain.arms] == ["float", "ideal chip", "typical chips"]


def test_which_weights_are_taken(tmp_path: Path) -> None:
    network = lenet.load("recognizer", data="mnist")
    name, other = chip_trained(network, "recognizer", 1, None) or ("", network)
    assert name == "recognizer-mnist-seed1-chip" and other.digest != network.digest
    by_stem = chip_trained(network, "recognizer-mnist-seed1", 1, None) or ("", network)
    assert (by_stem[0], by_stem[1].digest) == (name, other.digest)
    assert chip_trained(other, name, 1, None) is None, "they are those themselves"
    assert chip_trained(other, "recognizer", 1, None, "chip") is None
    assert chip_trained(network, "recognizer", 1, "none") is None
    assert chip_trained(lenet.load("linear"), "linear", 1, None) is None, "none are shipped"
    assert chip_trained(network, "mine.safetensors", 1, None) is None, "of a network of one's own none are known"
    save_network(other, tmp_path / "mine.safetensors")
    given = chip_trained(network, "recognizer", 1, str(tmp_path / "mine.safetensors"))
    assert given is not None and (given[0], given[1].digest) == ("mine", other.digest)


@pytest.mark.slow
def test_the_command_has_the_arms(tmp_path: Path) -> None:
    common: tuple[Any, ...] = ("compare", "--count", "100", "--chips", "2", "--ledger", "none", "--json")
    names = [arm["name"] for arm in json.loads(good(*common, "--quantised", cwd=tmp_path))["arms"]]
    assert names == ["float", "quantised graph", "ideal chip", "typical chips", "ideal, chip-trained", "typical, chip-trained"]
    assert "typical, chip-trained" in (tmp_path / "report.html").read_text(encoding="utf-8")
    for none in (("--chip-trained", "none"), ("--chip", "weight_bits=5")):  # the weights were trained for the unchanged chip
        less = json.loads(good(*common, *none, cwd=tmp_path))["arms"]
        assert [arm["name"] for arm in less] == ["float", "ideal chip", "typical chips"]


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    save_network(lenet.load("linear"), tmp_path / "linear.safetensors")
    said = refused("compare", "--chip-trained", "linear.safetensors", cwd=tmp_path)
    assert said == "anna: linear.safetensors: holds a network other than recognizer; expected other weights of the same one\n"
