"""ONNX operations one at a time: what each becomes, or the sentence that refuses it."""

import math
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx_bytes import attribute, blob, constant, ints, model, node, value_info

from anna.base.errors import AnnaError
from anna.compiler import compilation
from anna.importers import load_network
from anna.network.activations import RELU
from anna.network.forward import forward
from anna.network.graph import NONE, Affine, Combination, Convolution, FullConnection, Graph, Pool

RNG = np.random.default_rng(4)
IMAGES = RNG.normal(size=(5, 1, 8, 8)).astype(np.float32)
KERNEL = RNG.normal(size=(2, 1, 3, 3))
SLOPES = RNG.normal(size=(2, 6, 6))
FOURS, FOURS_DOWN = (slice(0, 3), slice(3, 6)), (slice(0, 3), slice(3, 6))
CONV = (constant("w", KERNEL), node("Conv", ["x", "w"], ["a"]))


def read(tmp_path: Path, *parts: bytes, **more: object) -> Graph:
    path = tmp_path / "net.onnx"
    path.write_bytes(model(*parts, **more))
    found = load_network(path)
    assert isinstance(found, Graph)
    return found


def refused(tmp_path: Path, *parts: bytes, **more: object) -> str:
    with pytest.raises(AnnaError) as caught:
        read(tmp_path, *parts, **more)
    return str(caught.value)


def convolved(images: np.ndarray = IMAGES) -> np.ndarray:
    rows = range(images.shape[2] - 2)
    columns = range(images.shape[3] - 2)
    sums = [[(images[:, None, 0, y : y + 3, x : x + 3] * KERNEL[None, :, 0]).sum((2, 3)) for x in columns] for y in rows]
    return np.array(sums).transpose(2, 3, 0, 1)


