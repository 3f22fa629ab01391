"""The classifiers that scikit-learn fits: they learn digits, and say what is missing where it is not installed."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import lenet
from anna.base.errors import BuildError
from lenet.classical import radial, virtual_svm
from lenet.classical.quadratic import fit_quadratic
from lenet.classical.radial import fit_radial
from lenet.classical.virtual_svm import fit_virtual_svm
from lenet.datasets.labelled import LabelledImages

IMAGES, LABELS = lenet.holdout()
TRAINING, OTHERS = (
    LabelledImages("training", IMAGES[:3000], LABELS[:3000]),
    LabelledImages("others", IMAGES[3000:], LABELS[3000:]),
)
classical = pytest.mark.classical


@pytest.fixture
def installed() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed: classifiers that it fits are NOT tested")


class Keeping:
    """Keeps what is made, and counts."""

    def __init__(self) -> None:
        self.kept: dict[str, np.ndarray] = {}
        self.made = 0

    def __call__(self, key: str, make: Callable[[], Any]) -> np.ndarray:
        if key not in self.kept:
            self.kept[key], self.made = make(), self.made + 1
        return self.kept[key]


def misread(read: Callable[[np.ndarray], np.ndarray]) -> float:
    return float((read(OTHERS.images) != OTHERS.labels).mean())


@classical
@pytest.mark.usefixtures("installed")
def test_the_quadratic_classifier_learns_digits() -> None:
    assert 0.02 < misread(fit_quadratic(TRAINING)) < 0.1


@classical
@pytest.mark.usefixtures("installed")
def test_radial_units_learn_digits_and_are_placed_once_for_all_widths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(radial, "UNITS_PER_CLASS", 20)
    keep = Keeping()
    errors = [misread(fit_radial(TRAINING, width, keep)) for width in (1.0, 8.0)]
    assert errors[0] < 0.08 and errors[0] < errors[1]
    assert keep.made == 1 and next(iter(keep.kept.values())).shape == (200, 784)


@pytest.mark.slow
@classical
@pytest.mark.usefixtures("installed")
def test_shifted_support_vectors_make_a_better_machine_and_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    keep = Keeping()
    shifted = misread(fit_virtual_svm(TRAINING, keep))
    monkeypatch.setattr(virtual_svm, "SHIFTS", ((0, 0),))
    assert shifted < misread(fit_virtual_svm(TRAINING, keep)) < 0.06
    assert keep.made == 1 and len(next(iter(keep.kept.values()))) < len(TRAINING)


@pytest.mark.parametrize("fit", [fit_quadratic, lambda one: fit_radial(one, 1.0), fit_virtual_svm])
def test_without_scikit_learn_the_answer_names_the_command(fit: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sklearn", "sklearn.svm", "sklearn.decomposition", "sklearn.cluster", "sklearn.linear_model"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(BuildError, match="which is not installed: pip install 'anna-chip\\[classical\\]'"):
        fit(TRAINING.first(50))
