"""A network from what a user names: a LeNet by name, or a file."""

from pathlib import Path

from anna.errors import DataError
from anna.graph import Network


def load_network(model: str, data: str | None = None, seed: int = 1) -> Network:
    """A trained LeNet by name, a graph file (.safetensors), or an ONNX file."""
    import lenet

    suffix = Path(model).suffix.lower()
    if suffix == ".safetensors":
        from anna.graph_file import load_graph

        return load_graph(model)
    if suffix == ".onnx":
        from anna.importers.onnx import load_onnx

        found: Network = load_onnx(model)
        return found
    if suffix or "/" in model:
        raise DataError(f"{model}: is neither .onnx nor .safetensors, nor a network by name: {', '.join(lenet.names)}")
    return lenet.load(model, data=None if data in (None, "holdout") else data, seed=seed)
