"""Pass 2, digits: how many states carry each value, and how many copies of them there are.

`widened` makes every reader weigh all digits and copies of what it reads; `in_digits` gives every digit beyond the coarsest a
layer of its own, with the weights of the coarsest, that subtracts what the coarser digits stand for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from anna.base.errors import CompileError
from anna.compiler.ir import INPUT, ChipLayer, HostStage, Lowered, Member
from anna.compiler.ladder import ladder
from anna.compiler.options import CompileOptions
from anna.network.activations import Squash
from anna.network.graph import Convolution
from anna.network.parts import Shape

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
    members = tuple(_member(lowered, member, options, input_digits, word) for member in lowered.members)
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
    written = {member.prefix + one.output for member in lowered.members for stage in member.stages for one in stage.writings}
    layers = sorted({layer.origin for layer in lowered.layers} | written)
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


def _may_turn(member: Member, layer: ChipLayer) -> bool:
    """Whether a layer's maps may be carried upside down: sums of values read them, not steps of a maximum. A squash needs it
    not: its states lie about zero."""
    readers = [other for other in member.layers if layer.stack in other.reads]
    return not isinstance(layer.activation.curve.adc, Squash) and bool(readers) and not any(one.on_states for one in readers)


@dataclass(frozen=True)
class _Stack:
    """How the maps of a stack lie once there are digits and copies: where the copies of each begin, in one digit."""

    digits: int
    copies: int
    first: tuple[int, ...]
    width: int

    def of(self, maps: Sequence[int]) -> list[list[int]]:
        """Where all copies of some maps are."""
        return [[self.first[m] + copy for copy in range(self.copies)] for m in maps]


def _member(lowered: Lowered, member: Member, options: CompileOptions, input_digits: int, word: int) -> Member:
    stacks = _stacks(lowered, member, options, input_digits, word)

    def one(layer: ChipLayer) -> tuple[ChipLayer, ...]:
        source, own = stacks[layer.source], stacks[layer.stack]
        steps = _of(layer, options)[1]
        carried = None if layer.carry is None else stacks[layer.carry]
        in_values = layer.on_states and max(*_of(layer, options), own.copies, source.digits, source.copies) > 1
        synapses = 1 if layer.on_states and not in_values else _wanted(options.synapses, layer.origin)
        done = _copied(_read(layer, source, synapses), own)
        if layer.width:
            done = replace(done, place=own.first[layer.place], width=own.width)
        if layer.carries_values and carried is not None:
            maps = [carried.first[m] + copy % carried.copies for m in layer.carried_maps for copy in range(own.copies)]
            maps += maps[:1] * (done.output_shape[0] - len(maps))  # maps that fill words are never read
            done = replace(done, carry_maps=() if maps == list(range(carried.width)) else tuple(maps))
        done = replace(done, digits=own.digits, step_digits=steps)
        if in_values:
            done = replace(done, on_states=False, carries_values=True, lowest_border=True)
        return (
            replace(done, turned=options.balance and not done.on_states and not _has_codes(done) and _may_turn(member, layer)),
        )

    done = member.with_layers(one)
    steps = tuple(step if isinstance(step, ChipLayer) else _stage(member, step, stacks) for step in done.steps)
    return replace(done, steps=steps, tail=_stage(member, member.tail, stacks))


def _stacks(lowered: Lowered, member: Member, options: CompileOptions, input_digits: int, word: int) -> dict[str, _Stack]:
    """Each stack of a member: joined maps have as many digits and copies as the most of them ask for."""
    shapes = lowered.stacks
    found = {INPUT: _Stack(input_digits, 1, tuple(range(shapes[INPUT][0])), shapes[INPUT][0])}
    for stage in member.stages:
        for one in stage.writings:
            digits = _wanted(options.digits, member.prefix + one.output)
            found[one.stack] = _Stack(digits, 1, tuple(range(one.shape[0])), one.shape[0])
    writers: dict[str, list[ChipLayer]] = {}
    for layer in member.layers:
        writers.setdefault(layer.stack, []).append(layer)
    for stack, layers in writers.items():
        digits = max(_of(layer, options)[layer.on_states and layer.name != layer.origin] for layer in layers)
        copies = max(_wanted(options.copies, layer.origin) for layer in layers)
        fill = word if digits > 1 or layers[0].width else 1
        first, at = dict[int, int](), 0
        for layer in sorted(layers, key=lambda layer: layer.place):
            for m in range(layer.output_shape[0]):
                first[layer.place + m] = at
                at += copies
            at += -at % fill
        found[stack] = _Stack(digits, copies, tuple(first[m] for m in range(len(first))), at)
    return found


def _stage(member: Member, stage: HostStage, stacks: Mapping[str, _Stack]) -> HostStage:
    """What the host does with the means of the copies that it reads, and the digits that it writes."""
    done = stage
    for number, (_, stack, maps) in enumerate(stage.readings):
        own = stacks[stack]
        wanted = own.of(maps or range(len(own.first)))
        if own.copies > 1 or (not maps and own.width != len(own.first)):
            share = np.zeros((len(wanted), own.width, 1, 1), np.float32)
            for o, places in enumerate(wanted):
                share[o, places] = 1.0 / own.copies
            mean = Convolution(_host_name(member, done, "copies"), share, None, share[:, :, 0, 0] != 0)
            done = done.through(number, mean)
            readings = list(done.readings)
            readings[number] = readings[number]._replace(maps=())
            done = replace(done, readings=tuple(readings))
        elif maps:
            readings = list(done.readings)
            readings[number] = readings[number]._replace(maps=tuple(place for places in wanted for place in places))
            done = replace(done, readings=tuple(readings))
    writings = tuple(one._replace(digits=stacks[one.stack].digits) for one in done.writings)
    return replace(done, writings=writings)


def _has_codes(layer: ChipLayer) -> bool:
    """Whether weights or states of a layer are codes of a quantised network, which the chip keeps."""
    return layer.steps_o is not None or layer.activation.kind == "rounded"


def _read(layer: ChipLayer, source: _Stack, synapses: int) -> ChipLayer:
    """A layer that reads all digits and copies of a stack, the coarsest of them by so many synapses."""
    maps = layer.input_shape[0]
    if (source.digits, source.copies, source.width, synapses) == (1, 1, maps, 1):
        return layer
    places = np.array(source.of(range(maps))).reshape(-1)

    def wide(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        each = np.zeros((len(array), source.width, *array.shape[2:]), array.dtype)
        each[:, places] = np.repeat(array, source.copies, axis=1)
        return np.tile(each, (1, synapses - 1 + source.digits, 1, 1))

    weights = wide(layer.weights_oiyx) / source.copies
    weights[:, : synapses * source.width] /= synapses
    shape = ((synapses - 1 + source.digits) * source.width, *layer.input_shape[1:])
    shared = (source.digits, source.copies, synapses) != (1, 1, 1)  # then its weights are parts of what they were
    return replace(layer, weights_oiyx=weights, mask_oiyx=wide(layer.mask_oiyx), input_shape=shape,
                   input_maps=source.width, synapses=synapses, steps_o=None if shared else layer.steps_o)  # fmt: skip


def _copied(layer: ChipLayer, own: _Stack) -> ChipLayer:
    """A layer with the copies of each map side by side, and maps without weights that fill a word: they read what their
    neighbour reads, so that one CALC makes them all."""
    maps = layer.output_shape[0] * own.copies
    end = (*own.first, own.width)[layer.place + layer.output_shape[0]]  # where the next maps begin
    extra = end - own.first[layer.place] - maps
    if (own.copies, extra) == (1, 0):
        return layer

    def more(array: np.ndarray[Any, Any] | None, filler: float = 0.0) -> Any:
        if array is None:
            return None
        return np.pad(np.repeat(array, own.copies, axis=0), ((0, extra), *((0, 0),) * (array.ndim - 1)), constant_values=filler)

    return replace(
        layer,
        copies=own.copies,
        weights_oiyx=more(layer.weights_oiyx),
        mask_oiyx=np.pad(np.repeat(layer.mask_oiyx, own.copies, axis=0), ((0, extra), *((0, 0),) * 3), mode="edge"),
        bias=more(layer.bias),
        post_scale_o=more(layer.post_scale_o, 1.0),  # a state of a map without inputs has a gain, too
        post_offset_o=more(layer.post_offset_o),
        steps_o=more(layer.steps_o, 1.0),
        output_shape=(maps + extra, *layer.output_shape[1:]),
    )


def in_digits(lowered: Lowered) -> Lowered:
    """The network with a layer for each digit, in the order in which they run; the host adds those that it reads."""
    members, shapes = [], lowered.stacks
    digits = {INPUT: lowered.input_digits} | {layer.stack: layer.digits for layer in lowered.layers}
    digits |= {one.stack: one.digits for member in lowered.members for stage in member.stages for one in stage.writings}
    for member in lowered.members:
        done = member.with_layers(digits_of)
        steps = [step if isinstance(step, ChipLayer) else _added(member, step, digits, shapes) for step in done.steps]
        members.append(replace(done, steps=tuple(steps), tail=_added(member, member.tail, digits, shapes)))
    return replace(lowered, members=tuple(members))


def _added(member: Member, stage: HostStage, digits: Mapping[str, int], shapes: Mapping[str, Shape]) -> HostStage:
    """A stage that first adds the digits of what it reads."""
    done = stage
    for number, (_, stack, maps) in enumerate(stage.readings):
        count, width = digits[stack], shapes[stack][0] // digits[stack]
        if count == 1 and not maps:
            continue
        picked = np.eye(width, dtype=np.float32)[list(maps or range(width))]
        ones = np.tile(picked, (1, count))[:, :, None, None]
        adding = Convolution(_host_name(member, done, "digits" if count > 1 else "maps"), ones, None, ones[:, :, 0, 0] != 0)
        done = done.through(number, adding)
        readings = list(done.readings)
        readings[number] = readings[number]._replace(maps=())
        done = replace(done, readings=tuple(readings))
    return done


def digits_of(layer: ChipLayer) -> tuple[ChipLayer, ...]:
    """The layers that make the digits of a layer's values."""
    finer = [replace(layer, name=f"{layer.name}.d{d + 1}", target=layer.stack, digit=d) for d in range(1, layer.digits)]
    return (layer, *finer)


def _host_name(member: Member, stage: HostStage, what: str) -> str:
    """A name that no layer of the network or of the stage has."""
    names, name = {layer.name for layer in (*member.graph.layers, *stage.layers)}, what
    while name in names:
        name += "_"
    return name
