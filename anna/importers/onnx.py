"""From an ONNX model to a graph of the layer vocabulary: a chain, constants folded, every reason told at once."""

from pathlib import Path

import numpy as np

from anna.errors import CompileError, FileError, GraphError
from anna.graph import Graph, Shape
from anna.importers.chain import Chain, Refused
from anna.importers.folding import FOLDS
from anna.importers.onnx_file import Array, Node, OnnxModel, read_onnx
from anna.importers.onnx_ops import READERS


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
        raise FileError(f"{path}: has inputs {', '.join(model.inputs) or '(none)'}; expected one, the picture")
    if len(model.outputs) != 1:
        raise FileError(f"{path}: has {len(model.outputs)} outputs; expected one, the scores")
    name, dims = next(iter(model.inputs.items()))
    nodes, reasons = _ordered(model, path), list[str]()
    shape, rows_first = _picture(path, name, dims, nodes)
    chain, values = Chain(model, shape, rows_first=rows_first), dict(model.constants)
    current = name
    for node in nodes:
        if all(one in values or not one for one in node.inputs) and node.op != "Shape":
            try:
                values.update(zip(node.outputs, _fold(node, values), strict=False))
            except Refused as why:
                reasons.append(f"{node.name}: {why}")
            continue
        if node.op == "Shape" and node.inputs[0] == current:
            values[node.outputs[0]] = np.array([1, *chain.shape] if not chain.flat else [1, _count(chain.shape)], np.int64)
            continue
        if node.inputs.count(current) != 1:
            here = ", ".join(one for one in node.inputs if one not in values)
            reasons.append(
                f"{node.name}: {node.op} reads {here}, beside the chain of layers; the compiler takes one layer after the "
                "other: split the network or remove the branch"
            )
            current = node.outputs[0]
            continue
        try:
            _read(chain, node, values, current)
        except (Refused, GraphError) as why:
            reasons.append(f"{node.name}: {why}" if node.name not in str(why) else str(why))
        except (TypeError, ValueError, IndexError, KeyError, OverflowError, MemoryError, ZeroDivisionError) as error:
            reasons.append(f"{node.name}: is no whole {node.op} ({error}); expected inputs and attributes as ONNX defines them")
        current = node.outputs[0]
    if current != model.outputs[0] and not reasons:
        reasons.append(f"{path.name}: its output {model.outputs[0]} is not the end of the chain of layers, which is {current}")
    if not chain.layers and not reasons:
        reasons.append(f"{path.name}: holds no layer")
    if reasons:
        raise CompileError(reasons)
    return Graph(model.name if model.name.isprintable() else path.stem, shape, tuple(chain.layers))


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


def _picture(path: Path, name: str, dims: tuple[int | str, ...], nodes: list[Node]) -> tuple[Shape, bool]:
    """Maps, rows and columns of the picture; whether the model takes them with the maps last."""
    if len(dims) not in (2, 4):
        raise CompileError([f"{path.name}: input {name} has {len(dims)} axes {dims}; expected batch, maps, rows, columns"])
    rest = dims[1:]
    if any(isinstance(n, str) or n < 1 for n in rest):
        raise CompileError([
            f"{path.name}: input {name} has the open shape {' x '.join(map(str, dims))}; only the batch may be open: export it "
            "with fixed maps, rows and columns"
        ])  # fmt: skip
    sizes = tuple(int(n) for n in rest)
    if len(sizes) == 1:
        return (sizes[0], 1, 1), False
    first = next((node for node in nodes if name in node.inputs), None)
    if first is not None and first.op == "Transpose" and first.attributes.get("perm") == [0, 3, 1, 2]:
        return (sizes[2], sizes[0], sizes[1]), True
    return (sizes[0], sizes[1], sizes[2]), False


def _count(shape: Shape) -> int:
    return shape[0] * shape[1] * shape[2]


def _fold(node: Node, values: dict[str, Array]) -> list[Array]:
    """The results of a node that reads constants only."""
    if node.op not in FOLDS:
        raise Refused(f"{node.op} of constants is not known; expected one of {', '.join(sorted(FOLDS))}")
    try:
        return [np.asarray(FOLDS[node.op](node, [values[one] if one else None for one in node.inputs]))]
    except (ValueError, TypeError, IndexError, KeyError, OverflowError, AttributeError) as error:
        raise Refused(f"{node.op} of constants fails ({error})") from None


def _read(chain: Chain, node: Node, values: dict[str, Array], current: str) -> None:
    if node.op not in READERS:
        raise Refused(
            f"has no layer for the operation {node.op}; known are {', '.join(sorted(READERS))}: replace it before exporting"
        )
    READERS[node.op](chain, node, [None if one == current or not one else values.get(one) for one in node.inputs])
