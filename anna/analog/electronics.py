"""A die's answers to the interpreter and the engine: its parts put together, in integer accumulator units.

    weight       DAC -> charge that leaks -> gain by synapse and place, + zero error    rounded to 2^-f weight LSB
    threshold    (ADC gain x threshold + offsets) x scale factor x LSB -> before the knee    rounded to one accumulator unit
    noise        wire: root of synapses x sigma; converter: sigma in LSB x scale factor x LSB; root of squares   float32

A synapse's rounding is at most half of 2^-f weight LSB, so the rounding of a dot product of 256 inputs at full drive
is at most 256 x 3.5 x 2^-11 weight LSB x state LSB: 1/73 LSB of the ADC at its most sensitive scale. The converter's noise
acts behind the scale circuit, so its sigma in accumulator units carries the scale factor, errors included (A).
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from anna.analog import adc, gradient, knee, noise, row_drop, settling, share, slow_noise, summing, synapse
from anna.analog.draws import noise_key
from anna.analog.faults import Faults, lay_out
from anna.analog.parameters import Analog
from anna.analog.silicon import Sigmas, Silicon
from anna.base.errors import SpecError
from anna.chip import codes, refresh
from anna.chip.codes import Floats, Ints
from anna.chip.spec import ChipSpec


class Electronics:
    """Implements `anna.analog.silicon.Silicon` for one die."""

    def __init__(
        self,
        spec: ChipSpec,
        analog: Analog,
        faults: Faults,
        pattern: Mapping[str, Floats],
        seed: int | None,
        chip_on_board: int,
    ) -> None:
        self.spec, self._faults, self._seed, self._chip_on_board = spec, faults, seed, chip_on_board
        self._broken = lay_out(spec, faults)
        by_place = gradient.gains(spec, pattern["gain_slope"]) * row_drop.gains(spec, analog)
        self._synapses = synapse.Synapses(
            columns=spec.columns,
            dac=refresh.writers(spec).reshape(-1),
            level=pattern["dac_levels_lsb"],
            gain=(pattern["synapse_gain"] * by_place).reshape(-1),
            zero=pattern["synapse_zero_lsb"].reshape(-1),
            leak=pattern["synapse_leak"].reshape(-1),
            rate=synapse.leak_per_cycle(spec, analog),
            one=float(1 << spec.weight_fraction_bits),
        )
        self._stuck, self._stuck_lsb = self._broken.stuck.reshape(-1), self._broken.stuck_lsb.reshape(-1)
        self._charge_units = synapse.charge_noise_lsb(analog) * self._synapses.one

        errors = pattern["state_error_lsb"]
        self._steps = synapse.state_numerators(spec, errors) if errors.any() else None
        # States in a finer unit make sums in a finer unit.
        self._fine = float(1 << synapse.STATE_FRACTION_BITS) if self._steps is not None else 1.0

        self._lsb = codes.adc_lsb(spec) * pattern["scale_factor"] * self._fine  # (ADCs, scale codes)
        self._thresholds = adc.real_thresholds(
            spec, pattern["adc_gain"], pattern["adc_offset_lsb"], pattern["adc_threshold_offset_lsb"]
        )
        self._noise, self._wire_noise = summing.noise_lsb(analog), summing.wire_noise_units(spec, analog) * self._fine
        knee_units = knee.limit_units(spec, analog)
        self._knee = None if knee_units is None else knee_units * self._fine
        limit = summing.limit_units(spec, analog)
        self._coupled, self._unsettled = share.units(analog.neighbour_coupling), settling.left_units(spec, analog)
        self._slow_noise = analog.slow_noise_lsb
        self._limits: Ints | None = None
        if limit is not None or self._broken.dead_neurons.any():
            largest = 2**62 if limit is None else min(2**62, round(limit * self._fine))
            self._limits = np.where(self._broken.dead_neurons, 0, largest).astype(np.int64)
        self._prove_sums_fit()

    def _prove_sums_fit(self) -> None:
        """Every weight sum fits 32 bits, and every sum with its noise and every threshold 64; raises SpecError if not."""
        level, gain, zero = (float(np.abs(part).max()) for part in
                             (self._synapses.level, self._synapses.gain, self._synapses.zero))  # fmt: skip
        heaviest = level * gain + zero + float(np.abs(self._stuck_lsb).max(initial=0.0))
        weights = self.spec.max_inputs * (heaviest * self._synapses.one + 1.0)
        states = float(np.abs(self.numerators).max() if self._steps is None else np.abs(self._steps).max())
        lsb = float(np.abs(self._lsb).max())
        charge = self.spec.max_inputs * self._charge_units * noise.LARGEST_NORMAL
        wire = self._wire_noise * self.spec.max_inputs  # more than its root
        wires = (weights + charge) * states * (1.0 + 2.0 * self._coupled / share.ONE)
        steps = 2.0 * wires if self._unsettled else wires  # from one sum to the next
        slow = self._slow_noise * lsb * slow_noise.LARGEST_LEVEL
        sums = steps + (self._noise * lsb + wire) * noise.LARGEST_NORMAL + slow
        thresholds = float(np.abs(self._thresholds).max()) * lsb
        if weights >= 2.0**31 or max(sums, thresholds) >= 2.0**62:
            raise SpecError(
                f"die: sums of {sums:.3g} and thresholds of {thresholds:.3g} accumulator units are possible with these "
                f"imperfections, beyond {2.0**62:.3g}; choose a chip with a smaller adc_full_scale, fewer scale_bits or "
                "smaller fan_ins, or weaker imperfections"
            )

    @property
    def numerators(self) -> Ints:
        """What each state code drives the synapses with, if all are alike."""
        return codes.state_converter(self.spec).numerators * int(self._fine)

    @property
    def refresh_stops(self) -> int | None:
        """Cycle of each page segment at which the refresh stops."""
        return self._faults.refresh_stops_at_cycle

    def stored_codes(self, weight_codes: Ints) -> Ints:
        """What the weight RAM returns."""
        return self._broken.stored_codes(weight_codes)

    def noise_key(self, noise_seed: int) -> int:
        """Mixed with the seed of the die: no two chips have the same noise."""
        if self._seed is None:
            return noise_seed
        return noise_key(noise_seed, self._seed, self._chip_on_board)

    def with_pages(self, pages: Ints) -> Silicon:
        """The same for every page."""
        return self

    def conducts(self, weight_codes: Ints, rows: Ints, columns: Ints) -> NDArray[np.bool_]:
        """Zero charge with nothing added stays zero; refresh noise may act on any synapse that is not stuck."""
        at, synapses = rows * self.spec.columns + columns, self._synapses
        stuck, level = self._stuck[at], synapses.levels(at, weight_codes) * synapses.gain[at]
        alive = (level != 0.0) | (synapses.zero[at] != 0.0) | bool(self._charge_units)
        return np.asarray(np.where(stuck, self._stuck_lsb[at] != 0.0, alive))

    def weights(self, weight_codes: Ints, rows: Ints, columns: Ints, ages_cycles: Ints) -> Ints:
        """What synapses show: what their DAC wrote, leaked until this age, through their gain."""
        shown = self._synapses.fixed(weight_codes, rows, columns, ages_cycles)
        if not self._stuck.any():
            return shown
        at = rows * self.spec.columns + columns
        return np.where(self._stuck[at], np.rint(self._stuck_lsb[at] * self._synapses.one).astype(np.int64), shown)

    def thresholds(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> Ints:
        """Rising thresholds of neurons; they depend on the ADC, not on where the scale code lies."""
        reached = self._thresholds[adcs] * self._lsb[adcs, scale_codes][:, None]
        if self._knee is not None:
            reached = knee.before(reached, self._knee)
        return np.rint(reached).astype(np.int64)

    def thermal_sigma(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints, synapses: Ints) -> Sigmas | None:
        """Noise at each evaluation: of the wire, and of the converter."""
        if not self._noise and not self._wire_noise:
            return None
        converter = self._noise * self._lsb[adcs, scale_codes]
        if not self._wire_noise:
            return converter.astype(np.float32)
        return np.sqrt(self._wire_noise * self._wire_noise * synapses + converter * converter).astype(np.float32)

    def sum_limits(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> tuple[Ints, Ints] | None:
        """What a wire carries; a dead neuron's carries nothing."""
        if self._limits is None:
            return None
        return -self._limits[adcs], self._limits[adcs]

    def coupled(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> Ints | None:
        """The same share for every wire."""
        return np.full(adcs.shape, self._coupled) if self._coupled else None

    def unsettled(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> Ints | None:
        """The same share for every wire."""
        return np.full(adcs.shape, self._unsettled) if self._unsettled else None

    def slow_sigma(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> Sigmas | None:
        """A share of the range in use, errors of the scale included, as noise of the converter has."""
        if not self._slow_noise:
            return None
        return (self._slow_noise * self._lsb[adcs, scale_codes]).astype(np.float32)

    def code_masks(self, adcs: Ints) -> tuple[Ints, Ints] | None:
        """Stuck bits."""
        broken = self._broken
        if (broken.and_mask == 0xFFFF).all() and not broken.or_mask.any():
            return None
        return broken.and_mask[adcs], broken.or_mask[adcs]

    def charge_sigma(self, weight_codes: Ints, rows: Ints, columns: Ints) -> Sigmas | None:
        """Noise of each refresh; a stuck synapse has none."""
        if not self._charge_units:
            return None
        return np.where(self._stuck[rows * self.spec.columns + columns], 0.0, self._charge_units).astype(np.float32)

    def state_tables(self) -> Ints | None:
        """Numerators for every synapse or every column, if their levels differ."""
        return None if self._steps is None else self._steps.reshape(-1, self._steps.shape[-1])

    def state_table_of(self, rows: Ints, columns: Ints) -> Ints:
        """Which table each synapse uses."""
        if self._steps is None:
            return np.zeros(np.broadcast_shapes(rows.shape, columns.shape), dtype=np.int64)
        kinds_rows, kinds_columns = self._steps.shape[:2]
        return np.asarray((rows if kinds_rows > 1 else 0) * kinds_columns + (columns if kinds_columns > 1 else 0))


def rounding_bound_lsb(spec: ChipSpec, fan_in: int, scale_code: int = 0) -> float:
    """Largest error of a dot product from fixed-point weights and thresholds, in LSB of the ADC."""
    state_lsb = float(np.abs(codes.state_converter(spec).numerators).max()) / 2.0
    per_weight = 0.5 / float(1 << spec.weight_fraction_bits)
    lsb_products = float(codes.adc_lsb(spec)[scale_code]) / codes.units_per_lsb_product(spec)
    threshold = 0.5 / float(codes.adc_lsb(spec)[scale_code])
    return fan_in * state_lsb * per_weight / lsb_products + threshold
