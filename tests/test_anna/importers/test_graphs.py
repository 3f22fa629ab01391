"""Networks with branches against ONNX Runtime: random graphs, MLPerf Tiny, and ONNX's own tests of each operation."""

import os
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from anna.base.errors import AnnaError
from anna.importers import load_network
from anna.network.file import load_graph, save_network
from anna.network.forward import forward
from anna.network.graph import Graph

onnx = pytest.importorskip("onnx", reason="onnx is absent: ONNX's own tests of operations are NOT run")
runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is absent: graphs are NOT compared with it")
from random_onnx import models  # noqa: E402

Case = tuple[bytes, tuple[int, int, int]]
RELATIVE = 1e-5  # of an output's range


def session(model: bytes | str, exact: bool = False) -> Any:
    """`exact`: processors without dot products of bytes otherwise let sums of two products saturate at 16 bits."""
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.x64quantprecision", str(int(exact)))
    return runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def ours(graph: Graph, images: np.ndarray) -> list[np.ndarray]:
    """All outputs, in the file's order."""
    run = forward(graph, images)
    return [run.scores, *(run.outputs[name] for name in graph.ends[1:])]


def agrees(found: np.ndarray, wanted: np.ndarray) -> bool:
    span = max(float(np.ptp(wanted)), float(np.abs(wanted).max()), 1e-3)
    return found.size == wanted.size and float(np.abs(found.reshape(wanted.shape) - wanted).max()) <= RELATIVE * span


@pytest.mark.slow
@given(models())
@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_random_graphs_equal_onnx_runtime(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[bytes, tuple[int, int, int]]
) -> None:
    data, shape = case
    path = tmp_path_factory.mktemp("net") / "net.onnx"
    path.write_bytes(data)
    graph = load_network(path)
    assert isinstance(graph, Graph)
    images = np.random.default_rng(1).normal(size=(3, *shape)).astype(np.float32)
    runner = session(data)
    for number, found in enumerate(ours(graph, images)):
        wanted = np.concatenate([runner.run(None, {"x": one[None]})[number] for one in images])
        assert agrees(found, wanted)
    save_network(graph, path.with_suffix(".safetensors"))
    assert load_graph(path.with_suffix(".safetensors")).digest == graph.digest


# --- quantised networks ----------------------------------------------------------------------------------------------
class Shown:
    """Images one by one, as the quantiser of ONNX Runtime asks for them."""

    def __init__(self, images: np.ndarray) -> None:
        self.left = [{"x": image[None]} for image in images]

    def get_next(self) -> Any:
        return self.left.pop() if self.left else None


