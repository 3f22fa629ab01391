"""Pass 3, split: a sum over more inputs than a neuron has becomes a chain of parts.

Each part converts its partial sum, and the next part reads that state along with its own inputs. So a sum in n parts passes
n - 1 extra conversions, and no neurons are spent on joining. A partial sum lies on several columns, since one weight may be
too small for it. The last sums of a network, if on the chip, leave it in parts, and the host adds them.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from anna.chip.spec import ChipSpec
from anna.compiler.ir import ChipLayer, Lowered, Member
from anna.compiler.ladder import ladder
from anna.compiler.latch_packing import fits
from anna.compiler.options import CompileOptions
from anna.network.activations import NONE, SCALED_TANH, TANH
from anna.network.graph import Convolution

T = TypeVar("T")
BIAS_COLUMNS = 2  # least constants of a register
CARRY_COLUMNS = 3  # columns that hold a partial sum, at least
UNIT_COLUMNS = 3  # columns that hold the bias of a unit
CARRY_UNITS = 16  # units of a scan whose partial sums have room beside the inputs, at least


def capacity(spec: ChipSpec) -> int:
    """Inputs that a neuron of the largest fan-in has beside its bias."""
    if not spec.wide:
        return max(1, spec.max_inputs - BIAS_COLUMNS)
    rows = max(1, spec.max_inputs // spec.columns)
    return rows * max(1, spec.columns - BIAS_COLUMNS)


def split(lowered: Lowered, options: CompileOptions) -> Lowered:
    """The same network with every sum within the chip's fan-in."""
    return replace(lowered, members=tuple(_member(member, options) for member in lowered.members))


def _member(member: Member, options: CompileOptions) -> Member:
    last, tail, apart = member.plain, member.tail, dict[str, tuple[ChipLayer, ...]]()
    sums = last is not None and last.activation == NONE and last.post_scale_o is None and not last.carries_values
    if last is not None and last.digits > 1 and options.sequencer.aligned:  # maps that read different inputs share no word
        sums = False
    if last is not None and sums and not _one_piece(last, options):
        parts, joined = side_by_side(last, options)
        apart[last.name] = (parts,)
        tail = tail.through(0, joined)
        tail = replace(tail, readings=(tail.readings[0]._replace(stack=parts.name),))
    expanded = member.with_layers(lambda layer: apart.get(layer.name) or split_layer(layer, options))
    return replace(expanded, tail=tail)


def _one_piece(layer: ChipLayer, options: CompileOptions) -> bool:
    """Whether the sums of a layer need no splitting."""
    spec = options.chip
    if spec.wide:
        own = layer.digits > 1 or layer.carries_values
        return int(layer.inputs_o.max()) <= capacity(spec) - (own_columns(layer, options) if own else 0)
    units = own_columns(layer, options)
    constants = BIAS_COLUMNS if layer.carry is None or not layer.partial else 0
    return fits(layer, spec, options.sequencer, constants, units) or (
        goes_without_bias(layer) and fits(layer, spec, options.sequencer, 0, units)
    )


def own_columns(layer: ChipLayer, options: CompileOptions) -> int:
    """Columns that a unit may need for itself."""
    units = _columns_besides_digits(layer, options)
    if layer.digits > 1:
        steps = ladder(options.chip, layer.digits, options.overlap)
        units += int(steps.columns_k[digit_codes(layer, options)].max())
    return units


def _columns_besides_digits(layer: ChipLayer, options: CompileOptions) -> int:
    """The same, but for those that subtract coarser digits."""
    if layer.carry is not None:
        return sum(carry_columns(layer, options.chip, layer.step_digits))
    return UNIT_COLUMNS if layer.bias_kind == "unit" else 0


