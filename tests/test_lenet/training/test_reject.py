"""Training to reject: the same seed same bits, blank paper and partial characters are none, a digit in its place is read."""

from dataclasses import replace

import numpy as np
import pytest

from anna.base.errors import DataError
from anna.network.forward import forward
from lenet.datasets.digits import calibration, holdout
from lenet.networks.catalogue import define
from lenet.training.recipes import RECIPES, recipe_for

try:
    import torch
except ModuleNotFoundError:
    pytest.skip("PyTorch is absent: training is NOT tested", allow_module_level=True)

from lenet.training.fit import Setup, fit
from lenet.training.optimisers import judged, loss
from lenet.training.task import Task
from lenet.training.windows import on_windows, windows

pytestmark = pytest.mark.torch

SHORT = replace(RECIPES["reject"], passes=6, batch=20)


@pytest.fixture(scope="module")
def trained():
    some = holdout().picked("some digits", np.arange(1000))
    return fit(Setup(define("recognizer"), SHORT, some, 7)).graph


def test_it_is_the_recogniser_with_ten_outputs_as_it_was(trained):
    assert str(trained) == str(define("recognizer"))


def test_windows_in_place_are_read_and_all_others_have_no_score_above_zero(trained):
    seen = windows(calibration(), "mnist", SHORT.partials, 10, (1,))
    scores = forward(on_windows(trained), seen.images).scores
    answers = np.where(scores.max(axis=1) > 0, scores.argmax(axis=1), 10)
    read, rejected = (answers == seen.labels)[:500], (answers == seen.labels)[500:]
    assert read.mean() > 0.7 and rejected.mean() > 0.85


def test_blank_paper_is_rejected(trained):
    assert (forward(trained, np.zeros((1, 28, 28), np.uint8)).scores < 0).all()


def test_the_same_seed_gives_the_same_bits_and_an_interruption_costs_nothing(tmp_path):
    few = calibration().picked("few digits", np.arange(100))
    setup = Setup(define("recognizer"), replace(SHORT, passes=2), few, 3)
    one = fit(setup)
    path = tmp_path / "run.checkpoint"
    fit(setup, checkpoint=path, stop_after=1)
    assert fit(setup, checkpoint=path).graph.digest == one.graph.digest == fit(setup).graph.digest
    assert fit(replace(setup, train_seed=4)).graph.digest != one.graph.digest


def test_an_output_of_its_own_for_none_would_learn_nothing_more():
    """The loss of eleven outputs is that of ten, each less the eleventh."""
    eleven, labels = torch.randn(50, 11, generator=torch.Generator().manual_seed(1)), torch.arange(50) % 11
    ten = eleven[:, :10] - eleven[:, 10:]
    assert judged("cross_entropy_or_none", ten).shape == (50, 11)
    assert float(loss("cross_entropy_or_none", ten, labels)) == pytest.approx(float(loss("cross_entropy", eleven, labels)))


def test_for_the_chip_it_goes_on_with_windows():
    task = Task.of("recognizer", None, "reject", for_chip=True)
    assert task.stem == "recognizer-mnist-seed1-reject-chip" and task.floats.stem == "recognizer-mnist-seed1-reject"
    assert task.last_recipe.partials == SHORT.partials
    assert task.command == "anna train recognizer --data mnist --train-seed 1 --recipe reject --for-chip"
    few = calibration().picked("few digits", np.arange(40))
    done = fit(Setup(define("recognizer"), replace(task.last_recipe, passes=1), few, 3, chip=task.conditions))
    assert str(done.graph) == str(define("recognizer"))


def test_scores_that_know_no_zero_are_refused():
    few = calibration().picked("few digits", np.arange(40))
    with pytest.raises(DataError, match="lenet5: cannot be trained to reject; expected linear scores, of which none need be"):
        fit(Setup(define("lenet5"), recipe_for("lenet5", "mnist", "reject"), few, 1))
