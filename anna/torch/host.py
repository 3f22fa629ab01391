"""What the host does between and after the chip's layers: the values are those of anna's own arithmetic, to the bit, where no
die is drawn, and PyTorch's where one is; gradients are PyTorch's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from anna.board.host import digit_codes
from anna.chip import codes
from anna.chip.spec import ChipSpec
from anna.compiler.hosting import part_of, round_of
from anna.compiler.ir import HostStage
from anna.compiler.quantised import Meaning, QuantGraph
from anna.network.forward import run_layer
from anna.network.graph import Layer
from anna.torch.die import tensor
from anna.torch.layers import along, layer_value
from anna.torch.numbers import Numbers
from anna.torch.places import Lookups, host_place
from anna.torch.settled import Stacks
from anna.torch.straight import held_between, straight_through


class HostLayers:
    """The float layers of one stage, by its number, with current numbers."""

    def __init__(self, stage: int, layers: tuple[Layer, ...], found: Lookups) -> None:
        self.layers = layers
        self._found = {
            layer.name: {name: found[host_place(stage, layer.name), name] for name in layer.tensors} for layer in layers
        }
        # Arrays that no number moves stay what they are: an integer is no float.
        self._fixed = {
            layer.name: {name: torch.from_numpy(np.array(array)) for name, array in layer.tensors.items()
                         if not self._found[layer.name][name].keys}
            for layer in layers
        }  # fmt: skip

    def arrays(self, layer: Layer, numbers: Numbers, kind: torch.dtype) -> dict[str, Tensor]:
        """The arrays of a layer by name, for inputs of some type."""
        moved = {name: lookup.values(numbers) for name, lookup in self._found[layer.name].items() if lookup.keys}
        fixed = {name: one.to(kind) if one.is_floating_point() else one for name, one in self._fixed[layer.name].items()}
        return fixed | moved

    def current(self, numbers: Numbers) -> tuple[Layer, ...]:
        """The layers as anna's own, with current numbers."""
        found = []
        for layer in self.layers:
            moved = {name: lookup.values(numbers).detach().float().numpy()
                     for name, lookup in self._found[layer.name].items() if lookup.keys}  # fmt: skip
            found.append(replace(layer, **moved) if moved else layer)
        return tuple(found)


class HostBefore:
    """Float layers between the image and the first states."""

    def __init__(self, layers: HostLayers) -> None:
        self.layers = layers

    def __call__(self, numbers: Numbers, x: Tensor, exact: bool) -> Tensor:
        value = x
        for layer in self.layers.layers:
            value = layer_value(layer, self.layers.arrays(layer, numbers, x.dtype), value)
        if not (exact and self.layers.layers):
            return value
        found = np.ascontiguousarray(x.detach().numpy().transpose(1, 2, 3, 0).astype(np.float32))
        for layer in self.layers.current(numbers):
            _, found = run_layer(layer, found)
        return straight_through(value, torch.from_numpy(np.ascontiguousarray(found.transpose(3, 0, 1, 2))))


class HostPlace:
    """One stage: a round that writes states, or a tail that gives results."""

    def __init__(self, stage: HostStage, layers: HostLayers, quantised: QuantGraph) -> None:
        self.stage, self.layers, self.quantised = stage, layers, quantised
        self.spec = quantised.spec

    def values(self, numbers: Numbers, stacks: Stacks) -> dict[str, Tensor]:
        """All that it reads and computes, by PyTorch."""
        held: dict[str, Tensor] = {}
        for name, stack, _ in self.stage.readings:
            meaning = self.quantised.meaning_of(stack)
            held[name] = stacks(stack) * along(tensor(meaning.gain_m / 2)) + along(tensor(meaning.offset_m))
        for layer, inputs in self.stage.pairs:
            xs = [held[one] for one in inputs]
            held[layer.name] = layer_value(layer, self.layers.arrays(layer, numbers, xs[0].dtype), *xs)
        return held

    def results(self, numbers: Numbers, stacks: Stacks, exact: bool) -> list[Tensor]:
        """What a tail gives, the scores first (images, maps, rows, columns)."""
        held = self.values(numbers, stacks)
        ends = self.stage.ends
        if not exact:
            return [held[name] for name in ends]
        shapes, meaning_of = self.quantised.lowered.stacks, self.quantised.meaning_of
        part = part_of(self._current(numbers), shapes, meaning_of)
        given = part.run(self.spec, self._codes(stacks))
        return [straight_through(held[name], torch.from_numpy(own)) for name, own in zip(ends, given.values(), strict=True)]

    def written(self, numbers: Numbers, stacks: Stacks, exact: bool, relaxed: bool) -> dict[str, Tensor]:
        """The numerators of the stacks that a round writes."""
        held, found = self.values(numbers, stacks), dict[str, Tensor]()
        own: Mapping[str, NDArray[Any]] = {}
        if exact:
            shapes, meaning_of = self.quantised.lowered.stacks, self.quantised.meaning_of
            own = round_of(self._current(numbers), shapes, meaning_of).codes(self.spec, self._codes(stacks))
        for one in self.stage.writings:
            found[one.stack] = states_of(
                held[one.output], self.quantised.meaning_of(one.stack), self.spec, own.get(one.stack), relaxed
            )
        return found

    def _current(self, numbers: Numbers) -> HostStage:
        return replace(self.stage, layers=self.layers.current(numbers))

    def _codes(self, stacks: Stacks) -> dict[str, NDArray[Any]]:
        """The codes of the stacks that it reads."""
        kind = np.uint8 if self.spec.state_bits <= 8 else np.uint16
        first = int(codes.state_converter(self.spec).numerators[0])
        return {one.stack: ((stacks(one.stack).detach().numpy() - first) / 2).astype(kind) for one in self.stage.readings}


def states_of(
    values: Tensor, meaning: Meaning, spec: ChipSpec, own: NDArray[Any] | None = None, relaxed: bool = False
) -> Tensor:
    """The numerators of the states that the host makes of values (images, maps, rows, columns), digit by digit; `own` are
    their codes, if they are known. The gradient is that of the coarsest digit: a finer one takes what it leaves."""
    numerators, maps = codes.state_converter(spec).numerators, values.shape[1]
    if own is None:
        own = digit_codes(spec, meaning.gain_m, meaning.offset_m, meaning.digits, values.detach().double().numpy())
    found = tensor(numerators[own])
    if not values.requires_grad and not relaxed:
        return found
    gain, offset = tensor(meaning.gain_m[:maps]), tensor(meaning.offset_m[:maps])
    low, high = float(numerators[0]) - 1, float(numerators[-1]) + 1
    relaxed_states = (values - along(offset)) / along(gain / 2)
    if relaxed:
        return torch.cat([relaxed_states.clamp(low, high), found[:, maps:].to(values.dtype)], 1)
    with torch.no_grad():
        slope = held_between(relaxed_states, low, high)[1].mul_(along(2.0 / gain))
    coarsest = straight_through(values, found[:, :maps], slope)
    return coarsest if meaning.digits == 1 else torch.cat([coarsest, found[:, maps:]], 1)
