"""Pass 3, calibrate: what every map of the float network holds for the calibration images, and the ranges to try.

The float maps are the target that the quantised maps are fitted to, layer by layer.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import CompileError, DataError
from anna.base.threads import cores, share
from anna.compiler import exact, integer
from anna.compiler.ir import INPUT, ChipLayer, Floats, HostStage, Lowered
from anna.compiler.options import CompileOptions
from anna.network.activations import NONE, Activation, Squash
from anna.network.forward import network_input, run_layer
from anna.network.images import image_keys

CARE = 15  # steps of how much an error matters: small whole numbers keep sums exact
PERCENT = 0.5  # of sums beyond each end of the range that "percentile" chooses
# Fractions of the full range that "least-squares" tries.
SHRINK = (1.0, 0.9, 0.8, 0.72, 0.64, 0.57, 0.5, 0.44, 0.38, 0.32, 0.26, 0.2)
WIDEN = (1.5, 3.0, 6.0, 12.0, 24.0)  # ranges for a straight sum on a squashing ADC, in units of its full range
MANY_LEVELS, HEADROOM = 1 << 12, 4.0  # from so many levels on, a range is so much wider than what the images need
OPEN = (1.0, 1.15, 1.3, 1.5, 1.75, 2.0, 2.3)  # half ranges that it tries for a squash, in units of 1 / slope


@dataclass(frozen=True, eq=False)
class FloatMaps:
    """Sums and outputs of one chip layer in the float network, (images, o, rows, columns)."""

    sums: Floats
    outputs: Floats
    activation: Activation  # what follows the sums
    complete: "FloatMaps | None" = None  # of a part: the complete sum

    def care(self, *where: Any) -> NDArray[np.uint8]:
        """How much an error of the sums matters there, 1 .. CARE; in a part, as much as in the complete sum."""
        of = self.complete or self
        return care_of(of.activation, of.sums[where])


@dataclass(frozen=True, eq=False)
class Calibration:
    """Float maps for the calibration images."""

    images: NDArray[np.generic]  # those used, as the network takes them
    keys: NDArray[np.uint64]  # identify each image
    input_values: Floats  # (images, maps, rows, columns), before leading factors and offsets
    maps: Mapping[str, FloatMaps]
    written: Mapping[str, Floats] = field(default_factory=dict)  # what the host writes to stacks

    @property
    def text(self) -> str:
        """The canonical text: the range of each layer's sums and outputs."""
        lines = [f"calibration on {len(self.images)} images"]
        for name, maps in self.maps.items():
            ends = [f"{part.min():.6g} to {part.max():.6g}" for part in (maps.sums, maps.outputs)]
            lines.append(f"  {name}: sums {ends[0]}, outputs {ends[1]}")
        return "\n".join(lines)


def calibrate(lowered: Lowered, images: NDArray[np.generic] | None, options: CompileOptions) -> Calibration:
    """Run the calibration images through the float network."""
    graph = lowered.members[0].graph
    chosen = np.asarray(images)
    if chosen.ndim == 0 or len(chosen) == 0:
        raise CompileError([
            f"{lowered.network.name}: no calibration images were given; pass some of the images it was trained for "
            "(calibration=...), a few hundred are enough"
        ])  # fmt: skip
    if len(chosen) > options.calibration_count:
        chosen = chosen[evenly(len(chosen), options.calibration_count)]
    try:
        entered = network_input(graph, chosen, np.float32)
        for before in lowered.before:
            entered = run_layer(before, entered)[1]
        values = np.ascontiguousarray(entered.transpose(3, 0, 1, 2).astype(np.float64))
    except DataError as error:
        raise CompileError([f"{lowered.network.name}: calibration {error}"]) from None
    maps: dict[str, FloatMaps] = {}
    written: dict[str, Floats] = {}
    for member in lowered.members:
        scale, offset = member.input_scale_m, member.input_offset_m
        stacks = {INPUT: values * scale[:, None, None] + offset[:, None, None]}
        by_name = {layer.name: layer for layer in member.layers}
        for step in member.steps:
            if isinstance(step, HostStage):
                found = float_stage(step, stacks | {INPUT: values})
                written |= found
                stacks |= found
                continue
            maps[step.name] = float_layer(step, stacks[step.source], _carried(step, maps, stacks))
            part = step
            while part.carry is not None and not (part.on_states or part.carries_values):
                # An error in a part matters as much as one in the complete sum.
                maps[part.carry] = replace(maps[part.carry], complete=maps[step.name])
                part = by_name[part.carry]
            shape = (len(values), step.stack_width, *step.output_shape[1:])
            into = stacks.setdefault(step.stack, np.zeros(shape) if step.width else maps[step.name].outputs)
            into[:, step.place : step.place + step.output_shape[0]] = maps[step.name].outputs
    return Calibration(chosen, image_keys(chosen), values, maps, written)


