"""Pass 1, check: a network becomes chip layers and a host tail, or is refused with every reason.

The host prepares the image, then layers run on the chip, then a tail on the host. The chip computes sums and a saturating
conversion, from which a maximum can be made, but not a distance or a softmax.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from anna.base.errors import CompileError
from anna.compiler import maximum
from anna.compiler.ir import INPUT, ChipLayer, Lowered, Member, as_floats, conv_geometry
from anna.compiler.options import HOST_WORDS, CompileOptions
from anna.compiler.split import BIAS_COLUMNS, capacity
from anna.network.activations import NONE
from anna.network.graph import (
    IMAGE,
    Affine,
    Arrangement,
    Combination,
    Concatenation,
    Convolution,
    FullConnection,
    Graph,
    Layer,
    Network,
    Normalisation,
    Pool,
    Prelu,
    Prepare,
    Rbf,
    Reduction,
    Softmax,
    Step,
    Subsample,
)  # fmt: skip
from anna.network.parts import Shape

WEIGHTED = (Convolution, FullConnection, Rbf)
ACTIVATED = (Convolution, FullConnection, Subsample, Affine)
HOST_ONLY: dict[type, str] = {
    Rbf: "computes distances",
    Softmax: "is a softmax",
    Combination: "combines maps unit by unit",
    Concatenation: "joins maps",
    Arrangement: "moves units",
    Reduction: "reduces axes",
    Normalisation: "normalises each image by itself",
    Prelu: "has a slope below zero",
}
NOTHING_LEFT = "moving it to the host would leave nothing for the chip"


def check(network: Network, options: CompileOptions) -> Lowered:
    """The lowered network; raises CompileError with all reasons at once."""
    reasons: list[str] = []
    spec = options.chip
    if spec.weight_levels != "mid-tread":
        reasons.append(
            f"chip: {spec.weight_levels} weights have no exact zero, so unused synapses would carry current; "
            "choose weight_levels mid-tread"
        )
    if spec.columns not in spec.fan_ins:
        reasons.append(
            f"chip: no neuron reads exactly one row of {spec.columns} columns (fan-ins {', '.join(map(str, spec.fan_ins))}); "
            f"add {spec.columns} to fan_ins"
        )
    if spec.columns <= BIAS_COLUMNS:
        reasons.append(
            f"chip: a row of columns {spec.columns} has no room beside the {BIAS_COLUMNS} constants that carry a bias; "
            f"choose columns of at least {BIAS_COLUMNS + 1}"
        )
    if spec.state_bits == 1 and spec.state_levels == "mid-tread":
        reasons.append(
            "chip: state_bits 1 and state_levels mid-tread leave the states -1 and 0, of which no constant can carry a bias; "
            "choose state_bits of at least 2 or state_levels mid-rise"
        )
    first = network.members[0].prepare
    members = []
    for member in network.members:
        if repr(member.prepare) != repr(first):
            reasons.append(f"{member.name}: prepares its image differently from {network.members[0].name}; expected the same")
        prefix = "" if isinstance(network, Graph) else f"{member.name}."
        members.append(_member(member, prefix, options, reasons))
    if reasons:
        raise CompileError(reasons)
    start = network.members[0].steps[0]
    shape = start.output_shape if first is not None else network.input_shape
    return Lowered(network, first, shape, tuple(member for member in members if member is not None))


def _member(graph: Graph, prefix: str, options: CompileOptions, reasons: list[str]) -> Member | None:
    if not graph.is_chain:
        reasons.extend(_not_a_chain(graph, options))
        return None
    steps = _activated_first([step for step in graph.steps if not isinstance(step.layer, Prepare)])
    if not steps:
        reasons.append(f"{graph.name}: has no layers after its preparation; expected at least one for the chip")
        return None
    cut = _host_cut(graph, steps, options, reasons)
    if cut is None:
        return None
    on_chip, host = steps[:cut], tuple(step.layer for step in steps[cut:])
    shape = on_chip[0].input_shape if on_chip else steps[0].input_shape
    scale, offset = np.ones(shape[0]), np.zeros(shape[0])
    while on_chip and isinstance(on_chip[0].layer, Affine) and on_chip[0].layer.activation == NONE:
        affine = on_chip.pop(0).layer
        assert isinstance(affine, Affine)
        scale = scale * as_floats(affine.scale_m)
        offset = offset * as_floats(affine.scale_m) + as_floats(affine.offset_m)
    layers = _lower(on_chip, prefix)
    if not layers:
        reasons.append(f"{graph.name}: host option {options.host!r} leaves no layer for the chip; choose another")
        return None
    return Member(prefix, graph, tuple(layers), host, scale, offset)


def _not_a_chain(graph: Graph, options: CompileOptions) -> list[str]:
    """Every reason why a network with branches cannot be compiled."""
    way_out = "the compiler takes a single chain of layers: split the network or remove the branch"
    reasons, before = [], IMAGE
    for step in graph.steps:
        if step.inputs != (before,):
            reads = " and ".join(one.strip("/") for one in step.inputs)
            reasons.append(f"{step.layer.name}: reads {reads}, not only the layer before it; {way_out}")
        elif not isinstance(step.layer, Prepare) and (why := _not_for_chip(step, options, False)):
            reasons.append(why.replace(NOTHING_LEFT, way_out))
        before = step.layer.name
    if graph.outputs:
        reasons.append(f"{graph.name}: its outputs are {', '.join(graph.outputs)}; expected one, its last layer's scores")
    return reasons


def _activated_first(steps: list[Step]) -> list[Step]:
    """Move the activation of a maximum to the layer before it, if that can have one: activations rise, so it is the same."""
    found: list[Step] = []
    for step in steps:
        layer = step.layer
        if isinstance(layer, Pool) and layer.mode == "max" and layer.activation != NONE and found:
            before = found[-1].layer
            if isinstance(before, ACTIVATED) and before.activation == NONE and layer.activation.curve.adc is not None:
                found[-1] = replace(found[-1], layer=replace(before, activation=layer.activation))
                step = replace(step, layer=replace(layer, activation=NONE))
        found.append(step)
    return found


def _host_cut(graph: Graph, steps: Sequence[Step], options: CompileOptions, reasons: list[str]) -> int | None:
    """How many steps run on the chip."""
    weighted = [i for i, step in enumerate(steps) if isinstance(step.layer, WEIGHTED)]
    names = [step.layer.name for step in steps]
    host = options.host
    if host in ("auto", "last"):
        cut = weighted[-1] if weighted else len(steps)
        before = [step.layer for step in steps[:cut]]
        if cut < len(steps) and all(isinstance(layer, Affine) and layer.activation == NONE for layer in before):
            cut += not isinstance(steps[cut].layer, Rbf)  # a network of one layer would leave nothing for the chip
    elif host == "none":
        cut = len(steps)
    elif host in names:
        cut = names.index(host)
    else:
        reasons.append(
            f"{graph.name}: host option {host!r} names no layer; expected {', '.join(HOST_WORDS)} or one of {', '.join(names)}"
        )
        return None
    impossible = [(i, reason) for i in range(cut) if (reason := _not_for_chip(steps[i], options, _leaves_some(steps, i)))]
    if host == "auto":
        for i, _ in impossible:
            if _leaves_some(steps, i) and not (options.split == "off" and _too_wide(steps[i], options)):
                cut = i
                break
    found = [reason for i, reason in impossible if i < cut]
    reasons.extend(found)
    return None if found else cut


def _leaves_some(steps: Sequence[Step], cut: int) -> bool:
    """Whether anything is left for the chip if the host takes over at a step."""
    return any(not isinstance(step.layer, Affine) for step in steps[:cut])


def _too_wide(step: Step, options: CompileOptions) -> bool:
    return inputs_of(step) > capacity(options.chip)


def _not_for_chip(step: Step, options: CompileOptions, leaves_some: bool) -> str | None:
    """Why the chip cannot run a layer, and what would help; None if it can."""
    layer, spec = step.layer, options.chip
    on_host = [f"run it and all after it on the host (option host={layer.name})"] if leaves_some else []

    def because(why: str, *ways: str) -> str:
        every = [*ways, *on_host]
        return f"{layer.name}: {why}; {' or '.join(every) if every else NOTHING_LEFT}"

    if layer.activation.curve.adc is None:
        return because(f"ends in {layer.activation}, which no range of the ADC computes")
    match layer:
        case Pool() if layer.dilation != (1, 1):
            return because(f"its windows have gaps (dilation {layer.dilation})")
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
    if type(layer) in HOST_ONLY:
        return because(f"{HOST_ONLY[type(layer)]}, which the chip cannot")
    if options.split == "chip" or not _too_wide(step, options):
        return None
    return because(f"sums {inputs_of(step)} inputs and a bias, but a neuron of the chip has {spec.max_inputs} inputs",
                "allow its sum to be split (option split=chip)")  # fmt: skip


def inputs_of(step: Step) -> int:
    """Largest number of inputs of a unit, without biases."""
    match step.layer:
        case Convolution() as layer:
            return int(layer.table.sum(axis=1).max()) * layer.kernel[0] * layer.kernel[1]
        case FullConnection() as layer:
            return int(layer.weights_oi.shape[1])
        case Subsample() | Pool() as layer:
            return layer.window[0] * layer.window[1]
    return 1


def _lower(steps: Sequence[Step], prefix: str) -> list[ChipLayer]:
    """Chip layers in order; factors and offsets per map are folded into the layer before them."""
    layers: list[ChipLayer] = []
    for step in steps:
        layer = step.layer
        source = layers[-1].name if layers else INPUT
        if isinstance(layer, Affine) and layers and (folded := _folded(layers[-1], layer)) is not None:
            layers[-1] = folded
        elif isinstance(layer, Pool) and layer.mode == "max":
            layers += maximum.lower(step, prefix + layer.name, source)
        else:
            layers.append(_chip_layer(step, prefix + layer.name, source))
    return layers


def _folded(before: ChipLayer, affine: Affine) -> ChipLayer | None:
    scale, offset = as_floats(affine.scale_m), as_floats(affine.offset_m)
    if before.activation == NONE and before.post_scale_o is None and not before.on_states:
        bias = np.zeros(len(scale)) if before.bias is None else before.bias
        along = (slice(None),) + (None,) * (bias.ndim - 1)
        return replace(
            before,
            weights_oiyx=before.weights_oiyx * scale[:, None, None, None],
            bias=bias * scale[along] + offset[along],
            activation=affine.activation,
        )
    if affine.activation == NONE:
        old_scale = np.ones(len(scale)) if before.post_scale_o is None else before.post_scale_o
        old_offset = np.zeros(len(scale)) if before.post_offset_o is None else before.post_offset_o
        return replace(before, post_scale_o=old_scale * scale, post_offset_o=old_offset * scale + offset)
    return None


def _chip_layer(step: Step, name: str, source: str) -> ChipLayer:
    layer, shape = step.layer, step.input_shape
    stride, padding, padding_value = (1, 1), (0, 0, 0, 0), 0.0
    bias = None
    match layer:
        case Convolution():
            weights, table = as_floats(layer.weights_oiyx), layer.table
            mask = np.broadcast_to(table[:, :, None, None], weights.shape).copy()
            bias = None if layer.bias is None else as_floats(layer.bias)
            stride, padding, padding_value = layer.stride, layer.padding, layer.padding_value
        case FullConnection():
            weights = as_floats(layer.weights_oi).reshape(-1, *shape)
            mask = np.ones(weights.shape, dtype=bool)
            bias = None if layer.bias_o is None else as_floats(layer.bias_o)
        case Subsample():
            weights, mask = _one_map(layer.source, shape[0], layer.window, as_floats(layer.coefficient_o))
            bias, stride = as_floats(layer.bias_o), layer.window
        case Pool():
            share = np.full(shape[0], 1.0 / (layer.window[0] * layer.window[1]))
            weights, mask = _one_map(tuple(range(shape[0])), shape[0], layer.window, share)
            stride = layer.stride
        case Affine():
            weights, mask = _one_map(tuple(range(shape[0])), shape[0], (1, 1), as_floats(layer.scale_m))
            bias = as_floats(layer.offset_m)
        case _:
            raise AssertionError(f"{layer.name}: should have been refused")
    out: Shape = (len(weights), *conv_geometry(shape, (weights.shape[2], weights.shape[3]), stride, padding))
    assert out == step.output_shape, f"{name}: {out} is not {step.output_shape}"
    activation = getattr(layer, "activation", NONE)
    return ChipLayer(name, name, source, shape, out, weights, mask, bias, stride, padding, padding_value, activation)


def _one_map(source: Sequence[int], maps: int, window: tuple[int, int], value_o: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    weights = np.zeros((len(source), maps, *window))
    mask = np.zeros(weights.shape, dtype=bool)
    for o, i in enumerate(source):
        weights[o, i], mask[o, i] = value_o[o], True
    return weights, mask


__all__ = ["WEIGHTED", "Layer", "check", "inputs_of"]
