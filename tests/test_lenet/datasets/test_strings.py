"""Strings of digits: they fit, keep their gaps and spacings, use digits evenly, and depend on their seed alone."""

from dataclasses import replace

import numpy as np
import pytest

from anna.base.errors import DataError
from lenet.datasets.digits import calibration, holdout
from lenet.datasets.registry import MNIST
from lenet.datasets.strings import INK, Writing, strings

WRITING = Writing()


@pytest.fixture(scope="module")
def some():
    return strings(holdout(), MNIST, 300, WRITING, (5,))


def test_a_seed_gives_the_same_strings_and_another_gives_others(some):
    again, other = (strings(holdout(), MNIST, 300, WRITING, (seed,)) for seed in (5, 6))
    assert np.array_equal(some.images_nyx, again.images_nyx) and np.array_equal(some.labels_nk, again.labels_nk)
    assert not np.array_equal(some.images_nyx, other.images_nyx)


def test_fewer_strings_are_the_first_of_more(some):
    few = strings(holdout(), MNIST, 20, WRITING, (5,))
    assert np.array_equal(few.images_nyx, some.images_nyx[:20]) and np.array_equal(few.gaps_nk, some.gaps_nk[:20])


def test_every_digit_lies_in_the_image_and_its_middle_where_a_windows_can(some):
    assert some.images_nyx.shape == (300, 52, 152)
    low, high = np.array([16, 16]), np.array([36, 136])
    assert (some.centres_nk2 >= low).all() and (some.centres_nk2 <= high).all()
    for row in some.placed:
        for one in row:
            rows, columns = one.area
            assert min(rows.start, columns.start) >= 0 and rows.stop <= 52 and columns.stop <= 152


def test_the_image_is_its_digits_and_nothing_else(some):
    for image, row in zip(some.images_nyx[:20], some.placed, strict=False):
        made = np.zeros_like(image)
        for one in row:
            made[one.area] = np.maximum(made[one.area], one.levels_yx)
        assert np.array_equal(image, made)


def test_neighbours_touch_if_and_only_if_their_gap_is_not_above_zero(some):
    """Touching is judged by ink on the image, gaps by the distances that digits were placed at: two ways to the same."""
    assert np.array_equal(some.touching_nk[some.gaps_nk > 0], np.zeros((some.gaps_nk > 0).sum(), bool))
    assert some.touching_nk[some.gaps_nk == 0].all()
    assert some.touching_nk[some.gaps_nk < 0].mean() > 0.99
    assert 0.3 < some.touching_nk.mean() < 0.5


def test_a_gap_is_the_distance_of_ink_between_rows_that_lie_side_by_side(some):
    for image, row, gaps in zip(some.images_nyx[:30], some.placed, some.gaps_nk, strict=False):
        for a, b, gap in zip(row, row[1:], gaps.tolist(), strict=False):
            ink = np.zeros((2, *image.shape), bool)
            for place, one in enumerate((a, b)):
                ink[place][one.area] = one.levels_yx >= INK
            last = [np.flatnonzero(line)[-1] if line.any() else -999 for line in ink[0]]
            first = [np.flatnonzero(line)[0] if line.any() else 999 for line in ink[1]]
            near = min(first[y] - last[x] for x in range(52) for y in range(max(0, x - 1), min(52, x + 2)))
            assert near - 1 == gap


def test_gaps_are_those_asked_for_unless_middles_would_be_too_near(some):
    pitch = np.diff(some.centres_nk2[:, :, 1], axis=1)
    assert (pitch >= WRITING.pitch).all()
    assert some.gaps_nk.min() == -4 and some.gaps_nk[pitch > WRITING.pitch + 1].max() <= 6
    spread = some.gaps_nk.max(axis=1) - some.gaps_nk.min(axis=1)
    assert np.median(spread) <= WRITING.gap_range


def test_every_digit_is_used_once_before_any_is_used_again():
    few = calibration().picked("twelve digits", np.arange(12))
    found = strings(few, MNIST, 4, WRITING, (1,))
    used = np.bincount(found.labels_nk.reshape(-1), minlength=10)
    twice = np.bincount(few.labels, minlength=10)
    assert (used >= twice).all() and (used <= 2 * twice).all()


def test_a_single_digit_of_its_own_size_is_the_digit():
    plain = replace(WRITING, digits=1, box=(20, 20), box_spread=0)
    found = strings(calibration(), MNIST, 10, plain, (3,))
    for (one,) in found.placed:
        assert any(np.array_equal(one.levels_yx, image) for image in calibration().images)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"digits": 0}, "digits is 0; expected at least 1 in a string"),
        ({"box": (22, 17)}, "box is 22 to 17; expected the smaller end first"),
        ({"digits": 9}, "9 digits take up to .* columns; the image has 152: write less wide"),
    ],
)
def test_writing_that_makes_no_sense_is_refused(changed, message):
    with pytest.raises(DataError, match=message):
        replace(WRITING, **changed)


def test_digits_larger_than_a_window_and_no_digits_are_refused():
    with pytest.raises(DataError, match=r"a digit's image takes 3[3-9] pixels; expected at most the 32 of a window"):
        strings(calibration(), MNIST, 20, replace(WRITING, digits=2, box=(17, 26)), (1,))
    with pytest.raises(DataError, match="0 strings of 500 digits; expected at least 1 of either"):
        strings(calibration(), MNIST, 0, WRITING, (1,))
