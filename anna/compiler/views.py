"""Values as views: the maps of a stack that carry them, until it is known which stacks lie in which.

A layer is lowered as if every value were a stack of its own. In the end its windows are widened to the stack that the value
lies in, and the maps of others stay out of its mask.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from anna.compiler.ir import INPUT, ChipLayer, Floats, HostStage, Reading
from anna.network.activations import NONE
from anna.network.parts import Shape

Homes = Mapping[str, tuple[str, int]]


class View(NamedTuple):
    """Maps of a stack, in the order of a value's."""

    stack: str
    maps: tuple[int, ...]

    def at_home(self, homes: Homes) -> "View":
        """The same in the stack that its own lies in."""
        if self.stack not in homes:
            return self
        stack, first = homes[self.stack]
        return View(stack, tuple(first + m for m in self.maps))


@dataclass(eq=False)
class Draft:
    """A layer being made: what it reads, and what it adds."""

    layer: ChipLayer
    view: View
    carried: View | None = None

    def can_add(self, shape: Shape) -> bool:
        """Whether its neurons may add another value before they convert."""
        layer = self.layer
        return (
            layer.output_shape == shape and layer.activation == NONE and layer.post_scale_o is None and layer.carry is None
            and not layer.on_states and layer.bias_kind != "unit"
        )  # fmt: skip


def resolved(
    steps: Sequence[Draft | HostStage], tail: HostStage, homes: Homes, widths: Mapping[str, int], shape: Shape
) -> tuple[tuple[ChipLayer | HostStage, ...], HostStage]:
    """Layers and stages that read and write stacks where these lie; the image has a shape."""
    drafts = [one if isinstance(one, HostStage) else _at_home(one, homes, widths) for one in steps]
    found = list[ChipLayer | HostStage]()
    copies = dict[tuple[str, object], str]()
    borders = dict[str, object]()  # the border that each stack is read with
    last = {one.stack: k for k, one in enumerate(drafts) if isinstance(one, ChipLayer)}  # that writes to each stack
    shapes = {INPUT: shape, **{one.stack: one.output_shape for one in drafts if isinstance(one, ChipLayer)}}

    def read(stage: HostStage, also: Callable[[str], bool]) -> HostStage:
        """A stage whose readings are at home; of a stack that is not complete, or not the host's to read, it reads copies."""
        readings = list(_reading_at_home(stage, homes, widths).readings)
        for number, reading in enumerate(readings):
            if also(reading.stack):
                copy = _picked(f"{reading.stack}.copy{len(found)}", reading, shapes, widths)
                found.append(copy)
                readings[number] = Reading(reading.name, copy.name)
        return replace(stage, readings=tuple(readings))

    for k, one in enumerate(drafts):
        if isinstance(one, HostStage):
            found.append(read(one, lambda stack: last.get(stack, -1) > k))  # noqa: B023
            continue
        border = "lowest" if one.on_states else one.padding_value
        if any(one.padding) and borders.setdefault(one.source, border) != border:
            key = (one.source, border)
            if key not in copies:
                copies[key] = f"{one.origin}.copy"
                found.append(_copy(copies[key], one))
            one = replace(one, source=copies[key])
        found.append(one)
    tail = read(tail, lambda stack: stack == INPUT)
    around = {one.source: one.padding_value for one in found
              if isinstance(one, ChipLayer) and any(one.padding) and not one.on_states}  # fmt: skip
    return tuple(replace(one, surround=around.get(one.stack)) if isinstance(one, ChipLayer) else one for one in found), tail


def _at_home(draft: Draft, homes: Homes, widths: Mapping[str, int]) -> ChipLayer:
    layer, view = draft.layer, draft.view.at_home(homes)
    if layer.name in homes:
        stack, place = homes[layer.name]
        layer = replace(layer, target=stack, place=place, width=widths[stack])
    width = widths[view.stack]
    if view.maps != tuple(range(width)):
        weights = np.zeros((len(layer.weights_oiyx), width, *layer.kernel))
        mask = np.zeros(weights.shape, dtype=bool)
        for number, m in enumerate(view.maps):  # a map may be seen twice
            weights[:, m] += layer.weights_oiyx[:, number]
            mask[:, m] |= layer.mask_oiyx[:, number]
        layer = replace(layer, weights_oiyx=weights, mask_oiyx=mask, input_shape=(width, *layer.input_shape[1:]))
    layer = replace(layer, source=view.stack)
    if draft.carried is not None:
        carried = draft.carried.at_home(homes)
        own = carried.maps == tuple(range(widths[carried.stack]))
        layer = replace(layer, carry=carried.stack, carry_maps=() if own else carried.maps)
    return layer


def giving(name: str, origin: str, source: str, shape: Shape, factors_oi: Floats) -> ChipLayer:
    """Neurons that give single maps of a stack of some shape as they are, or a multiple of them."""
    weights = factors_oi[:, :, None, None]
    out = (len(weights), *shape[1:])
    return ChipLayer(name, origin, source, shape, out, weights, weights != 0, None, (1, 1), (0, 0, 0, 0), 0.0, NONE)


def _copy(name: str, reader: ChipLayer) -> ChipLayer:
    """The maps that a layer reads once more, for a border of its own."""
    shape = reader.input_shape
    return giving(name, reader.origin, reader.source, shape, np.eye(shape[0]) * reader.mask_oiyx.any(axis=(0, 2, 3)))


def _picked(name: str, reading: Reading, shapes: Mapping[str, Shape], widths: Mapping[str, int]) -> ChipLayer:
    """The maps that the host reads as a stack of their own."""
    width, size = widths[reading.stack], shapes[reading.stack][1:]
    return giving(name, name, reading.stack, (width, *size), np.eye(width)[list(reading.maps or range(width))])


def _reading_at_home(stage: HostStage, homes: Homes, widths: Mapping[str, int]) -> HostStage:
    readings = []
    for name, stack, maps in stage.readings:
        view = View(stack, maps).at_home(homes)
        whole = view.maps == tuple(range(widths[view.stack]))
        readings.append(Reading(name, view.stack, () if whole else view.maps))
    return replace(stage, readings=tuple(readings))
