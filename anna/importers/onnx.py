"""From an ONNX model to a graph: layers with what they read, constants folded, every reason for a refusal given at once."""

import math
from collections import Counter
from dataclasses import replace
from heapq import heapify, heappop, heappush
from pathlib import Path
from typing import Any

import numpy as np

from anna.base.border import ONNX, border
from anna.base.errors import CompileError, FileError, GraphError
from anna.importers.draft import Draft
from anna.importers.folding import FOLDS
from anna.importers.onnx_axes import LARGEST_VIEW, image_axes, image_shape, image_tensor
from anna.importers.onnx_file import FLOATS, Array, Node, OnnxModel, read_onnx
from anna.importers.onnx_ops import READERS as EXACT
from anna.importers.onnx_quantised import OF_CONSTANTS
from anna.importers.onnx_quantised import READERS as QUANTISED
from anna.importers.refusals import RECURRENT, no_layers
from anna.importers.steps import with_steps
from anna.importers.tensor import Refused, Tensor
from anna.network.graph import IMAGE, Graph


class Unread:
    """A tensor that cannot be read, for a reason that was given."""


Value = Tensor | Array | Unread
UNREAD = Unread()
READERS: dict[str, Any] = EXACT | QUANTISED
INVALID = (TypeError, ValueError, IndexError, KeyError, OverflowError, ZeroDivisionError, AttributeError)


def load_onnx(path: Path | str) -> Graph:
    """The network in an ONNX file; raises CompileError with everything that has no layer, all at once."""
    path = Path(path)
    with border(path, ONNX):
        model = read_onnx(path)
        try:
            return graph_of(model, path)
        except GraphError as error:
            raise CompileError([f"{path}: {error}"]) from None


def graph_of(model: OnnxModel, path: Path) -> Graph:
    """A model as a graph."""
    model = replace(model, nodes=_needed(_ordered(model, path), model.outputs))
    reasons = no_layers(model.nodes, set(READERS) | set(FOLDS))
    if any(node.op in RECURRENT for node in model.nodes):
        raise CompileError(reasons)
    if len(model.inputs) != 1:
        raise FileError(
            f"{path}: has {len(model.inputs)} inputs, {', '.join(model.inputs) or 'none'}; expected one, the image: "
            "export the others as constants"
        )
    image, dims = next(iter(model.inputs.items()))
    sizes = _image_dims(path, model, image, dims)
    axes = image_axes(sizes, model, image)
    draft = Draft(model, image_shape(sizes, axes))
    values = dict[str, Value](model.constants) | {image: image_tensor(sizes, axes)}
    reasons += _read_all(draft, values)
    ends, more = ([], []) if reasons else _ends(draft, values, path.name)
    if reasons or more:
        raise CompileError(reasons or more)
    name = path.stem if path.stem.isprintable() else "network"  # exporters call every graph main_graph
    return _graph(draft, name, ends)


def _graph(draft: Draft, name: str, ends: list[str]) -> Graph:
    """The layers that lead to the outputs."""
    wanted = set(ends)
    for layer in reversed(draft.layers):
        wanted |= set(draft.links[layer]) if layer in wanted else set()
    layers = {one: layer for one, layer in draft.layers.items() if one in wanted}
    links = {one: draft.links[one] for one in layers}
    return Graph(name, draft.image, with_steps(layers.values(), draft.model.nodes), links=links, outputs=tuple(ends))


def _read_all(draft: Draft, values: dict[str, Value]) -> list[str]:
    """Read all nodes; returns every reason why that fails. What comes of a failure is no other reason."""
    reasons = list[str]()
    counts = Counter(one for node in draft.model.nodes for one in node.inputs if node.op != "Shape")
    counts.update(draft.model.outputs)
    for node in draft.model.nodes:
        inputs = [values.get(one) if one else None for one in node.inputs]
        if any(isinstance(one, Unread) for one in inputs):
            made: list[Value] = []
        elif not any(isinstance(one, Tensor) for one in inputs) and node.op not in OF_CONSTANTS:
            made, reason = _tried(node, _fold, node, inputs)
            reasons += reason
        elif node.op in ("Shape", "Size"):
            made = [_shape_of(draft, node, inputs[0])]
        elif node.op not in READERS:
            made = []
            reasons += no_layers([node], set(READERS)) if node.op in FOLDS else []  # else it was named before
        else:
            inputs = [_shared(one, counts[name]) for one, name in zip(inputs, node.inputs, strict=True)]
            made, reason = _tried(node, READERS[node.op], draft, node, inputs)
            reasons += reason
        values.update(dict.fromkeys((one for one in node.outputs if one), UNREAD))
        values.update(zip(node.outputs, made, strict=False))
    return list(dict.fromkeys(reasons))


def _shared(value: Any, readers: int) -> Any:
    """A tensor that others read too may not change its layer."""
    return replace(value, alone=False) if isinstance(value, Tensor) and readers > 1 else value


def _tried(node: Node, reader: Any, *arguments: Any) -> tuple[list[Value], list[str]]:
    """What a reader makes, or the reason why it cannot."""
    try:
        found = reader(*arguments)
        return (found if isinstance(found, list) else [found]), []
    except (Refused, GraphError) as why:
        return [], [f"{node.name}: {why}" if node.name not in str(why) else str(why)]
    except INVALID as error:
        return [], [f"{node.name}: is not a valid {node.op} ({error}); expected inputs and attributes as ONNX defines them"]


