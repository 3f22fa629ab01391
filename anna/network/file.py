"""A network as a file: safetensors with one metadata key that holds canonical JSON, so equal networks give equal bytes.

Nothing in the file is executed. The JSON describes the layers; the tensors are their weights, named
`<member>.<layer>.<field>`. Reading rebuilds the layers, so a damaged or hostile file meets the same checks as code does.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from anna.base.border import NETWORK, border
from anna.base.container import Upgrades, canonical_json, unpack, upgraded, write_beside
from anna.base.errors import FileError, GraphError
from anna.network.activations import CURVES, Activation
from anna.network.graph import Ensemble, Graph, Network
from anna.network.layers import LAYER_KINDS, Layer

KEY = "anna_graph"  # the one metadata key: safetensors writes several in no fixed order
FORMAT = 2


def _as_chain(content: dict[str, Any]) -> dict[str, Any]:
    """Format 1 knew chains only: every layer reads the one before it, and the last is the output."""
    members = content.get("members")
    if not isinstance(members, list):
        return content
    return content | {"members": [m | {"links": {}, "outputs": []} if isinstance(m, dict) else m for m in members]}


UPGRADES: Upgrades = {1: _as_chain}


def layer_json(layer: Layer) -> dict[str, Any]:
    """A layer as JSON, without its tensors."""
    out: dict[str, Any] = {"kind": layer.kind}
    for f in fields(layer):
        value = getattr(layer, f.name)
        if f.name in layer.tensors or value is None or (f.metadata.get("later") and value == f.default):
            continue
        if f.name == "table_oi":
            value = None if value.all() else [np.flatnonzero(row).tolist() for row in value]
        elif isinstance(value, Activation):
            value = {"kind": value.kind, "low": value.low, "high": value.high, **value.named}
        if value is not None:
            out[f.name] = value
    return out


def graph_bytes(network: Network) -> bytes:
    """The file's bytes, determined by the network alone. Chains are written in format 1, which former versions read."""
    chains = all(member.is_chain for member in network.members)
    members = [
        {
            "name": m.name,
            "input_shape": m.input_shape,
            "data": m.data,
            "layers": [layer_json(s.layer) for s in m.steps],
            **({} if chains else {"links": m.links, "outputs": m.outputs}),
        }
        for m in network.members
    ]
    content = {
        "format": 1 if chains else FORMAT,
        "name": network.name,
        "data": network.data,
        "ensemble": isinstance(network, Ensemble),
        "members": members,
    }
    tensors = {
        f"{number}.{step.layer.name}.{name}": np.ascontiguousarray(array)
        for number, member in enumerate(network.members)
        for step in member.steps
        for name, array in step.layer.tensors.items()
    }
    return save(tensors, metadata={KEY: canonical_json(content)})


def save_network(network: Network, path: Path | str) -> None:
    """Write the network, all or nothing."""
    write_beside(Path(path), graph_bytes(network))


def _expect_keys(where: str, value: Any, required: set[str], optional: set[str] = frozenset()) -> dict[str, Any]:  # type: ignore[assignment]
    if not isinstance(value, dict):
        raise FileError(f"{where}: is {type(value).__name__}; expected an object")
    missing, unknown = required - value.keys(), value.keys() - required - optional
    if missing or unknown:
        what = f"lacks {', '.join(sorted(missing))}" if missing else f"has unknown {', '.join(sorted(map(str, unknown)))}"
        raise FileError(f"{where}: {what}; expected {', '.join(sorted(required | optional))}")
    return value


def _typed(where: str, value: Any, kind: type) -> Any:
    number = int | float if kind is float else kind
    if not isinstance(value, number) or (isinstance(value, bool) and kind is not bool):
        raise FileError(f"{where}: is {value!r:.60}; expected {kind.__name__}")
    return value


