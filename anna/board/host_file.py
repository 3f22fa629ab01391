"""The host's work in a program's file: its JSON and its tensors, and back.

What former versions knew keeps its form, so that their programs keep their bytes: a part that is a chain behind one stack, and
no rounds. Reading rebuilds the records, so a damaged or hostile file meets the same checks as code does.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import FileError, GraphError
from anna.board.host import HostRound, HostWork, HostWriting
from anna.board.host_part import HostPart, HostReading
from anna.network.file import layer_from_json, layer_json
from anna.network.graph import Layer, Prepare

Tensors = dict[str, NDArray[Any]]


# --- writing ---------------------------------------------------------------------------------------------------------
def is_former(host: HostWork) -> bool:
    """Whether former versions could read it."""
    return not host.rounds and not host.before and all(tail.is_chain for tail in host.tails)


def host_content(host: HostWork) -> dict[str, Any]:
    """Its part of a file's JSON."""
    shape = {} if host.image_shape is None else {"image_shape": list(host.image_shape)}
    return {
        **({"input_digits": host.input_digits} if host.input_digits > 1 else {}),
        **({"before": _layers_content(host.before), **shape} if host.before else {}),
        **({"rounds": [_round_content(one) for one in host.rounds]} if host.rounds else {}),
        "prepare": None if host.prepare is None else _plain(layer_json(host.prepare)),
        "data": host.data,
        "tails": [_part_content(tail) for tail in host.tails],
    }


def host_tensors(host: HostWork) -> Tensors:
    """Its tensors in a file."""
    found: Tensors = {"host.input.gain": host.input_gain_m, "host.input.offset": host.input_offset_m}
    for number, tail in enumerate(host.tails):
        found |= _part_tensors(f"host.{number}", tail)
    for number, one in enumerate(host.rounds):
        found |= _part_tensors(f"host.round.{number}", one.part)
        for place, writing in enumerate(one.writings):
            found |= _meaning(f"host.round.{number}.writing.{place}", writing.gain_m, writing.offset_m)
    return found | _layers_tensors("host.before", host.before)


def _part_content(part: HostPart) -> dict[str, Any]:
    first, layers = part.readings[0], _layers_content(part.layers)
    if part.is_chain:
        return {"region": first.region, "shape": list(first.shape), "layers": layers}
    readings = [
        {"name": one.name, "region": one.region, "shape": list(one.shape), "digits": one.digits} for one in part.readings
    ]
    links = {name: list(inputs) for name, inputs in part.links.items()}
    return {"readings": readings, "layers": layers, "links": links, "outputs": list(part.outputs)}


def _part_tensors(start: str, part: HostPart) -> Tensors:
    found: Tensors = {}
    for number, one in enumerate(part.readings):
        found |= _meaning(start if part.is_chain else f"{start}.reading.{number}", one.gain_m, one.offset_m)
    return found | _layers_tensors(start, part.layers)


def _round_content(one: HostRound) -> dict[str, Any]:
    writings = [{"output": each.output, "region": each.region, "digits": each.digits} for each in one.writings]
    return {"segment": one.segment, "part": _part_content(one.part), "writings": writings}


def _layers_content(layers: Iterable[Layer]) -> list[Any]:
    return [_plain(layer_json(layer)) for layer in layers]


def _layers_tensors(start: str, layers: Iterable[Layer]) -> Tensors:
    return {
        f"{start}.{place}.{name}": np.ascontiguousarray(array)
        for place, layer in enumerate(layers)
        for name, array in layer.tensors.items()
    }


def _meaning(start: str, gain_m: NDArray[Any], offset_m: NDArray[Any]) -> Tensors:
    return {f"{start}.gain": gain_m, f"{start}.offset": offset_m}


