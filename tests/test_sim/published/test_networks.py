"""The applications of the board paper: their shapes, and the images for their ranges."""

import numpy as np
import pytest

import lenet
from anna.base.errors import GraphError
from anna.chip.facts import CONVOLVER_NEURONS, CONVOLVER_SYNAPSES, SEGMENTER_MULTIPLY_ADDS, SEGMENTER_PLACES
from lenet.networks.applications import SEGMENTER_IMAGE, convolver, line, segmenter
from sim.published.networks import scenes


def test_the_recogniser_at_many_places_is_the_published_segmenter() -> None:
    graph = segmenter(lenet.define("recognizer"))
    assert graph.output_shape == (10, *SEGMENTER_PLACES.value[::-1])
    assert graph.multiply_adds == SEGMENTER_MULTIPLY_ADDS.value


def test_another_network_is_no_segmenter() -> None:
    with pytest.raises(GraphError, match="places"):
        segmenter(lenet.define("lenet1_28"))


def test_the_convolver_has_sixteen_neurons_of_256_synapses_and_no_bias() -> None:
    graph = convolver(64, 80)
    assert graph.parameters == CONVOLVER_NEURONS.value * CONVOLVER_SYNAPSES.value
    assert graph.output_shape == (16, 49, 65)


def test_a_kernel_answers_to_its_own_direction() -> None:
    kernels = np.stack([line(np.pi * k / 16) for k in range(16)])
    alike = np.einsum("iyx,jyx->ij", kernels, kernels)
    assert (alike.argmax(axis=1) == np.arange(16)).all()
    assert np.abs(kernels.sum(axis=(1, 2))).max() < 1e-5


def test_a_scene_holds_whole_digits_on_paper() -> None:
    images = scenes(*SEGMENTER_IMAGE)
    assert images.shape[1:] == SEGMENTER_IMAGE and images.dtype == np.uint8
    digits, _ = lenet.calibration()
    assert (images[0, :28, 28:56] == digits[1]).all()
    assert not images[:, 28:].any()
