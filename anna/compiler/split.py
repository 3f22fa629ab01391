"""Pass 2, split: a sum over more inputs than a neuron has becomes parts, each converted, and a neuron that joins them.

Each part pays the ADC: its partial sum leaves as a state of few bits. The parts of a unit lie next to each other, so that
the joining neuron reads them from one register.
"""

from dataclasses import replace
from itertools import pairwise
from typing import TypeVar

import numpy as np

from anna.compiler.ir import ChipLayer, Lowered
from anna.layer_parts import NONE
from anna.spec import ChipSpec

T = TypeVar("T")
BIAS_COLUMNS = 2  # reserved in every register, for constants that carry the bias


def capacity(spec: ChipSpec) -> int:
    """Inputs that a neuron of the largest fan-in has beside its bias."""
    rows = max(1, spec.max_inputs // spec.columns)
    return rows * max(1, spec.columns - BIAS_COLUMNS)


def split(lowered: Lowered, spec: ChipSpec) -> Lowered:
    """The same network with every sum within the chip's fan-in."""
    members = []
    for member in lowered.members:
        layers: list[ChipLayer] = []
        for layer in member.layers:
            layers.extend(split_layer(layer, spec))
        members.append(replace(member, layers=tuple(layers)))
    return replace(lowered, members=tuple(members))


def split_layer(layer: ChipLayer, spec: ChipSpec) -> tuple[ChipLayer, ...]:
    """The layer itself, or its parts and their join."""
    limit = capacity(spec)
    if int(layer.inputs_o.max()) <= limit:
        return (layer,)
    groups = _parts(layer, limit)
    parts = len(groups)
    maps = len(layer.weights_oiyx)
    mask = np.zeros((maps, parts, *layer.mask_oiyx.shape[1:]), dtype=bool)
    for part, group in enumerate(groups):
        for i, y in group:
            mask[:, part, i, y] = layer.mask_oiyx[:, i, y]
    flat = mask.reshape(maps * parts, *layer.mask_oiyx.shape[1:])
    weights = np.repeat(layer.weights_oiyx, parts, axis=0) * flat
    out = layer.output_shape
    first = replace(
        layer, name=f"{layer.name}.parts", weights_oiyx=weights, mask_oiyx=flat, bias=None, activation=NONE, role="part",
        output_shape=(maps * parts, *out[1:]), post_scale_o=None, post_offset_o=None,
    )  # fmt: skip
    join = np.zeros((maps, maps * parts, 1, 1), dtype=bool)
    for o in range(maps):
        join[o, o * parts : (o + 1) * parts] = True
    # A map that a part does not touch still has that part: its sum is nothing.
    second = replace(
        layer, source=first.name, input_shape=first.output_shape, weights_oiyx=join.astype(np.float64), mask_oiyx=join,
        stride=(1, 1), padding=(0, 0, 0, 0), padding_value=0.0, role="join",
    )  # fmt: skip
    return first, second


def _parts(layer: ChipLayer, limit: int) -> list[list[tuple[int, int]]]:
    """Strips (map, row of the window) in the fewest parts of nearly equal size that keep every sum within the limit.

    Cuts fall between whole maps where that takes no more parts: windows of whole maps load most plainly.
    """
    strips = [(int(i), int(y)) for i, y in np.argwhere(layer.mask_oiyx.any(axis=(0, 3)))]
    maps = sorted({i for i, _ in strips})
    parts = -(-int(layer.inputs_o.max()) // limit)
    while True:
        by_map = [[strip for strip in strips if strip[0] in ids] for ids in _shares(maps, parts)]
        for groups in (by_map, _shares(strips, parts)):
            if all(groups) and max(_inputs(layer, group) for group in groups) <= limit:
                return groups
        if parts >= len(strips):
            return [[strip] for strip in strips]  # a single strip beyond the limit is refused by place
        parts += 1


def _shares(items: list[T], parts: int) -> list[list[T]]:
    """Consecutive shares whose sizes differ by one at most."""
    edges = [len(items) * part // parts for part in range(parts + 1)]
    return [items[a:b] for a, b in pairwise(edges)]


def _inputs(layer: ChipLayer, group: list[tuple[int, int]]) -> int:
    """Most inputs that a unit has among some strips."""
    return int(sum(layer.mask_oiyx[:, i, y].sum(axis=1) for i, y in group).max())