# --- what they become ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([node("Clip", ["a"], ["y"], min=-1.0)], lambda a: np.maximum(a, -1)),
        ([node("Clip", ["a"], ["y"], max=0.5)], lambda a: np.minimum(a, 0.5)),
        ([node("Clip", ["a"], ["y"])], lambda a: a),
        ([constant("c", np.array([0.0])), node("Max", ["a", "c"], ["y"])], lambda a: np.maximum(a, 0)),
        ([constant("c", np.array([0.3])), node("Min", ["c", "a"], ["y"])], lambda a: np.minimum(a, 0.3)),
        ([node("Neg", ["a"], ["y"])], lambda a: -a),
        ([ints("p", 0, 0, 1, 0, 0, 0, 0, 2), node("Pad", ["a", "p"], ["b"]), node("Relu", ["b"], ["y"])],
         lambda a: np.pad(np.maximum(a, 0), ((0, 0), (0, 0), (1, 0), (0, 2)))),
        ([node("GlobalMaxPool", ["a"], ["y"])], lambda a: a.max((2, 3))),
        ([node("ReduceMax", ["a"], ["y"], axes=[2, -1], keepdims=0)], lambda a: a.max((2, 3))),
        ([node("MaxPool", ["a"], ["y"], kernel_shape=[4, 4], strides=[4, 4], ceil_mode=1)],
         lambda a: np.stack([np.stack([a[..., y : y + 4, x : x + 4].max((2, 3)) for x in (0, 4)], 2) for y in (0, 4)], 2)),
        ([ints("p", 0, 0, 1, 1, 0, 0, 1, 1), node("Pad", ["a", "p"], ["b"], mode="edge"),
          node("MaxPool", ["b"], ["y"], kernel_shape=[8, 8])], lambda a: a.max((2, 3))),
        ([node("LogSoftmax", ["a"], ["y"], axis=1)], lambda a: a - np.log(np.exp(a).sum(1, keepdims=True))),
        ([node("Softmax", ["a"], ["y"], axis=2)], lambda a: np.exp(a) / np.exp(a).sum(2, keepdims=True)),
        ([node("LeakyRelu", ["a"], ["y"], alpha=0.25)], lambda a: np.where(a > 0, a, a / 4)),
        ([node("Sigmoid", ["a"], ["b"]), node("Mul", ["a", "b"], ["y"])], lambda a: a / (1 + np.exp(-a))),
        ([node("Tanh", ["a"], ["b"]), node("Mul", ["b", "b"], ["y"])], lambda a: np.tanh(a) ** 2),
        ([node("Relu", ["a"], ["b"]), node("Sub", ["b", "a"], ["y"])], lambda a: np.maximum(a, 0) - a),
        ([node("Tanh", ["a"], ["b"]), node("Clip", ["a"], ["c"], min=1.0, max=3.0), node("Div", ["b", "c"], ["y"])],
         lambda a: np.tanh(a) / np.clip(a, 1, 3)),
        ([node("GlobalAveragePool", ["a"], ["b"]), node("Mul", ["a", "b"], ["y"])],
         lambda a: a * a.mean((2, 3), keepdims=True)),
        ([constant("c", SLOPES[None]), node("Add", ["a", "c"], ["y"])], lambda a: a + SLOPES),
        ([constant("c", SLOPES), node("Mul", ["c", "a"], ["y"])], lambda a: a * SLOPES),
        ([constant("c", SLOPES[:, :1, :1]), node("PRelu", ["a", "c"], ["y"])],
         lambda a: np.where(a > 0, a, a * SLOPES[:, :1, :1])),
        ([ints("p", 0, 0, 1, 0, 0, 0, 0, 2), node("Pad", ["a", "p"], ["y"], mode="reflect")],
         lambda a: np.pad(a, ((0, 0), (0, 0), (1, 0), (0, 2)), mode="reflect")),
        ([ints("p", 0, 1, 0, 0, 0, 0, 0, 0), node("Pad", ["a", "p"], ["y"])],
         lambda a: np.pad(a, ((0, 0), (1, 0), (0, 0), (0, 0)))),
        ([ints("p", 0, 0, 1, 0, 0, 0, 0, 2), node("Pad", ["a", "p"], ["y"])],
         lambda a: np.pad(a, ((0, 0), (0, 0), (1, 0), (0, 2)))),
        ([ints("p", 0, 0, 1, 0, 0, 0, 0, 2), node("Pad", ["a", "p"], ["b"], mode="edge"), node("Relu", ["b"], ["y"])],
         lambda a: np.maximum(np.pad(a, ((0, 0), (0, 0), (1, 0), (0, 2)), mode="edge"), 0)),
        ([node("Transpose", ["a"], ["b"], perm=[0, 2, 3, 1]), node("MaxPool", ["b"], ["y"], kernel_shape=[1, 2])],
         lambda a: a.max(1)[..., None]),
        ([ints("s", 1, 8, 9), node("Reshape", ["a", "s"], ["b"]), node("Transpose", ["b"], ["y"], perm=[0, 2, 1])],
         lambda a: a.reshape(5, 8, 9).transpose(0, 2, 1)[:, :, None]),
        ([node("ReduceMax", ["a"], ["b"], axes=[2, 3], keepdims=0), node("Unsqueeze", ["b", "n"], ["y"]), ints("n", 1, 3)],
         lambda a: a.max((2, 3))[:, None, :, None]),
        ([node("ReduceMax", ["a"], ["b"], axes=[2, 3], keepdims=0), node("Unsqueeze", ["b", "n"], ["y"]), ints("n", -1, 1)],
         lambda a: a.max((2, 3))[:, None, :, None]),
        ([node("ReduceMax", ["a"], ["b"], axes=[2, 3], keepdims=0), node("Unsqueeze", ["b", "n"], ["y"]), ints("n", -3, -2)],
         lambda a: a.max((2, 3))[:, None, None, :]),
        ([node("Flatten", ["a"], ["y"])], lambda a: a.reshape(5, 72)),
        ([node("Concat", ["a", "a"], ["y"], axis=2)], lambda a: np.concatenate([a, a], 2)),
        ([node("Tanh", ["a"], ["b"]), node("Concat", ["b", "a"], ["y"], axis=1)], lambda a: np.concatenate([np.tanh(a), a], 1)),
        ([node("Split", ["a"], ["b", "c"], axis=1), node("Mul", ["b", "c"], ["y"])], lambda a: a[:, :1] * a[:, 1:]),
        ([ints("s", 1), ints("e", 5), ints("i", 3), node("Slice", ["a", "s", "e", "i", "i2"], ["y"]), ints("i2", 2)],
         lambda a: a[..., 1:5:2]),
        ([node("DepthToSpace", ["b"], ["y"], blocksize=2), node("Concat", ["a", "a"], ["b"], axis=1)],
         lambda a: np.stack([np.stack([a[:, 0], a[:, 1]], -1), np.stack([a[:, 0], a[:, 1]], -1)], 2).reshape(5, 1, 12, 12)),
        ([node("ReduceL2", ["a"], ["y"], axes=[1])], lambda a: np.sqrt((a * a).sum(1, keepdims=True))),
        ([node("AveragePool", ["a"], ["y"], kernel_shape=[1, 1], strides=[2, 4])], lambda a: a[:, :, ::2, ::4]),
        ([node("MaxPool", ["a"], ["y"], kernel_shape=[2, 2], strides=[3, 3], auto_pad="SAME_UPPER")],
         lambda a: a.reshape(5, 2, 2, 3, 2, 3)[:, :, :, :2, :, :2].max((3, 5))),
        ([node("AveragePool", ["a"], ["y"], kernel_shape=[4, 4], strides=[4, 4], auto_pad="SAME_UPPER")],
         lambda a: np.stack([np.stack([a[..., y, x].mean((2, 3)) for x in FOURS], 2) for y in FOURS_DOWN], 2)),
    ],
)  # fmt: skip
def test_it_computes_what_onnx_defines(tmp_path: Path, parts: list[bytes], expected: object) -> None:
    scores = forward(read(tmp_path, *CONV, *parts), IMAGES).scores
    wanted = expected(convolved())  # type: ignore[operator]
    np.testing.assert_allclose(scores, wanted, atol=2e-6)


