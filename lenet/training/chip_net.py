"""A network of the catalogue as the chip computes it, for the training loop here: `anna.torch` with a pass at a time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from anna.analog.parameters import CAUSES, Analog
from anna.compiler.options import CompileOptions
from anna.network.graph import Graph
from anna.torch import ChipModule
from lenet.training.recipes import ForChip

# Weights are trained rounded, so the compiler's search for a better rounding does not apply.
OPTIONS = CompileOptions(round="nearest", check_count=0)


class ChipNet(ChipModule):
    """Maps prepared images to the scores of the chip and its host; its parameters are those of the float network."""

    def __init__(self, graph: Graph, how: ForChip) -> None:
        analog = Analog.preset(how.analog)
        for cause in CAUSES:
            analog = analog.scaled(cause, how.strength)
        super().__init__(graph, OPTIONS, analog=analog)
        self.graph, self.range_digits = graph, how.range_digits

    def to_graph(self) -> Graph:
        """The float network with the current weights."""
        found = super().to_graph()
        assert isinstance(found, Graph)
        return found

    def begin_pass(self, images: npt.NDArray[np.uint8], key: tuple[int, ...]) -> None:
        """Settles on some of the images, and seeds the chips and noise of a pass from its key."""
        count = min(self.range_digits, len(images))
        self.settle(images[np.arange(count) * len(images) // count])
        self.generator = torch.Generator().manual_seed(int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> 1))
