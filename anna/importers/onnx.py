"""From an ONNX model to a graph of the layer vocabulary: a chain, constants folded, every reason told at once."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from anna.base.errors import CompileError, FileError, GraphError
from anna.importers.chain import STACK, Chain, Refused
from anna.importers.folding import FOLDS
from anna.importers.onnx_axes import image_axes, image_shape, shape_of
from anna.importers.onnx_file import FLOATS, Array, Node, OnnxModel, read_onnx
from anna.importers.onnx_ops import PASSES_PADDING, READERS
from anna.importers.refusals import no_layer
from anna.network.graph import Graph, shape_text


def load_onnx(path: Path | str) -> Graph:
    """The network in an ONNX file. What the vocabulary has no layer for is refused, all of it at once."""
    path = Path(path)
    model = read_onnx(path)
    try:
        return graph_of(model, path)
    except GraphError as error:
        raise CompileError([f"{path}: {error}"]) from None


def graph_of(model: OnnxModel, path: Path) -> Graph:
    """A model as a graph."""
    if len(model.inputs) != 1:
        raise FileError(
            f"{path}: has {len(model.inputs)} inputs, {', '.join(model.inputs) or 'none'}; expected one, the image: "
            "what is fixed goes into the network as a constant"
        )
    if len(model.outputs) != 1:
        raise FileError(
            f"{path}: has {len(model.outputs)} outputs, {', '.join(model.outputs) or 'none'}; expected one, the scores: export "
            "the network without the others"
        )
    image, dims = next(iter(model.inputs.items()))
    model = replace(model, nodes=_needed(_ordered(model, path), model.outputs[0]))
    sizes = _image(path, model, image, dims)
    axes = image_axes(sizes, model, image)
    chain = Chain(model, image_shape(sizes, axes), axes)
    reasons = _read_all(chain, image, path)
    if reasons:
        raise CompileError(reasons)
    name = path.stem if path.stem.isprintable() else "network"  # exporters call every graph main_graph
    return Graph(name, chain.image, tuple(chain.layers))


def _read_all(chain: Chain, current: str, path: Path) -> list[str]:
    """Read node after node into the chain that begins with the tensor `current`; gives every reason why that cannot be.

    After the first reason the shapes are unknown, so then only what has no layer at all is added.
    """
    model, reasons, broken = chain.model, list[str](), False
    values, dims_of = dict(model.constants), {current: chain.dims}
    for node in model.nodes:
        if all(one in values or not one for one in node.inputs):
            try:
                values.update(zip(node.outputs, _fold(node, values), strict=False))
            except Refused as why:
                reasons.append(f"{node.name}: {why}")
            continue
        if node.op == "Shape" and node.inputs[0] in dims_of:
            values[node.outputs[0]] = np.array(shape_of(node, dims_of[node.inputs[0]]), np.int64)
            continue
        reason = None
        if not broken or node.op not in READERS:
            reason = _why_not(chain, node, values, current)
        if reason:
            reasons.append(reason)
            broken = True
        current = node.outputs[0]
        dims_of[current] = chain.dims
    return reasons or _end(chain, current, path.name)


def _why_not(chain: Chain, node: Node, values: dict[str, Array], current: str) -> str | None:
    """Read one node; why it cannot be read, if so."""
    if node.op not in READERS:
        return f"{node.name}: {no_layer(node.op)}"
    if node.inputs.count(current) != 1:
        here = ", ".join(one for one in node.inputs if one not in values)
        return (
            f"{node.name}: {node.op} reads {here}, beside the chain of layers; the compiler takes one layer after the other: "
            "split the network or remove the branch"
        )
    try:
        if node.op not in PASSES_PADDING:
            chain.settle_padding(node)
        READERS[node.op](chain, node, [None if one == current or not one else values.get(one) for one in node.inputs])
    except (Refused, GraphError) as why:
        return f"{node.name}: {why}" if node.name not in str(why) else str(why)
    except (TypeError, ValueError, IndexError, KeyError, OverflowError, MemoryError, ZeroDivisionError) as error:
        return f"{node.name}: is no whole {node.op} ({error}); expected inputs and attributes as ONNX defines them"
    return None


def _end(chain: Chain, current: str, file: str) -> list[str]:
    """What is wrong with the end of the chain."""
    output = chain.model.outputs[0]
    if current != output:
        return [f"{file}: its output {output} is not the end of the chain of layers, which is {current}"]
    if not chain.layers or any(chain.padding):
        return [f"{file}: holds no layer" if not chain.layers else f"{file}: ends with a padding that no layer reads"]
    if chain.shape[1:] != (1, 1) and chain.axes != STACK:
        return [f"{file}: its output strings {shape_text(chain.shape)} out to {chain.dims}; expected a score for each class"]
    return []


def _ordered(model: OnnxModel, path: Path) -> list[Node]:
    """The nodes so that each comes after what it reads; a cycle is refused."""
    known = set(model.constants) | set(model.inputs) | {""}
    left, done = list(model.nodes), list[Node]()
    while left:
        ready = [node for node in left if all(one in known for one in node.inputs)]
        if not ready:
            made = {one for node in left for one in node.outputs}
            missing = sorted({one for node in left for one in node.inputs} - known - made)
            what = f"read {missing[0]}, which nothing makes" if missing else "read each other's results in a cycle"
            names = ", ".join(node.name for node in left[:5])
            raise CompileError([f"{path.name}: nodes {names} {what}; a network for the chip runs forward only"])
        done += ready
        known |= {one for node in ready for one in node.outputs}
        left = [node for node in left if node not in ready]
    return done


def _needed(nodes: list[Node], output: str) -> tuple[Node, ...]:
    """Those nodes that the output comes from: exporters leave others behind."""
    wanted, kept = {output}, list[Node]()
    for node in reversed(nodes):
        if wanted & set(node.outputs):
            wanted |= set(node.inputs)
            kept.append(node)
    return tuple(reversed(kept))


def _image(path: Path, model: OnnxModel, name: str, dims: tuple[int | str, ...]) -> tuple[int, ...]:
    """The shape of one image."""
    if len(dims) not in (2, 3, 4):
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
            "network with a float image"
        ])  # fmt: skip
    return tuple(int(n) for n in dims[1:])


def _fold(node: Node, values: dict[str, Array]) -> list[Array]:
    """The results of a node that reads constants only."""
    if node.op not in FOLDS:
        raise Refused(f"{node.op} of constants is not known; expected one of {', '.join(sorted(FOLDS))}")
    try:
        with np.errstate(all="ignore"):
            return [np.asarray(FOLDS[node.op](node, [values[one] if one else None for one in node.inputs]))]
    except (ValueError, TypeError, IndexError, KeyError, OverflowError, AttributeError, MemoryError) as error:
        raise Refused(f"{node.op} of constants fails ({error})") from None
