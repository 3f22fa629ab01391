"""Pictures of floats come with their axes in any order that can mean one thing only."""

import numpy as np
import pytest

from anna.base.errors import DataError
from anna.network.images import float_pictures

RNG = np.random.default_rng(0)


def test_maps_last_are_turned() -> None:
    pictures = RNG.normal(size=(5, 6, 7, 3))
    np.testing.assert_array_equal(float_pictures((3, 6, 7), pictures), pictures.transpose(0, 3, 1, 2))


def test_a_single_map_needs_no_axis() -> None:
    pictures = RNG.normal(size=(5, 6, 7))
    for given in (pictures, pictures[:, None], pictures[..., None], pictures.reshape(5, 42)):
        np.testing.assert_array_equal(float_pictures((1, 6, 7), given), pictures[:, None])


def test_a_flat_vector_needs_no_rows() -> None:
    pictures = RNG.normal(size=(5, 42))
    np.testing.assert_array_equal(float_pictures((42, 1, 1), pictures)[:, :, 0, 0], pictures)


def test_where_both_orders_fit_the_maps_are_first() -> None:
    pictures = RNG.normal(size=(5, 4, 4, 4))
    assert float_pictures((4, 4, 4), pictures) is pictures


@pytest.mark.parametrize("shape", [(5,), (5, 126), (5, 6, 7), (5, 3, 7, 6), (5, 1, 3, 6, 7), (5, 7, 6, 3)])
def test_what_could_mean_several_things_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"pictures have shape .*; expected \(n, 3, 6, 7\)"):
        float_pictures((3, 6, 7), np.zeros(shape))