def _carried(layer: ChipLayer, maps: Mapping[str, FloatMaps], stacks: Mapping[str, Floats]) -> Floats | None:
    """What a layer adds to its sums."""
    if layer.carry is None:
        return None
    if layer.on_states or layer.carries_values:
        carried = stacks[layer.carry]
        found: Floats = layer.carry_sign * (carried[:, list(layer.carry_maps)] if layer.carry_maps else carried)
        return found
    return layer.carry_sign * maps[layer.carry].sums


def float_stage(stage: HostStage, stacks: Mapping[str, Floats]) -> dict[str, Floats]:
    """What the host writes, given what the float network's stacks hold (images, maps, rows, columns)."""
    held: dict[str, Any] = {}
    for name, stack, maps in stage.readings:
        read = stacks[stack] if not maps else stacks[stack][:, list(maps)]
        held[name] = np.ascontiguousarray(read.transpose(1, 2, 3, 0).astype(np.float32))
    for layer, inputs in stage.pairs:
        held[layer.name] = run_layer(layer, *(held[one] for one in inputs))[1]
    return {one.stack: held[one.output].transpose(3, 0, 1, 2).astype(np.float64) for one in stage.writings}


def evenly(count: int, wanted: int) -> NDArray[np.int64]:
    """Which `wanted` of `count` images to take: one from each of `wanted` equal shares, at a pseudorandom place in it, since
    an even step may coincide with their order (classes in turn). Always the same numbers."""
    number = np.arange(wanted, dtype=np.int64)
    mixed = (number.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)  # the mixing of SplitMix64
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    part = (mixed >> np.uint64(40)).astype(np.int64)  # 24 bits
    chosen: NDArray[np.int64] = number * count // wanted + (part * (count // wanted) >> 24)
    return chosen


def float_layer(layer: ChipLayer, inputs: Floats, carried: Floats | None = None) -> FloatMaps:
    """One chip layer in floats (20-bit operands, exact sums)."""
    out = layer.output_shape
    weights = layer.value_weights_oiyx.reshape(out[0], -1)
    sums = np.empty((len(inputs), *out))
    top, bottom, left, right = layer.padding
    lowest = layer.on_states or layer.lowest_border
    if any(layer.padding):
        around = ((0, 0), (0, 0), (top, bottom), (left, right))
        inputs = np.pad(inputs, around, constant_values=float(inputs.min()) if lowest else layer.padding_value)
    # 20 + 20 bits and up to 2^13 nonzero terms stay below 2^53: whole numbers, exact in any order.
    assert int(layer.inputs_o.max()) <= 1 << 13, f"{layer.name}: a sum of more than 8192 inputs"
    fixed_inputs, power = exact.fixed(inputs)
    weights_ot, more = exact.fixed(weights)
    used = integer.used_taps(weights)
    weights_ot = weights_ot[:, used]

    def add_up(piece: slice) -> None:
        found = weights_ot @ integer.patches(layer, fixed_inputs[piece])[used]
        sums[piece] = found.reshape(out[0], -1, *out[1:]).swapaxes(0, 1)

    share(add_up, integer.pieces(layer, len(inputs)), cores())
    sums = exact.scaled(sums, -(power + more))
    if carried is not None:
        sums += carried
    if layer.bias is not None:
        sums += layer.bias[:, None, None] if layer.bias.ndim == 1 else layer.bias
    outputs = float_value(layer.activation, sums)
    if layer.post_scale_o is not None and layer.post_offset_o is not None:
        outputs = outputs * layer.post_scale_o[:, None, None] + layer.post_offset_o[:, None, None]
    return FloatMaps(sums, outputs, layer.activation)


