"""One chip in the training loop, seen only through its pins: how its states differ from those that the module expects.

The program of the current numbers runs on the chip, and the states of every stack that stays in memory are read. Given the
states that the chip itself feeds a layer, the module says what an ideal layer would give; the difference is the chip's
doing. In training it is added to the layer's states, for the images that were shown, while gradients pass as on the ideal
chip.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from anna.base.errors import DataError
from anna.chip import codes
from anna.compiler.ir import ChipLayer

if TYPE_CHECKING:
    from anna.chip.spec import ChipSpec
    from anna.machine.chip import Chip, Result
    from anna.program.file import Program


@dataclass(frozen=True, eq=False)
class Observed:
    """Differences of states, in half LSB, layer by layer, for some images; indexed like them."""

    differences: Mapping[str, Tensor]  # by name of the layer
    lowest: float  # states that there are
    highest: float
    images: int

    def __getitem__(self, chosen: Any) -> Observed:
        """Of some of the images."""
        some = {name: one[chosen] for name, one in self.differences.items()}
        count = len(torch.arange(self.images)[chosen])
        return Observed(some, self.lowest, self.highest, count)

    def __len__(self) -> int:
        return self.images

    def applied(self, layer: ChipLayer, states: Tensor) -> Tensor:
        """A layer's states as the chip would have them; gradients pass unchanged."""
        if layer.name not in self.differences:
            return states
        difference = self.differences[layer.name].to(states.dtype)
        if len(difference) != len(states):
            raise DataError(
                f"the chip was observed on {len(difference)} images and is applied to {len(states)}; give the same ones"
            )
        seen = (states.detach() + difference).clamp(self.lowest, self.highest)
        return states + (seen - states.detach())


class Watching:
    """In the place of an `Observed` while the module runs along with what was measured: collects the differences."""

    def __init__(self, measured: Mapping[str, Tensor]) -> None:
        self.differences: dict[str, Tensor] = {}
        self._measured = measured

    def applied(self, layer: ChipLayer, states: Tensor) -> Tensor:
        """What was measured, if the stack was read."""
        if layer.stack not in self._measured:
            return states
        maps = slice(layer.first_map, layer.first_map + layer.output_shape[0])
        measured = self._measured[layer.stack][:, maps].to(states.dtype)
        self.differences[layer.name] = measured - states
        return measured


def measured(chip: Chip, program: Program, images: Any, noise_seed: int) -> dict[str, Tensor]:
    """The states of every stack that a program leaves in memory, as numerators."""
    taps = [region.name for region in program.regions if region.kind == "map"]
    found: Result = chip.run(program, np.asarray(images), taps=taps, noise_seed=noise_seed)
    numerators = codes.state_converter(program.spec).numerators
    return {name: torch.from_numpy(numerators[part]).float() for name, part in {**found.codes, **found.maps}.items()}


def ends(spec: ChipSpec) -> tuple[float, float]:
    """The lowest and the highest state, as numerators."""
    numerators = codes.state_converter(spec).numerators
    return float(numerators[0]), float(numerators[-1])
