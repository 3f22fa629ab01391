"""Operations of ONNX one at a time: what each becomes, and the sentence where it cannot be taken."""

from pathlib import Path

import numpy as np
import pytest
from onnx_bytes import constant, model, node, value_info, whole

from anna.base.errors import AnnaError
from anna.compiler import compilation
from anna.importers import load_network
from anna.network.forward import forward
from anna.network.graph import Affine, Convolution, FullConnection, Graph, Pool

RNG = np.random.default_rng(4)
IMAGES = RNG.normal(size=(5, 1, 8, 8)).astype(np.float32)
KERNEL = RNG.normal(size=(2, 1, 3, 3))
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
        ([whole("p", 0, 0, 1, 0, 0, 0, 0, 2), node("Pad", ["a", "p"], ["b"]), node("Relu", ["b"], ["y"])],
         lambda a: np.pad(np.maximum(a, 0), ((0, 0), (0, 0), (1, 0), (0, 2)))),
        ([node("GlobalMaxPool", ["a"], ["y"])], lambda a: a.max((2, 3))),
        ([node("ReduceMax", ["a"], ["y"], axes=[2, -1], keepdims=0)], lambda a: a.max((2, 3))),
        ([node("MaxPool", ["a"], ["y"], kernel_shape=[4, 4], strides=[4, 4], ceil_mode=1)],
         lambda a: np.stack([np.stack([a[..., y : y + 4, x : x + 4].max((2, 3)) for x in (0, 4)], 2) for y in (0, 4)], 2)),
        ([whole("p", 0, 0, 1, 1, 0, 0, 1, 1), node("Pad", ["a", "p"], ["b"], mode="edge"),
          node("MaxPool", ["b"], ["y"], kernel_shape=[8, 8])], lambda a: a.max((2, 3))),
        ([node("LogSoftmax", ["a"], ["y"], axis=1)], lambda a: a - np.log(np.exp(a).sum(1, keepdims=True))),
    ],
)  # fmt: skip
def test_it_computes_what_onnx_defines(tmp_path: Path, parts: list[bytes], expected: object) -> None:
    scores = forward(read(tmp_path, *CONV, *parts), IMAGES).scores
    wanted = expected(convolved())  # type: ignore[operator]
    np.testing.assert_allclose(scores, wanted, atol=2e-6)


