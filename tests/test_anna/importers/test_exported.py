"""Files as PyTorch, Keras and TensorFlow wrote them (tests/data/exported): read, equal to ONNX Runtime, compiled and run."""

from pathlib import Path

import numpy as np
import pytest
from small_digits import other_digits, small_digits

import anna
from anna.importers import load_network
from anna.network.forward import forward
from anna.network.graph import Affine, Convolution, FullConnection, Pool, Softmax

HOME = Path(__file__).parents[2] / "data" / "exported"
NAMES = sorted(path.stem for path in HOME.glob("*.onnx"))


def expected(name: str) -> np.ndarray:
    with np.load(HOME / f"{name.split('_')[0]}.npz") as file:
        return file[name]


def images_as_trained(name: str, images: np.ndarray) -> np.ndarray:
    """With the axes that the network had where it comes from."""
    if name.endswith("means"):
        return images.reshape(len(images), 196)
    if name.endswith(("flat", "squashed")):
        return images
    return images[:, None] if name.startswith("pytorch") else images[..., None]


def kinds(name: str) -> list[type]:
    return [type(step.layer) for step in load_network(HOME / f"{name}.onnx")]


def test_every_tool_has_its_files() -> None:
    assert len(NAMES) == 16
    assert {name.split("_")[0] for name in NAMES} == {"keras", "pytorch", "tensorflow", "tf2onnx"}
    assert sum(path.stat().st_size for path in HOME.iterdir() if path.is_file()) < 300_000


@pytest.mark.parametrize("name", NAMES)
def test_the_float_network_equals_onnx_runtime(name: str) -> None:
    wanted = expected(name)
    shown = images_as_trained(name, other_digits(len(wanted))[0])
    scores = forward(load_network(HOME / f"{name}.onnx"), shown).scores
    assert np.abs(scores - wanted).max() < 1e-5 * max(1.0, float(np.abs(wanted).max()))


@pytest.mark.parametrize("name", NAMES)
def test_the_chip_reads_most_digits_as_the_float_network_does(name: str) -> None:
    network = load_network(HOME / f"{name}.onnx")
    program = anna.compile(network, images_as_trained(name, small_digits(200)[0]))
    shown = images_as_trained(name, other_digits(200)[0])
    assert (anna.Chip().run(program, shown).labels == forward(network, shown).labels).mean() > 0.75


def test_both_exporters_of_pytorch_give_one_network() -> None:
    for name in ("functional", "squashed", "depthwise", "maximum"):
        one, other = (load_network(HOME / f"pytorch_{style}_{name}.onnx") for style in ("script", "dynamo"))
        assert [(type(a.layer), a.output_shape) for a in one] == [(type(b.layer), b.output_shape) for b in other]


def test_only_layers_are_left() -> None:
    """Casts, transpositions, shapes worked out from shapes, paddings and normalisations leave nothing behind."""
    assert kinds("pytorch_dynamo_functional") == [Convolution, Pool, Convolution, FullConnection, FullConnection, Softmax]
    assert kinds("pytorch_script_squashed") == [Convolution, Affine, Pool, FullConnection]
    assert kinds("keras_plain") == [Convolution, Pool, Convolution, FullConnection, FullConnection, Softmax]
    assert kinds("keras_same")[:2] == [Affine, Convolution]
    assert kinds("keras_means") == [Convolution, Convolution, Pool, FullConnection]
    assert kinds("tf2onnx_flat") == [FullConnection, FullConnection, Softmax]


def test_padding_of_its_own_goes_to_the_convolution_behind_it() -> None:
    layer = load_network(HOME / "pytorch_script_squashed.onnx").steps[0].layer
    assert isinstance(layer, Convolution)
    assert (layer.padding, layer.padding_value) == ((2, 2, 2, 2), -1.0)


def test_the_image_of_keras_has_its_maps_first() -> None:
    assert load_network(HOME / "keras_plain.onnx").input_shape == (1, 14, 14)
    assert load_network(HOME / "keras_means.onnx").input_shape == (1, 14, 14)
    assert load_network(HOME / "tensorflow_same.onnx").input_shape == (1, 14, 14)


def test_onnx_runtime_agrees_with_what_is_stored() -> None:
    runtime = pytest.importorskip("onnxruntime")
    for name in ("pytorch_dynamo_functional", "keras_same", "tf2onnx_means"):
        session = runtime.InferenceSession(str(HOME / f"{name}.onnx"), providers=["CPUExecutionProvider"])
        wanted = expected(name)
        shown = images_as_trained(name, other_digits(len(wanted))[0])
        assert np.abs(session.run(None, {session.get_inputs()[0].name: shown})[0] - wanted).max() < 1e-5
