"""Loads the network that a user names: a LeNet by name, or a file."""

from pathlib import Path

from anna import importers
from anna.base.errors import DataError
from anna.network.graph import Network


def load_network(model: str, data: str | None = None, weights_seed: int = 1, variant: str = "") -> Network:
    """A trained LeNet by name or by the stem of its shipped weights, a graph file (.safetensors), or an ONNX file."""
    import lenet
    from lenet.datasets.registry import source

    suffix = Path(model).suffix.lower()
    if variant and suffix:
        raise DataError(f"{model}: a file has no variant {variant}; only a LeNet by name does")
    if suffix in (".onnx", ".safetensors", *importers.OTHERS):
        return importers.load_network(model)
    if suffix or "/" in model:
        raise DataError(f"{model}: is neither .onnx nor .safetensors, nor the name of a network: {', '.join(lenet.names)}")
    return lenet.load(model, data=None if data is None else source(data).data.name, weights_seed=weights_seed, variant=variant)


def chip_trained(
    network: Network, model: str, weights_seed: int, given: str | None, variant: str = ""
) -> tuple[str, Network] | None:
    """Name and weights of the same network trained further for the chip: from a file, or those shipped with a LeNet. None if
    there are none or `given` is "none"."""
    import lenet
    from lenet.networks.catalogue import named, shipped, stem

    if given == "none":
        return None
    if given is None:
        if Path(model).suffix:
            return None
        own = named(model, network.data, weights_seed, variant)
        name = stem(own.network, own.data or "", own.weights_seed, "-".join(filter(None, (own.variant, "chip"))))
        return (name, lenet.load(name)) if name in shipped() else None
    other = importers.load_network(given)
    if (str(other), other.data) != (str(network), network.data):
        raise DataError(f"{given}: holds a network other than {network.name}; expected other weights of the same one")
    return Path(given).stem, other
