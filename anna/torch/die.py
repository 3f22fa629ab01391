"""A die drawn for a batch: what its DACs write, what its synapses hold, how its ADCs convert a sum.

The parts are those of `anna.analog`, drawn by PyTorch's generator, without geometry: which DAC writes a weight, which column it
is in and which ADC converts a map depend on their index here, and on their placement on the chip; the row of a map is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from anna.analog import adc, gradient, knee, row_drop, scale, summing, synapse, weight_dac
from anna.analog.draws import Draws, Part, Strength
from anna.analog.parameters import Analog
from anna.base.errors import SpecError
from anna.chip import codes
from anna.chip.adc_curves import ADC_CURVES
from anna.chip.spec import ChipSpec


@dataclass(frozen=True)
class BatchDraws(Draws):
    """Draws from a generator, in the order in which they are asked for."""

    seed: int = 0
    generator: torch.Generator | None = None  # None: PyTorch's own

    def normals(self, part: Part, *shape: int) -> codes.Floats:
        """Standard normals."""
        found: codes.Floats = torch.randn(shape, generator=self.generator).double().numpy()
        return found


def expect_drawable(analog: Analog) -> None:
    """Raises if a die has what is not drawn here."""
    if "state_steps" in analog.causes:
        raise SpecError(
            "analog: errors of a synapse's state steps are not drawn in training; use analog.without('state_steps')"
        )


class BatchDie:
    """One die, with its noise."""

    def __init__(self, spec: ChipSpec, analog: Analog, generator: torch.Generator | None) -> None:
        self.spec, self.analog, self.generator = spec, analog, generator
        draws = BatchDraws(generator=generator)
        written = weight_dac.drawn_levels(spec, analog, draws)
        self._codes = written.shape[1]
        self._written = tensor(written).reshape(-1)
        self._lowest = int(codes.weight_converter(spec).numerators[0]) // 2
        self._leak = _charge_exponent(analog) * draws.strength(Strength.LEAK, analog.leak_die_spread)
        self._added = float(np.hypot(analog.synapse_zero_lsb, synapse.charge_noise_lsb(analog)))
        self._factors = scale.drawn_factors(spec, analog, draws)  # (ADCs, scale codes)
        offsets = adc.drawn_threshold_offsets(spec, analog, draws)
        gains, common = adc.drawn_gains(spec, analog, draws), adc.drawn_offsets(spec, analog, draws)
        if analog.slow_noise_lsb:
            common = common + analog.slow_noise_lsb * draws.normals(Part.ADC_OFFSET, spec.neurons_at_once)
        self._thresholds = adc.real_thresholds(spec, gains, common, offsets)  # (ADCs, thresholds)
        ideal = codes.unit_thresholds(spec)
        # One more at each end: a sum beyond the last threshold by up to an LSB is nearest to none.
        off = np.pad(self._thresholds - ideal, ((0, 0), (1, 1)), mode="edge")
        self._off = tensor(off).reshape(-1) if off.any() else None
        self._noise_lsb = summing.noise_lsb(analog)
        self._wire = summing.wire_noise_units(spec, analog) / codes.units_per_lsb_product(spec)
        limit = summing.limit_units(spec, analog)
        self._limit = None if limit is None else limit / codes.units_per_lsb_product(spec)
        knee_units = knee.limit_units(spec, analog)
        self._knee = None if knee_units is None else knee_units / codes.units_per_lsb_product(spec)
        slopes = gradient.drawn_slopes(spec, analog, draws) if analog.gain_gradient else np.zeros(2)
        self._by_place = tensor(gradient.gains(spec, slopes) * row_drop.gains(spec, analog))  # (rows, columns)
        self._straight = ADC_CURVES[spec.adc_curve].straight

    def _randn(self, shape: torch.Size) -> Tensor:
        return torch.randn(shape, generator=self.generator)

    def held(self, codes_ot: Tensor) -> tuple[Tensor, Tensor]:
        """What synapses hold for weights (o, taps) in LSB, and their gains; the DACs write neighbouring taps in turn."""
        analog, shape = self.analog, codes_ot.shape
        at = (codes_ot - self._lowest).int() + (torch.arange(shape[1]) % self.spec.dacs * self._codes).int()
        gains = self._randn(shape).mul_(analog.synapse_gain_mismatch).add_(1.0)
        if analog.gain_gradient or analog.row_drop:
            rows = torch.randint(self.spec.rows, (shape[0], 1), generator=self.generator)
            gains.mul_(self._by_place[rows, torch.arange(shape[1]) % self.spec.columns])
        if self._leak:  # of any age up to that at which `charge_lost` has leaked
            ages = torch.rand(shape, generator=self.generator)
            if analog.leak_mismatch:
                ages.mul_((1 + analog.leak_mismatch * self._randn(shape)).clamp_(min=0))
            gains.mul_(ages.mul_(-self._leak).exp_())
        held = self._written.index_select(0, at.reshape(-1)).reshape(shape).mul_(gains)
        if self._added:
            held.add_(self._randn(shape), alpha=self._added)
        return held, gains

    def per_lsb(self, lsb_o: Tensor, scale_codes_o: np.ndarray[Any, Any]) -> Tensor:
        """One over each map's ADC LSB, as its scale circuit has it."""
        adcs = np.arange(len(scale_codes_o)) % self.spec.neurons_at_once
        return 1.0 / (lsb_o * tensor(self._factors[adcs, scale_codes_o]))

    def noisy(self, sums: Tensor, per_lsb_o: Tensor, synapses_o: Tensor) -> Tensor:
        """Sums (n, maps, rows, columns) in weight LSB x half state LSB as the ADCs see them: in their LSB, with noise."""
        if self._limit is not None:
            sums = sums.clamp(-2 * self._limit, 2 * self._limit)
        seen = sums * (per_lsb_o / 2)[:, None, None]
        sigma = ((self._wire * per_lsb_o).square() * synapses_o + self._noise_lsb**2).sqrt()
        if self._wire or self._noise_lsb:
            seen.addcmul_(self._randn(seen.shape), sigma[:, None, None])
        if self._knee is not None:
            seen.div_((seen / (self._knee * per_lsb_o)[:, None, None]).square_().add_(1.0).sqrt_())
        return seen

    def reached(self, seen: Tensor, low: float) -> Tensor:
        """How many thresholds are reached by what is seen, which is at most an LSB beyond those at the ends; `low` is an LSB
        below the first."""
        if self._straight:
            # The nearest threshold decides: what is seen less its offset is rounded down.
            exact = seen if self._off is None else seen - self._offsets(seen, low)
            return (exact - low).floor_().clamp_(0, self._thresholds.shape[1])
        found = torch.empty_like(seen)
        for number, thresholds in enumerate(self._thresholds):
            mine = slice(number, None, self.spec.neurons_at_once)
            if number < seen.shape[1]:
                found[:, mine] = torch.bucketize(seen[:, mine].contiguous(), tensor(thresholds), right=True).float()
        return found

    def _offsets(self, seen: Tensor, low: float) -> Tensor:
        """How far the thresholds nearest to what is seen are from where they should be."""
        assert self._off is not None
        adcs = torch.arange(seen.shape[1]) % self.spec.neurons_at_once * (self._thresholds.shape[1] + 2)
        nearest = (seen - low).round_().add_(adcs[:, None, None])
        return self._off.index_select(0, nearest.int().reshape(-1)).reshape(seen.shape)


def _charge_exponent(analog: Analog) -> float:
    """-ln of the share of a charge of the median die that is left at `charge_lost_after_us`, at its temperature."""
    if not analog.charge_lost:
        return 0.0
    warmer = (analog.temperature_k - analog.reference_temperature_k) / analog.leak_doubling_k
    return synapse.minus_log_of_rest(analog.charge_lost) * float(2.0**warmer)


def tensor(array: Any) -> Tensor:
    """The array in 32-bit floats."""
    return torch.tensor(np.asarray(array, dtype=np.float32))
