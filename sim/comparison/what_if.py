"""A drawn chip on which one layer has coarser weights, reads coarser states, or has no noise; everything else stays as it is.

A what-if: no chip is like that, and the program is not compiled for it. It changes only the synapses that weigh the layer's
inputs: constants, which carry its biases, and partial sums are left alone, since a compiler would fit them anew.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from anna.analog.silicon import Sigmas, Silicon
from anna.base.errors import DataError
from anna.chip import codes
from anna.chip.codes import Ints
from anna.chip.spec import ChipSpec
from anna.program.file import Codes, Program
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
    codes_prc: Codes  # of weights
    inputs_prc: NDArray[np.bool_]  # which synapses weigh an input, not a constant or a partial sum
    neurons_n3: Ints  # page, first row and rows of each neuron

    @classmethod
    def of(cls, program: Program) -> "Layers":
        """The layers of a compiled program; raises for one that was written by hand."""
        rows, taps = places_of_layers(program), program.links.get("taps")
        if not rows or taps is None:
            raise DataError(f"{program.name} was not compiled from a network, so its layers are not known; expected a program "
                            "of anna.compile")  # fmt: skip
        if program.spec.weight_levels != "mid-tread":
            raise DataError("weights of mid-rise levels have no coarser ones among them; expected weight_levels mid-tread")
        neurons = program.links["neurons"][:, 4:7].astype(np.int64)
        return cls(program.spec, rows, program.weight_codes, np.asarray(taps >= 0), neurons)

    def changes(self, fewer: int, noise: bool) -> Iterator[Change]:
        """All layers with up to so many bits fewer, and without noise."""
        for layer in self.rows:
            yield from (Change(layer, "weight bits", bits) for bits in _below(self.spec.weight_bits, 2, fewer))
            yield from (Change(layer, "state bits", bits) for bits in _below(self.spec.state_bits, 1, fewer))
            if noise:
                yield Change(layer, "noise")


def _below(bits: int, least: int, fewer: int) -> range:
    return range(bits - 1, max(least, bits - fewer) - 1, -1)


def coarser(values: Ints, step: int, largest: int) -> Ints:
    """Weights of one neuron as multiples of a step, each next to what it was, whose sum is as near as can be to what it was:
    those that lie highest between two levels go up. So a uniform image drives the neuron as before."""
    low: Ints = values // step
    above = values - low * step
    up = min(round(float(above.sum()) / step), int((low * step < largest).sum()))
    order = np.argsort(np.where(low * step < largest, -above, step), kind="stable")
    low[order[:up]] += 1
    return np.asarray(low * step)


def coarser_codes(layers: Layers, layer: str, bits: int) -> Ints:
    """The weight codes of a program of whose layer the weights have so many bits."""
    step, zero = 1 << (layers.spec.weight_bits - bits), codes.weight_converter(layers.spec).size // 2
    found = layers.codes_prc.astype(np.int64)
    for page, first, rows in layers.neurons_n3.tolist():
        if layers.rows[layer][page, first]:
            mine = found[page, first : first + rows]
            inputs = layers.inputs_prc[page, first : first + rows]
            mine[inputs] = zero + coarser(mine[inputs] - zero, step, zero - step)
    return found


def coarser_steps(numerators: Ints, bits: int) -> Ints:
    """State steps (tables, levels) of so many bits, evenly from end to end, so that states at an end, the commonest, drive a
    synapse as before: each code by the nearest of them, in whole units."""
    codes_of_levels = np.arange(numerators.shape[1])
    step = codes_of_levels[-1] / ((1 << bits) - 1)  # in codes
    nearest = np.rint(codes_of_levels / step) * step
    return np.stack([np.rint(np.interp(nearest, codes_of_levels, own)).astype(np.int64) for own in numerators])


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
            self._codes = coarser_codes(layers, change.layer, change.bits or 0)

    def _coarser(self, weight_codes: Ints, rows: Ints, columns: Ints) -> Ints:
        if self._change.what != "weight bits":
            return weight_codes
        there = self._synapses[self._pages, rows, columns]
        return np.asarray(np.where(there, self._codes[self._pages, rows, columns], weight_codes))

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
        return self._quiet(super().thermal_sigma(adcs, rows, groups, scale_codes, synapses), rows)

    def slow_sigma(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> Sigmas | None:  # type: ignore[override]
        """None for the neurons of a quiet layer."""
        return self._quiet(super().slow_sigma(adcs, rows, groups, scale_codes), rows)

    def _quiet(self, real: Sigmas | None, rows: Ints) -> Sigmas | None:
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
