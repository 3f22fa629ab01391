"""ONNX files as PyTorch writes them: read without a library, equal to ONNX Runtime, compiled; and refusals."""

import contextlib
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx_bytes import blob, constant, model, node, number

from anna.base.errors import AnnaError, CompileError, FileError
from anna.chip.spec import ANNA_WIDE
from anna.compiler import compilation
from anna.compiler.selfcheck import evaluate
from anna.importers import load_network
from anna.importers.wire import DEEPEST, Message
from anna.network.forward import forward
from anna.network.graph import Convolution, FullConnection, Graph

HOME = Path(__file__).parents[2] / "data" / "onnx"
NAMES = sorted(path.stem for path in HOME.glob("*.onnx"))
FINE = ANNA_WIDE.changed(weight_bits=16, state_bits=16, adc_full_scale=0.02)


def images(name: str, graph: Graph, count: int) -> np.ndarray:
    """The images for which the expected scores were made, and more of the kind."""
    sys.path.insert(0, str(HOME))
    try:
        from make import pictures as drawn
    finally:
        sys.path.remove(str(HOME))
    return drawn(int(name[3:]), graph.input_shape, count)


def compiled_scores(graph: Graph, calibration: np.ndarray, seen: np.ndarray, **options: object) -> np.ndarray:
    """Scores by the quantised graph's arithmetic, which the self-check holds equal to the chip's."""
    done = compilation(graph, calibration, **options)
    host = done.program.host
    assert host is not None
    states = host.input_codes(done.program.spec, graph.input_shape, seen)
    return host.scores(done.program.spec, evaluate(done.quantised, states))


@pytest.fixture(scope="module")
def expected() -> dict[str, np.ndarray]:
    with np.load(HOME / "expected.npz") as file:
        return {name: file[name] for name in file.files}


def test_there_are_thirty_networks() -> None:
    assert len(NAMES) == 30


@pytest.mark.parametrize("name", NAMES)
def test_the_float_graph_equals_onnx_runtime(name: str, expected: dict[str, np.ndarray]) -> None:
    graph = load_network(HOME / f"{name}.onnx")
    scores = forward(graph, images(name, graph, 12)).scores
    assert np.abs(scores - expected[name]).max() < 2e-5 * max(1.0, float(np.abs(expected[name]).max()))


@pytest.mark.parametrize("name", NAMES)
def test_the_compiled_network_keeps_its_scores(name: str, expected: dict[str, np.ndarray]) -> None:
    """At 6 and 3 bits the scores keep at least 60 % of their variance over images and classes about each class's mean;
    most keep 90 %."""
    graph = load_network(HOME / f"{name}.onnx")
    seen = images(name, graph, 132)
    scores = compiled_scores(graph, seen[12:], seen[:12])
    wanted = expected[name]
    left = ((scores - wanted) ** 2).sum() / ((wanted - wanted.mean(axis=0)) ** 2).sum()
    assert left < 0.4


@pytest.mark.parametrize("name", NAMES)
def test_many_bits_converge_on_onnx_runtime(name: str, expected: dict[str, np.ndarray]) -> None:
    """With 16-bit weights and states the chip comes within 0.5 % of the score range, with the ADC that follows the
    network's activation: steps that follow the tanh, or straight ones over ranges that hold the images."""
    graph = load_network(HOME / f"{name}.onnx")
    kinds = {step.layer.activation.kind for step in graph.steps}
    curve = "squash" if kinds & {"tanh", "sigmoid"} else "linear"
    seen = images(name, graph, 72)
    method = "max" if curve == "linear" else "least-squares"
    scores = compiled_scores(graph, seen, seen[:12], chip=FINE.changed(adc_curve=curve), range_method=method)
    wanted = expected[name]
    assert np.abs(scores - wanted).max() < 0.005 * float(wanted.max() - wanted.min())


def test_onnx_runtime_agrees_with_what_is_stored(expected: dict[str, np.ndarray]) -> None:
    runtime = pytest.importorskip("onnxruntime")
    for name in NAMES[:5]:
        graph = load_network(HOME / f"{name}.onnx")
        session = runtime.InferenceSession(str(HOME / f"{name}.onnx"), providers=["CPUExecutionProvider"])
        key = session.get_inputs()[0].name
        found = np.concatenate([session.run(None, {key: one[None]})[0] for one in images(name, graph, 12)])
        assert np.abs(found - expected[name]).max() < 1e-5


# --- refusals --------------------------------------------------------------------------------------------------------
def refused(tmp_path: Path, data: bytes) -> AnnaError:
    path = tmp_path / "net.onnx"
    path.write_bytes(data)
    with pytest.raises(AnnaError) as caught:
        load_network(path)
    return caught.value


WEIGHTS = constant("w", np.ones((2, 1, 3, 3)))


