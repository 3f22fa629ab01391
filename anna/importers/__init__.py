"""Networks from other tools: their files are read without running anything in them."""

from pathlib import Path

from anna.base.errors import FileError
from anna.network.graph import Network


def load_network(path: Path | str) -> Network:
    """The network in a file: `.onnx`, or `.safetensors` as `anna.network.file` writes it."""
    path = Path(path)
    if path.suffix == ".onnx":
        from anna.importers.onnx import load_onnx

        return load_onnx(path)
    if path.suffix == ".safetensors":
        from anna.network.file import load_graph

        return load_graph(path)
    raise FileError(f"{path}: is not a network file; expected a name that ends in .onnx or .safetensors")


__all__ = ["load_network"]
