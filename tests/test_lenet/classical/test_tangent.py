"""Tangent distance: what least squares leaves, blind to small deformations, and the same whatever the threads."""

import sys

import numpy as np
import pytest

import lenet
from anna.base.errors import BuildError
from lenet.classical import tangent_distance
from lenet.classical.euclid import nearest
from lenet.classical.tangent import tangents
from lenet.classical.tangent_distance import fit_tangent, left_out, smoothed, squares
from lenet.classical.virtual_svm import shifted
from lenet.datasets.labelled import LabelledImages

IMAGES, LABELS = lenet.calibration()
DIGITS = smoothed(IMAGES[:40], 2)
ALL = np.tile(np.arange(40), (40, 1))  # each against each


def plain(first: np.ndarray, second: np.ndarray) -> float:
    """The same by NumPy's least squares: the difference less the best mixture of both images' tangents."""
    one, other = tangents(first[None], 0), tangents(second[None], 0)
    spanned = np.hstack([one[:, :7], other[:, :7]])
    spanned /= np.maximum(np.linalg.norm(spanned, axis=0), 1e-300)
    apart = one[:, 7] - other[:, 7]
    rest = apart - spanned @ np.linalg.lstsq(spanned, apart, rcond=None)[0]
    return float(rest @ rest)


def test_it_is_what_least_squares_leaves() -> None:
    found = squares(DIGITS, DIGITS, ALL)
    for n in range(5):
        for k in range(5, 40):
            assert found[n, k] == pytest.approx(plain(DIGITS[n], DIGITS[k]), rel=1e-9)


def test_an_image_is_at_no_distance_from_itself() -> None:
    assert not squares(DIGITS, DIGITS, np.arange(40)[:, None]).any()


def test_it_is_symmetric() -> None:
    found = squares(DIGITS, DIGITS, ALL)
    assert np.allclose(found, found.T, rtol=1e-9, atol=0)


def test_it_is_less_than_the_distance_by_euclid() -> None:
    rows = DIGITS.reshape(40, -1)
    euclid = ((rows[:, None] - rows[None]) ** 2).sum(axis=2)
    found, apart = squares(DIGITS, DIGITS, ALL), ~np.eye(40, dtype=bool)
    assert (found[apart] < euclid[apart]).all() and (found >= 0).all()


@pytest.mark.parametrize(("down", "right"), [(0, 1), (1, 0), (-1, 1)])
def test_a_small_shift_hardly_counts(down: int, right: int) -> None:
    images = np.pad(IMAGES[:40], ((0, 0), (2, 2), (2, 2)))
    here, there = smoothed(images, 2), smoothed(shifted(images, down, right), 2)
    euclid = ((here - there) ** 2).sum(axis=(1, 2))
    assert (squares(here, there, np.arange(40)[:, None])[:, 0] < 0.1 * euclid).all()


def test_paper_alone_has_no_tangents() -> None:
    paper = np.zeros((1, 28, 28))
    assert squares(paper, paper, np.zeros((1, 1), np.int64)) == 0
    assert squares(paper, DIGITS, np.array([[3]]))[0, 0] == pytest.approx(plain(paper[0], DIGITS[3]), rel=1e-9)


def test_tangents_are_what_small_deformations_do_to_an_image() -> None:
    """On a smooth hill, whose slopes central differences give almost exactly."""
    y, x = np.mgrid[-13.5:14, -13.5:14]

    def hill(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.exp(-((x - 1) ** 2 + 0.5 * (y + 2) ** 2 + 0.3 * x * y) / 40)

    step = 1e-4
    moves = [(1, 0), (0, 1), (x, y), (y, -x), (x, -y), (y, x)]
    found = tangents(hill(x, y)[None], 0)
    inside = np.zeros((28, 28), bool)
    inside[1:-1, 1:-1] = True
    for k, (dx, dy) in enumerate(moves):
        expected = (hill(x + step * dx, y + step * dy) - hill(x - step * dx, y - step * dy)) / (2 * step)
        got = found[:, k].reshape(28, 28)
        assert np.abs(got - expected)[inside].max() < 0.05 * np.abs(expected).max()


def test_smoothing_keeps_the_ink_and_is_exact() -> None:
    image = np.zeros((1, 9, 9), np.uint8)
    image[0, 4, 4] = 255
    once = smoothed(image, 1)[0]
    assert np.array_equal(once[3:6, 3:6] * 16, 255 * np.outer([1, 2, 1], [1, 2, 1]))
    assert smoothed(image, 2).sum() == 255


@pytest.mark.parametrize("place", [-1, 40])
def test_a_candidate_that_is_not_there_is_refused(place: int) -> None:
    with pytest.raises(IndexError, match="a candidate is none of 40 images"):
        squares(DIGITS[:1], DIGITS, np.array([[0, place]]))


def test_where_the_loop_is_not_built_the_answer_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lenet.classical.tangent", None)
    monkeypatch.delattr("lenet.classical.tangent")
    with pytest.raises(BuildError, match=r"the loop of tangent distance is not built \(.*\): run `pip install \.`"):
        squares(DIGITS, DIGITS, ALL)


def test_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tangent_distance, "AT_ONCE", 3)
    once = squares(DIGITS, DIGITS, ALL, threads=1)
    assert np.array_equal(once, squares(DIGITS, DIGITS, ALL, threads=3))


def test_the_nearest_is_sought_among_the_candidates() -> None:
    training = LabelledImages("training", IMAGES[:300], LABELS[:300])
    some = IMAGES[300:340]
    of_all = squares(smoothed(some, 2), smoothed(training.images, 2), np.tile(np.arange(300), (40, 1))).argmin(axis=1)
    near = nearest(some, training.images, 4)
    among = squares(smoothed(some, 2), smoothed(training.images, 2), near)
    assert np.array_equal(fit_tangent(training, 2, 4)(some), LABELS[near[np.arange(40), among.argmin(axis=1)]])
    beyond, other = left_out(training, some, 2, 4)
    assert np.array_equal(beyond, [of_all[n] not in near[n] for n in range(40)]) and beyond.any() and not beyond.all()
    assert not (other & ~beyond).any()


def test_it_reads_more_digits_than_euclid_does() -> None:
    training, (images, labels) = LabelledImages("training", IMAGES, LABELS), lenet.holdout()
    wrong = (fit_tangent(training, 2, 30)(images[:500]) != labels[:500]).mean()
    euclid = (LABELS[nearest(images[:500], IMAGES, 1)[:, 0]] != labels[:500]).mean()
    assert wrong < 0.6 * euclid