def _shape_of(draft: Draft, node: Node, value: Any) -> Array:
    """What a Shape or Size operation gives, with a batch of one where it is open."""
    full = [draft.batch or 1, *value.dims]
    if node.op == "Size":
        return np.array(np.prod(full), np.int64)
    return np.array(full[slice(node.attributes.get("start", 0), node.attributes.get("end"))], np.int64)


def _ends(draft: Draft, values: dict[str, Value], file: str) -> tuple[list[str], list[str]]:
    """The layers whose maps are the outputs, and the reasons why there are none."""
    ends, reasons = list[str](), list[str]()
    for output in draft.model.outputs:
        value = values.get(output)
        if not isinstance(value, Tensor):
            reasons.append(f"{file}: its output {output} does not depend on the image; expected scores")
            continue
        as_it_is = value.in_order and not value.filled and value.units.ndim != 1
        if as_it_is and int(np.prod(draft.shapes[value.layer])) == value.units.size and value.units.ndim < 3:
            end = value.layer
        else:
            try:
                end = draft.stacked(value, Node(output, "Output", (), ()))
            except Refused as why:
                reasons.append(f"{file}: its output {output} {why}")
                continue
        if end == IMAGE:
            reasons.append(f"{file}: holds no layer")
        ends.append(end)
    if len(set(ends)) != len(ends):
        reasons.append(f"{file}: two of its outputs, {', '.join(draft.model.outputs)}, are the same; expected one")
    return ends, reasons


def _ordered(model: OnnxModel, path: Path) -> list[Node]:
    """The nodes, each after those it reads, else in the file's order; raises for a cycle."""
    known = {*model.constants, *model.inputs, ""}
    waits = [len({one for one in node.inputs if one not in known}) for node in model.nodes]
    readers: dict[str, list[int]] = {}
    for number, node in enumerate(model.nodes):
        for one in {one for one in node.inputs if one not in known}:
            readers.setdefault(one, []).append(number)
    ready, done = [number for number, count in enumerate(waits) if not count], list[int]()
    heapify(ready)
    while ready:
        number = heappop(ready)
        done.append(number)
        for one in set(model.nodes[number].outputs) - known:
            known.add(one)
            for reader in readers.get(one, ()):
                waits[reader] -= 1
                if not waits[reader]:
                    heappush(ready, reader)
    if len(done) < len(model.nodes):
        left = [node for number, node in enumerate(model.nodes) if waits[number]]
        made = {one for node in left for one in node.outputs}
        missing = sorted({one for node in left for one in node.inputs} - known - made)
        what = f"read {missing[0]}, which no node makes" if missing else "read each other's results in a cycle"
        names = ", ".join(node.name for node in left[:5])
        raise CompileError([f"{path.name}: nodes {names} {what}; a network for the chip runs forward only"])
    return [model.nodes[number] for number in done]


def _needed(nodes: list[Node], outputs: tuple[str, ...]) -> tuple[Node, ...]:
    """The nodes that the outputs depend on; exporters leave others behind."""
    wanted, kept = set(outputs), list[Node]()
    for node in reversed(nodes):
        if not wanted.isdisjoint(node.outputs):
            wanted |= set(node.inputs)
            kept.append(node)
    return tuple(reversed(kept))


def _image_dims(path: Path, model: OnnxModel, name: str, dims: tuple[int | str, ...]) -> tuple[int, ...]:
    """The shape of one image."""
    if len(dims) not in (1, 2, 3, 4):
        shown = " x ".join(map(str, dims)) or "none"
        raise CompileError([f"{path.name}: input {name} has {len(dims)} axes ({shown}); expected batch, maps, rows, columns"])
    if any(isinstance(n, str) or n < 1 for n in dims[1:]):
        raise CompileError([
            f"{path.name}: input {name} has the open shape {' x '.join(map(str, dims))}; only the batch may be open: export it "
            "with fixed maps, rows and columns"
        ])  # fmt: skip
    first = next((node for node in model.nodes if name in node.inputs and node.op != "Shape"), None)
    if model.input_kinds.get(name, 1) not in FLOATS and (first is None or first.op != "Cast"):
        raise CompileError([
            f"{path.name}: input {name} holds whole numbers (kind {model.input_kinds[name]}); expected float32: export the "
            "network with a float input"
        ])  # fmt: skip
    sizes = tuple(int(n) for n in dims[1:])
    if math.prod(sizes) > LARGEST_VIEW:
        raise CompileError([f"{path.name}: input {name} has {math.prod(sizes)} numbers; expected at most {LARGEST_VIEW}"])
    return sizes


def _fold(node: Node, inputs: list[Array | None]) -> list[Array]:
    """The results of a node that reads only constants."""
    if node.op not in FOLDS:
        raise Refused(f"{node.op} of constants is not supported; expected one of {', '.join(sorted(FOLDS))}")
    try:
        with np.errstate(all="ignore"):
            found = FOLDS[node.op](node, inputs)
            return [np.asarray(one) for one in (found if isinstance(found, list) else [found])]
    except INVALID as error:
        raise Refused(f"{node.op} of constants fails ({error})") from None
