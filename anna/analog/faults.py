"""Faults: what is broken rather than imprecise, given place by place or by rate and seed.

    dead synapse     carries no current, whatever its weight
    stuck synapse    always shows the same weight
    dead neuron      one of the eight neuron circuits gets no current; its ADC converts zero and noise
    stuck bit        a bit of an ADC's code is always 0 or always 1
    RAM flip         a bit of the weight RAM reads as its opposite
    refresh stops    from a cycle of each page segment on, the capacitors are no longer written

The refresh stops in every image's segment alike, as if it had worked until then: images stay independent.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from anna.analog.draws import Draws, FaultKind
from anna.base.errors import SpecError
from anna.chip import codes
from anna.chip.codes import Floats, Ints
from anna.chip.spec import ChipSpec, Record, first_sentence


def _rate(note: str) -> Any:
    return Field(default=0.0, ge=0, le=1, description=note)


class Faults(Record):
    """What is broken on a die. Rates are drawn from this `seed`, not the die's; lists come on top."""

    dead_synapses: tuple[tuple[int, int], ...] = Field(default=(), description="row, column")
    stuck_synapses: tuple[tuple[int, int, float], ...] = Field(default=(), description="row, column, weight LSB")
    dead_neurons: tuple[int, ...] = Field(default=(), description="ADC")
    stuck_bits: tuple[tuple[int, int, int], ...] = Field(default=(), description="ADC, bit, 0 or 1")
    ram_flips: tuple[tuple[int, int, int, int], ...] = Field(default=(), description="page, row, column, bit")
    refresh_stops_at_cycle: int | None = Field(default=None, ge=0, lt=1 << 40, description="None: it never stops")

    seed: int = Field(default=0, ge=0, lt=1 << 64, description="what the rates are drawn from")
    dead_synapse_rate: float = _rate("share of the synapses")
    stuck_synapse_rate: float = _rate("share of the synapses; each at a level drawn from all codes")
    dead_neuron_rate: float = _rate("share of the neuron circuits")
    stuck_bit_rate: float = _rate("share of the ADCs' bits")
    ram_flip_rate: float = _rate("share of the bits of all pages")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise SpecError(f"Faults: {first_sentence(error, type(self))}") from None


@dataclass(frozen=True, eq=False)
class Broken:
    """Faults laid out over the arrays of one chip."""

    faults: Faults
    spec: ChipSpec
    stuck: NDArray[np.bool_]  # (rows, columns)
    stuck_lsb: Floats  # (rows, columns) weight LSB where stuck
    dead_neurons: NDArray[np.bool_]  # (ADCs)
    and_mask: Ints  # (ADCs)
    or_mask: Ints

    def stored_codes(self, weight_codes: Ints) -> Ints:
        """What the weight RAM returns."""
        faults, spec = self.faults, self.spec
        pages = weight_codes.shape[0]
        if not faults.ram_flips and not faults.ram_flip_rate:
            return weight_codes
        read = weight_codes.copy()
        if faults.ram_flip_rate:
            hit = Draws(faults.seed).chosen(
                FaultKind.RAM_FLIP, faults.ram_flip_rate, pages, spec.rows, spec.columns, spec.weight_bits
            )
            read ^= (hit << np.arange(spec.weight_bits)).sum(axis=-1)
        for page, row, column, bit in faults.ram_flips:
            if page < pages:
                read[page, row, column] ^= 1 << bit
        return read


@lru_cache(maxsize=8)
def lay_out(spec: ChipSpec, faults: Faults) -> Broken:
    """The faults laid out on a chip; raises for places that it does not have."""
    _check(spec, faults)
    draws, shape, adcs = Draws(faults.seed), (spec.rows, spec.columns), spec.neurons_at_once
    levels = codes.weight_converter(spec).numerators / 2.0
    stuck = draws.chosen(FaultKind.STUCK_SYNAPSE, faults.stuck_synapse_rate, *shape)
    stuck_lsb = levels[draws.words(FaultKind.STUCK_LEVEL, *shape).astype(np.int64) & (len(levels) - 1)]
    dead = draws.chosen(FaultKind.DEAD_SYNAPSE, faults.dead_synapse_rate, *shape)
    for row, column, value in faults.stuck_synapses:
        stuck[row, column], stuck_lsb[row, column] = True, value
    for row, column in faults.dead_synapses:
        dead[row, column] = True
    stuck_lsb = np.where(dead | ~stuck, 0.0, stuck_lsb)
    neurons = draws.chosen(FaultKind.DEAD_NEURON, faults.dead_neuron_rate, adcs)
    neurons[list(faults.dead_neurons)] = True
    and_mask, or_mask = np.full(adcs, 0xFFFF, dtype=np.int64), np.zeros(adcs, dtype=np.int64)
    bits = draws.chosen(FaultKind.STUCK_BIT, faults.stuck_bit_rate, adcs, spec.state_bits)
    values = draws.words(FaultKind.STUCK_VALUE, adcs, spec.state_bits)
    for adc, bit in np.argwhere(bits).tolist():
        _stick(and_mask, or_mask, adc, bit, int(values[adc, bit]) & 1)
    for adc, bit, value in faults.stuck_bits:
        _stick(and_mask, or_mask, adc, bit, value)
    broken = stuck | dead
    for array in (broken, stuck_lsb, neurons, and_mask, or_mask):
        array.setflags(write=False)
    return Broken(faults, spec, broken, stuck_lsb, neurons, and_mask, or_mask)


def _stick(and_mask: Ints, or_mask: Ints, adc: int, bit: int, value: int) -> None:
    and_mask[adc] &= 0xFFFF ^ (1 << bit)
    or_mask[adc] = or_mask[adc] & (0xFFFF ^ (1 << bit)) | value << bit


def _check(spec: ChipSpec, faults: Faults) -> None:
    synapse, adc, bits = (spec.rows, spec.columns), spec.neurons_at_once, spec.weight_bits
    places: list[tuple[str, tuple[int, ...], tuple[int, ...]]]
    places = [("dead synapse", place, synapse) for place in faults.dead_synapses]
    places += [("stuck synapse", place[:2], synapse) for place in faults.stuck_synapses]
    places += [("dead neuron", (place,), (adc,)) for place in faults.dead_neurons]
    places += [("stuck bit", place, (adc, spec.state_bits, 2)) for place in faults.stuck_bits]
    places += [("RAM flip", place, (spec.max_pages, *synapse, bits)) for place in faults.ram_flips]
    for what, place, limits in places:
        if any(not 0 <= at < limit for at, limit in zip(place, limits, strict=True)):
            here, last = ", ".join(map(str, place)), ", ".join(str(limit - 1) for limit in limits)
            raise SpecError(f"{what} ({here}) is not on this chip; its last one is ({last})")
    largest = float(1 << (spec.weight_bits - 1))
    for row, column, value in faults.stuck_synapses:
        if not abs(value) <= largest:
            raise SpecError(f"stuck synapse ({row}, {column}) is at {value:g} weight LSB; expected at most ±{largest:g}")