def _tuple_of_ints(where: str, value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or any(type(n) is not int for n in value):
        raise FileError(f"{where}: is {value!r:.60}; expected a list of whole numbers")
    return tuple(value)


def _names(where: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or any(type(name) is not str for name in value):
        raise FileError(f"{where}: is {value!r:.60}; expected a list of layers' names")
    return tuple(value)


def _activation(where: str, value: Any) -> Activation:
    found = _expect_keys(where, value, {"kind", "low", "high"}, {"alpha", "gamma"})
    if not isinstance(found["kind"], str) or found["kind"] not in CURVES:
        raise FileError(f"{where}: kind is {found['kind']!r:.60}; expected one of {', '.join(CURVES)}")
    return Activation(found["kind"], **{key: float(_typed(where, found[key], float)) for key in found if key != "kind"})


def _table(where: str, value: Any, shape: tuple[int, ...]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    table = np.zeros(shape[:2], bool)
    if not isinstance(value, list) or len(value) != shape[0]:
        raise FileError(f"{where}: expected {shape[0]} rows, one for each output map")
    for output, row in enumerate(value):
        inputs = _tuple_of_ints(where, row)
        if any(not 0 <= i < shape[1] for i in inputs):
            raise FileError(f"{where}: row {output} names maps {inputs}; expected maps 0 to {shape[1] - 1}")
        table[output, list(inputs)] = True
    return table


def layer_from_json(where: str, value: Any, tensors: dict[str, Any]) -> Layer:
    """The layer that `layer_json` described, with its tensors; `where` names it in messages."""
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(kind, str) or kind not in LAYER_KINDS:
        raise FileError(f"{where}: layer kind is {kind!r:.60}; expected one of {', '.join(LAYER_KINDS)}")
    known = [f for f in fields(LAYER_KINDS[kind]) if f.init]
    plain = {f.name for f in known} - tensors.keys()
    required = {f.name for f in known if f.default is MISSING and f.default_factory is MISSING} - tensors.keys()
    _expect_keys(where, value, {"kind", "name"} | required, plain)
    unknown = tensors.keys() - {f.name for f in known if f.name.split("_")[0] in _TENSOR_FIELDS}
    if unknown:
        raise FileError(f"{where}: has a tensor {sorted(unknown)[0]}, which a {kind} layer does not have")
    arguments: dict[str, Any] = dict(tensors)
    for name, item in value.items():
        here = f"{where} {name}"
        if name == "kind":
            continue
        if name == "activation":
            arguments[name] = _activation(here, item)
        elif name == "table_oi":
            weights = tensors.get("weights_oiyx")
            if weights is None or weights.ndim != 4:
                raise FileError(f"{here}: needs weights of 4 axes")
            arguments[name] = _table(here, item, weights.shape)
        elif name in ("name", "mode", "over"):
            arguments[name] = _typed(here, item, str)
        elif name in ("trainable", "log", "centred"):
            arguments[name] = _typed(here, item, bool)
        elif name in ("padding_value", "low", "high", "value", "epsilon"):
            arguments[name] = float(_typed(here, item, float))
        else:
            arguments[name] = _tuple_of_ints(here, item)
    return LAYER_KINDS[kind](**arguments)


_TENSOR_FIELDS = {"weights", "bias", "coefficient", "centres", "scale", "offset", "units", "constant", "slope", "steps"}


def load_graph(path: Path | str) -> Network:
    """The network in a file that `save_network` wrote."""
    path = Path(path)
    with border(path, NETWORK):
        content, tensors = unpack(path, KEY, "network", NETWORK)
        try:
            return _network(str(path), upgraded(path, "network", content, FORMAT, UPGRADES), tensors)
        except GraphError as error:
            raise FileError(f"{path}: {error}") from None


def _network(where: str, content: Any, tensors: dict[str, Any]) -> Network:
    _expect_keys(where, content, {"name", "data", "ensemble", "members"})
    _typed(f"{where} members", content["members"], list)
    if not content["members"]:
        raise FileError(f"{where}: the description names no network; expected at least one")
    members: list[Graph] = []
    used, of_layer = 0, defaultdict[str, dict[str, Any]](dict)
    for key, array in tensors.items():
        layer_key, _, field_name = key.rpartition(".")
        of_layer[layer_key][field_name] = array
    for number, member in enumerate(content["members"]):
        here = f"{where} member {number}"
        _expect_keys(here, member, {"name", "input_shape", "data", "layers", "links", "outputs"})
        shape = _tuple_of_ints(f"{here} input_shape", member["input_shape"])
        layers: list[Layer] = []
        for value in _typed(f"{here} layers", member["layers"], list):
            name = value.get("name") if isinstance(value, dict) else None
            mine = of_layer.get(f"{number}.{name}", {})
            used += len(mine)
            layers.append(layer_from_json(f"{here} layer {name!r:.40}", value, mine))
        graph_name, data = (_typed(f"{here} {key}", member[key], str) for key in ("name", "data"))
        links = {
            name: _names(f"{here} links of {name!r:.40}", value)
            for name, value in _typed(f"{here} links", member["links"], dict).items()
        }
        outputs = _names(f"{here} outputs", member["outputs"])
        members.append(Graph(graph_name, shape, tuple(layers), data, links, outputs))  # type: ignore[arg-type]
    if used != len(tensors):
        raise FileError(f"{where}: holds {len(tensors)} tensors; expected the {used} that its layers name")
    if _typed(f"{where} ensemble", content["ensemble"], bool):
        return Ensemble(
            _typed(f"{where} name", content["name"], str), tuple(members), _typed(f"{where} data", content["data"], str)
        )
    if len(members) != 1:
        raise FileError(f"{where}: holds {len(members)} networks; expected one, since it is not an ensemble")
    return members[0]