@pytest.mark.parametrize(("kind", "low", "high"), [(None, 0, 255), (3, -128, 127), (5, -32768, 32767), (22, -8, 7)])
def test_without_a_zero_point_the_output_type_bounds_the_codes(tmp_path: Path, kind: int | None, low: int, high: int) -> None:
    told = {"output_dtype": kind} if kind else {}
    parts = (
        constant("s", np.array(0.0625)),
        node("QuantizeLinear", ["a", "s"], ["q"], **told),
        node("DequantizeLinear", ["q", "s"], ["y"]),
    )
    scores = forward(read(tmp_path, *CONV, *parts, opset=21), 10 * IMAGES).scores
    wanted = 0.0625 * np.clip(np.rint(convolved(10 * IMAGES) / 0.0625), low, high)
    assert np.mean(np.isclose(scores.reshape(wanted.shape), wanted, atol=1e-5)) > 0.99, "the sums that lie at a half may differ"


def test_a_padding_goes_to_the_convolution_behind_it(tmp_path: Path) -> None:
    (step,) = read(tmp_path, constant("w", KERNEL), ints("p", 0, 0, 1, 2, 0, 0, 3, 4), constant("v", np.array([-1.0])),
                   node("Pad", ["x", "p", "v"], ["b"]), node("Conv", ["b", "w"], ["y"]))  # fmt: skip
    assert isinstance(step.layer, Convolution)
    assert (step.layer.padding, step.layer.padding_value) == ((1, 3, 2, 4), -1.0)


def test_a_maximum_over_a_border_of_copies_needs_no_copies(tmp_path: Path) -> None:
    """The pool's own padding never wins, and a window with a copy of a pixel holds that pixel."""
    border = (ints("p", 0, 0, 1, 1, 0, 0, 1, 1), node("Pad", ["a", "p"], ["b"], mode="edge"))
    pool = read(tmp_path, *CONV, *border, node("MaxPool", ["b"], ["y"], kernel_shape=[2, 2], strides=[2, 2])).layers[-1]
    assert isinstance(pool, Pool)
    assert pool.padding == (1, 1, 1, 1)


