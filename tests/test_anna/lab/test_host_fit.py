"""The last layer fitted to a chip's own features: it reads more digits right, and nothing but that layer changes."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from command_line import good, refused

import anna
import lenet
from anna.base.errors import DataError
from anna.lab.host_fit import HostFit
from anna.lab.trim import OWN_NOISE_SEED
from anna.network.images import image_keys
from anna.program.file import Program

CHIP = anna.Chip(seed=1, analog="worst")


@cache
def program(name: str = "recognizer") -> Program:
    return anna.compile(lenet.load(name), calibration=lenet.calibration()[0], calibration_count=100, check_count=0)


def digits(part: int) -> tuple[np.ndarray, np.ndarray]:
    images, labels = lenet.holdout()
    half = len(images) // 2
    return images[part * half :][:half], labels[part * half :][:half]


@cache
def fitted() -> HostFit:
    return anna.fit_host(program(), CHIP, *digits(0))


def test_a_bad_chip_reads_more_of_other_digits_right() -> None:
    images, labels = digits(1)
    found = fitted()
    before, after = (CHIP.run(one, images, noise_seed=1).error(labels) for one in (program(), found.program))
    assert found.pull is not None
    assert found.error_after < found.error_before
    assert after < before - 0.002


def test_only_the_last_layer_is_another_one() -> None:
    mine, other = program(), fitted().program
    for name in ("words", "weight_codes", "scale_codes", "constant_codes"):
        assert np.array_equal(getattr(mine, name), getattr(other, name))
    (before,), (after,) = mine.host.tails[0].layers, other.host.tails[0].layers
    assert before.weights_oi.shape == after.weights_oi.shape
    assert not np.array_equal(before.weights_oi, after.weights_oi)


def test_where_it_comes_from_is_in_the_program(tmp_path: Path) -> None:
    found = fitted()
    said = found.program.report["host_fit"]
    assert (said["chip_seeds"], said["images"], said["pull"]) == (["1"], len(digits(0)[0]), found.pull)
    assert np.isin(image_keys(digits(0)[0]), found.program.calibrated_on).all()
    found.program.save(tmp_path / "it.anna")
    assert Program.load(tmp_path / "it.anna").digest == found.program.digest


def test_random_labels_leave_the_layer_as_it_was() -> None:
    images, labels = digits(0)
    found = anna.fit_host(program(), anna.Chip(), images[:200], np.roll(labels[:200], 7))
    right = anna.fit_host(program(), anna.Chip(), images[:60], labels[:60])
    for one in (right,) if found.pull is not None else (right, found):
        assert one.error_after <= one.error_before
    assert right.pull is None, "sixty digits teach the ideal chip nothing"
    assert right.program.host is program().host


def test_several_chips_and_several_tails_share_one_fit() -> None:
    """RBF units become a full connection; scores of an ensemble stay sums."""
    images, labels = (part[:300] for part in digits(0))
    for name in ("lenet5", "recognizer"):
        chips = [anna.Chip(seed=seed, analog="worst") for seed in (1, 2)]
        found = anna.fit_host(program(name), chips, images, labels)
        assert found.aside == len(images) // 5
        assert found.program.report["host_fit"]["chip_seeds"] == ["1", "2"]
        assert CHIP.run(found.program, images[:5]).scores.shape == (5, 10)


def test_the_same_chip_and_images_give_the_same_bytes() -> None:
    images, labels = (part[:250] for part in digits(0))
    first, second = (anna.fit_host(program(), anna.Chip(seed=1, analog="worst"), images, labels) for _ in range(2))
    assert first.program.digest == second.program.digest


@pytest.mark.parametrize(
    ("images", "labels", "sentence"),
    [
        (slice(0, 20), slice(0, 20), "20 images with labels; expected at least 50"),
        (slice(0, 60), slice(0, 59), "expected 60 whole numbers, one per image"),
        (slice(0, 1000, 10), slice(0, 1000, 10), "no image of class 1; expected some of every class"),
    ],
)
def test_too_little_is_refused(images: slice, labels: slice, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        anna.fit_host(program(), CHIP, digits(0)[0][images], digits(0)[1][labels])


def test_the_command_does_the_same(tmp_path: Path) -> None:
    program().save(tmp_path / "it.anna")
    images, labels = (part[:250] for part in digits(0))
    np.savez(tmp_path / "digits.npz", images=images, labels=labels)
    anna.Chip(seed=1, analog="worst").die(program().spec).save(tmp_path / "one.die")
    ways = (("--chip-seed", 1, "--analog", "worst"), ("--die", tmp_path / "one.die"))
    digests = []
    for k, way in enumerate(ways):
        words = ("--images", tmp_path / "digits.npz", *way, "-o", tmp_path / f"{k}.anna", "--json")
        done = json.loads(good("fit-host", tmp_path / "it.anna", *words))
        digests.append(Program.load(done["file"]).digest)
    assert digests == [anna.fit_host(program(), CHIP, images, labels).program.digest] * 2
    np.save(tmp_path / "bare.npy", images)
    said = refused("fit-host", tmp_path / "it.anna", "--images", tmp_path / "bare.npy")
    assert "holds images without labels" in said


def test_a_pull_chosen_elsewhere_is_taken_and_no_image_kept_aside() -> None:
    images, labels = digits(0)
    found = anna.fit_host(program(), CHIP, images, labels, pull=0.1)
    assert (found.pull, found.aside, found.images) == (0.1, 0, len(images))
    assert found.program.report["host_fit"]["aside"] == 0
    assert found.error_after < found.error_before == CHIP.run(program(), images, noise_seed=OWN_NOISE_SEED).error(labels)


def test_a_pull_that_is_none_of_those_is_refused() -> None:
    with pytest.raises(DataError, match=r"pull is 0\.2; expected one of 1\.0, 0\.3, 0\.1, 0\.03, 0\.01, 0\.003"):
        anna.fit_host(program(), CHIP, *digits(0), pull=0.2)
