"""A compiled network as a folder for other tools: the ONNX model of integers, known answers of the ideal chip, what they mean.

network.onnx    state codes in, state codes of every map out (integer_graph.py)
inputs.npz      what the model is given, an array for each of its inputs
answers.npz     every map of the ideal chip, an array for each of the model's outputs
images.npy      the images, as the network takes them, from which the host makes the inputs
scores.npy      what the host makes of the maps, in floats
program.anna    the program, for anna
bundle.json     which layer makes which maps of what, what their codes stand for, and the cycles of an image
"""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anna.base.border import ARRAYS, read_bytes
from anna.base.container import Upgrades, read_json, upgraded, write_beside
from anna.base.errors import DataError, FileError, GraphError
from anna.base.unpacking import NPY, npz_arrays
from anna.board.host_part import HostPart
from anna.compiler.ir import INPUT
from anna.compiler.passes import Compilation
from anna.compiler.quantised import QuantLayer
from anna.exporters.integer_graph import given_stacks, integer_model, state_kind
from anna.machine.chip import Chip

FORMAT = 1
UPGRADES: Upgrades = {}

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Part:
    """The maps that one layer makes, in the order in which layers run."""

    layer: str
    stack: str  # the array of answers.npz
    first_map: int
    shape: tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Bundle:
    """What is needed to check somebody's answers."""

    folder: Path
    parts: tuple[Part, ...]
    answers: Arrays


def export(compilation: Compilation, folder: Path | str, images: ArrayLike) -> Path:
    """Write a compiled network as a folder for other tools, with the ideal chip's answers for some images, as the network takes
    them. `compilation` is what `anna.compilation` gives."""
    if not isinstance(compilation, Compilation):
        raise GraphError(f"expected what anna.compilation gives, got {type(compilation).__name__}: a program has no layers")
    home, program = Path(folder), compilation.program
    made_folder(home)
    taps = [region.name for region in program.regions if region.kind in ("map", "host")]
    result = Chip().run(program, images, taps=taps)
    maps, graph = {**result.maps, **result.codes}, compilation.quantised
    shape = graph.lowered.network.input_shape
    given = np.asarray(compilation.host.checked(shape, np.asarray(images)))
    states = {**maps, INPUT: compilation.host.input_codes(program.spec, shape, given)}
    kind = state_kind(graph.spec)
    files = {
        "network.onnx": integer_model(graph),
        "inputs.npz": _npz({name: states[name].astype(kind) for name in given_stacks(graph)}),
        "answers.npz": _npz({name: maps[name].astype(kind) for name in _written(compilation)}),
        "images.npy": _npy(given),
        "scores.npy": _npy(result.scores),
        "bundle.json": json.dumps(_description(compilation, len(given)), indent=1).encode(),
    }
    program.save(home / "program.anna")
    for name, data in files.items():
        write_beside(home / name, data)
    return home


def made_folder(folder: Path) -> None:
    """The folder, made if it is not there; raises if it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{folder}: cannot be made a folder ({error.strerror or error})") from None


def load_bundle(folder: Path | str) -> Bundle:
    """What `export` wrote; raises FileError for anything else."""
    home = Path(folder)
    parts, answers = read_parts(home / "bundle.json"), read_arrays(home / "answers.npz")
    for part in parts:
        found, (maps, *size) = answers.get(part.stack), part.shape
        if found is None or found.ndim != 4 or list(found.shape[2:]) != size or found.shape[1] < part.first_map + maps:
            raise FileError(f"{home}: answers.npz lacks the maps of {part.layer} that bundle.json describes; export again")
    return Bundle(home, parts, answers)


def read_parts(path: Path) -> tuple[Part, ...]:
    """The layers that a bundle.json describes."""
    content = upgraded(path, "bundle", read_json(path, "bundle"), FORMAT, UPGRADES)
    try:
        return tuple(
            Part(str(one["name"]), str(one["stack"]), int(one["first_map"]), _shape(one["shape"])) for one in content["layers"]
        )
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise FileError(f"{path}: is not complete ({type(error).__name__}: {error})") from None


def read_arrays(path: Path | str) -> dict[str, NDArray[Any]]:
    """The arrays of an .npz file; nothing is unpickled."""
    data = read_bytes(path, ARRAYS)
    if data.startswith(NPY):
        raise DataError(f"{path}: holds one array; expected an .npz file with an array for each map")
    return dict(npz_arrays(data, path, ARRAYS))


def _shape(value: Any) -> tuple[int, int, int]:
    maps, rows, columns = (int(n) for n in value)
    return maps, rows, columns


def _written(compilation: Compilation) -> tuple[str, ...]:
    """The stacks that the chip writes, in the order in which it does."""
    return tuple(dict.fromkeys(layer.stack for layer in compilation.quantised.lowered.layers))


def _description(compilation: Compilation, images: int) -> dict[str, Any]:
    graph, program, timeline = compilation.quantised, compilation.program, compilation.timeline
    kind, stacks = state_kind(graph.spec).name, graph.lowered.stacks
    return {
        "format": FORMAT,
        "network": graph.lowered.network.name,
        "program_sha256": program.digest,
        "images": images,
        "cycles_per_image": timeline.cycles_per_image,
        "chip_us_per_image": timeline.seconds_per_image * 1e6,
        "batch": program.batch,
        "chip": graph.spec.model_dump(mode="json"),
        "inputs": [{"name": name, "shape": list(stacks[name]), "type": kind} for name in given_stacks(graph)],
        "outputs": [{"name": name, "shape": list(stacks[name]), "type": kind} for name in _written(compilation)],
        "input": {"gain": graph.input_meaning.gain_m.tolist(), "offset": graph.input_meaning.offset_m.tolist()},
        "layers": [_layer(quant) for quant in graph.layers],
        "host": [*(_host(one.part, [writing.region for writing in one.writings]) for one in compilation.host.rounds),
                 *(_host(tail, []) for tail in compilation.host.tails)],
    }  # fmt: skip


def _host(part: HostPart, writes: list[str]) -> dict[str, Any]:
    """Layers of the host: between layers of the chip, or after them, where they write no map."""
    layers = [f"{layer.name} ({layer.kind})" for layer in part.layers]
    return {"reads": [reading.region for reading in part.readings], "layers": layers, "writes": writes}


def _layer(quant: QuantLayer) -> dict[str, Any]:
    layer = quant.layer
    return {
        "name": layer.name,
        "of": layer.origin,
        "reads": list(layer.reads),
        "stack": layer.stack,
        "first_map": layer.first_map,
        "shape": list(layer.output_shape),
        "window": list(layer.kernel),
        "stride": list(layer.stride),
        "padding": list(layer.padding),
        "inputs": int(layer.inputs_o.max()),
        "scale_codes": quant.scale_codes_o.tolist(),
        "gain": quant.meaning.gain_m.tolist(),
        "offset": quant.meaning.offset_m.tolist(),
    }


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def _npz(arrays: Arrays) -> bytes:
    """An .npz file; unlike `np.savez` it takes any name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, array in arrays.items():
            file.writestr(zipfile.ZipInfo(f"{name}.npy"), _npy(array), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
