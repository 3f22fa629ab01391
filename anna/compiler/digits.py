"""Pass 2, digits: how many states carry each value, and how many copies of them there are.

`widened` makes every reader weigh all digits and copies of what it reads; `in_digits` gives every digit beyond the coarsest a
layer of its own, with the weights of the coarsest, that subtracts what the coarser digits stand for.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from anna.base.errors import CompileError
from anna.compiler.calibrate import cuts_below
from anna.compiler.ir import INPUT, ChipLayer, Lowered, Member
from anna.compiler.ladder import ladder
from anna.compiler.options import CompileOptions
from anna.network.graph import Convolution

STEPS = ".steps"  # after a layer's name: its partial sums, or the steps of its maximum


def widened(lowered: Lowered, options: CompileOptions) -> Lowered:
    """The network with digits and copies as the options say."""
    reasons = _unknown(lowered, options)
    if reasons:
        raise CompileError(reasons)
    input_digits = _wanted(options.digits, INPUT)
    most = max([input_digits, *(max(_of(layer, options)) for layer in lowered.layers)])
    if most > 1:
        ladder(options.chip, most, options.overlap)  # refused here, if the chip has none
    word = options.chip.word_states if options.sequencer.aligned else 1
    members = tuple(_member(member, options, input_digits, word) for member in lowered.members)
    return replace(lowered, members=members, input_digits=input_digits)


def _wanted(choice: int | Mapping[str, int], name: str, default: str | None = None) -> int:
    """The choice for a name; where there is none, that for a default, for all the others, or one."""
    if isinstance(choice, int):
        return choice
    keys = [key for key in (name, default, "others") if key is not None and key in choice]
    return choice[keys[0]] if keys else 1


def _of(layer: ChipLayer, options: CompileOptions) -> tuple[int, int]:
    """Digits of a layer's results, and of its steps."""
    whole = _wanted(options.digits, layer.origin)
    return whole, _wanted(options.digits, layer.origin + STEPS, layer.origin)


def _unknown(lowered: Lowered, options: CompileOptions) -> list[str]:
    """Names that no layer of the chip has."""
    layers = sorted({layer.origin for layer in lowered.layers})
    known = {INPUT, "others", *layers, *(name + STEPS for name in layers)}
    found = []
    for option, choice in (("digits", options.digits), ("copies", options.copies), ("synapses", options.synapses)):
        for name in () if isinstance(choice, int) else choice:
            if name not in known or (option != "digits" and (name == INPUT or name.endswith(STEPS))):
                more = f", {INPUT}, or a layer's name with {STEPS}" if option == "digits" else ""
                found.append(
                    f"option {option}: {name!r} names no layer of the chip; expected one of {', '.join(layers)}, others{more}"
                )
    return found


def _member(member: Member, options: CompileOptions, input_digits: int, word: int) -> Member:
    layers: list[ChipLayer] = []
    made: dict[str, ChipLayer] = {}
    for layer in member.layers:
        whole, steps = _of(layer, options)
        source = made.get(layer.source)
        read = (input_digits, 1) if source is None else (source.digits, source.copies)
        is_step = layer.on_states and layer.name != layer.origin
        digits, copies = steps if is_step else whole, _wanted(options.copies, layer.origin)
        in_values = layer.on_states and (max(whole, steps, copies, *read) > 1)
        synapses = 1 if layer.on_states else _wanted(options.synapses, layer.origin)
        done = _read(layer, *read, layer.input_shape[0] if source is None else source.output_shape[0], synapses)
        done = _copied(done, copies, word if digits > 1 else 1)
        done = replace(done, digits=digits, step_digits=steps)
        if in_values:
            done = replace(done, on_states=False, carries_values=True, lowest_border=True)
        if options.balance and _may_turn(member, layer):
            done = replace(done, turned=True)
        made[layer.name] = done
        layers.append(done)
    host, last = member.host, layers[-1]
    maps = member.layers[-1].output_shape[0]
    if last.copies > 1 or last.output_shape[0] != maps:
        share = np.zeros((maps, last.output_shape[0], 1, 1), np.float32)
        for o in range(maps):
            share[o, o * last.copies : (o + 1) * last.copies] = 1.0 / last.copies
        host = (Convolution(_host_name(member, "copies"), share, None, share[:, :, 0, 0] != 0), *host)
    return replace(member, layers=tuple(layers), host=host)


