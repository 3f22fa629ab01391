"""The layer vocabulary: counts against counting by hand, shapes, and every refusal in its words."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anna.base.errors import GraphError
from anna.network.graph import (
    NONE,
    SCALED_TANH,
    Activation,
    Affine,
    Convolution,
    Ensemble,
    FullConnection,
    Graph,
    Pool,
    Prepare,
    Rbf,
    Softmax,
    Subsample,
    text,
)


def zeros(*shape):
    return np.zeros(shape, np.float32)


@st.composite
def convolutions(draw):
    maps_in, maps_out = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    kernel = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    table = draw(st.lists(st.lists(st.booleans(), min_size=maps_in, max_size=maps_in), min_size=maps_out, max_size=maps_out))
    table_oi = np.array(table, bool)
    table_oi[:, 0] |= ~table_oi.any(axis=1)
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    padding = draw(st.tuples(*[st.integers(0, 3)] * 4))
    bias = draw(st.sampled_from([None, zeros(maps_out)]))
    layer = Convolution("c", zeros(maps_out, maps_in, *kernel), bias, table_oi, stride, padding)
    return layer, (maps_in, draw(st.integers(4, 9)), draw(st.integers(4, 9)))


@given(convolutions())
@settings(max_examples=100, deadline=None)
def test_a_convolution_counts_as_counting_by_hand(case):
    layer, shape = case
    top, bottom, left, right = layer.padding
    count = units = 0
    for y in range(-top, shape[1] + bottom - layer.kernel[0] + 1, layer.stride[0]):
        for x in range(-left, shape[2] + right - layer.kernel[1] + 1, layer.stride[1]):
            assert y + layer.kernel[0] <= shape[1] + bottom
            assert x + layer.kernel[1] <= shape[2] + right
            units += 1
            count += int(layer.table.sum()) * layer.kernel[0] * layer.kernel[1]
    assert layer.multiply_adds(shape) == count
    out = layer.output_shape(shape)
    assert out[1] * out[2] == units
    assert layer.connections(shape) == count + (0 if layer.bias is None else units * out[0])
    assert layer.parameters == layer.kernels * layer.kernel[0] * layer.kernel[1] + (0 if layer.bias is None else out[0])


def test_a_graph_adds_up_its_layers():
    graph = Graph(
        "small",
        (1, 8, 8),
        (
            Convolution("c", zeros(2, 1, 3, 3), zeros(2), activation=SCALED_TANH),
            Subsample("s", zeros(4), zeros(4), (0, 1, 0, 1)),
            FullConnection("f", zeros(5, 36), zeros(5)),
        ),
    )
    assert [step.output_shape for step in graph] == [(2, 6, 6), (4, 3, 3), (5, 1, 1)]
    assert graph.connections == 2 * 36 * 10 + 36 * 5 + 5 * 37
    assert graph.multiply_adds == 2 * 36 * 9 + 36 * 4 + 5 * 36
    assert graph.parameters == 20 + 8 + 185
    assert graph["s"].input_shape == (2, 6, 6)
    assert graph.classes == 5
    assert graph.members == (graph,)
    assert graph.prepare is None


TEXT = """\
graph tiny data mnist input 1@6x6
  prepare: prepare -> 1@8x8: uint8 6x6, field 8x8, 0..255 to -1.0..1.0
  c: convolution -> 2@4x4: 3x3, stride 2x2, padding 1 0 1 0 of -1.0, bias unit, all maps; scaled_tanh; \
connections 320, parameters 50
  s: subsample -> 3@2x2: 2x2, from maps 0 1 0; connections 60, parameters 6
  c2: convolution -> 2@1x1: 2x2, stride 1x1, bias none, 3 kernels, maps 0+2 1; clip(-1.0, 0.5); \
