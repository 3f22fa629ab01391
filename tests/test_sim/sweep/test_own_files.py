"""Sweeps over a user's own network and images: the numbers of `anna compare`, and no row of files that have changed."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import ROOT, good, refused
from small_digits import other_digits, small_digits
from sweep_cases import QUICK, here

from anna.base.errors import AnnaError, FileError
from sim.sweep.spec import SweepSpec, load_spec, make_spec
from sim.sweep.store import Store

TOML = """
name = "own"
network = "mine.onnx"
{images}
count = 100
chips = 2

[axes]
"chip.weight_bits" = [5, 6]
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder of one's own, away from where commands are run."""
    home = tmp_path / "mine"
    home.mkdir()
    shutil.copy(ROOT / "tests" / "data" / "exported" / "keras_plain.onnx", home / "mine.onnx")
    images, labels = other_digits(300)
    np.savez(home / "digits.npz", images=images, labels=labels)
    np.save(home / "samples.npy", small_digits(100)[0])
    return home


def own(home: Path, **fields: Any) -> SweepSpec:
    content = {"name": "own", "network": "mine.onnx", "count": 100, "chips": 2, "axes": {"chip.weight_bits": [6], **QUICK}}
    return make_spec({**content, **fields}, home)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("images", "options"),
    [
        ('calibration = "digits.npz"', ("--calibration", "digits.npz")),
        ('images = "digits.npz"\ncalibration = "samples.npy"', ("--images", "digits.npz", "--calibration", "samples.npy")),
    ],
)
def test_a_point_counts_what_compare_counts(home: Path, images: str, options: tuple[str, ...]) -> None:
    (home / "own.toml").write_text(TOML.format(images=images), encoding="utf-8")
    done = json.loads(good("sweep", home / "own.toml", "-o", "out", "--workers", 1, "--json", cwd=home.parent))
    assert (done["points_done"], done["refused"]) == (2, 0)
    with Store(home.parent / "out") as store:
        errors = [row["error"] for row in store.rows() if row["chip.weight_bits"] == 6]
    options = (*options, "--count", "100", "--chips", "2", "--ledger", "none")
    found = json.loads(good("compare", "mine.onnx", *options, "--json", cwd=home))
    typical = next(arm for arm in found["arms"] if arm["name"] == "typical chips")
    assert typical["error"] == pytest.approx(sum(errors) / 2)


@pytest.mark.parametrize("name", ["mine.onnx", "digits.npz", "samples.npy"])
def test_a_file_that_has_changed_is_refused(home: Path, name: str) -> None:
    spec = own(home, images="digits.npz", calibration="samples.npy")
    here(spec, home / "out")
    here(own(home, images="digits.npz", calibration="samples.npy"), home / "out")
    if name == "mine.onnx":
        shutil.copy(ROOT / "tests" / "data" / "exported" / "keras_flat.onnx", home / name)
    elif name == "digits.npz":
        images, labels = other_digits(300)
        np.savez(home / name, images=images, labels=(labels + 1) % 10)
    else:
        np.save(home / name, 0.5 * small_digits(100)[0])
    with pytest.raises(FileError, match=r"started with other weights, images or parameters \(network mine\.onnx, weights 1\)"):
        here(own(home, images="digits.npz", calibration="samples.npy"), home / "out")


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, 'network mine needs sample images: calibration = "FILE"'),
        ({"images": "digits.npz"}, 'network mine needs sample images: calibration = "FILE"'),
        ({"calibration": "samples.npy"}, "samples.npy: holds images without labels"),
        ({"images": "digits.npz", "calibration": "digits.npz"}, "100 images are used for both calibration and results"),
        ({"calibration": "digits.npz", "count": 241}, "241 digits requested, but digits.npz without 60 for calibration has"),
        ({"calibration": "none.npz"}, "none.npz: cannot be read"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_before_anything_is_written(home: Path, fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AnnaError) as told:
        here(own(home, **fields), home / "out")
    assert sentence in str(told.value)
    assert not (home / "out").exists()


def test_a_count_under_its_former_name_is_the_same_sweep(home: Path) -> None:
    """In files of 0.1.0 `images` was the number of images."""
    (home / "new.toml").write_text('name = "a"\ncount = 50\n[axes]\n"chip.weight_bits" = [6]\n', encoding="utf-8")
    (home / "old.toml").write_text('name = "a"\nimages = 50\n[axes]\n"chip.weight_bits" = [6]\n', encoding="utf-8")
    assert load_spec(home / "new.toml").content == load_spec(home / "old.toml").content


def test_the_plan_tells_what_is_wrong_too(home: Path) -> None:
    (home / "own.toml").write_text(TOML.format(images=""), encoding="utf-8")
    assert 'needs sample images: calibration = "FILE"' in refused("sweep", "plan", home / "own.toml")