def _may_turn(member: Member, layer: ChipLayer) -> bool:
    """Whether a layer's maps may be carried upside down: where they are silent a rectifier's states are all at one end, and
    sums read them, not steps of a maximum."""
    stepped = any(other.on_states and layer.name in other.reads for other in member.layers)
    return cuts_below(layer.activation) and not layer.on_states and not stepped


def _read(layer: ChipLayer, digits: int, copies: int, maps: int, synapses: int) -> ChipLayer:
    """A layer that reads so many digits of so many copies, each digit `maps` maps with those that fill words, the coarsest of
    them by so many synapses."""

    def wide(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        each = np.repeat(array, copies, axis=1)
        each = np.pad(each, ((0, 0), (0, maps - each.shape[1]), (0, 0), (0, 0)))
        return np.tile(each, (1, synapses - 1 + digits, 1, 1))

    if (digits, copies, maps, synapses) == (1, 1, layer.input_shape[0], 1):
        return layer
    weights = wide(layer.weights_oiyx) / copies
    weights[:, : synapses * maps] /= synapses
    shape = ((synapses - 1 + digits) * maps, *layer.input_shape[1:])
    return replace(layer, weights_oiyx=weights, mask_oiyx=wide(layer.mask_oiyx), input_shape=shape, input_maps=maps,
                   synapses=synapses)  # fmt: skip


def _copied(layer: ChipLayer, copies: int, word: int) -> ChipLayer:
    """A layer with so many copies of each map side by side, and maps without inputs that fill a word."""
    maps = layer.output_shape[0] * copies
    extra = -maps % word
    if (copies, extra) == (1, 0):
        return layer

    def more(array: np.ndarray[Any, Any] | None, filler: float = 0.0) -> Any:
        if array is None:
            return None
        return np.pad(np.repeat(array, copies, axis=0), ((0, extra), *((0, 0),) * (array.ndim - 1)), constant_values=filler)

    return replace(
        layer,
        copies=copies,
        weights_oiyx=more(layer.weights_oiyx),
        mask_oiyx=more(layer.mask_oiyx),
        bias=more(layer.bias),
        post_scale_o=more(layer.post_scale_o, 1.0),  # a state of a map without inputs has a gain, too
        post_offset_o=more(layer.post_offset_o),
        output_shape=(maps + extra, *layer.output_shape[1:]),
    )


def in_digits(lowered: Lowered) -> Lowered:
    """The network with a layer for each digit, in the order in which they run; the host adds those of the last."""
    members = []
    for member in lowered.members:
        layers, last, host = [digit for layer in member.layers for digit in digits_of(layer)], member.layers[-1], member.host
        if last.digits > 1:
            ones = np.tile(np.eye(last.output_shape[0], dtype=np.float32), (1, last.digits))[:, :, None, None]
            host = (Convolution(_host_name(member, "digits"), ones, None, ones[:, :, 0, 0] != 0), *host)
        members.append(replace(member, layers=tuple(layers), host=host))
    return replace(lowered, members=tuple(members))


def digits_of(layer: ChipLayer) -> tuple[ChipLayer, ...]:
    """The layers that make the digits of a layer's values."""
    finer = [replace(layer, name=f"{layer.name}.d{d + 1}", target=layer.name, digit=d) for d in range(1, layer.digits)]
    return (layer, *finer)


def _host_name(member: Member, what: str) -> str:
    """A name that no layer of the network has."""
    names, name = {layer.name for layer in member.graph.layers}, what
    while name in names:
        name += "_"
    return name
