"""A network from what a user names: a LeNet by name, or a file."""

from pathlib import Path

from anna import importers
from anna.errors import DataError
from anna.graph import Network


def load_network(model: str, data: str | None = None, seed: int = 1) -> Network:
    """A trained LeNet by name, a graph file (.safetensors), or an ONNX file."""
    import lenet

    suffix = Path(model).suffix.lower()
    if suffix in (".onnx", ".safetensors"):
        return importers.load_network(model)
    if suffix or "/" in model:
        raise DataError(f"{model}: is neither .onnx nor .safetensors, nor a network by name: {', '.join(lenet.names)}")
    return lenet.load(model, data=None if data in (None, "holdout") else data, seed=seed)