def test_unknown_operations_are_all_named_at_once(tmp_path: Path) -> None:
    error = refused(
        tmp_path, model(WEIGHTS, node("Conv", ["x", "w"], ["a"]), node("Odd", ["a"], ["b"]), node("LSTM", ["b"], ["y"]))
    )
    assert isinstance(error, CompileError)
    assert len(error.reasons) == 2
    assert "the_LSTM: has no layer for the operation LSTM" in error.reasons[0]
    assert "the_Odd: has no layer for the operation Odd" in error.reasons[1]


def test_an_open_shape(tmp_path: Path) -> None:
    error = refused(tmp_path, model(WEIGHTS, node("Conv", ["x", "w"], ["y"]), dims=["n", 1, "height", "width"]))
    assert "open shape n x 1 x height x width" in str(error)


def test_a_cycle(tmp_path: Path) -> None:
    error = refused(
        tmp_path, model(WEIGHTS, node("Conv", ["b", "w"], ["a"]), node("Relu", ["a"], ["b"]), node("Tanh", ["b"], ["y"]))
    )
    assert "in a cycle" in str(error)


def test_nan_weights(tmp_path: Path) -> None:
    error = refused(tmp_path, model(constant("w", np.full((2, 1, 3, 3), np.nan)), node("Conv", ["x", "w"], ["y"])))
    assert "NaN" in str(error)
    assert "the_Conv" in str(error)


def test_external_data_outside_the_folder(tmp_path: Path) -> None:
    for where in ("../secret", "/etc/passwd", ""):
        extra = number(14, 1) + blob(13, blob(1, "location") + blob(2, where))
        error = refused(tmp_path, model(constant("w", np.ones((2, 1, 3, 3)), extra), node("Conv", ["x", "w"], ["y"])))
        assert "outside the model's folder" in str(error)


def test_external_data_inside_the_folder(tmp_path: Path) -> None:
    weights = np.arange(18, dtype="<f4").reshape(2, 1, 3, 3)
    (tmp_path / "data.bin").write_bytes(b"1234" + weights.tobytes())
    entries = b"".join(blob(13, blob(1, key) + blob(2, value)) for key, value in (("location", "data.bin"), ("offset", "4")))
    (tmp_path / "net.onnx").write_bytes(model(constant("w", weights, number(14, 1) + entries), node("Conv", ["x", "w"], ["y"])))
    graph = load_network(tmp_path / "net.onnx")
    layer = graph.steps[0].layer
    assert isinstance(layer, Convolution)
    assert np.array_equal(layer.weights_oiyx, weights)


def test_a_file_cut_short_anywhere_is_one_sentence(tmp_path: Path) -> None:
    whole = (HOME / "net00.onnx").read_bytes()
    path = tmp_path / "net.onnx"
    for length in [0, 1, 2, 3, *range(5, len(whole), max(1, len(whole) // 60))]:
        path.write_bytes(whole[:length])
        with pytest.raises(AnnaError):
            load_network(path)


def test_changed_bytes_never_escape_as_another_error(tmp_path: Path) -> None:
    whole = bytearray((HOME / "net01.onnx").read_bytes())
    rng = np.random.Generator(np.random.PCG64(7))
    path = tmp_path / "net.onnx"
    for _ in range(300):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), 3):
            data[int(place)] = int(rng.integers(256))
        path.write_bytes(bytes(data))
        with contextlib.suppress(AnnaError):
            assert isinstance(load_network(path), Graph)


def test_a_deeply_nested_message_is_refused() -> None:
    data = b""
    for _ in range(40):
        data = blob(1, data)
    message = Message(data, "file")
    for _ in range(DEEPEST):
        message = message.messages(1, "inner")[0]
    with pytest.raises(FileError, match="deep"):
        message.messages(1, "inner")
    with pytest.raises(FileError, match=f"nested more than {DEEPEST} deep"):
        Message(b"", "file", DEEPEST + 1)
    assert Message(b"", "file", DEEPEST).fields == {}


def test_flattening_after_maps_last_permutes_the_weights(tmp_path: Path) -> None:
    """Keras flattens row, column, map: the same sums, whichever order the weights were written in."""
    rng = np.random.Generator(np.random.PCG64(3))
    dense = rng.normal(size=(2 * 6 * 6, 10)).astype(np.float32)
    perm = blob(5, blob(1, "perm") + b"".join(number(8, n) for n in (0, 2, 3, 1)) + number(20, 7))
    swap = blob(1, blob(1, "a") + blob(2, "b") + blob(3, "swap") + blob(4, "Transpose") + perm)
    parts = [WEIGHTS, constant("d", dense), node("Conv", ["x", "w"], ["a"]), swap, node("Flatten", ["b"], ["c"]),
             node("MatMul", ["c", "d"], ["y"])]  # fmt: skip
    (tmp_path / "net.onnx").write_bytes(model(*parts))
    graph = load_network(tmp_path / "net.onnx")
    layer = graph.steps[-1].layer
    assert isinstance(layer, FullConnection)
    maps = rng.normal(size=(2, 6, 6)).astype(np.float32)
    assert np.allclose(layer.weights_oi @ maps.reshape(-1), maps.transpose(1, 2, 0).reshape(-1) @ dense, atol=1e-4)
