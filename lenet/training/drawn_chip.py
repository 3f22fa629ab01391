"""A drawn chip for training: what its DACs write, what its synapses hold, how its ADCs convert a sum.

A small version of `anna.analog` in PyTorch, without geometry: which DAC writes a weight and which ADC converts a map depends
on their index here, and on their placement on the chip. Strengths and curves come from `anna.analog`; parts that are off in
its presets are left out.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from anna.analog.parameters import Analog
from anna.analog.summing import noise_lsb, wire_noise_units
from anna.analog.weight_dac import bow, spread_gains
from anna.chip import codes
from anna.chip.machines import DEFAULT, MACHINES

MACHINE = MACHINES[DEFAULT]  # that weights are trained for; all machines have the same codes, and most ranges in common
SPEC = MACHINE.chip
STATES = codes.state_converter(SPEC)
WEIGHTS = codes.weight_converter(SPEC)


class DrawnChip:
    """One chip with its fixed pattern; a sum's noise is drawn when it is converted."""

    def __init__(self, analog: Analog, draws: torch.Generator) -> None:
        self.analog, self.draws = analog, draws
        shares, order = self._normals(SPEC.dacs, 2).numpy(), self._normals(SPEC.dacs).numpy()
        levels = WEIGHTS.numerators / 2.0
        apart = analog.dac_gain_apart * self._strength(analog.dac_die_spread)
        inl_lsb = analog.dac_inl_lsb * self._strength(analog.dac_die_spread)
        gains = spread_gains(apart, order.astype(np.float64))
        self.written_dc = tensor(levels * gains[:, None] + inl_lsb * bow(levels, shares.astype(np.float64)))
        self.thresholds_at = analog.adc_threshold_offset_lsb * self._normals(SPEC.neurons_at_once, STATES.size - 1)
        self.charge_lost = analog.charge_lost * self._strength(analog.leak_die_spread)

    def _normals(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.draws)

    def _strength(self, spread: float) -> float:
        """This die's factor on a strength."""
        return math.exp(spread * float(self._normals(1))) if spread else 1.0

    def held(self, weights_ot: Tensor) -> Tensor:
        """What synapses hold for weights (o, taps) in LSB; the DACs write neighbouring taps in turn."""
        analog, shape = self.analog, weights_ot.shape
        codes_ot = weights_ot.detach().round().long() - int(WEIGHTS.values(0))
        written = self.written_dc[torch.arange(shape[1]) % SPEC.dacs, codes_ot]
        gains = 1 + analog.synapse_gain_mismatch * self._normals(*shape)
        kept = 1 - self.charge_lost * torch.rand(shape, generator=self.draws)  # of any age up to `charge_lost_after_us`
        return (weights_ot + (written - weights_ot).detach()) * gains * kept

    def seen_by_adc(self, sums: Tensor, synapses_m: Tensor, lsb_m: Tensor) -> Tensor:
        """Sums (n, maps, rows, columns) in ADC LSB, shifted so that ideal thresholds give this chip's codes. Of each map:
        synapses that carry a weight, and the ADC's LSB in weight LSB x state LSB."""
        analog, maps = self.analog, sums.shape[1]
        sums = sums * (1 + analog.scale_mismatch * self._normals(maps))[:, None, None]
        middle = STATES.size // 2 - 1  # of the thresholds
        nearest = (sums.detach().round() + middle).clamp(0, 2 * middle).long()
        adcs = torch.arange(maps) % SPEC.neurons_at_once
        offsets = self.thresholds_at.reshape(-1)[nearest + (adcs * (STATES.size - 1))[:, None, None]]
        wire = wire_noise_units(SPEC, analog) / codes.units_per_lsb_product(SPEC) * synapses_m.sqrt() / lsb_m
        sigma = (wire.square() + noise_lsb(analog) ** 2).sqrt()
        return sums + sigma[:, None, None] * self._normals(*sums.shape) - offsets


def tensor(array: Any) -> Tensor:
    """The array in 32-bit floats."""
    return torch.tensor(np.asarray(array, dtype=np.float32))