connections 12, parameters 12
  p: pool -> 2@1x1: max, 1x1, stride 1x1; connections 2, parameters 0
  a: affine -> 2@1x1: per map; relu; connections 4, parameters 4
  o: rbf -> 3@1x1: 2 inputs, centres fixed; connections 6, parameters 0
  total: connections 404, parameters 72, multiply-adds 356"""


def tiny():
    return Graph(
        "tiny",
        (1, 6, 6),
        (
            Prepare((6, 6), field=(8, 8)),
            Convolution(
                "c",
                zeros(2, 1, 3, 3),
                zeros(2, 4, 4),
                stride=(2, 2),
                padding=(1, 0, 1, 0),
                padding_value=-1.0,
                activation=SCALED_TANH,
            ),
            Subsample("s", zeros(3), zeros(3), (0, 1, 0)),
            Convolution(
                "c2",
                zeros(2, 3, 2, 2),
                None,
                np.array([[1, 0, 1], [0, 1, 0]], bool),
                activation=Activation("clip", -1.0, 0.5),
            ),
            Pool("p", "max", (1, 1), (1, 1)),
            Affine("a", zeros(2), zeros(2), Activation("relu")),
            Rbf("o", zeros(3, 2)),
        ),
        "mnist",
    )


def test_the_canonical_text_says_everything_but_the_weights():
    assert text(tiny()) == TEXT
    assert str(tiny()) == TEXT


def test_the_digest_follows_weights_and_structure():
    graph = tiny()
    assert graph.digest == tiny().digest
    c = graph["c"].layer
    other = replace(graph, layers=(graph.layers[0], replace(c, bias=c.bias + np.float32(1)), *graph.layers[2:]))
    assert other.digest != graph.digest
    assert text(other) == text(graph)


def test_weights_are_copied_and_read_only():
    weights = zeros(2, 3)
    layer = FullConnection("f", weights)
    weights[0, 0] = 7
    assert layer.weights_oi[0, 0] == 0
    with pytest.raises(ValueError, match="read-only"):
        layer.weights_oi[0, 0] = 1


def test_a_widened_graph_slides_and_keeps_its_parameters():
    graph = Graph(
        "g",
        (1, 8, 8),
        (
            Prepare((8, 8)),
            Convolution("c", zeros(2, 1, 3, 3)),
            Subsample("s", zeros(2), zeros(2)),
            FullConnection("f", zeros(5, 18)),
        ),
    )
    wide = graph.widened(8, 12)
    assert wide.output_shape == (5, 1, 3)
    assert wide.parameters == graph.parameters
    with pytest.raises(GraphError, match=r"c: has padding or a bias per unit; expected neither in a network that slides"):
        tiny().widened(8, 16)


def test_astype_changes_every_weight():
    graph = tiny().astype(np.float64)
    assert {array.dtype for step in graph for array in step.layer.tensors.values()} == {np.dtype(np.float64)}


def test_an_ensemble_adds_up_its_members():
    one, two = replace(tiny(), name="one"), replace(tiny(), name="two")
    both = Ensemble("both", (one, two))
    assert both.parameters == 2 * one.parameters
    assert both.data == "mnist"
    with pytest.raises(GraphError, match=r"both: has 1 members; expected at least 2"):
        Ensemble("both", (one,))
    with pytest.raises(GraphError, match=r"both: member two has data usps; expected mnist as one"):
        Ensemble("both", (one, replace(two, data="usps")))


NAN = np.array([[np.nan, 1.0]], np.float32)
REFUSALS = [
    (lambda: Activation("relux"), "activation 'relux' is not known; expected one of none, scaled_tanh"),
    (lambda: Activation("clip", 1.0, -1.0), "activation clip runs from 1 to -1; expected finite low < high"),
    (
        lambda: FullConnection("f", NAN),
        "f: weights holds 1 of 2 numbers that are NaN or infinite; expected finite ones",
    ),
    (lambda: FullConnection("f", np.zeros((2, 2), int)), "f: weights is int64; expected float32 or float64"),
    (lambda: FullConnection("f", zeros(2)), "f: weights has 1 axes (shape (2,)); expected 2"),
    (lambda: FullConnection("f", zeros(0, 2)), "f: weights is empty (shape (0, 2)); expected at least one number"),
    (lambda: FullConnection("f", zeros(2, 2), zeros(3)), "f: number of biases is 3; expected 2"),
    (lambda: FullConnection("f", zeros(2, 2), np.zeros(2)), "f: type of the bias is float64; expected float32"),
    (
        lambda: FullConnection("a b", zeros(2, 2)),
        "layer name 'a b' cannot be used; expected printable text without blanks",
    ),
    (
        lambda: Convolution("c", zeros(2, 1, 3, 3), None, np.zeros((2, 1), bool)),
        "c: map 0 reads no input map; expected at least one in its connection table",
    ),
    (
        lambda: Convolution("c", np.ones((1, 2, 1, 1), np.float32), None, np.array([[True, False]])),
        "c: weights are set where the connection table has no connection; expected zeros there",
    ),
    (
        lambda: Convolution("c", zeros(1, 1, 3, 3), stride=(0, 1)),
        "c: stride is (0, 1); expected a tuple of 2 whole numbers of at least 1",
    ),
    (
        lambda: Convolution("c", zeros(1, 1, 3, 3), padding_value=np.nan),
        "c: padding value is nan; expected a finite number",
    ),
    (lambda: Pool("p", "mean"), "p: pooling mode is 'mean'; expected 'average' or 'max'"),
    (
        lambda: Pool("p", "max", padding=(2, 0, 0, 0)),
        "p: padding is (2, 0, 0, 0); expected less than the window (2, 2)",
    ),
    (lambda: Prepare((8, 8), crop=(9, 8)), "prepare: crop is (9, 8); expected at most the source (8, 8)"),
    (lambda: Prepare((8, 8), field=(7, 8)), "prepare: field is (7, 8); expected at least the resized image (8, 8)"),
    (lambda: Prepare((8, 8), low=1.0, high=1.0), "prepare: range is 1..1; expected two different finite numbers"),
    (lambda: Graph("g", (1, 8, 8), ()), "g: has no layers; expected at least one"),
    (lambda: Graph("g", (1, 0, 8), (Softmax("s"),)), "g: input shape is (1, 0, 8); expected (maps, rows, columns)"),
    (lambda: Graph("g", (1, 8, 8), ("c",)), "g: layer 0 is a str; expected a layer of the vocabulary"),
    (
        lambda: Graph("g", (1, 8, 8), (Softmax("s"), Softmax("s"))),
        "g: two layers are called s; expected unique names",
    ),
    (
        lambda: Graph("g", (1, 8, 8), (Softmax("s"), Prepare((8, 8)))),
        "g: preparation prepare is layer 1; expected it first",
    ),
    (lambda: Graph("g", (1, 8, 8), (Prepare((9, 8)),)), "prepare: the image is 1@8x8; expected 1@9x8"),
    (lambda: Graph("g", (2, 8, 8), (Convolution("c", zeros(1, 1, 3, 3)),)), "c: number of input maps is 2; expected 1"),
    (
        lambda: Graph("g", (1, 2, 8), (Convolution("c", zeros(1, 1, 3, 3)),)),
        "c: a 3x3 window does not fit on 2x8 (input 1@2x8 with padding); expected an input at least as",
    ),
    (
        lambda: Graph("g", (1, 8, 8), (Convolution("c", zeros(1, 1, 3, 3), zeros(1, 5, 5)),)),
        "c: shape of the bias per unit is (1, 5, 5); expected (1, 6, 6)",
    ),
    (
        lambda: Graph("g", (1, 8, 7), (Subsample("s", zeros(1), zeros(1)),)),
        "s: input has 7 columns; expected a multiple of the window's 2",
    ),
    (
        lambda: Graph("g", (1, 8, 8), (Subsample("s", zeros(2), zeros(2)),)),
        "s: reads input map 1; expected maps below 1",
    ),
    (
        lambda: Graph("g", (1, 8, 8), (FullConnection("f", zeros(2, 3)),)),
        "f: number of inputs (of 1@8x8) is 64; expected 3",
    ),
    (lambda: Graph("g", (1, 8, 8), (Rbf("r", zeros(2, 3)),)), "r: number of input maps is 1; expected 3"),
    (lambda: tiny()["C9"], "tiny: has no layer 'C9'; it has prepare, c, s, c2, p, a, o"),
]


@pytest.mark.parametrize(("build", "sentence"), REFUSALS, ids=[sentence[:50] for _, sentence in REFUSALS])
def test_what_does_not_fit_is_refused_in_one_sentence(build, sentence):
    with pytest.raises(GraphError) as caught:
        build()
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_no_activation_is_the_default():
    assert FullConnection("f", zeros(1, 1)).activation == NONE
