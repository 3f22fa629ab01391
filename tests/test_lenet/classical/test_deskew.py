"""Deskewing: what leans stands upright, what stands upright stays, and ink is neither lost nor made."""

import numpy as np

import lenet
from lenet.classical.deskew import deskewed, slants
from lenet.classical.virtual_svm import shifted, unit

IMAGES, _ = lenet.calibration()


def test_digits_stand_upright_afterwards() -> None:
    before, _ = slants(IMAGES)
    after, _ = slants(deskewed(IMAGES))
    assert np.abs(before).mean() > 0.2
    assert np.abs(after).mean() < 0.001 and np.abs(after).max() < 0.05  # some ink is lost at the edge


def test_a_bar_that_leans_becomes_upright() -> None:
    leaning = np.zeros((1, 28, 28), np.uint8)
    for row in range(4, 24):
        leaning[0, row, 24 - row] = 200  # to the right at the top
    slant, centre = slants(leaning)
    assert (slant[0], centre[0]) == (1.0, 13.5)
    upright = deskewed(leaning)[0]
    assert set(np.flatnonzero(upright.any(axis=0))) <= {10, 11}
    assert upright.sum() == leaning.sum()


def test_what_stands_upright_is_kept_to_the_bit() -> None:
    bar = np.zeros((1, 28, 28), np.uint8)
    bar[0, 5:20, 9:12] = 77
    assert np.array_equal(deskewed(bar), bar)


def test_paper_stays_paper_and_no_images_are_none() -> None:
    assert not deskewed(np.zeros((2, 28, 28), np.uint8)).any()
    assert deskewed(IMAGES[:0]).shape == (0, 28, 28)


def test_ink_is_kept() -> None:
    ink, kept = IMAGES.sum(axis=(1, 2)), deskewed(IMAGES).sum(axis=(1, 2))
    assert (np.abs(kept - ink.astype(float)) < 0.01 * ink).all()


def test_a_shift_moves_ink_and_brings_in_paper() -> None:
    image = np.arange(1, 10, dtype=np.uint8).reshape(1, 3, 3)
    assert shifted(image, 1, 0)[0].tolist() == [[0, 0, 0], [1, 2, 3], [4, 5, 6]]
    assert shifted(image, 0, -1)[0].tolist() == [[2, 3, 0], [5, 6, 0], [8, 9, 0]]
    assert np.array_equal(shifted(image, 0, 0), image)


def test_rows_of_support_vectors_have_length_one() -> None:
    rows = unit(np.concatenate([IMAGES[:5], np.zeros((1, 28, 28), np.uint8)]))
    assert np.allclose((rows * rows).sum(axis=1), [1, 1, 1, 1, 1, 0], rtol=0, atol=1e-12)
