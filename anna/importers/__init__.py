"""Networks from other tools: their files are read without running anything in them."""

from pathlib import Path

from anna.base.border import NETWORK, border
from anna.base.container import expect_safetensors
from anna.base.errors import FileError
from anna.network.graph import Network

# Files of other tools that hold weights, or code that reading would run, and what wrote them.
OTHERS = {
    **dict.fromkeys((".pt", ".pth", ".ckpt", ".bin"), "PyTorch"), **dict.fromkeys((".h5", ".hdf5", ".keras"), "Keras"),
    **dict.fromkeys((".tflite", ".pb"), "TensorFlow"), ".pkl": "Python",
}  # fmt: skip
IN_PYTHON = {
    "PyTorch": "in Python, build the module, load the file into it and give it to anna.compile(module, calibration=images)",
    "Keras": "in Python, load the model and give it to anna.compile(model, calibration=images)",
}
AS_ONNX = "export the network as ONNX, as docs/import.md shows"


def load_network(path: Path | str) -> Network:
    """The network in a file: `.onnx`, or `.safetensors` as `anna.network.file` writes it."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        from anna.importers.onnx import load_onnx

        return load_onnx(path)
    if suffix == ".safetensors":
        from anna.network.file import load_graph

        if lacks_graph(path):
            raise FileError(f"{path}: is a state dict, weights without the graph; {IN_PYTHON['PyTorch']}, or {AS_ONNX}")
        return load_graph(path)
    if suffix in OTHERS:
        ways = " or ".join(filter(None, (IN_PYTHON.get(OTHERS[suffix]), AS_ONNX)))
        what = ", a state dict or a pickled module" if OTHERS[suffix] == "PyTorch" else ""
        raise FileError(f"{path}: is a {OTHERS[suffix]} file{what}, of which the graph cannot be read; {ways}")
    raise FileError(f"{path}: is not a network file; expected a name that ends in .onnx or .safetensors")


def lacks_graph(path: Path) -> bool:
    """Whether a safetensors file is what PyTorch users write: tensors, and at most which library they are of."""
    from safetensors import SafetensorError, safe_open

    with border(path, NETWORK):
        expect_safetensors(path, NETWORK)
        try:
            with safe_open(path, framework="numpy") as file:
                return set(file.metadata() or {}) <= {"format"}
        except SafetensorError:
            return False  # whoever reads it says what is wrong


__all__ = ["load_network"]
