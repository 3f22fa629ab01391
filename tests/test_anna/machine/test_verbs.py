"""Raw images and state codes are told apart by the verb alone: neither shape nor dtype ever changes what numbers mean."""

import numpy as np
import pytest

import anna
import lenet


@pytest.fixture(scope="module")
def program() -> anna.Program:
    return anna.compile(lenet.load("recognizer", data="mnist"), lenet.calibration())


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return lenet.holdout()[0][:50]


def by_hand() -> anna.Program:
    return anna.assemble(".input name=x address=0 shape=1x2x2\n.output name=y address=0 shape=1\nPAGE page=0\nSTOP\n")


def test_images_and_the_codes_made_of_them_give_the_same(program: anna.Program, images: np.ndarray) -> None:
    codes = anna.input_codes(program, images)
    assert codes.shape == (50, *program.input.shape)
    run, run_codes = anna.Chip(seed=3).run(program, images), anna.Chip(seed=3).run_codes(program, codes)
    np.testing.assert_array_equal(run.scores, run_codes.scores)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_grey_levels_in_the_shape_of_codes_are_not_taken_for_codes(program: anna.Program, dtype: type) -> None:
    """The same digits, as whole numbers of the shape of codes, were once read as codes: 90 % error instead of 1.5 %."""
    grey = np.zeros((3, *program.input.shape), dtype)
    with pytest.raises(anna.AnnaError, match=r"if these are state codes, use run_codes$"):
        anna.Chip().run(program, grey)


def test_images_are_not_taken_for_codes(program: anna.Program, images: np.ndarray) -> None:
    with pytest.raises(anna.AnnaError, match=r"^codes have shape \(50, 28, 28\); .*; for raw images use run$"):
        anna.Chip().run_codes(program, images)
    with pytest.raises(anna.AnnaError, match=r"^codes are float32; .*; for raw images use run$"):
        anna.Chip().run_codes(program, np.zeros((2, *program.input.shape), np.float32))
    with pytest.raises(anna.AnnaError, match=r"^image 1 holds a state code outside 0 to 7; for raw images use run$"):
        anna.Chip().run_codes(program, np.arange(2, dtype=np.uint8)[:, None, None, None] * np.full(program.input.shape, 200))


def test_a_program_without_a_host_takes_codes_only() -> None:
    sentence = r"has no host to prepare images; pass state codes \(n, 1, 2, 2\) to run_codes$"
    for images in (np.zeros((1, 2, 2), np.uint8), np.zeros((1, 1, 2, 2), int)):
        with pytest.raises(anna.AnnaError, match=sentence):
            anna.Chip().run(by_hand(), images)
        with pytest.raises(anna.AnnaError, match=sentence):
            anna.input_codes(by_hand(), images)


def test_many_chips_run_either_images_or_codes(program: anna.Program, images: np.ndarray) -> None:
    chips = [anna.Chip(), anna.Chip(seed=1)]
    of_images = anna.run_chips(chips, program, images)
    of_codes = anna.run_chips(chips, program, codes=anna.input_codes(program, images))
    for one, other in zip(of_images, of_codes, strict=True):
        np.testing.assert_array_equal(one.scores, other.scores)
    for given in ({}, {"images": images, "codes": images}):
        with pytest.raises(anna.AnnaError, match=r"^run_chips takes either images or codes=\.\.\.$"):
            next(anna.run_chips(chips, program, **given))


@pytest.mark.parametrize("codes", [np.zeros((28, 28), np.uint8), np.zeros((1, 28, 28), np.uint8)])
def test_the_interpreter_takes_codes_only(program: anna.Program, codes: np.ndarray) -> None:
    with pytest.raises(anna.AnnaError, match=r"^codes have shape .*; region input takes \(1, 32, 32\)"):
        anna.Interpreter(program, codes)


def test_threads_default_to_all_cores_and_change_no_bit(program: anna.Program, images: np.ndarray) -> None:
    from anna.base.threads import cores

    chip = anna.Chip(seed=5)
    everything = chip.run(program, images)
    assert everything.threads == cores()
    np.testing.assert_array_equal(everything.scores, chip.run(program, images, threads=1).scores)
