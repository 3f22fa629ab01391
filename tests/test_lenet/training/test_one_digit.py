"""Gradients written out are PyTorch's, and a run with them is as others: seeded, resumable, refused in one sentence."""

from dataclasses import replace

import numpy as np
import pytest

from anna.base.errors import DataError
from lenet.datasets.digits import holdout
from lenet.networks.catalogue import define

try:
    import torch
except ModuleNotFoundError:
    pytest.skip("PyTorch is absent: learning one digit at a time is NOT tested", allow_module_level=True)

from lenet.training.fit import Setup, fit
from lenet.training.initial import initial
from lenet.training.one_digit import OneDigit
from lenet.training.optimisers import loss
from lenet.training.recipes import RECIPE_1990
from lenet.training.torch_net import TorchNet, prepared

pytestmark = pytest.mark.torch

SHORT = replace(RECIPE_1990, passes=3)


@pytest.fixture(scope="module")
def some():
    return holdout().picked("some digits", np.arange(300))


def new(name="recognizer", data="mnist"):
    return TorchNet(initial(define(name, data), 3, "uniform_2.4_over_fan_in"))


@pytest.mark.parametrize("name", ["recognizer", "lenet1_28", "linear", "mlp300"])
def test_a_step_is_along_the_gradients_of_pytorch(some, name):
    net = new(name)
    images, labels = prepared(net.graph, some.images[:1]), torch.from_numpy(some.labels[:1].astype(np.int64))
    value = loss("cross_entropy", net(images), labels)
    value.backward()
    expected = [one.detach() - one.grad for one in net.parameters()]
    hand = OneDigit(net)
    hand.settle([np.ones(tuple(one.shape), np.float32) for one in net.parameters()])
    found, _ = hand.learn(images[0].numpy(), int(labels[0]))
    assert found == pytest.approx(float(value.detach()), abs=1e-5)
    for one, wanted in zip(net.parameters(), expected, strict=True):
        assert torch.allclose(one.detach(), wanted, atol=2e-6)


def test_weights_off_the_connection_table_stay_zero(some):
    net = new()
    hand = OneDigit(net)
    hand.settle([np.full(tuple(one.shape), 0.01, np.float32) for one in net.parameters()])
    images = prepared(net.graph, some.images[:20]).numpy()
    for image, label in zip(images, some.labels[:20].tolist(), strict=True):
        hand.learn(image, label)
    layer = net.graph.layers[3]
    weights = net.chain[2].weights_oiyx.detach().numpy()
    assert not weights[~layer.table].any() and weights[layer.table].any()


def test_it_learns_and_an_interrupted_run_ends_with_the_same_bits(some, tmp_path):
    setup = Setup(define("recognizer", "mnist"), SHORT, some, 1)
    straight = fit(setup)
    assert straight.curve[-1].loss < 0.8 * straight.curve[0].loss
    place = tmp_path / "checkpoint"
    fit(setup, checkpoint=place, stop_after=1)
    assert fit(setup, checkpoint=place).graph.digest == straight.graph.digest


@pytest.mark.parametrize(("name", "layer"), [("lenet1", "H1: "), ("lenet4", "S2: ")])
def test_networks_that_it_is_not_written_for_are_refused(name, layer):
    sentence = "gradients by hand are for plain convolutions, 2x2 subsampling and full connections, not for this"
    with pytest.raises(DataError) as caught:
        OneDigit(new(name))
    assert str(caught.value).startswith(layer + sentence)


def test_a_squashed_output_is_refused(some):
    graph = define("recognizer", "mnist")
    last = replace(graph.layers[-1], activation=graph.layers[1].activation)
    with pytest.raises(
        DataError, match="output: gradients by hand are for scaled tanh and a linear output; it has scaled_tanh"
    ):
        OneDigit(TorchNet(replace(graph, layers=(*graph.layers[:-1], last))))
