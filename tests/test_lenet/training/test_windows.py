"""Windows for training to reject: in place they show their digit, elsewhere no digit's middle is near."""

import numpy as np
import pytest

from anna.base.errors import DataError
from lenet.datasets.digits import calibration
from lenet.datasets.registry import MNIST
from lenet.datasets.strings import strings
from lenet.networks.catalogue import define
from lenet.training.recipes import RECIPES, Partials, recipe_of
from lenet.training.windows import on_windows, windows

NONE = 10
SEED = (1, 0, 3)


@pytest.fixture(scope="module")
def found():
    return windows(calibration(), "mnist", Partials(), NONE, SEED)


def test_every_digit_is_once_in_place_and_there_are_as_many_windows_without(found):
    assert found.images.shape == (1000, 32, 32) and found.images.dtype == np.uint8
    assert np.bincount(found.labels).tolist() == [50] * 10 + [500]


def test_they_are_windows_of_strings_and_only_those_in_place_have_a_middle_near(found):
    how = Partials()
    of = strings(calibration(), MNIST, 100, how.writing, (*SEED, 0))
    for at in [*range(0, 500, 25), *range(500, 1000, 25)]:
        string = (at % 500) // 5
        image = of.images_nyx[string]
        every = np.lib.stride_tricks.sliding_window_view(image, (32, 32))
        where = np.argwhere((every == found.images[at]).all(axis=(2, 3))) + 16
        off = np.abs(where[:, None] - of.centres_nk2[string][None])
        if at < 500:
            mine = off[:, at % 5]
            assert (mine <= how.in_place + 0.5).all(axis=1).any(), "its own digit is in its middle"
            assert found.labels[at] == of.labels_nk[string, at % 5]
        else:
            assert ((off >= np.array(how.none_from)).any(axis=2).all(axis=1)).any(), "no digit is"


def test_a_seed_gives_the_same_windows(found):
    again, other = (windows(calibration(), "mnist", Partials(), NONE, seed) for seed in (SEED, (2, 0, 3)))
    assert again.digest == found.digest != other.digest


def test_a_network_on_windows_is_the_same_but_for_what_it_is_given():
    digits = define("recognizer")
    on = on_windows(digits)
    assert on.prepare.source == (32, 32) and on.layers[1:] == digits.layers[1:] and on.output_shape == digits.output_shape


def test_a_network_of_many_places_is_not_trained_on_windows():
    with pytest.raises(DataError, match="cannot be trained on windows; expected a network that prepares images of one digit"):
        on_windows(define("recognizer").widened(52, 152))


def test_a_record_tells_the_recipe_again():
    from dataclasses import asdict
    from json import dumps, loads

    recipe = RECIPES["reject"]
    assert recipe_of(loads(dumps(asdict(recipe)))) == recipe
