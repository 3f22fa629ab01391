"""The best path: what it finds is what trying every path finds."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anna.base.errors import DataError
from sim.applications.best_path import Spacing, best_path, log_sum, of_columns


def tried(columns_dx, digits, spacing):
    """The best score of all paths, each tried in turn."""
    best = -np.inf
    for path in product(range(columns_dx.shape[1]), repeat=digits):
        steps = np.diff(path)
        if ((steps >= spacing.nearest) & (steps <= spacing.farthest)).all():
            best = max(best, sum(columns_dx[:, column].max() for column in path))
    return best


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_path_is_better_than_the_one_found(data):
    digits = data.draw(st.integers(1, 3))
    nearest = data.draw(st.integers(1, 3))
    spacing = Spacing(nearest, data.draw(st.integers(nearest, 5)))
    columns = data.draw(st.integers((digits - 1) * nearest + 1, 8))
    whole = st.integers(-20, 20)  # so that sums are exact, and ties many
    scores = data.draw(st.lists(whole, min_size=2 * 3 * columns, max_size=2 * 3 * columns))
    columns_ndx = np.array(scores, float).reshape(2, 3, columns)
    found = best_path(columns_ndx, digits, spacing)
    for n in range(2):
        path = found.columns_nk[n]
        steps = np.diff(path)
        assert ((steps >= spacing.nearest) & (steps <= spacing.farthest)).all()
        assert sum(columns_ndx[n, label, x] for label, x in zip(found.labels_nk[n], path, strict=True)) == found.scores_n[n]
        assert found.scores_n[n] == tried(columns_ndx[n], digits, spacing)


def test_of_equal_paths_the_leftmost_is_taken():
    found = best_path(np.zeros((1, 10, 31)), 5, Spacing(2, 8))
    assert found.columns_nk.tolist() == [[0, 2, 4, 6, 8]] and found.labels_nk.tolist() == [[0] * 5]


def test_a_weak_digit_is_read_where_it_must_be_and_a_strong_one_not_twice():
    scores = np.full((1, 10, 31), -5.0)
    scores[0, 3, 4], scores[0, 3, 5] = 9, 8  # one digit, seen in two columns
    scores[0, 7, 9] = -2
    assert best_path(scores, 2, Spacing(2, 8)).labels_nk.tolist() == [[3, 7]]


def test_a_columns_odds_are_those_of_its_rows_added():
    scores = np.array([[[[0.5, -800.0], [1.5, -801.0]]]])
    assert of_columns(scores)[0, 0] == pytest.approx([np.log(np.exp(0.5) + np.exp(1.5)), -800 + np.log1p(np.exp(-1))])
    assert log_sum(scores, 3).shape == (1, 1, 2)


@pytest.mark.parametrize("given", [(0, 4), (5, 4)])
def test_a_spacing_without_a_way_is_refused(given):
    with pytest.raises(DataError, match="columns apart; expected at least 1, and the fewer first"):
        Spacing(*given)


def test_more_digits_than_fit_are_refused():
    with pytest.raises(DataError, match="5 digits at least 2 columns apart do not fit into 8 columns of places"):
        best_path(np.zeros((1, 10, 8)), 5, Spacing(2, 8))