def carry_columns(layer: ChipLayer, spec: ChipSpec, digits: int) -> list[int]:
    """Columns of each digit of what a layer adds. In a step of a maximum it weighs as much as the inputs on all their synapses;
    a finer digit is worth less, by half the levels at least."""
    finer, synapses = 1 << (spec.state_bits - 1), layer.synapses if layer.lowest_border else 1
    return [max(CARRY_COLUMNS, synapses), *(max(1, -(-synapses // finer**d)) for d in range(1, digits))]


def digit_codes(layer: ChipLayer, options: CompileOptions) -> NDArray[np.int64]:
    """Scale codes that the coarsest digit of a layer may have: those with finer ones, and where memory takes the results of a
    word together those that leave room for the columns of them all."""
    spec, steps = options.chip, ladder(options.chip, layer.digits, options.overlap)
    codes_k = np.arange(steps.first, len(steps.columns_k), dtype=np.int64)
    if layer.digits == 1 or not options.sequencer.aligned:
        return codes_k
    room = (spec.columns - BIAS_COLUMNS) // spec.word_states - _columns_besides_digits(layer, options)
    return codes_k[steps.columns_k[codes_k] <= max(room, int(steps.columns_k[steps.first]))]


def goes_without_bias(layer: ChipLayer) -> bool:
    """Whether a layer may do without columns for a bias: it has none, and its ADC's range lies about zero."""
    return layer.bias is None and layer.activation.curve.offset == 0.0 and layer.activation in (NONE, SCALED_TANH, TANH)


def split_layer(layer: ChipLayer, options: CompileOptions) -> tuple[ChipLayer, ...]:
    """The layer itself, or its parts one after the other."""
    spec = options.chip
    if _one_piece(layer, options):
        return (layer,)
    limit = capacity(spec)
    beside = limit - CARRY_COLUMNS * min(CARRY_UNITS, max(1, spec.rows * spec.columns // spec.max_inputs))
    beside = min(max(beside, 1), max(1, int(layer.inputs_o.max()) - 1))
    while True:
        parts = _chain(layer, _parts(layer, beside))
        if spec.wide or beside <= 1 or all(_one_piece(part, options) for part in parts):
            return parts
        beside = beside * 15 // 16


def _chain(layer: ChipLayer, groups: Sequence[Sequence[tuple[int, int]]]) -> tuple[ChipLayer, ...]:
    """Parts of a layer that read these strips, each of which continues the sums of the one before."""
    done: list[ChipLayer] = []
    for number, group in enumerate(groups):
        mask = np.zeros_like(layer.mask_oiyx)
        for i, y in group:
            mask[:, i, y] = layer.mask_oiyx[:, i, y]
        part = replace(layer, mask_oiyx=mask)
        if done:  # what the layer itself carries is added in the first part
            part = replace(part, carry=done[-1].name, carry_sign=1, carries_values=False, carry_maps=())
        if number < len(groups) - 1:
            part = replace(part, name=f"{layer.name}.{number + 1}", bias=None, activation=NONE, partial=True,
                           post_scale_o=None, post_offset_o=None, digits=layer.step_digits, target="", place=0,
                           width=0)  # fmt: skip
        done.append(part)
    return tuple(done)


def side_by_side(layer: ChipLayer, options: CompileOptions) -> tuple[ChipLayer, Convolution]:
    """The parts of the last sums of a network as maps of their own, and the host layer that adds them in float."""
    limit = min(capacity(options.chip), int(layer.inputs_o.max()))
    while True:
        done = _beside(layer, _parts(layer, limit))
        if layer.digits == 1 or limit <= 1 or _one_piece(done[0], options):
            return done
        limit = limit * 15 // 16


def _beside(layer: ChipLayer, groups: Sequence[Sequence[tuple[int, int]]]) -> tuple[ChipLayer, Convolution]:
    """The same, of parts that read these strips."""
    maps, parts = len(layer.mask_oiyx), len(groups)
    mask = np.zeros((maps, parts, *layer.mask_oiyx.shape[1:]), dtype=bool)
    for part, group in enumerate(groups):
        for i, y in group:
            mask[:, part, i, y] = layer.mask_oiyx[:, i, y]
    flat = mask.reshape(maps * parts, *layer.mask_oiyx.shape[1:])
    adding = np.zeros((maps, maps * parts, 1, 1), dtype=np.float32)
    for o in range(maps):
        adding[o, o * parts : (o + 1) * parts] = 1.0
    bias = None if layer.bias is None else layer.bias.astype(np.float32)
    shape = (maps * parts, *layer.output_shape[1:])
    first = replace(layer, name=f"{layer.name}.parts", weights_oiyx=np.repeat(layer.weights_oiyx, parts, axis=0) * flat,
                    mask_oiyx=flat, bias=None, output_shape=shape,
                    steps_o=None if layer.steps_o is None else np.repeat(layer.steps_o, parts))  # fmt: skip
    return first, Convolution(layer.origin.rpartition(".")[2], adding, bias, adding[:, :, 0, 0] != 0)


def _parts(layer: ChipLayer, limit: int) -> list[list[tuple[int, int]]]:
    """Strips (map, row of the window) in the fewest parts of nearly equal size that keep every sum within the limit.

    Cuts fall between maps unless that takes more parts: windows of entire maps are the simplest to load. Otherwise strips are
    dealt out in turn: neighbouring rows look alike, so no partial sum grows far beyond the total.
    """
    one_digit, strips = layer.input_maps or layer.input_shape[0], dict[tuple[int, int], list[tuple[int, int]]]()
    for i, y in np.argwhere(layer.mask_oiyx.any(axis=(0, 3))).tolist():  # the digits of a map stay together
        strips.setdefault((i % one_digit, y), []).append((i, y))
    maps = sorted({i for i, _ in strips})
    parts = -(-int(layer.inputs_o.max()) // limit)
    while True:
        by_map = [[at for strip in strips if strip[0] in ids for at in strips[strip]] for ids in _shares(maps, parts)]
        dealt = [[at for strip in list(strips)[part::parts] for at in strips[strip]] for part in range(parts)]
        for groups in (by_map, dealt):
            if all(groups) and max(_inputs(layer, group) for group in groups) <= limit:
                return groups
        if parts >= len(strips):
            return list(strips.values())  # place refuses a single strip beyond the limit
        parts += 1


def _shares(items: list[T], parts: int) -> list[list[T]]:
    """Consecutive shares whose sizes differ by at most one."""
    edges = [len(items) * part // parts for part in range(parts + 1)]
    return [items[a:b] for a, b in pairwise(edges)]


def _inputs(layer: ChipLayer, group: list[tuple[int, int]]) -> int:
    """The most inputs that a unit has among some strips."""
    return int(sum(layer.mask_oiyx[:, i, y].sum(axis=1) for i, y in group).max())
