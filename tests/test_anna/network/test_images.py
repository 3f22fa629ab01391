"""Float images may come with their axes in any order that is unambiguous."""

import numpy as np
import pytest

from anna.base.errors import DataError
from anna.network.images import float_images

RNG = np.random.default_rng(0)


def test_maps_last_are_put_first() -> None:
    images = RNG.normal(size=(5, 6, 7, 3))
    np.testing.assert_array_equal(float_images((3, 6, 7), images), images.transpose(0, 3, 1, 2))


def test_a_single_map_needs_no_axis() -> None:
    images = RNG.normal(size=(5, 6, 7))
    for given in (images, images[:, None], images[..., None], images.reshape(5, 42)):
        np.testing.assert_array_equal(float_images((1, 6, 7), given), images[:, None])


def test_a_flat_vector_needs_no_rows() -> None:
    images = RNG.normal(size=(5, 42))
    np.testing.assert_array_equal(float_images((42, 1, 1), images)[:, :, 0, 0], images)


def test_where_both_orders_fit_the_maps_are_first() -> None:
    images = RNG.normal(size=(5, 4, 4, 4))
    assert float_images((4, 4, 4), images) is images


@pytest.mark.parametrize("shape", [(5,), (5, 126), (5, 6, 7), (5, 3, 7, 6), (5, 1, 3, 6, 7), (5, 7, 6, 3)])
def test_what_could_mean_several_things_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"images have shape .*; expected \(n, 3, 6, 7\)"):
        float_images((3, 6, 7), np.zeros(shape))