def _plain(value: Any) -> Any:
    """Tuples as lists, so that content reads back equal."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


# --- reading ---------------------------------------------------------------------------------------------------------
def host_from_file(where: str, content: Any, tensors: Mapping[str, NDArray[Any]]) -> HostWork:
    """The host's work as a file describes it; raises FileError if that is incomplete or does not fit together."""
    left = dict(tensors)
    try:
        host = _host(where, content, left)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError) as error:
        raise FileError(f"{where}: the host section is incomplete ({type(error).__name__}: {error})") from None
    except GraphError as error:
        raise FileError(f"{where}: {error}") from None
    if left or not host.tails:
        raise FileError(
            f"{where}: the host section has {len(left)} unused tensors and {len(host.tails)} tails; expected 0 and 1 or more"
        )
    return host


def _host(where: str, content: Any, left: Tensors) -> HostWork:
    first = None if content["prepare"] is None else layer_from_json(f"{where} prepare", content["prepare"], {})
    if first is not None and not isinstance(first, Prepare):
        raise FileError(f"{where}: the host's preparation is a {first.kind} layer; expected a preparation")
    tails = tuple(_part(f"{where} tail {n}", f"host.{n}", one, left) for n, one in enumerate(content["tails"]))
    rounds = tuple(
        _round(f"{where} round {n}", f"host.round.{n}", one, left) for n, one in enumerate(content.get("rounds", []))
    )
    before = _layers(f"{where} before", "host.before", content.get("before", []), left)
    shape = _shape(f"{where} images", content["image_shape"]) if "image_shape" in content else None
    gain, offset = _row(where, "host.input", left)
    data, digits = str(content["data"]), int(content.get("input_digits", 1))
    if not 1 <= digits <= len(gain) or len(gain) % digits or gain.shape != offset.shape:
        raise FileError(f"{where}: {len(gain)} input maps cannot be {digits} digits; expected a divisor")
    if not gain.all():
        raise FileError(f"{where}: a gain of the host's input is 0; expected a value for each state")
    return HostWork(first, gain, offset, tails, data, digits, rounds, before, shape)


def _round(where: str, start: str, value: Any, left: Tensors) -> HostRound:
    writings = []
    for place, one in enumerate(value["writings"]):
        gain, offset = _row(where, f"{start}.writing.{place}", left)
        writings.append(HostWriting(str(one["output"]), str(one["region"]), gain, offset, one["digits"]))
    return HostRound(value["segment"], _part(where, start, value["part"], left), tuple(writings))


def _part(where: str, start: str, value: Any, left: Tensors) -> HostPart:
    layers = _layers(where, start, value["layers"], left)
    if "region" in value:
        gain, offset = _row(where, start, left)
        return HostPart.chain(str(value["region"]), _shape(where, value["shape"]), gain, offset, layers)
    readings = []
    for number, one in enumerate(value["readings"]):
        meaning = _row(where, f"{start}.reading.{number}", left)
        readings.append(
            HostReading(str(one["name"]), str(one["region"]), _shape(where, one["shape"]), *meaning, digits=one["digits"])
        )
    links = {str(name): tuple(map(str, inputs)) for name, inputs in value["links"].items()}
    return HostPart(tuple(readings), layers, links, tuple(map(str, value["outputs"])))


def _layers(where: str, start: str, values: Any, left: Tensors) -> tuple[Layer, ...]:
    layers = []
    for place, value in enumerate(values):
        prefix = f"{start}.{place}."
        mine = {name[len(prefix) :]: left.pop(name) for name in sorted(left) if name.startswith(prefix)}
        layers.append(layer_from_json(f"{where} host layer {place}", value, mine))
    return tuple(layers)


def _shape(where: str, value: Any) -> tuple[int, int, int]:
    if not isinstance(value, list) or len(value) != 3 or any(type(n) is not int or n < 1 for n in value):
        raise FileError(f"{where}: the host takes maps of shape {value!r:.60}; expected maps, rows, columns")
    maps, rows, columns = value
    return maps, rows, columns


def _row(where: str, start: str, left: Tensors) -> tuple[NDArray[Any], NDArray[Any]]:
    gain, offset = left.pop(f"{start}.gain"), left.pop(f"{start}.offset")
    for array in (gain, offset):
        if array.ndim != 1 or array.dtype != np.float64 or not np.isfinite(array).all():
            raise FileError(
                f"{where}: a host gain or offset is {array.dtype} of shape {array.shape}; expected finite float64, one per map"
            )
    return gain, offset
