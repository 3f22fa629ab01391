"""PyTorch and the float forward agree, gradients are right, and the second-order estimate is what it claims."""

from dataclasses import replace

import numpy as np
import pytest

import lenet
from anna.network.activations import CURVES
from anna.network.forward import forward, run_layer
from anna.network.graph import (
    Activation,
    Affine,
    Convolution,
    FullConnection,
    Graph,
    Pool,
    Rbf,
    Softmax,
    Subsample,
)
from lenet.datasets.registry import DATA_SETS
from lenet.networks.catalogue import define

try:
    import torch
except ModuleNotFoundError:
    pytest.skip("PyTorch is absent: training and the comparison with it are NOT tested", allow_module_level=True)

from lenet.training.initial import initial
from lenet.training.optimisers import loss, loss_name, second_derivatives
from lenet.training.torch_net import TorchLayer, TorchNet, prepared, squash

pytestmark = pytest.mark.torch


def drawn(name, data, seed=5):
    """The members of a network, with initial weights and biases."""
    out = []
    for member in define(name, data).members:
        net = TorchNet(initial(member, seed))
        rng = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for key, parameter in net.named_parameters():
                if "bias" in key:
                    parameter.copy_(torch.empty_like(parameter).uniform_(-0.3, 0.3, generator=rng))
        out.append(net.to_graph())
    return out


@pytest.mark.parametrize("data", DATA_SETS)
@pytest.mark.parametrize("name", lenet.names)
def test_the_forward_is_that_of_pytorch(name, data):
    shape = (40, *DATA_SETS[data].shape)
    images = (
        lenet.holdout()[0][:40] if DATA_SETS[data].built_in else np.random.Generator(np.random.PCG64(2)).integers(0, 256, shape)
    )
    for graph in drawn(name, data):
        with torch.no_grad():
            theirs = TorchNet(graph)(prepared(graph, images.astype(np.uint8))).numpy()
            wide = TorchNet(graph.astype(np.float64))(prepared(graph, images.astype(np.uint8), np.float64)).numpy()
        ours = forward(graph, images.astype(np.uint8))
        scale = max(1.0, float(np.abs(theirs).max()))
        assert np.abs(ours.scores - theirs).max() <= 1e-5 * scale
        assert np.abs(forward(graph, images.astype(np.uint8), dtype=np.float64).scores - wide).max() <= 1e-11 * scale


def rng():
    return np.random.Generator(np.random.PCG64(4))


def draw(*shape):
    return rng().standard_normal(shape)