def test_a_border_around_a_single_pixel_is_copied(tmp_path: Path) -> None:
    """Nothing moves there, so that nothing tells border from map."""
    pixel = node("GlobalMaxPool", ["a"], ["b"])
    border = (ints("p", 0, 0, 1, 1, 0, 0, 1, 1), node("Pad", ["b", "p"], ["c"], mode="edge"))
    graph = read(tmp_path, *CONV, pixel, *border, node("MaxPool", ["c"], ["y"], kernel_shape=[2, 2]))
    wanted = np.broadcast_to(convolved().max((2, 3), keepdims=True), (5, 2, 2, 2))
    np.testing.assert_allclose(forward(graph, IMAGES).scores.reshape(wanted.shape), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("clamp", [node("Clip", ["a"], ["y"], min=0.0), node("Max", ["a", "o"], ["y"])], ids=["clip", "max"])
def test_a_bound_of_zero_is_a_relu_and_needs_no_offsets(tmp_path: Path, clamp: bytes) -> None:
    (step,) = read(tmp_path, *CONV, constant("o", np.array([0.0])), clamp)
    assert step.layer.activation == RELU


def test_a_bound_of_zero_on_the_image_is_one_layer(tmp_path: Path) -> None:
    """Of another bound there are two, with an offset each."""
    for bound, layers in ((0.0, 2), (0.5, 3)):
        graph = read(tmp_path, constant("w", KERNEL), node("Clip", ["x"], ["a"], min=bound), node("Conv", ["a", "w"], ["y"]))
        assert len(graph.layers) == layers


@pytest.mark.parametrize("bound", [round(0.1 * k, 1) for k in range(-10, 11)])
def test_one_bound_may_be_any_number(tmp_path: Path, bound: float) -> None:
    for end, wanted in (("min", np.maximum), ("max", np.minimum)):
        graph = read(tmp_path, *CONV, node("Clip", ["a"], ["y"], **{end: bound}))
        found = forward(graph, IMAGES).scores.reshape(convolved().shape)
        np.testing.assert_allclose(found, wanted(convolved(), bound), rtol=1e-4, atol=1e-5)


def test_a_dilated_kernel_has_zeros_between(tmp_path: Path) -> None:
    (step,) = read(tmp_path, constant("w", KERNEL), node("Conv", ["x", "w"], ["y"], dilations=[2, 3]))
    assert isinstance(step.layer, Convolution)
    assert step.layer.kernel == (5, 7)
    np.testing.assert_array_equal(step.layer.weights_oiyx[:, :, ::2, ::3], KERNEL.astype(np.float32))
    assert np.count_nonzero(step.layer.weights_oiyx) == KERNEL.size


def test_factors_and_offsets_of_the_image_become_one(tmp_path: Path) -> None:
    graph = read(tmp_path, constant("c", np.array([0.5])), constant("w", KERNEL), node("Mul", ["x", "c"], ["a"]),
                 node("Add", ["a", "c"], ["b"]), node("Sub", ["b", "c"], ["d"]), node("Conv", ["d", "w"], ["y"]))  # fmt: skip
    assert [type(step.layer) for step in graph] == [Affine, Convolution]
    np.testing.assert_allclose(forward(graph, IMAGES).scores, convolved(IMAGES / 2), atol=1e-5)


def test_nodes_that_lead_nowhere_are_left_out(tmp_path: Path) -> None:
    assert len(read(tmp_path, constant("w", KERNEL), node("Conv", ["x", "w"], ["y"]), node("LSTM", ["x"], ["z"])).steps) == 1


@pytest.mark.parametrize(("dims", "shape"), [([1, 64], (64, 1, 1)), (["n", 8, 8], (1, 8, 8)), ([4, 8, 8, 1], (1, 8, 8)),
                                             ([1, 3, 8, 8], (3, 8, 8)), ([1, 8, 8, 3], (3, 8, 8))])  # fmt: skip
def test_images_of_a_network_of_full_connections(tmp_path: Path, dims: list[int | str], shape: tuple[int, int, int]) -> None:
    count = int(np.prod(shape))
    graph = read(tmp_path, constant("w", RNG.normal(size=(count, 10))), node("Flatten", ["x"], ["a"]),
                 node("MatMul", ["a", "w"], ["y"]), dims=dims)  # fmt: skip
    assert graph.input_shape == shape


def test_a_whole_number_image_that_becomes_floats(tmp_path: Path) -> None:
    graph = read(tmp_path, constant("w", KERNEL), node("Cast", ["x"], ["a"], to=1), node("Conv", ["a", "w"], ["y"]), kind=2)
    assert isinstance(graph.steps[0].layer, Convolution)


def test_one_full_connection_behind_a_factor_runs_on_the_chip(tmp_path: Path) -> None:
    graph = read(tmp_path, constant("w", RNG.normal(size=(64, 10))), constant("c", np.array([2.0])),
                 node("Mul", ["x", "c"], ["a"]), node("Flatten", ["a"], ["b"]), node("MatMul", ["b", "w"], ["y"]))  # fmt: skip
    assert [type(step.layer) for step in graph] == [Affine, FullConnection]
    assert [layer["where"] for layer in compilation(graph, IMAGES).program.report["layers"]] == ["chip"]


def test_pooling_that_rounds_up_leaves_out_a_window_of_padding_only(tmp_path: Path) -> None:
    graph = read(tmp_path, *CONV, node("AveragePool", ["a"], ["y"], kernel_shape=[1, 1], strides=[4, 4], ceil_mode=1))
    assert isinstance(graph.steps[-1].layer, Pool)
    assert graph.output_shape == (2, 2, 2)


# --- what is refused -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ([node("MatMulInteger", ["a"], ["y"])], "export the float network, before it is quantised"),
        ([node("Mystery", ["a"], ["y"])], "has no layer for the operation Mystery; replace it before exporting"),
        ([node("Mystery", ["a"], ["b"]), node("Mystery", ["b"], ["c"]), node("Mystery", ["c"], ["y"])],
         "the_Mystery and 2 more: has no layer for the operation Mystery"),
        ([constant("c", np.ones((2, 2, 6, 6))), node("Add", ["a", "c"], ["y"])],
         "has a constant of shape (2, 2, 6, 6), which differs from image to image; expected 1 for the batch"),
        ([constant("c", np.ones((1, 3, 1, 1))), node("Mul", ["a", "c"], ["y"])],
         "has a constant of shape (3, 1, 1); expected one that fits a tensor of n x 2 x 6 x 6"),
        ([node("MatMul", ["a", "a"], ["y"])], "multiplies results by the network's values; expected the values first, and a"),
        ([node("Cast", ["a"], ["y"], to=3)], "casts the network's values to type 3; expected floats"),
        ([ints("p", 1, 0, 0, 0, 0, 0, 0, 0), node("Pad", ["a", "p"], ["y"])],
         "which adds images to the batch; expected 0 there"),
        ([node("Transpose", ["a"], ["y"], perm=[1, 0, 2, 3])], "expected the batch to stay first"),
        ([ints("s", 4, -1), node("Reshape", ["a", "s"], ["y"])],
         "reshapes a tensor of 2 x 6 x 6 per image to [4, -1]; expected as"),
        ([node("Squeeze", ["a"], ["y"])], "the batch too; expected the axes by number"),
        ([node("Softmax", ["a"], ["y"], axis=0)], "names axes [0] of a tensor with 4; expected axes after the batch"),
        ([node("ReduceSum", ["a"], ["y"], axes=[0])], "ReduceSum is over axes [0]; expected axes after the batch"),
        ([node("Flatten", ["a"], ["b"]), node("Add", ["a", "b"], ["y"])],
         "combines tensors of n x 2 x 6 x 6 and n x 72; expected as many axes in each"),
        ([node("Resize", ["a", "", "r"], ["y"], mode="linear"), constant("r", np.array([1, 1, 2, 2]))],
         "resizes by mode linear, half_pixel; expected nearest"),
        ([constant("c", np.array([2.5])), node("Pow", ["a", "c"], ["y"])],
         "raises to the power 2.5; expected -1, 0.5, 1, 2 or 3"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_gets_one_sentence(tmp_path: Path, parts: list[bytes], sentence: str) -> None:
    said = refused(tmp_path, *CONV, *parts)
    assert sentence in said
    assert "\n" not in said


def test_what_follows_from_a_reason_is_not_another_reason(tmp_path: Path) -> None:
    said = refused(tmp_path, *CONV, node("Odd", ["a"], ["b"]), node("Flatten", ["b"], ["c"]), constant("m", np.ones((99, 10))),
                   node("MatMul", ["c", "m"], ["d"]), node("Strange", ["d"], ["y"]))  # fmt: skip
    assert [line.split(":")[0] for line in said.split("\n")] == ["the_Odd", "the_Strange"]


def test_each_branch_gives_its_own_reason(tmp_path: Path) -> None:
    said = refused(tmp_path, *CONV, node("Transpose", ["a"], ["b"], perm=[1, 0, 2, 3]), node("Tanh", ["b"], ["c"]),
                   node("Cast", ["a"], ["d"], to=3), node("Add", ["c", "d"], ["y"]))  # fmt: skip
    assert [line.split(":")[0] for line in said.split("\n")] == ["the_Transpose", "the_Cast"]


def test_a_recurrent_layer_is_the_first_reason(tmp_path: Path) -> None:
    said = refused(tmp_path, *CONV, node("Odd", ["a"], ["b"]), node("LSTM", ["b"], ["y"]), value_info(11, "z", [1]))
    assert [line.split(":")[0] for line in said.split("\n")] == ["the_LSTM", "the_Odd"]
    assert "the compiler takes networks that run forward only" in said


def test_softmax_of_former_opsets_is_over_all_axes_from_the_one_named(tmp_path: Path) -> None:
    for opset, over in ((12, (1, 2, 3)), (13, (1,))):
        scores = forward(read(tmp_path, *CONV, node("Softmax", ["a"], ["y"], axis=1), opset=opset), IMAGES).scores
        powers = np.exp(convolved())
        np.testing.assert_allclose(scores, powers / powers.sum(over, keepdims=True), atol=2e-6)


def test_a_long_network_is_read_in_linear_time(tmp_path: Path) -> None:
    """4,000 nodes, written last first; they took 40 s."""
    parts = [node("Relu", [f"r{k}"], [f"r{k + 1}"] if k < 3999 else ["y"]) for k in range(4000)]
    begun = time.perf_counter()
    read(tmp_path, *reversed(parts), node("Tanh", ["x"], ["r0"]))
    assert time.perf_counter() - begun < 4  # 0.3 s on an idle core


def test_a_network_in_training_is_refused(tmp_path: Path) -> None:
    ones = [constant(name, np.ones(2)) for name in ("s", "b", "m", "v")]
    normal = node("BatchNormalization", ["a", "s", "b", "m", "v"], ["y"], training_mode=1)
    assert "export the network in evaluation mode" in refused(tmp_path, *CONV, *ones, normal)


@pytest.mark.parametrize(("more", "sentence"), [
    ({"kind": 7}, "input x holds whole numbers (kind 7); expected float32"),
    ({"dims": [1, 1, 8, 8, 8]}, "input x has 5 axes (1 x 1 x 8 x 8 x 8); expected batch, maps, rows, columns"),
    ({"dims": ["n", 1, "h", "w"]}, "only the batch may be open"),
])  # fmt: skip
def test_bad_inputs_are_refused(tmp_path: Path, more: dict[str, object], sentence: str) -> None:
    assert sentence in refused(tmp_path, constant("w", KERNEL), node("Conv", ["x", "w"], ["y"]), **more)


def test_two_inputs_and_two_outputs(tmp_path: Path) -> None:
    conv = (constant("w", KERNEL), node("Conv", ["x", "w"], ["y"]))
    assert "has 2 inputs, z, x; expected one, the image" in refused(tmp_path, *conv, value_info(11, "z", [1]))
    assert "its output w does not depend on the image; expected scores" in refused(tmp_path, *conv, value_info(12, "w", [1]))
    graph = read(tmp_path, *conv, node("Relu", ["y"], ["z"]), value_info(12, "z", [1]))
    assert graph.outputs == ("the_Relu", "the_Conv")
    run = forward(graph, IMAGES)
    np.testing.assert_allclose(run.scores, np.maximum(convolved(), 0), atol=1e-5)
    np.testing.assert_allclose(run.outputs["the_Conv"], convolved(), atol=1e-5)


def test_a_convolution_over_one_axis_has_one_row(tmp_path: Path) -> None:
    kernel = RNG.normal(size=(2, 3, 4))
    graph = read(tmp_path, constant("w", kernel), node("Conv", ["x", "w"], ["y"], pads=[1, 2]), dims=["n", 3, 16])
    assert (graph.input_shape, graph.output_shape) == ((3, 1, 16), (2, 1, 16))
    images = RNG.normal(size=(4, 3, 16)).astype(np.float32)
    wide = np.pad(images, ((0, 0), (0, 0), (1, 2)))
    wanted = np.stack([(wide[:, None, :, k : k + 4] * kernel).sum((2, 3)) for k in range(16)], -1)
    np.testing.assert_allclose(forward(graph, images).scores[:, :, 0], wanted, atol=1e-5)


def gelu(a: np.ndarray) -> np.ndarray:
    return a / 2 * (1 + np.vectorize(math.erf)(a / math.sqrt(2)))


ROOT, HALF, ONE, SIX, THREE = (constant(name, np.array(value)) for name, value in
                               (("root", math.sqrt(2)), ("half", 0.5), ("one", 1.0), ("six", 6.0), ("three", 3.0)))  # fmt: skip
GELU = [ROOT, HALF, ONE, node("Div", ["a", "root"], ["b"]), node("Erf", ["b"], ["c"])]


@pytest.mark.parametrize(
    ("kind", "parts", "expected"),
    [
        ("silu", [node("Sigmoid", ["a"], ["b"]), node("Mul", ["a", "b"], ["y"])], lambda a: a / (1 + np.exp(-a))),
        ("gelu", [*GELU, node("Add", ["c", "one"], ["d"]), node("Mul", ["a", "d"], ["e"]),
                  node("Mul", ["e", "half"], ["y"])], gelu),
        ("gelu", [*GELU, node("Add", ["one", "c"], ["d"]), node("Mul", ["half", "a"], ["e"]),
                  node("Mul", ["e", "d"], ["y"])], gelu),
        ("hard_swish", [node("HardSigmoid", ["a"], ["b"], alpha=1 / 6), node("Mul", ["b", "a"], ["y"])],
         lambda a: a * np.clip(a / 6 + 0.5, 0, 1)),
        ("hard_swish", [SIX, THREE, node("Add", ["a", "three"], ["b"]), node("Clip", ["b"], ["c"], min=0.0, max=6.0),
                        node("Mul", ["a", "c"], ["d"]), node("Div", ["d", "six"], ["y"])],
         lambda a: a * np.clip(a + 3, 0, 6) / 6),
        ("mish", [node("Softplus", ["a"], ["b"]), node("Tanh", ["b"], ["c"]), node("Mul", ["a", "c"], ["y"])],
         lambda a: a * np.tanh(np.log1p(np.exp(a)))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_an_activation_written_as_several_operations_is_found_again(
    tmp_path: Path, kind: str, parts: list[bytes], expected: object
) -> None:
    graph = read(tmp_path, *CONV, *parts)
    assert graph.is_chain
    assert [step.layer.activation.kind for step in graph] == ["none", kind]
    np.testing.assert_allclose(forward(graph, IMAGES).scores, expected(convolved()), atol=2e-6)  # type: ignore[operator]


def quant(inputs: list[str], output: str, **attributes: int) -> bytes:
    """QONNX's Quant."""
    more = b"".join(attribute(name, value) for name, value in attributes.items())
    ends = b"".join(blob(1, one) for one in inputs) + blob(2, output)
    return blob(1, ends + blob(3, f"quant_{output}") + blob(4, "Quant") + blob(7, "qonnx.custom_op.general") + more)


def test_weights_and_values_that_brevitas_quantised(tmp_path: Path) -> None:
    """Quant of QONNX: weights of 4 bits, narrow, a scale for each map; values of 3 bits without a sign."""
    scales = np.array([0.4, 0.2]).reshape(2, 1, 1, 1)
    parts = [constant("s", scales), constant("z", np.array(0.0)), constant("four", np.array(4.0)), constant("t", np.array(0.5)),
             constant("three", np.array(3.0)), constant("k", KERNEL), quant(["k", "s", "z", "four"], "w", signed=1, narrow=1),
             node("Conv", ["x", "w"], ["a"]), quant(["a", "t", "z", "three"], "y", signed=0, narrow=0)]  # fmt: skip
    graph = read(tmp_path, *parts)
    codes = np.clip(np.rint(KERNEL / scales), -7, 7)
    layer = graph.steps[0].layer
    assert isinstance(layer, Convolution)
    np.testing.assert_allclose(layer.weights_oiyx, codes * scales / 0.5, rtol=1e-6)  # the values' scale is folded in
    assert layer.steps_o is not None
    np.testing.assert_allclose(layer.weights_oiyx, codes * layer.steps_o.reshape(2, 1, 1, 1), rtol=1e-6)
    steps = forward(Graph("sums", (1, 8, 8), (replace(layer, activation=NONE),)), IMAGES).scores
    wanted = np.clip(np.rint(steps), 0, 7) * 0.5
    np.testing.assert_allclose(forward(graph, IMAGES).scores, wanted, atol=1e-6)
    assert [step.layer.activation.kind for step in graph] == ["rounded", "none"]


def test_a_product_with_another_value_is_no_activation(tmp_path: Path) -> None:
    graph = read(tmp_path, *CONV, node("Sigmoid", ["a"], ["b"]), node("Tanh", ["a"], ["c"]), node("Mul", ["b", "c"], ["y"]))
    assert isinstance(graph.steps[-1].layer, Combination)


def test_what_is_read_twice_is_not_folded(tmp_path: Path) -> None:
    graph = read(tmp_path, *CONV, node("Relu", ["a"], ["b"]), node("Add", ["a", "b"], ["y"]))
    assert [type(step.layer) for step in graph] == [Convolution, Affine, Combination]
    assert graph.links == {"the_Add": ("the_Conv", "the_Relu")}
