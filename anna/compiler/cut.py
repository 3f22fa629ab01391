"""What runs on the chip and what on the host.

The chip computes sums and a saturating conversion, from which a maximum and an average can be made, but not a distance or a
softmax. What it cannot do is a round of the host, unless the host is forbidden. What has no weights goes along with its
neighbours on the host where a round would be for it alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from anna.compiler import maximum
from anna.compiler.nodes import ACTIVATED, Node, Nodes
from anna.compiler.options import HOST_WORDS, CompileOptions
from anna.compiler.split import capacity
from anna.network.activations import NONE
from anna.network.graph import (
    IMAGE,
    Affine,
    Arrangement,
    Combination,
    Concatenation,
    Convolution,
    FullConnection,
    Normalisation,
    Pool,
    Prelu,
    Rbf,
    Reduction,
    Softmax,
    Subsample,
)  # fmt: skip

WEIGHTED = (Convolution, FullConnection, Rbf)
LAYOUT = (Concatenation, Arrangement)  # nothing is computed
HOST_ONLY: dict[type, str] = {
    Rbf: "computes distances",
    Softmax: "is a softmax",
    Normalisation: "normalises each image by itself",
    Prelu: "has a slope below zero",
}
NOTHING_LEFT = "moving it to the host would leave nothing for the chip"


@dataclass(frozen=True, eq=False)
class Cut:
    """The nodes, and the values that the host computes."""

    nodes: Nodes
    on_host: frozenset[str]


def cut(name: str, nodes: Nodes, options: CompileOptions, reasons: list[str]) -> Cut | None:
    """Where each layer of a network runs; None, with reasons, if it cannot."""
    asked = _asked(name, nodes, options, reasons)
    if asked is None:
        return None
    asked |= {node.value for node in nodes.nodes if _quantises_image(node)}
    why = {node.value: reason for node in nodes.nodes if node.value not in asked
           if (reason := _not_for_chip(node, options, partial(_leaves_some, nodes, node, asked)))}  # fmt: skip
    if options.host == "none":
        reasons.extend(why.values())
        return None if why else Cut(nodes, asked)
    refused = [value for value in why if options.split == "off" and _too_wide(nodes.by_value[value], options)]
    found = _with_trips(nodes, asked, why, options)
    if not refused and not _works(found) and options.host in ("auto", "last"):
        # What is left for the chip is a last layer, or nothing.
        last = frozenset(value for value in _last(nodes) if _not_for_chip(nodes.by_value[value], options) is None)
        found = _with_trips(nodes, asked - last, why, options)
    if refused or not _works(found):
        reasons.extend(why[value] for value in (refused or why))
        if not why:
            reasons.append(f"{name}: host option {options.host!r} leaves no layer for the chip; choose another")
        return None
    return found


def _with_trips(nodes: Nodes, asked: frozenset[str], why: Mapping[str, str], options: CompileOptions) -> Cut:
    """What the host is asked to compute, and what the chip cannot."""
    moved = asked | set(why)
    if options.split == "host":  # from there on
        moved |= nodes.after(value for value in why if _too_wide(nodes.by_value[value], options))
    apart = frozenset(value for value in why if _only_squashed(nodes.by_value[value], options))
    while True:
        parted = nodes.with_sums_apart(apart)
        on_host = _with_neighbours(parted, frozenset(moved))
        together = {value for value in apart if f"{value}/sums" in on_host}
        if not together:
            return Cut(parted, on_host)
        apart -= together


def _last(nodes: Nodes) -> list[str]:
    """Layers with weights after which there are no others."""
    weighted = [node.value for node in nodes.nodes if isinstance(node.layer, WEIGHTED)]
    return [value for value in weighted if not (nodes.after([value]) - {value}).intersection(weighted)]


def _asked(name: str, nodes: Nodes, options: CompileOptions, reasons: list[str]) -> frozenset[str] | None:
    """The values that the host is asked to compute."""
    names = [node.name for node in nodes.nodes]
    if options.host in ("auto", "last"):
        last = _last(nodes)
        on_host = nodes.after(last)
        if not _works(Cut(nodes, on_host)):  # a network of one layer would leave nothing for the chip
            on_host -= {value for value in last if not isinstance(nodes.by_value[value].layer, Rbf)}
        return on_host
    if options.host == "none":
        return frozenset()
    if options.host in names:
        return nodes.after([options.host])
    words = f"{', '.join(HOST_WORDS)} or one of {', '.join(names)}"
    reasons.append(f"{name}: host option {options.host!r} names no layer; expected {words}")
    return None


def _quantises_image(node: Node) -> bool:
    """Whether a layer rounds the image, which the host makes codes of in any case."""
    return isinstance(node.layer, Affine) and node.layer.activation.kind == "rounded" and node.inputs == (IMAGE,)


def _works(found: Cut) -> bool:
    """Whether the chip has something to compute: leading factors and offsets are absorbed."""
    on_chip = [node for node in found.nodes.nodes if node.value not in found.on_host]
    return not all(_absorbed(node) or isinstance(node.layer, LAYOUT) for node in on_chip)


def _absorbed(node: Node) -> bool:
    return isinstance(node.layer, Affine) and node.layer.activation == NONE


def _leaves_some(nodes: Nodes, node: Node, on_host: frozenset[str]) -> bool:
    """Whether anything is left for the chip if the host takes over at a node."""
    gone = on_host | nodes.after([node.value])
    return any(one.value not in gone and not isinstance(one.layer, Affine) for one in nodes.nodes)


def _only_squashed(node: Node, options: CompileOptions) -> bool:
    """Whether all that the chip cannot do of a layer is its activation."""
    layer = node.layer
    if not isinstance(layer, ACTIVATED) or isinstance(layer, Affine) or layer.activation.curve.adc is not None:
        return False
    return _not_for_chip(replace(node, layer=replace(layer, activation=NONE)), options) is None


def _with_neighbours(nodes: Nodes, on_host: frozenset[str]) -> frozenset[str]:
    """With what has no weights and lies between host layers, or between one and the end."""
    found = set(on_host)
    for node in nodes.nodes:  # all that it reads comes from the host
        if node.value not in found and not isinstance(node.layer, WEIGHTED) and found.issuperset(node.inputs):
            found.add(node.value)
    fed = set(found)  # what comes from the host without weights between
    for node in nodes.nodes:
        if not isinstance(node.layer, WEIGHTED) and fed.intersection(node.inputs):
            fed.add(node.value)
    for node in reversed(nodes.nodes):
        readers = [one.value for one in nodes.readers[node.value]]
        light = isinstance(node.layer, LAYOUT) or node.value in fed
        if light and not isinstance(node.layer, WEIGHTED) and found.issuperset(readers):
            found.add(node.value)
    return frozenset(found)


def _too_wide(node: Node, options: CompileOptions) -> bool:
    return inputs_of(node) > capacity(options.chip)


def _unlike(node: Node) -> bool:
    """Whether what a combination reads differs in shape from what it gives."""
    return any(shape != node.output_shape for shape in node.input_shapes)


def _not_for_chip(node: Node, options: CompileOptions, leaves_some: Callable[[], bool] = lambda: False) -> str | None:
    """Why the chip cannot run a layer, and what would help; None if it can."""
    layer, spec = node.layer, options.chip

    def because(why: str, *ways: str) -> str:
        on_host = [f"run it and all after it on the host (option host={layer.name})"] if leaves_some() else []
        every = [*ways, *on_host]
        return f"{layer.name}: {why}; {' or '.join(every) if every else NOTHING_LEFT}"

    if layer.activation.curve.adc is None:
        return because(f"ends in {layer.activation}, which no range of the ADC computes")
    match layer:
        case Pool() if layer.dilation != (1, 1):
            return because(f"its windows have gaps (dilation {layer.dilation})")
        case Pool() if layer.mode == "max" and options.maxima == "host":
            return because("takes a maximum, which the host is to take (option maxima)")
        case Pool() if layer.mode == "max" and maximum.unit(spec) is None:
            return because(
                f"takes a maximum, which this chip's ADC cannot compute exactly (curve {spec.adc_curve}, "
                f"{spec.weight_bits}-bit weights, {spec.state_bits}-bit states)", "train with mean pooling")  # fmt: skip
        case Pool() if layer.mode == "max" and not maximum.can_lower(layer):
            return because(f"takes a maximum over {layer.window} and skips states (stride {layer.stride})")
        case Pool() if layer.mode == "max" and layer.activation != NONE:
            return because("takes a maximum and squashes it, and no layer before it can squash instead")
        case Pool() if layer.mode == "max":
            return None
        case Pool() if any(layer.padding):
            return because(f"its padding {layer.padding} is left out of the means, so its weights differ at the border",
                        "pool without padding")  # fmt: skip
        case Combination() if layer.mode != "sum":
            return because(f"takes the {layer.mode} of maps, unit by unit, which the chip cannot")
        case Combination() if _unlike(node):
            return because("repeats maps to add them, which the chip cannot")
        case Concatenation() if any(shape[1:] != node.output_shape[1:] for shape in node.input_shapes):
            return because("joins maps of different sizes, which the chip cannot")
        case Arrangement() if selected_maps(layer, node) is None:
            return because("moves units, which the chip cannot")
        case Reduction() if layer.mode not in ("sum", "mean"):
            return because(f"takes the {layer.mode} over axes, which the chip cannot")
    if type(layer) in HOST_ONLY:
        return because(f"{HOST_ONLY[type(layer)]}, which the chip cannot")
    if options.split == "chip" or not _too_wide(node, options):
        return None
    return because(f"sums {inputs_of(node)} inputs and a bias, but a neuron of the chip has {spec.max_inputs} inputs",
                "allow its sum to be split (option split=chip)")  # fmt: skip


def selected_maps(layer: Arrangement, node: Node) -> tuple[int, ...] | None:
    """The maps that an arrangement picks, if it does nothing else."""
    rows, columns = node.input_shape[1:]
    if layer.units_myx.shape[1:] != (rows, columns):
        return None
    first = layer.units_myx[:, 0, 0]
    inside = layer.units_myx - first[:, None, None]
    if (first < 0).any() or (first % (rows * columns)).any():
        return None
    if (inside != inside[0]).any() or (inside[0].reshape(-1) != np.arange(rows * columns)).any():
        return None
    return tuple((first // (rows * columns)).tolist())


def inputs_of(node: Node) -> int:
    """Largest number of inputs of a unit, without biases."""
    match node.layer:
        case Convolution() as layer:
            return int(layer.table.sum(axis=1).max()) * layer.kernel[0] * layer.kernel[1]
        case FullConnection() as layer:
            return int(layer.weights_oi.shape[1])
        case Subsample() | Pool() as layer:
            return layer.window[0] * layer.window[1]
        case Reduction():
            maps, rows, columns = (a // b for a, b in zip(node.input_shape, node.output_shape, strict=True))
            return maps * rows * columns
    return 1


__all__ = ["NOTHING_LEFT", "WEIGHTED", "Cut", "cut", "inputs_of", "selected_maps"]
