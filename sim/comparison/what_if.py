"""A drawn chip on which one layer has coarser weights, reads coarser states, or has no noise; everything else stays as it is.

A what-if: no chip is like that, and the program is not compiled for it. It changes only the synapses that weigh the layer's
inputs: constants, which carry its biases, and partial sums are left alone, since a compiler would fit them anew.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from anna.analog.silicon import Sigmas, Silicon
from anna.base.errors import DataError
from anna.chip import codes
from anna.chip.codes import Ints
from anna.chip.spec import ChipSpec
from anna.program.file import Program
from sim.comparison.confined import Confined, Place, places_of_layers

What = Literal["weight bits", "state bits", "noise"]


@dataclass(frozen=True)
class Change:
    """What is different in one layer: so many bits of its weights or of the states that it reads, or no noise."""

    layer: str
    what: What
    bits: int | None = None  # None for noise


@dataclass(frozen=True, eq=False)
class Layers:
    """Where a program's layers lie, row by row and synapse by synapse."""

    spec: ChipSpec
    rows: Mapping[str, Place]
    inputs_prc: NDArray[np.bool_]  # which synapses weigh an input, not a constant or a partial sum

    @classmethod
    def of(cls, program: Program) -> "Layers":
        """The layers of a compiled program; raises for one that was written by hand."""
        rows, taps = places_of_layers(program), program.links.get("taps")
        if not rows or taps is None:
            raise DataError(f"{program.name} was not compiled from a network, so its layers are not known; expected a program "
                            "of anna.compile")  # fmt: skip
        if program.spec.weight_levels != "mid-tread":
            raise DataError("weights of mid-rise levels have no coarser ones among them; expected weight_levels mid-tread")
        return cls(program.spec, rows, np.asarray(taps >= 0))

    def changes(self, fewer: int, noise: bool) -> Iterator[Change]:
        """All layers with up to so many bits fewer, and without noise."""
        for layer in self.rows:
            yield from (Change(layer, "weight bits", bits) for bits in _below(self.spec.weight_bits, 2, fewer))
            yield from (Change(layer, "state bits", bits) for bits in _below(self.spec.state_bits, 1, fewer))
            if noise:
                yield Change(layer, "noise")


def _below(bits: int, least: int, fewer: int) -> range:
    return range(bits - 1, max(least, bits - fewer) - 1, -1)


def coarser_codes(spec: ChipSpec, bits: int) -> Ints:
    """For each weight code the one that a weight of fewer bits, over the same range, comes nearest to; ties go up."""
    fine = codes.weight_converter(spec)
    coarse, step = replace(fine, bits=bits), 1 << (spec.weight_bits - bits)
    return fine.nearest(coarse.values(coarse.nearest(fine.values(np.arange(fine.size)) / step)) * step)


def coarser_steps(numerators: Ints, bits: int) -> Ints:
    """State steps (tables, levels) of so many bits: neighbouring codes drive a synapse alike, with their mean."""
    tables, levels = numerators.shape
    grouped = numerators.reshape(tables, 1 << bits, -1)
    return np.repeat(np.rint(grouped.mean(axis=2)).astype(np.int64), levels >> bits, axis=1)


class WhatIf(Confined):
    """Silicon with a change in one layer."""

    def __init__(self, real: Silicon, layers: Layers, change: Change) -> None:
        rows = layers.rows[change.layer]
        super().__init__(real, np.ones_like(rows))
        self._change, self._rows = change, rows
        self._synapses = layers.inputs_prc & rows[:, :, None]
        tables = super().state_tables()
        self._steps = self.numerators[None] if tables is None else np.asarray(tables[:-1])
        if change.what == "weight bits":
            self._codes = coarser_codes(layers.spec, change.bits or 0)

    def _coarser(self, weight_codes: Ints, rows: Ints, columns: Ints) -> Ints:
        if self._change.what != "weight bits":
            return weight_codes
        return np.where(self._synapses[self._pages, rows, columns], self._codes[weight_codes], weight_codes)

    def conducts(self, weight_codes: Ints, rows: Ints, columns: Ints) -> NDArray[np.bool_]:
        """Those of the coarser weights."""
        return super().conducts(self._coarser(weight_codes, rows, columns), rows, columns)

    def weights(self, weight_codes: Ints, rows: Ints, columns: Ints, ages_cycles: Ints) -> Ints:
        """The coarser weights."""
        return super().weights(self._coarser(weight_codes, rows, columns), rows, columns, ages_cycles)

    def thermal_sigma(  # type: ignore[override]
        self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints, synapses: Ints
    ) -> Sigmas | None:
        """None for the neurons of a quiet layer."""
        real = super().thermal_sigma(adcs, rows, groups, scale_codes, synapses)
        if real is None or self._change.what != "noise":
            return real
        return np.where(self._rows[self._pages, rows], np.float32(0), real)

    def state_tables(self) -> Any:
        """The real steps, then the coarser ones."""
        if self._change.what != "state bits":
            return super().state_tables()
        return np.vstack([self._steps, coarser_steps(self._steps, self._change.bits or 0)])

    def state_table_of(self, rows: Ints, columns: Ints) -> Ints:
        """The coarser one of each synapse that weighs an input of the layer."""
        if self._change.what != "state bits":
            return super().state_table_of(rows, columns)
        real = self._real.state_table_of(rows, columns)
        return np.where(self._synapses[self._pages, rows, columns], real + len(self._steps), real)
