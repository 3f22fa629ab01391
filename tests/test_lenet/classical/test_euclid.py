"""Neighbours by Euclidean distance: exact, of equals the first, and a vote that the nearest decides."""

import numpy as np

import lenet
from lenet.classical.euclid import fit_neighbours, nearest, vote
from lenet.datasets.labelled import LabelledImages

IMAGES, LABELS = lenet.calibration()


def test_the_nearest_come_in_order_of_their_exact_distance() -> None:
    some, others = IMAGES[:30], IMAGES[30:330]
    apart = ((some[:, None].astype(np.int64) - others[None]) ** 2).sum(axis=(2, 3))
    expected = np.argsort(apart, axis=1, kind="stable")[:, :7]
    assert np.array_equal(nearest(some, others, 7), expected)


def test_of_equally_near_ones_the_first_comes_first() -> None:
    others = np.concatenate([IMAGES[5:6]] * 4)
    assert nearest(IMAGES[:2], others, 4).tolist() == [[0, 1, 2, 3]] * 2


def test_the_largest_distances_are_exact_as_well() -> None:
    black, white = np.full((1, 28, 28), 255, np.uint8), np.zeros((3, 28, 28), np.uint8)
    white[1, 0, 0] = 1
    assert nearest(black, white, 3).tolist() == [[1, 0, 2]]


def test_a_tie_goes_to_the_nearest() -> None:
    assert vote(np.array([[4, 7, 7], [4, 7, 9], [3, 2, 2], [5, 8, 8], [1, 1, 6]])).tolist() == [7, 4, 2, 8, 1]
    assert vote(np.array([[4, 7, 7, 4]])).tolist() == [4]


def test_a_digit_that_was_learnt_is_read_right() -> None:
    training = LabelledImages("training", IMAGES, LABELS)
    assert np.array_equal(fit_neighbours(training, 1)(IMAGES), LABELS)
    assert (fit_neighbours(training, 3)(lenet.holdout()[0][:300]) != lenet.holdout()[1][:300]).mean() < 0.2
