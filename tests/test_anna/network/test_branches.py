"""Graphs with branches: what reads what, in text, file and forward; and the layers that only the host computes."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import anna
from anna.base.errors import CompileError, FileError, GraphError
from anna.network.file import KEY, graph_bytes, load_graph, save_network
from anna.network.forward import forward, run_layer
from anna.network.graph import (
    IMAGE,
    Affine,
    Arrangement,
    Combination,
    Concatenation,
    Convolution,
    Ensemble,
    FullConnection,
    Graph,
    Layer,
    Normalisation,
    Pool,
    Prelu,
    Prepare,
    Reduction,
    Softmax,
    text,
)

RNG = np.random.default_rng(5)
IMAGES = RNG.normal(size=(70, 2, 6, 6)).astype(np.float32)


def draw(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def residual() -> Graph:
    """Two convolutions, their input added, joined with the image; then scores, and a second output."""
    layers = (
        Convolution("a", draw(2, 2, 3, 3), padding=(1, 1, 1, 1)),
        Convolution("b", draw(2, 2, 1, 1)),
        Combination("sum", "sum"),
        Concatenation("both"),
        FullConnection("scores", draw(3, 144)),
        Reduction("mean", "mean", "yx"),
    )
    links = {"sum": ("b", "a"), "both": ("sum", IMAGE), "mean": ("sum",)}
    return Graph("residual", (2, 6, 6), layers, links=links, outputs=("scores", "mean"))


TEXT = """\
graph residual input 2@6x6
  a: convolution -> 2@6x6: 3x3, stride 1x1, padding 1 1 1 1 of 0.0, bias none, all maps; connections 1296, parameters 36
  b: convolution -> 2@6x6: 1x1, stride 1x1, bias none, all maps; connections 144, parameters 4
  sum: combination of b, a -> 2@6x6: sum; connections 72, parameters 0
  both: concatenation of sum, image -> 4@6x6: maps in order
  scores: full -> 3@1x1: 144 inputs, bias none; connections 432, parameters 432
  mean: reduction of sum -> 2@1x1: mean over yx; connections 72, parameters 0
  outputs: scores, mean
  total: connections 2016, parameters 472, multiply-adds 2016"""


def test_the_text_names_what_a_layer_reads() -> None:
    assert text(residual()) == TEXT


def test_a_graph_is_computed_along_its_branches() -> None:
    graph = residual()
    run = forward(graph, IMAGES, keep=("a", "b"))
    total = run.outputs["a"] + run.outputs["b"]
    joined = np.concatenate([total, IMAGES], axis=1).reshape(len(IMAGES), -1)
    weights = graph["scores"].layer.tensors["weights_oi"]
    np.testing.assert_allclose(run.scores, joined @ weights.T, atol=1e-4)
    np.testing.assert_allclose(run.outputs["mean"][:, :, 0, 0], total.mean((2, 3)), atol=1e-5)
    assert set(run.outputs) == {"a", "b", "scores", "mean"}


def test_links_that_say_what_goes_without_saying_are_not_kept() -> None:
    graph = residual()
    chain = Graph("chain", (2, 6, 6), graph.layers[:2])
    said = replace(chain, links={"a": (IMAGE,), "b": ("a",)}, outputs=("b",))
    assert said.is_chain and not graph.is_chain
    assert graph_bytes(said) == graph_bytes(chain)


def test_a_file_keeps_the_branches(tmp_path: Path) -> None:
    graph = residual()
    save_network(graph, tmp_path / "net.safetensors")
    back = load_graph(tmp_path / "net.safetensors")
    assert isinstance(back, Graph)
    assert (str(back), back.digest, back.links, back.outputs) == (str(graph), graph.digest, graph.links, graph.outputs)


def header(data: bytes) -> dict[str, object]:
    found: dict[str, object] = json.loads(json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"][KEY])
    return found


def test_chains_are_written_as_former_versions_wrote_them() -> None:
    chain = Graph("chain", (2, 6, 6), residual().layers[:2])
    assert header(graph_bytes(chain))["format"] == 1
    assert set(header(graph_bytes(chain))["members"][0]) == {"name", "input_shape", "data", "layers"}  # type: ignore[index]
    assert header(graph_bytes(residual()))["format"] == 2


HOST_ONLY: list[Layer] = [
    Combination("c", "product", draw(1, 6, 6)),
    Combination("c", "min", draw(2, 1, 1)),
    Arrangement("r", np.array([[[3, -1], [0, 71]]]), 0.5),
    Reduction("r", "product", "my"),
    Normalisation("n", "myx", 1e-3, centred=False),
    Prelu("p", draw(2, 1, 1)),
    Softmax("s", over="yx"),
    Pool("p", "max", (2, 2), (1, 1), dilation=(2, 3)),
    Pool("p", "average", (2, 2), (1, 1), (1, 0, 0, 1), dilation=(2, 3)),
    *(Affine("a", draw(2), draw(2), anna.Activation(kind)) for kind in ("leaky_relu", "selu", "gelu", "silu", "square")),
]


@pytest.mark.parametrize("layer", HOST_ONLY, ids=lambda layer: layer.kind)
def test_a_file_keeps_every_kind_of_layer(layer: Layer, tmp_path: Path) -> None:
    graph = Graph("one", (2, 6, 6), (layer,)).astype(np.float64)
    save_network(graph, tmp_path / "net.safetensors")
    back = load_graph(tmp_path / "net.safetensors")
    assert (str(back), back.digest) == (str(graph), graph.digest)
    assert graph_bytes(back) == graph_bytes(graph)


def pooled(x: np.ndarray, how: object) -> np.ndarray:
    """2 x 2 windows with gaps of one row and two columns."""
    return np.array([[how(x[:, :, [y, y + 2]][..., [c, c + 3]], axis=(2, 3)) for c in range(3)] for y in range(4)]  # type: ignore[operator]
                    ).transpose(2, 3, 0, 1)  # fmt: skip


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (HOST_ONLY[0], lambda x: x * HOST_ONLY[0].constant_myx),  # type: ignore[union-attr]
        (HOST_ONLY[1], lambda x: np.minimum(x, HOST_ONLY[1].constant_myx)),  # type: ignore[union-attr]
        (HOST_ONLY[2], lambda x: np.stack([np.stack([x[:, 0, 0, 3], 0 * x[:, 0, 0, 3] + 0.5], 1),
                                           np.stack([x[:, 0, 0, 0], x[:, 1, 5, 5]], 1)], 1)[:, None]),
        (Reduction("r", "product", "my"), lambda x: x.prod((1, 2), keepdims=True)),
        (Reduction("r", "sum"), lambda x: x.sum(1, keepdims=True)),
        (Reduction("r", "min", "x"), lambda x: x.min(3, keepdims=True)),
        (Normalisation("n", "myx", 1e-3, centred=False), lambda x: x / np.sqrt((x * x).mean((1, 2, 3), keepdims=True) + 1e-3)),
        (Normalisation("n", "yx", 1e-3),
         lambda x: (x - x.mean((2, 3), keepdims=True)) / np.sqrt(x.var((2, 3), keepdims=True) + 1e-3)),
        (HOST_ONLY[5], lambda x: np.where(x > 0, x, x * HOST_ONLY[5].slope_myx)),  # type: ignore[union-attr]
        (Softmax("s", over="yx"), lambda x: np.exp(x) / np.exp(x).sum((2, 3), keepdims=True)),
        (Pool("p", "max", (2, 2), (1, 1), dilation=(2, 3)), lambda x: pooled(x, np.max)),
        (Pool("p", "average", (2, 2), (1, 1), dilation=(2, 3)), lambda x: pooled(x, np.mean)),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)  # fmt: skip
def test_every_layer_is_its_definition(layer: Layer, expected: object) -> None:
    x = IMAGES.astype(np.float64)
    _, out = run_layer(layer, x.transpose(1, 2, 3, 0))
    np.testing.assert_allclose(out.transpose(3, 0, 1, 2), expected(x), rtol=1e-6)  # type: ignore[operator]
    assert out.shape[:3] == layer.output_shape((2, 6, 6))


@pytest.mark.parametrize("make", [Concatenation, Normalisation, lambda name: Combination(name, "sum"),
                                  lambda name: Reduction(name, "mean", "yx"), lambda name: Prelu(name, draw(1, 1, 1)),
                                  lambda name: Arrangement(name, np.zeros((1, 1, 1), np.int64))])  # fmt: skip
def test_every_layer_of_the_host_has_a_name_that_a_file_can_hold(make: Callable[[str], Layer]) -> None:
    with pytest.raises(GraphError, match=r"layer name 'a\.b' cannot be used"):
        make("a.b")


def test_joining_stacks_costs_no_arithmetic() -> None:
    layer = Concatenation("c")
    assert (layer.connections((2, 3, 3), (1, 3, 3)), layer.multiply_adds((2, 3, 3), (1, 3, 3)), layer.parameters) == (0, 0, 0)


def test_stacks_of_different_sizes_are_joined_as_vectors() -> None:
    one, other = draw(2, 3, 3, 4), draw(1, 2, 2, 4)
    _, out = run_layer(Concatenation("c"), one, other)
    np.testing.assert_array_equal(out[:, 0, 0], np.concatenate([one.reshape(18, 4), other.reshape(4, 4)]))
    assert Concatenation("c").output_shape((2, 3, 3), (1, 2, 2)) == (22, 1, 1)


A, B = Convolution("a", draw(2, 2, 1, 1)), Convolution("b", draw(2, 2, 1, 1))
REFUSALS = [
    (lambda: Graph("g", (2, 6, 6), (A, B), links={"a": ("b",)}), "g: a reads 'b'; expected layers before it, or /image"),
    (lambda: Graph("g", (2, 6, 6), (A, B), links={"c": ("a",)}), "g: has no layer 'c'; it has a, b"),
    (lambda: Graph("g", (2, 6, 6), (A, B), links={"b": ("a", "a")}), "g: b, a convolution layer, reads 2 stacks; expected one"),
    (lambda: Graph("g", (2, 6, 6), (A, B), links={"b": ()}), "g: b, a convolution layer, reads 0 stacks; expected one"),
    (lambda: Graph("g", (2, 6, 6), (A, B), links={"b": (IMAGE,)}), "g: no layer reads a, and it is no output; leave it out"),
    (lambda: Graph("g", (2, 6, 6), (A, B), outputs=("a", "a")), "g: names an output twice; expected each of a, a once"),
    (lambda: Graph("g", (1, 6, 6), (Prepare((6, 6)), Reduction("r", "sum", "m"), Combination("c", "sum")),
                   links={"c": ("r", IMAGE)}), "g: c reads the raw image; expected prepare, which prepares it"),
    (lambda: Graph("g", (2, 6, 6), (A, Combination("c", "sum"))),
     "c: combines 2@6x6 with nothing; expected another stack or a constant"),
    (lambda: Graph("g", (2, 6, 6), (A, Combination("c", "sum", draw(3, 1, 1)))),
     "c: combines 2@6x6, 3@1x1; expected equal shapes, or axes of length 1"),
    (lambda: Combination("c", "times"), "c: mode is 'times'; expected one of sum, product, max, min"),  # type: ignore[arg-type]
    (lambda: Reduction("r", "mean", "xy"), "r: works over axes 'xy'; expected some of m (maps), y (rows), x (columns)"),
    (lambda: Graph("g", (1, 2, 2), (Arrangement("r", np.full((1, 1, 1), 4)),)), "r: copies unit 4; expected units below 4"),
    (lambda: Arrangement("r", np.full((1, 1, 1), -2)), "r: units run from -2 to -2; expected -1 or more"),
    (lambda: Arrangement("r", np.zeros((1, 1, 1))), "r: units are float64 of shape (1, 1, 1); expected integers with 3 axes"),  # type: ignore[arg-type]
    (lambda: Graph("g", (2, 6, 6), (Prelu("p", draw(3, 1, 1)),)), "p: slopes have shape (3, 1, 1); expected 1 or as many as"),
    (lambda: Normalisation("n", epsilon=-1.0), "n: epsilon is -1.0; expected a finite number of at least 0"),
    (lambda: Ensemble("e", (residual(), residual())), "e: member residual has 2 outputs; expected its scores alone"),
]  # fmt: skip


@pytest.mark.parametrize(("build", "sentence"), REFUSALS, ids=[sentence[:50] for _, sentence in REFUSALS])
def test_what_does_not_fit_is_refused_in_one_sentence(build: object, sentence: str) -> None:
    with pytest.raises(GraphError) as caught:
        build()  # type: ignore[operator]
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_links_in_a_file_are_checked(tmp_path: Path) -> None:
    save_network(residual(), tmp_path / "net.safetensors")
    data = (tmp_path / "net.safetensors").read_bytes()
    (tmp_path / "bad.safetensors").write_bytes(data.replace(b'\\"both\\":[\\"sum\\"', b'\\"both\\":[\\"som\\"'))
    with pytest.raises(FileError, match=r"bad\.safetensors: residual: both reads 'som'; expected layers before it"):
        load_graph(tmp_path / "bad.safetensors")


@pytest.mark.parametrize("layer", HOST_ONLY[:9], ids=lambda layer: layer.kind)
def test_the_host_takes_over_at_a_layer_that_only_it_computes(layer: Layer) -> None:
    first = Convolution("first", draw(2, 2, 3, 3) / 10, padding=(1, 1, 1, 1))
    graph = Graph("net", (2, 6, 6), (first, layer))
    graph = Graph("net", (2, 6, 6), (first, layer, FullConnection("out", draw(3, int(np.prod(graph.output_shape))))))
    with pytest.raises(
        CompileError, match=rf"^{layer.name}: .*; run it and all after it on the host \(option host={layer.name}\)"
    ):
        anna.compile(graph, IMAGES, host="none")
    report = anna.compile(graph, IMAGES).report
    assert report is not None
    assert [one["where"] for one in report["layers"]] == ["chip", "host", "host"]
