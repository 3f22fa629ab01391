"""A converted network computes what the compiled program computes on the ideal chip, to the bit: scores of 18 networks and
of random ones, with branches, maxima, partial sums, digits, copies, several members, on several machines and chips."""

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from random_graphs import graphs, some_images

import anna
import lenet
from anna.base.errors import CompileError
from anna.network.activations import RELU, SCALED_TANH
from anna.network.graph import (
    NONE,
    Activation,
    Affine,
    Combination,
    Concatenation,
    Convolution,
    Ensemble,
    FullConnection,
    Graph,
    Layer,
    Network,
    Pool,
    Prelu,
    Reduction,
    Subsample,
)

try:
    import torch
except ModuleNotFoundError:
    pytest.skip("PyTorch is absent: anna.torch is NOT tested", allow_module_level=True)

from torch import nn

from anna.torch import ChipModule, convert

pytestmark = pytest.mark.torch

SHAPE = (2, 8, 8)
RNG = np.random.default_rng(0)
IMAGES = RNG.normal(0, 1, (40, *SHAPE)).astype(np.float32)


def conv(name: str, maps: int, inputs: int, kernel: int = 3, stride: int = 1, activation: Activation = RELU) -> Convolution:
    rng = np.random.default_rng(sum(map(ord, name)))
    weights = (rng.normal(0, 1, (maps, inputs, kernel, kernel)) / np.sqrt(inputs * kernel**2)).astype(np.float32)
    bias = rng.normal(0, 0.1, maps).astype(np.float32)
    return Convolution(name, weights, bias, stride=(stride, stride), padding=(kernel // 2,) * 4, activation=activation)


def full(name: str, outputs: int, inputs: int, activation: Activation = NONE) -> FullConnection:
    rng = np.random.default_rng(sum(map(ord, name)))
    return FullConnection(name, (rng.normal(0, 1, (outputs, inputs)) / np.sqrt(inputs)).astype(np.float32),
                          rng.normal(0, 0.1, outputs).astype(np.float32), activation)  # fmt: skip


def factor(name: str, maps: int, activation: Activation = NONE) -> Affine:
    rng = np.random.default_rng(sum(map(ord, name)))
    return Affine(name, rng.uniform(0.5, 1.5, maps).astype(np.float32), rng.normal(0, 0.2, maps).astype(np.float32), activation)


def net(*layers: Layer, outputs: tuple[str, ...] = (), **links: tuple[str, ...]) -> Graph:
    return Graph("net", SHAPE, layers, links=links, outputs=outputs)


PLAIN = net(conv("a", 4, 2, stride=2), Pool("mean", "average"), full("out", 5, 16))
MAXIMA = net(conv("a", 4, 2), Pool("best", "max"), conv("b", 6, 4, activation=SCALED_TANH), Pool("best2", "max"),
             full("out", 5, 24))  # fmt: skip
RESIDUAL = net(
    factor("image", 2), conv("first", 4, 2), conv("a", 4, 4), conv("b", 4, 4, activation=NONE),
    Combination("sum", "sum", activation=RELU), conv("c", 6, 4, stride=2), conv("short", 6, 4, 1, 2, NONE),
    Combination("sum2", "sum"), factor("norm", 6, RELU), Pool("mean", "average", (4, 4), (4, 4)), full("out", 5, 6),
    sum=("b", "first"), short=("sum",), sum2=("c", "short"),
)  # fmt: skip
JOINED = net(
    conv("first", 4, 2), conv("a", 3, 4), conv("b", 5, 4, 1), Pool("best", "max", (3, 3), (1, 1), (1, 1, 1, 1)),
    Concatenation("joined"), conv("more", 4, 12), Concatenation("all"), conv("last", 3, 16, stride=2), full("out", 5, 48),
    b=("first",), best=("first",), joined=("best", "a", "b"), all=("joined", "more"),
)  # fmt: skip
GATED = net(
    conv("first", 6, 2, activation=Activation("silu")), conv("a", 6, 6, activation=NONE), Reduction("squeeze", "mean", "yx"),
    conv("gate", 6, 6, 1, activation=Activation("sigmoid")), Combination("excited", "product"), Combination("sum", "sum"),
    Prelu("bent", np.full((6, 1, 1), 0.2, np.float32)), conv("b", 4, 6, stride=2), full("out", 5, 64),
    squeeze=("a",), excited=("a", "gate"), sum=("excited", "first"),
)  # fmt: skip
SUMS = net(
    conv("a", 8, 2), factor("after", 8), full("b", 12, 512, SCALED_TANH), full("c", 12, 12, SCALED_TANH), full("out", 5, 12)
)
UNITS = net(Convolution("a", conv("a", 4, 2).weights_oiyx, RNG.normal(0, 0.3, (4, 6, 6)).astype(np.float32),
                        activation=SCALED_TANH), Subsample("s", np.ones(4, np.float32) * 0.4, np.ones(4, np.float32) * 0.1),
            factor("s2", 4, SCALED_TANH), full("out", 5, 36))  # fmt: skip
TWO = net(conv("a", 4, 2, stride=2), full("b", 3, 64), full("c", 5, 64), outputs=("b", "c"), c=("a",))
BOTH = Ensemble("both", (PLAIN, Graph("other", SHAPE, MAXIMA.layers)))

CASES: dict[str, tuple[Network, dict[str, object]]] = {
    "mean": (PLAIN, {}),
    "weights rounded as the compiler does": (PLAIN, {"round": "calibrated"}),
    "maxima on the chip": (MAXIMA, {"maxima": "chip"}),
    "maxima on the host": (MAXIMA, {"maxima": "host"}),
    "maxima in digits": (MAXIMA, {"maxima": "chip", "digits": 2}),
    "residual sums": (RESIDUAL, {}),
    "residual sums in digits and copies": (RESIDUAL, {"digits": 2, "copies": 2}),
    "residual sums in balance": (RESIDUAL, {"digits": 2, "balance": True}),
    "joined maps": (JOINED, {}),
    "joined maps in copies": (JOINED, {"copies": 2, "maxima": "chip"}),
    "rounds of the host": (GATED, {}),
    "partial sums": (SUMS, {"host": "none"}),
    "partial sums in digits": (SUMS, {"digits": 2}),
    "biases of units": (UNITS, {}),
    "synapses": (PLAIN, {"synapses": 2}),
    "two outputs": (TWO, {}),
    "an ensemble": (BOTH, {}),
    "the board of 1991": (RESIDUAL, {"machine": "board-1991"}),
    "a wide machine": (JOINED, {"machine": "wide"}),
    "a chip of more bits": (RESIDUAL, {"machine": "wide", "chip": anna.ANNA_WIDE.changed(weight_bits=8, state_bits=5)}),
    "a chip of many bits": (UNITS, {"machine": "wide", "chip": anna.ANNA_WIDE.changed(weight_bits=16, state_bits=16)}),
    "levels about zero": (PLAIN, {"chip": anna.ANNA_1991.changed(state_levels="mid-tread")}),
    "a squashing ADC": (PLAIN, {"chip": anna.ANNA_1991.changed(adc_curve="squash")}),
}


def quiet(network: object, images: np.ndarray, **options: object) -> ChipModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return convert(network, images, **options)


def scores_of(module: ChipModule, images: np.ndarray) -> list[np.ndarray]:
    with torch.no_grad():
        found = module.eval()(torch.tensor(images))
    return [one.numpy() for one in (found if isinstance(found, tuple) else (found,))]


def expect_equal(module: ChipModule, images: np.ndarray) -> None:
    """The scores of its program, compiled from the network that it gives."""
    result = anna.Chip().run(module.compile(), images)
    wanted = list(result.results.values()) or [result.scores]
    for found, right in zip(scores_of(module, images), wanted, strict=True):
        np.testing.assert_array_equal(found, right)


def stirred(module: ChipModule) -> ChipModule:
    """With every number moved, as training would."""
    with torch.no_grad():
        for number, parameter in enumerate(module.parameters()):
            noise = np.random.default_rng(number).normal(0, 0.05, parameter.shape)
            parameter.add_(torch.tensor(noise, dtype=torch.float32))
    module.settle()
    return module


@pytest.mark.parametrize("case", CASES)
def test_scores_are_those_of_the_compiled_program(case: str) -> None:
    network, options = CASES[case]
    module = quiet(network, IMAGES, **options)
    expect_equal(module, IMAGES)
    expect_equal(stirred(module), IMAGES)


@pytest.mark.parametrize("name", ["recognizer", "lenet1", "lenet5", "lenet5_modern", "mlp300"])
def test_so_are_those_of_the_catalogue_from_raw_images(name: str) -> None:
    images = lenet.holdout()[0][:200]
    module = quiet(lenet.load(name, data="mnist"), images)
    expect_equal(module, images)
    prepared = torch.tensor(anna.forward(module.to_graph(), images[:5], keep=("prepare",)).outputs["prepare"])
    with torch.no_grad():
        assert torch.equal(module(prepared), module(torch.tensor(images[:5]))), "prepared images are taken, too"


class Mine(nn.Module):
    """The shape of the usual small network for MNIST: stride, batch normalisation, maximum pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 5, padding=2, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        )  # fmt: skip
        self.head = nn.Linear(144, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.head(self.features(x).flatten(1))
        return found


@pytest.mark.parametrize("options", [{}, {"maxima": "chip"}, {"digits": 2}], ids=str)
def test_so_are_those_of_a_module_of_pytorch(options: dict[str, object]) -> None:
    pytest.importorskip("onnx", reason="onnx is absent: modules of PyTorch are NOT converted")
    torch.manual_seed(1)
    mine, images = Mine(), torch.randn(80, 1, 28, 28)
    for _ in range(3):
        mine(images)  # statistics of the batch normalisations
    mine.eval()
    module = quiet(mine, images, **options)
    expect_equal(module, images.numpy())
    assert not mine.training and {key.partition("/")[2] for key in module.numbers.state_dict()} >= {"bias", "weights_oiyx"}


def test_so_are_those_of_random_networks() -> None:
    seen = {"compiled": 0}

    @given(graphs())
    @settings(max_examples=25, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    def convert_one(graph: Graph) -> None:
        images = some_images(graph, 24)
        expect_equal(stirred(quiet(graph, images)), images)
        seen["compiled"] += 1

    convert_one()
    assert seen["compiled"] == 25


def test_so_are_those_of_random_networks_with_branches(tmp_path_factory: pytest.TempPathFactory) -> None:
    pytest.importorskip("onnx", reason="onnx is absent: networks with branches are NOT converted")
    from random_onnx import models

    seen = {"compiled": 0, "branches": 0}

    @given(models())
    @settings(max_examples=40, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    def convert_one(case: tuple[bytes, tuple[int, int, int]]) -> None:
        path = tmp_path_factory.mktemp("net") / "net.onnx"
        path.write_bytes(case[0])
        graph = anna.load_network(path)
        assert isinstance(graph, Graph)
        images = np.random.default_rng(1).normal(size=(30, *graph.input_shape)).astype(np.float32)
        try:
            module = quiet(graph, images)
        except CompileError:  # nothing for the chip
            return
        expect_equal(module, images)
        seen["compiled"] += 1
        seen["branches"] += not graph.is_chain

    convert_one()
    assert seen["compiled"] >= 25 and seen["branches"] >= 8


def test_what_it_gives_compiles_to_the_very_program_of_the_command(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """Saved and loaded, with the same images and options."""
    module = stirred(quiet(RESIDUAL, IMAGES, digits=2))
    anna.save_network(module.to_graph(), tmp_path / "net.safetensors")
    loaded = anna.load_network(tmp_path / "net.safetensors")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert anna.compile(loaded, IMAGES, digits=2, round="nearest").digest == module.compile().digest