def test_a_padding_goes_to_the_convolution_behind_it(tmp_path: Path) -> None:
    (step,) = read(tmp_path, constant("w", KERNEL), whole("p", 0, 0, 1, 2, 0, 0, 3, 4), constant("v", np.array([-1.0])),
                   node("Pad", ["x", "p", "v"], ["b"]), node("Conv", ["b", "w"], ["y"]))  # fmt: skip
    assert isinstance(step.layer, Convolution)
    assert (step.layer.padding, step.layer.padding_value) == ((1, 3, 2, 4), -1.0)


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
        ([node("LeakyRelu", ["a"], ["y"])], "the_LeakyRelu: has no layer for the operation LeakyRelu; train with Relu, Tanh, "
                                            "Sigmoid or a Clip (Hardtanh, ReLU6) instead"),
        ([node("QuantizeLinear", ["a"], ["y"])], "export the float network, before it is quantised"),
        ([node("Mystery", ["a"], ["y"])], "has no layer for the operation Mystery; replace it before exporting"),
        ([node("Sigmoid", ["a"], ["b"]), node("Mul", ["a", "b"], ["y"])], "the_Mul: Mul reads two results of the network"),
        ([node("Mul", ["a", "a"], ["y"])], "the_Mul: Mul reads a, a, beside the chain of layers"),
        ([constant("c", np.ones((1, 2, 6, 6))), node("Add", ["a", "c"], ["y"])],
         "has a constant of shape (1, 2, 6, 6); expected one number, or one for each of 2 maps"),
        ([node("Cast", ["a"], ["y"], to=3)], "turns the network's values into numbers of kind 3; expected floats"),
        ([whole("p", 0, 0, 1, 0, 0, 0, 0, 2), node("Pad", ["a", "p"], ["y"], mode="reflect")], "with mode reflect; expected"),
        ([whole("p", 0, 1, 0, 0, 0, 0, 0, 0), node("Pad", ["a", "p"], ["y"])], "other axes than rows and columns"),
        ([whole("p", 0, 0, 1, 0, 0, 0, 0, 2), node("Pad", ["a", "p"], ["y"])], "ends with a padding that no layer reads"),
        ([whole("p", 0, 0, 1, 0, 0, 0, 0, 2), node("Pad", ["a", "p"], ["b"], mode="edge"), node("Relu", ["b"], ["y"])],
         "reads maps that repeat their border (Pad, mode edge)"),
        ([node("Transpose", ["a"], ["b"], perm=[0, 2, 3, 1]), node("MaxPool", ["b"], ["y"], kernel_shape=[2, 2])],
         "MaxPool reads a tensor of 6 x 6 x 2 for each image; expected maps, rows and columns, in this order"),
        ([node("Transpose", ["a"], ["y"], perm=[1, 0, 2, 3])], "expected the batch to stay first"),
        ([whole("s", 4, -1), node("Reshape", ["a", "s"], ["b"]), whole("t", 1, 8, 9), node("Reshape", ["b", "t"], ["y"])],
         "gives maps of (2, 6, 6) the shape 8 x 9"),
        ([node("Flatten", ["a"], ["y"])], "its output strings 2@6x6 out to (72,); expected a score for each class"),
        ([node("Squeeze", ["a"], ["y"])], "the batch too; expected the axes by number"),
        ([node("Softmax", ["a"], ["y"], axis=2)], "is over axis 2; expected the maps"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_one_sentence(tmp_path: Path, parts: list[bytes], sentence: str) -> None:
    said = refused(tmp_path, *CONV, *parts)
    assert sentence in said
    assert "\n" not in said


def test_what_follows_from_a_reason_is_no_other_reason(tmp_path: Path) -> None:
    said = refused(tmp_path, *CONV, node("Elu", ["a"], ["b"]), node("Flatten", ["b"], ["c"]), constant("m", np.ones((99, 10))),
                   node("MatMul", ["c", "m"], ["d"]), node("Gelu", ["d"], ["y"]))  # fmt: skip
    assert [line.split(":")[0] for line in said.split("\n")] == ["the_Elu", "the_Gelu"]


def test_a_network_in_training_is_refused(tmp_path: Path) -> None:
    ones = [constant(name, np.ones(2)) for name in ("s", "b", "m", "v")]
    normal = node("BatchNormalization", ["a", "s", "b", "m", "v"], ["y"], training_mode=1)
    assert "export the network in evaluation mode" in refused(tmp_path, *CONV, *ones, normal)


@pytest.mark.parametrize(("more", "sentence"), [
    ({"kind": 7}, "input x holds whole numbers (kind 7); expected float32"),
    ({"dims": [1, 1, 8, 8, 8]}, "input x has 5 axes (1 x 1 x 8 x 8 x 8); expected batch, maps, rows, columns"),
    ({"dims": ["n", 1, "h", "w"]}, "only the batch may be open"),
])  # fmt: skip
def test_images_that_cannot_be(tmp_path: Path, more: dict[str, object], sentence: str) -> None:
    assert sentence in refused(tmp_path, constant("w", KERNEL), node("Conv", ["x", "w"], ["y"]), **more)


def test_two_inputs_and_two_outputs(tmp_path: Path) -> None:
    conv = (constant("w", KERNEL), node("Conv", ["x", "w"], ["y"]))
    assert "has 2 inputs, z, x; expected one, the image" in refused(tmp_path, *conv, value_info(11, "z", [1]))
    assert "has 2 outputs, w, y; expected one, the scores" in refused(tmp_path, *conv, value_info(12, "w", [1]))
