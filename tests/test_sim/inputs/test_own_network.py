"""A user's own network on the command line: an ONNX file and images in, a program and a comparison out."""

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import ROOT, good, refused
from small_digits import other_digits, small_digits

from anna.base.errors import DataError
from lenet.datasets.labelled import LabelledImages
from sim.inputs.own_images import checked_labels, divided

NETWORK = ROOT / "tests" / "data" / "exported" / "keras_plain.onnx"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Image files in the forms users have."""
    home = tmp_path_factory.mktemp("own")
    images, labels = other_digits(300)
    np.savez(home / "digits.npz", images=images, labels=labels)
    np.savez(home / "maps_last.npz", images=images[..., None].astype(np.float64), labels=labels)
    np.save(home / "samples.npy", small_digits(100)[0])
    np.savez(home / "unlabelled.npz", images=images)
    np.savez(home / "grey.npz", images=((images + 1) * 127).astype(np.uint8), labels=labels)
    np.savez(home / "shape.npz", images=images[:, :13], labels=labels)
    np.savez(home / "nan.npz", images=np.where(images > 0.9, np.nan, images), labels=labels)
    np.savez(home / "eleven.npz", images=images, labels=labels + 2)
    np.savez(home / "short.npz", images=images, labels=labels[:-1])
    np.savez(home / "float_labels.npz", images=images, labels=labels / 2)
    np.savez(home / "none.npz", images=images[:0], labels=labels[:0])
    return home


def test_compile_and_run(folder: Path) -> None:
    done = json.loads(good("compile", NETWORK, "--calibration", "samples.npy", "--json", cwd=folder))
    assert done["file"] == "keras_plain.anna"
    ran = json.loads(good("run", "keras_plain.anna", "--images", "maps_last.npz", "--json", cwd=folder))
    assert np.mean(ran["labels"] == other_digits(300)[1]) > 0.75


def test_one_file_with_labels_is_divided(folder: Path) -> None:
    found = json.loads(good("compare", NETWORK, "--calibration", "digits.npz", "--chips", 2, "--ledger", "none", "--json",
                            cwd=folder))  # fmt: skip
    assert (found["network"], found["data"]) == ("keras_plain", "digits.npz without 60 for calibration")
    assert found["images"] == 240
    assert found["float_error"] < 0.25


def test_images_for_results_in_their_own_file(folder: Path) -> None:
    found = json.loads(good("compare", NETWORK, "--calibration", "samples.npy", "--images", "maps_last.npz", "--count", 100,
                            "--chips", 1, "--ledger", "none", "--json", cwd=folder))  # fmt: skip
    assert (found["data"], found["images"]) == ("maps_last.npz (of 300)", 100)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "network keras_plain needs sample images: --calibration FILE (.npy, .npz or IDX)"),
        (("--calibration", "unlabelled.npz"), "unlabelled.npz: holds images without labels; expected an .npz file with the "
                                            "arrays images and labels"),
        (("--calibration", "samples.npy"), "samples.npy: holds images without labels"),
        (("--calibration", "digits.npz", "--images", "digits.npz"), "300 images are used for both calibration and results"),
        (("--calibration", "digits.npz", "--data", "mnist"), "network keras_plain takes floats, prepared as in its training"),
        (("--images", "digits.npz", "--data", "mnist"), "network keras_plain needs sample images: --calibration FILE"),
        (("--calibration", "grey.npz"), "images are uint8; expected float32 or float64"),
        (("--calibration", "shape.npz"), "images have shape (300, 13, 14); expected (n, 1, 14, 14)"),
        (("--calibration", "nan.npz"), "holds NaN or infinite values; expected finite ones"),
        (("--calibration", "eleven.npz"), "is 10; the network scores classes 0 to 9"),
        (("--calibration", "short.npz"), "short.npz: labels have shape (299,); expected (300,), one per image"),
        (("--calibration", "float_labels.npz"), "float_labels.npz: labels are float64; expected integers from 0 to 9"),
        (("--calibration", "none.npz"), "none.npz: holds 0 images; expected at least 5"),
    ],
)  # fmt: skip
def test_what_does_not_fit_gets_one_sentence(folder: Path, arguments: tuple[str, ...], sentence: str) -> None:
    said = refused("compare", NETWORK, *arguments, cwd=folder)
    assert sentence in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("grey.npz", "images are uint8; expected float32 or float64: this network does not prepare raw images, so give them"),
        ("shape.npz", "images have shape (300, 13, 14); expected (n, 1, 14, 14)"),
        ("nan.npz", "holds NaN or infinite values; expected finite ones"),
        ("none.npz", "no calibration images were given"),
        ("missing.npz", "missing.npz: cannot be read (No such file or directory)"),
    ],
)
def test_calibration_that_does_not_fit_gets_one_sentence(folder: Path, file: str, sentence: str) -> None:
    said = refused("compile", NETWORK, "--calibration", file, "-o", "never.anna", cwd=folder)
    assert sentence in said
    assert said.count("\n") == 1
    assert not (folder / "never.anna").exists()


def test_a_duplicate_image_is_not_on_both_sides() -> None:
    images = np.repeat(np.arange(20, dtype=np.float32), 2)[:, None, None, None]
    shown, calibration = divided(LabelledImages("twins", images, np.arange(40, dtype=np.uint8) % 10))
    assert len(calibration) == 8
    assert not set(shown.images.ravel()) & set(calibration.ravel())


def test_calibration_uses_all_classes_in_any_order() -> None:
    images = np.arange(100, dtype=np.float32)[:, None, None, None]
    for labels in (np.arange(100) % 10, np.arange(100) // 10):
        _, calibration = divided(LabelledImages("digits", images, labels.astype(np.uint8)))
        assert sorted(labels[calibration.ravel().astype(int)]) == sorted([*range(10)] * 2)


def test_each_image_has_one_label() -> None:
    with pytest.raises(DataError, match=r"few: labels have shape \(3,\); expected \(4,\), one per image"):
        checked_labels("few", np.zeros(3, int), 4, 10)
