"""Networks as PyTorch modules and Keras models: exported as ONNX by their own library, then read like any file.

Which library a network is of is told by the names of its classes, so that none is loaded here before it is needed.
"""

import copy
import re
import tempfile
import warnings
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import CompileError, DataError, GraphError
from anna.importers.onnx import load_onnx
from anna.importers.refusals import recurrent_module
from anna.network.graph import Graph

INSTEAD = "export it as ONNX yourself, as docs/import.md shows, and load that"


def import_network(model: Any, images: Any) -> Graph:
    """The network that a PyTorch module or a Keras model computes in evaluation mode.

    `images` are one or more images as it takes them, of which only the shape matters. Raises CompileError with every reason why
    it has no layers here, or why its own library cannot export it.
    """
    kind = library_of(model)
    if kind is None:
        raise GraphError(f"expected a PyTorch module or a Keras model, got {type(model).__name__}")
    if images is None:
        raise DataError(f"{type(model).__name__}: needs sample images as it takes them, which tell the shape of its input")
    reasons = list(_recurrent(model, kind))
    if reasons:
        raise CompileError(reasons)
    example = _example(model, images)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # exporters warn of what does not concern a network that runs forward
        path = Path(folder) / f"{_name(model)}.onnx"
        try:
            _EXPORTS[kind](model, example, path)
        except Exception as error:  # whatever a library, or the user's own module, raises
            missing = isinstance(error, ImportError) or "not installed" in str(error)
            if missing:
                raise CompileError([f"{_name(model)}: {_NEEDS[kind]} ({error})"]) from None
            raise CompileError([f"{_name(model)}: {kind} cannot export it ({_first_line(error)}); {INSTEAD}"]) from error
        return load_onnx(path)


def library_of(model: Any) -> str | None:
    """ "Keras", "PyTorch" or None. A Keras model may be a module of PyTorch as well."""
    ancestors = {(one.__module__.partition(".")[0], one.__name__) for one in type(model).__mro__}
    if {("keras", "Model"), ("tf_keras", "Model")} & ancestors:
        return "Keras"
    return "PyTorch" if ("torch", "Module") in ancestors else None


def as_array(images: Any) -> Any:
    """A tensor of PyTorch as an array; anything else as it is."""
    return images.detach().cpu().numpy() if hasattr(images, "detach") else images


def _recurrent(model: Any, kind: str) -> Iterable[str]:
    """Why a model's recurrent parts cannot run."""
    bases = {"PyTorch": ("RNNBase", "RNNCellBase"), "Keras": ("RNN",)}[kind]
    parts = model.named_modules() if kind == "PyTorch" else ((part.name, part) for part in model._flatten_layers())
    for name, part in parts:
        if {one.__name__ for one in type(part).__mro__} & set(bases):
            yield recurrent_module(name or _name(model), type(part).__name__)


def _example(model: Any, images: Any) -> NDArray[np.float32]:
    """One image of those given."""
    found = np.asarray(as_array(images[0] if isinstance(images, tuple) else images))  # images, or images and their labels
    if found.dtype.kind not in "fiu" or found.ndim < 2 or not len(found):
        raise DataError(f"images are {found.dtype} of shape {found.shape}; expected numbers, images along the first axis")
    one = np.ascontiguousarray(found[:1], np.float32)
    wanted = getattr(model, "input_shape", None)  # of Keras, with None for the batch
    if isinstance(wanted, tuple) and all(isinstance(n, int) for n in wanted[1:]) and one.size == np.prod(wanted[1:]):
        return one.reshape(1, *wanted[1:])
    return one


def _export_torch(model: Any, example: NDArray[np.float32], path: Path) -> None:
    import torch

    module = copy.deepcopy(model).cpu().eval()  # the user's own stays as it is
    # The exporter of today needs onnxscript; the former one only onnx, as long as PyTorch has it.
    newer = find_spec("onnxscript") is not None
    torch.onnx.export(module, (torch.from_numpy(example),), str(path), dynamo=newer, verbose=False)


def _export_keras(model: Any, example: NDArray[np.float32], path: Path) -> None:
    model(example, training=False)  # one that was never called has no shapes
    model.export(str(path), format="onnx", verbose=False)


_EXPORTS = {"PyTorch": _export_torch, "Keras": _export_keras}
_NEEDS = {
    "PyTorch": "PyTorch needs the package onnxscript, or onnx for its former exporter: pip install onnxscript",
    "Keras": "Keras needs onnx and onnxscript on PyTorch, tf2onnx on TensorFlow: pip install onnxscript, or tf2onnx",
}


def _first_line(error: BaseException) -> str:
    """What went wrong at first, in a line."""
    while error.__cause__ is not None:
        error = error.__cause__
    return next((f"{line.strip():.200}" for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _name(model: Any) -> str:
    """A name for the network: the model's own, or its class."""
    name = getattr(model, "name", None)
    return re.sub(r"[^\w\-]+", "_", name if isinstance(name, str) and name else type(model).__name__)
