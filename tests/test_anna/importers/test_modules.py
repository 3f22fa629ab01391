"""PyTorch modules and Keras models are compiled as they are; weights without a graph and recurrent layers are refused."""

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import anna
from anna.base.errors import CompileError, DataError, FileError, GraphError
from anna.importers import load_network
from anna.importers.modules import library_of

needs_torch = pytest.mark.torch
QUICKLY = {"fit": False, "round": "nearest", "range_method": "max", "check_count": 0}
FORWARD = "the compiler takes networks that run forward only: convolutions, full connections and what joins them"


@pytest.fixture
def torch() -> Any:
    pytest.importorskip("onnx", reason="onnx is absent: PyTorch modules are NOT imported")
    return pytest.importorskip("torch", reason="PyTorch is absent: its modules are NOT imported")


@pytest.fixture
def keras() -> Any:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    return pytest.importorskip("keras", reason="Keras is absent: its models are NOT imported")


def some(*shape: int) -> np.ndarray:
    return np.random.default_rng(2).uniform(-1, 1, shape).astype(np.float32)


# --- PyTorch ---------------------------------------------------------------------------------------------------------
@needs_torch
def test_a_module_computes_the_same_as_in_pytorch_and_stays_as_it_is(torch: Any) -> None:
    nn = torch.nn
    module = nn.Sequential(
        nn.Conv2d(1, 4, 5, padding=2), nn.BatchNorm2d(4), nn.Tanh(), nn.AvgPool2d(2), nn.Dropout(), nn.Flatten(),
        nn.Linear(4 * 36, 10),
    )  # fmt: skip
    images = some(6, 1, 12, 12)
    network = anna.import_network(module, images)
    assert module.training and all(part.training for part in module.modules())
    with torch.no_grad():
        expected = module.eval()(torch.from_numpy(images)).numpy()
    assert np.abs(anna.forward(network, images).scores - expected).max() < 1e-5
    assert network.name == "Sequential"


@needs_torch
def test_a_module_is_compiled_by_its_calibration_images(torch: Any) -> None:
    nn = torch.nn
    torch.manual_seed(1)
    module = nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 64, 5))
    images = some(20, 2, 10, 10)
    by_network = anna.compile(anna.import_network(module, images), images, **QUICKLY)
    tensors = torch.from_numpy(images)
    for calibration in (images, tensors, (images, np.zeros(20, np.int64)), (tensors, torch.zeros(20))):
        assert anna.compile(module, calibration=calibration, **QUICKLY).digest == by_network.digest


@needs_torch
def test_a_convolution_of_one_axis_has_windows_of_one_row(torch: Any) -> None:
    nn = torch.nn
    torch.manual_seed(2)
    module = nn.Sequential(nn.Conv1d(3, 6, 5, stride=2), nn.ReLU(), nn.MaxPool1d(2), nn.Flatten(), nn.Linear(66, 4))
    sound = some(8, 3, 48)
    network = anna.import_network(module, sound)
    assert network.layers[0].kernel == (1, 5) and network.input_shape == (3, 1, 48)
    with torch.no_grad():
        expected = module(torch.from_numpy(sound)).numpy()
    assert np.abs(anna.forward(network, sound).scores - expected).max() < 1e-5
    program = anna.compile(module, sound, **QUICKLY)
    assert anna.Chip().run(program, sound).scores.shape == (8, 4)