@pytest.mark.parametrize("kind", ["QDQ", "QOperator"])
@pytest.mark.parametrize("per_channel", [False, True])
def test_a_network_that_onnx_runtime_quantised(kind: str, per_channel: bool, tmp_path: Path) -> None:
    """Its codes are those of ONNX Runtime but where a sum lies between two, which the order of adding decides."""
    quantization = pytest.importorskip("onnxruntime.quantization", reason="quantised networks are NOT compared")
    rng = np.random.default_rng(8)
    weights = [rng.normal(0, 0.3, shape).astype(np.float32) for shape in ((4, 1, 3, 3), (6, 4, 3, 3), (96, 10))]
    arrays = [onnx.numpy_helper.from_array(array, f"w{k}") for k, array in enumerate(weights)]
    node, info = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    nodes = [node("Conv", ["x", "w0"], ["a"]), node("Relu", ["a"], ["b"]), node("Conv", ["b", "w1"], ["c"], pads=[1, 1, 1, 1]),
             node("Relu", ["c"], ["d"]), node("MaxPool", ["d"], ["e"], kernel_shape=[2, 2], strides=[2, 2]),
             node("Flatten", ["e"], ["f"]), node("MatMul", ["f", "w2"], ["y"])]  # fmt: skip
    floats = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(nodes, "net", [info("x", floats, [1, 1, 10, 10])], [info("y", floats, [1, 10])], arrays)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, tmp_path / "float.onnx")
    images = rng.normal(size=(40, 1, 10, 10)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        quantization.quantize_static(tmp_path / "float.onnx", tmp_path / "net.onnx", Shown(images), per_channel=per_channel,
                                     quant_format=quantization.QuantFormat[kind])  # fmt: skip
    runner = session(str(tmp_path / "net.onnx"), exact=kind == "QDQ")
    wanted = np.concatenate([runner.run(None, {"x": one[None]})[0] for one in images])
    network = load_network(tmp_path / "net.onnx")
    found = forward(network, images).scores
    assert {"rounded"} <= {step.layer.activation.kind for step in network.members[0]}
    same = (np.abs(found - wanted) <= RELATIVE * np.ptp(wanted)).mean()
    assert same > 0.98
    assert np.abs(found - wanted).max() < 0.02 * np.ptp(wanted)  # a code or two


# --- networks that nobody here made ----------------------------------------------------------------------------------
PUBLIC = {  # folder, file, and the range of its inputs
    "keyword spotting": ("mlperf-tiny/kws.onnx", -123, 26),
    "image classification": ("mlperf-tiny/ic.onnx", 0, 255),
    "visual wake words": ("mlperf-tiny/vww.onnx", 0, 1),
    "anomaly detection": ("mlperf-tiny/ad.onnx", -81, 12),
    "mnist-8": ("onnx-zoo/mnist-8.onnx", 0, 255),
}


@pytest.mark.data
@pytest.mark.parametrize("name", PUBLIC)
def test_public_networks_equal_onnx_runtime(name: str) -> None:
    file, low, high = PUBLIC[name]
    path = Path(os.environ["ANNA_DATA"]) / file
    if not path.is_file():
        pytest.skip(f"ANNA_DATA has no {file}: {name} is NOT tested")
    graph, runner = load_network(path), session(str(path))
    (given_input,) = runner.get_inputs()
    images = np.random.default_rng(2).uniform(low, high, (12, *given_input.shape[1:])).astype(np.float32)
    wanted = np.concatenate([runner.run(None, {given_input.name: one[None]})[0] for one in images])
    assert agrees(forward(graph, images).scores, wanted)
    assert graph.is_chain is (name != "image classification")


# --- ONNX's own tests of operations ----------------------------------------------------------------------------------
COUNTS = {"1.23": {"agree": 342, "refused": 1542}}  # by version of the onnx package


def bound(case: Any) -> tuple[bytes, list[Any], list[Any]]:
    """A test's model with all inputs but the first, the image, as constants."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    inputs, outputs = ([np.asarray(one) if isinstance(one, np.generic) else one for one in ones] for ones in case.data_sets[0])
    if all(isinstance(one, np.ndarray) for one in inputs):
        for info, array in list(zip(model.graph.input, inputs, strict=False))[1:]:
            model.graph.initializer.append(onnx.numpy_helper.from_array(array, info.name))
    return model.SerializeToString(), inputs, outputs


def outcome(case: Any, path: Path) -> str:
    """Whether a test's network agrees with its expected outputs or is refused; anything else is wrong."""
    data, inputs, outputs = bound(case)
    path.write_bytes(data)
    try:
        graph = load_network(path)
    except AnnaError as error:
        return "refused" if max(len(line) for line in str(error).split("\n")) < 600 else f"long: {case.name}"
    assert isinstance(graph, Graph)
    half = inputs[0].dtype == np.float16
    found = ours(graph, inputs[0].astype(np.float32) if half else inputs[0])
    same = [
        one.size == other.size and np.allclose(one.reshape(other.shape), other, rtol=1e-3, atol=1e-3 if half else 1e-5)
        for one, other in zip(found, outputs, strict=True)
    ]
    return "agree" if all(same) else f"wrong: {case.name}"


@pytest.mark.slow
def test_onnx_tests_of_operations_agree_or_are_refused_by_name(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases

        cases = collect_testcases(None)
    counts = Counter(outcome(case, tmp_path / "net.onnx") for case in cases)
    assert set(counts) == {"agree", "refused"}
    version = onnx.__version__.rpartition(".")[0]
    assert counts == COUNTS.get(version, counts)
    assert counts["agree"] >= 250