TABLE = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 1], [0, 0, 1]], bool)
LAYERS = {
    "convolution": Convolution("l", draw(4, 3, 3, 2) * TABLE[:, :, None, None], draw(4), TABLE, (2, 1), (1, 0, 2, 1), -1.0),
    "convolution, bias per unit": Convolution("l", draw(2, 3, 3, 3), draw(2, 4, 4), activation=Activation("scaled_tanh")),
    "subsample": Subsample("l", draw(4), draw(4), (2, 0, 1, 0), activation=Activation("tanh")),
    "average": Pool("l", "average", (3, 2), (2, 2), (1, 1, 0, 1), Activation("sigmoid")),
    "max": Pool("l", "max", (2, 2), (1, 2), (1, 0, 1, 0)),
    "full": FullConnection("l", draw(5, 108), draw(5), Activation("scaled_tanh")),
    "rbf": Rbf("l", draw(5, 3), trainable=True),
    "affine": Affine("l", draw(3), draw(3), Activation("tanh")),
    "softmax": Softmax("l"),
    "log softmax": Softmax("l", log=True),
    "relu": Affine("l", draw(3), draw(3), Activation("relu")),
    "clip": Affine("l", draw(3), draw(3), Activation("clip", -0.7, 0.4)),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_gradients_against_differences_of_the_forward(kind):
    """Central differences of anna's float64 forward against PyTorch's gradients, for inputs and for every weight."""
    layer = LAYERS[kind]
    x = rng().standard_normal((2, 3, 6, 6))
    module = TorchLayer(layer)
    given = torch.from_numpy(x).requires_grad_(True)
    out = module(given)
    pull = torch.from_numpy(np.random.Generator(np.random.PCG64(6)).standard_normal(tuple(out.shape)))
    (out * pull).sum().backward()

    def value(arrays, images):
        changed = replace(layer, **arrays) if arrays else layer
        outputs = run_layer(changed, images.transpose(1, 2, 3, 0))[1]
        return float((outputs.transpose(3, 0, 1, 2) * pull.numpy()).sum())

    step = 1e-6

    def slopes(array, build):
        for place in np.random.Generator(np.random.PCG64(1)).permutation(array.size)[:25]:
            at = np.unravel_index(place, array.shape)
            if isinstance(layer, Convolution) and array is layer.weights_oiyx and not layer.table[at[:2]]:
                continue  # not a weight
            up, down = array.copy(), array.copy()
            up[at] += step
            down[at] -= step
            yield at, (build(up) - build(down)) / (2 * step)

    for at, slope in slopes(x, lambda changed: value({}, changed)):
        assert given.grad[at].item() == pytest.approx(slope, rel=1e-5, abs=1e-6)
    for name, array in layer.tensors.items():
        for at, slope in slopes(array, lambda changed, name=name: value({name: changed}, x)):
            assert getattr(module, name).grad[at].item() == pytest.approx(slope, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("kind", list(CURVES))
def test_pytorch_computes_every_activation_and_its_slope(kind):
    activation, x = Activation(kind, -0.5, 0.75), np.linspace(-6.003, 6.003, 1201)
    sums = torch.from_numpy(x).requires_grad_(True)
    theirs = squash(activation, sums)
    (theirs.sum() + 0 * sums.sum()).backward()
    with np.errstate(divide="ignore"):
        ours = activation.value(x)
    assert theirs.detach().numpy() == pytest.approx(ours, rel=1e-14, abs=1e-15, nan_ok=True)
    if activation.curve.adc is None or kind == "rounded":
        return  # the slope serves the chip's own, and a staircase has that of the line through it
    assert sums.grad.numpy() == pytest.approx(activation.curve.steepest * activation.curve.slope(x, ours), abs=1e-13)


def small(output, squash="scaled_tanh"):
    act = Activation(squash)
    table = np.array([[1, 0], [1, 1], [0, 1]], bool)
    return Graph(
        "small",
        (1, 8, 8),
        (
            Convolution("c", draw(2, 1, 3, 3) / 3, draw(2) / 3, activation=act),
            Subsample("s", draw(2) / 2, draw(2) / 3, activation=act),
            Convolution("d", draw(3, 2, 3, 3) * table[:, :, None, None] / 4, draw(3) / 3, table, activation=act),
            *output,
        ),
    )


def test_the_loss_follows_the_output():
    assert loss_name(small((FullConnection("o", draw(4, 3)),))) == "cross_entropy"
    assert loss_name(small((FullConnection("o", draw(4, 3), None, Activation("scaled_tanh")),))) == "squared_error"
    assert loss_name(small((Rbf("o", draw(4, 3)),))) == "map"


@pytest.mark.parametrize("kind", ["cross_entropy", "squared_error", "map"])
def test_a_right_answer_costs_less_than_a_wrong_one(kind):
    scores = torch.tensor([[1.0, -1.0, -1.0]]) if kind != "map" else torch.tensor([[-1.0, -80.0, -90.0]])
    assert loss(kind, scores, torch.tensor([0])) < loss(kind, scores, torch.tensor([1]))


def test_second_derivatives_of_the_last_layer_are_exact():
    """There the Gauss-Newton diagonal is the mean of squared input times p (1 - p)."""
    graph = small((FullConnection("o", draw(4, 3), draw(4), Activation("none")),))
    net = TorchNet(graph)
    x = torch.from_numpy(rng().standard_normal((6, 1, 8, 8)))
    labels = torch.tensor([0, 1, 2, 3, 0, 1])
    found = second_derivatives(net, x, labels)
    with torch.no_grad():
        hidden = x
        for layer in list(net.chain)[:-1]:
            hidden = layer(hidden)
        share = torch.softmax(net(x), 1)
        curve = share * (1 - share)
        expected = torch.einsum("no,ni->oi", curve, hidden.flatten(1) ** 2) / 6
    assert torch.allclose(found[-2], expected)
    assert torch.allclose(found[-1], curve.mean(0))
    assert [tuple(h.shape) for h in found] == [tuple(p.shape) for p in net.parameters()]
    assert all((h >= 0).all() for h in found)


def test_second_derivatives_by_the_rule_of_the_paper_unit_by_unit():
    """One unit per layer, where squared back-propagation has no cross terms to omit: exact Gauss-Newton."""
    act = Activation("tanh")
    graph = Graph(
        "thread",
        (1, 2, 2),
        (
            Subsample("s", np.array([0.3]), np.array([0.2]), activation=act),
            FullConnection("f", np.array([[0.7]]), np.array([-0.1]), act),
            FullConnection("o", np.array([[1.3]]), np.array([0.4]), act),
        ),
    )
    net = TorchNet(graph)
    x = torch.from_numpy(rng().standard_normal((1, 1, 2, 2)))
    found = second_derivatives(net, x, torch.tensor([0]))
    slopes = torch.autograd.grad(net(x).sum(), list(net.parameters()))
    for h, slope in zip(found, slopes, strict=True):
        assert torch.allclose(h, slope**2)