@needs_torch
def test_recurrent_layers_are_named_first_and_alone(torch: Any) -> None:
    nn = torch.nn

    class Listener(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.ear, self.memory, self.cell = nn.LayerNorm(4), nn.LSTM(4, 8), nn.GRUCell(8, 2)

        def forward(self, x: Any) -> Any:
            raise AssertionError("not called")

    with pytest.raises(CompileError) as caught:
        anna.compile(Listener(), calibration=some(2, 3, 4))
    assert str(caught.value) == (
        f"memory: is a recurrent layer, LSTM; {FORWARD}\ncell: is a recurrent layer, GRUCell; {FORWARD}"
    )


@needs_torch
def test_what_pytorch_cannot_export_is_said_in_a_line(torch: Any) -> None:
    class Odd(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            raise RuntimeError("cannot do this\nand more")

    with pytest.raises(CompileError, match=r"Odd: PyTorch cannot export it \(cannot do this\); export it as ONNX yourself"):
        anna.compile(Odd(), calibration=some(2, 3, 4, 4))


@needs_torch
def test_what_is_missing_for_the_export_is_named(torch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("onnx", "onnxscript"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(CompileError, match=r"Linear: PyTorch needs the package onnxscript, or onnx .*: pip install onnxscript"):
        anna.compile(torch.nn.Linear(4, 2), calibration=some(2, 4))


@needs_torch
@pytest.mark.parametrize(
    ("images", "why"),
    [(None, "Linear: needs sample images as it takes them"), (np.array(["a"]), "images are <U1 of shape"),
     (np.zeros((0, 4), np.float32), r"of shape \(0, 4\); expected numbers, images along the first axis")],
    ids=["none", "text", "no image"],
)  # fmt: skip
def test_a_module_needs_images(torch: Any, images: Any, why: str) -> None:
    with pytest.raises(DataError, match=why):
        anna.compile(torch.nn.Linear(4, 2), calibration=images)


# --- Keras -----------------------------------------------------------------------------------------------------------
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Keras, about NumPy
def test_a_keras_model_computes_the_same_as_in_keras(keras: Any) -> None:
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((12, 12, 1)), layers.Rescaling(1 / 255), layers.Conv2D(4, 5, padding="same", activation="tanh"),
        layers.AveragePooling2D(2), layers.Flatten(), layers.Dropout(0.5), layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    images = 255 * np.abs(some(6, 12, 12, 1))
    network = anna.import_network(model, images[..., 0])  # an axis of length 1 may be left out
    expected = keras.ops.convert_to_numpy(model(images, training=False))
    assert np.abs(anna.forward(network, images).scores - expected).max() < 1e-5
    assert anna.compile(model, calibration=images, **QUICKLY).name == model.name


def test_a_keras_model_that_was_never_called_gets_its_shapes_from_the_images(keras: Any) -> None:
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3)])
    assert anna.import_network(model, some(2, 5, 4, 2)).classes == 3


def test_a_recurrent_keras_layer_is_refused_as_such(keras: Any) -> None:
    model = keras.Sequential([keras.Input((10, 4)), keras.layers.GRU(5, name="ear"), keras.layers.Dense(3)])
    with pytest.raises(CompileError) as caught:
        anna.compile(model, calibration=some(2, 10, 4))
    assert str(caught.value) == f"ear: is a recurrent layer, GRU; {FORWARD}"


# --- neither ---------------------------------------------------------------------------------------------------------
def test_anything_else_is_no_network() -> None:
    assert library_of(np.zeros(3)) is None
    with pytest.raises(GraphError, match="expected a PyTorch module or a Keras model, got int"):
        anna.import_network(3, some(1, 2))
    with pytest.raises(GraphError, match="expected a network to compile, got int"):
        anna.compile(3, some(1, 2))


def test_a_state_dict_lacks_the_graph(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    for metadata in (None, {"format": "pt"}):
        save_file({"0.weight": some(3, 4)}, path, metadata)
        with pytest.raises(FileError) as caught:
            load_network(path)
        assert str(caught.value) == (
            f"{path}: is a state dict, weights without the graph; in Python, build the module, load the file into it and give "
            "it to anna.compile(module, calibration=images), or export the network as ONNX, as docs/import.md shows"
        )


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("net.pt", "is a PyTorch file, a state dict or a pickled module, of which the graph cannot be read; in Python, build"),
        ("net.keras", "is a Keras file, of which the graph cannot be read; in Python, load the model"),
        ("net.tflite", "is a TensorFlow file, of which the graph cannot be read; export the network as ONNX"),
        ("net.txt", "is not a network file; expected a name that ends in .onnx or .safetensors"),
    ],
)
def test_other_files_get_a_way_out(name: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=f"{name}: {why}"):
        load_network(tmp_path / name)