def care_of(activation: Activation, sums: Floats) -> NDArray[np.uint8]:
    """The squared slope of an activation, in CARE steps; at least one, so that a saturated sum stays saturated."""
    slope = activation.curve.slope(sums, float_value(activation, sums))
    care: NDArray[np.uint8] = np.maximum(1, np.rint(slope * slope * CARE)).astype(np.uint8)
    return care


def float_value(activation: Activation, sums: Floats) -> Floats:
    """The activation of exact sums as the float network computes it, in 32 bits."""
    value: Floats = activation.value(sums.astype(np.float32)).astype(np.float64)
    return value


# --- ranges ----------------------------------------------------------------------------------------------------------
def cuts_below(activation: Activation) -> bool:
    """Whether the ADC's range must begin where the activation's does: what lies below is cut off."""
    adc = activation.curve.adc
    return adc is not None and not isinstance(adc, Squash) and math.isfinite(adc.low) and not math.isfinite(adc.high)


def with_headroom(low: Floats, high: Floats, levels: int) -> tuple[Floats, Floats]:
    """A range with room for values beyond those seen, where there are so many levels that it costs nothing."""
    room = (HEADROOM - 1.0) * (high - low) / 2 * (levels >= MANY_LEVELS)
    return low - room, high + room


def ranges(layer: ChipLayer, sums_n: Floats, method: str, squash_adc: bool, levels: int) -> list[tuple[float, float]]:
    """Ranges (low, high) of a map's sums that an ADC of so many levels may span, the simplest first."""
    low, high = (float(end) for end in with_headroom(sums_n.min(), sums_n.max(), levels))
    if layer.surround is not None and levels >= MANY_LEVELS and layer.activation == NONE and layer.post_scale_o is None:
        low, high = min(low, layer.surround), max(high, layer.surround)
    adc = layer.activation.curve.adc
    assert adc is not None, f"{layer.name}: should have been refused"
    if levels >= MANY_LEVELS and not (squash_adc or isinstance(adc, Squash)):  # what is cut off costs more than a coarser LSB
        method = "max"
    if method != "max":
        beyond = int(len(sums_n) * PERCENT / 100)
        ends = beyond, len(sums_n) - 1 - beyond
        parted = np.partition(sums_n, ends)
        percentile = float(parted[ends[0]]), float(parted[ends[1]])
    if isinstance(adc, Squash):
        half = adc.half_range
        if squash_adc:
            return [(-half, half)]
        if method == "least-squares":
            open_ranges = [(-half * share, half * share) for share in OPEN]
            mean = (low + high) / 2
            return open_ranges + [(mean - (high - low) / 2 * share, mean + (high - low) / 2 * share) for share in SHRINK
                                  if (high - low) * share < 2 * half]  # fmt: skip
        return [(-half, half)]
    has_ends = math.isfinite(adc.low) or math.isfinite(adc.high)
    at_its_beginning = cuts_below(layer.activation)
    low, high = adc.low if at_its_beginning else max(low, adc.low), min(high, adc.high)
    if method == "percentile":
        low, high = max(low, percentile[0]), min(high, percentile[1])
    if high <= low:
        high = low + max(abs(low), 1.0) * 1e-3
    if squash_adc:
        # A straight sum uses the middle of a squashing range; the search finds how much of it.
        middle, half_width = (low + high) / 2, (high - low) / 2
        return [(middle - half_width * wide, middle + half_width * wide) for wide in WIDEN]
    if method != "least-squares":
        return [(low, high)]
    found = []
    for part in SHRINK:
        if at_its_beginning:
            found.append((low, low + (high - low) * part))
        else:
            middle, width = (low + high) / 2, (high - low) * part
            found.append((middle - width / 2, middle + width / 2))
    if not has_ends:
        found.append(percentile)
    return found
