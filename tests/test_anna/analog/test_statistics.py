"""Noise follows its law: where it acts, in the draws of every part, at the 3-bit pins and in the tails."""

import math

import numpy as np
import pytest

import anna
from anna.analog.draws import Draws, FaultKind, Part, noise_key
from anna.chip import codes
from anna.chip.spec import ANNA_WIDE
from anna.engine import is_checked, simd_levels
from anna.lab import noise_check
from anna.lab.noise_check import LARGEST_KS, LARGEST_Z
from anna.lab.pins import pins_program, straight
from anna.program.file import blank_pages


def test_thresholds_have_the_false_alarm_rate_that_is_stated() -> None:
    assert math.erfc(LARGEST_Z / math.sqrt(2)) < 1.0e-6
    assert 2 * math.exp(-2 * LARGEST_KS**2) < 1.0e-6


@pytest.mark.parametrize(
    "sample", [noise_check.converter, noise_check.wire, noise_check.both, noise_check.slow, noise_check.charge]
)
def test_a_million_samples_on_the_noise_path_read_by_a_wide_adc(sample) -> None:
    row = sample(1_000_000)
    assert row.samples >= 1_000_000
    assert row.holds, row


@pytest.mark.parametrize("part", Part)
def test_a_million_draws_of_each_part_of_a_die(part: Part) -> None:
    row = noise_check.pattern(part, 1_000_000)
    assert row.samples >= 1_000_000
    assert row.holds, row


def test_a_wire_is_as_noisy_as_the_synapses_that_carry_a_weight() -> None:
    """The root of their number, whatever their states."""
    spec, count = noise_check.WIDE, 20_000
    lsb_products = float(codes.adc_lsb(spec)[0]) / codes.units_per_lsb_product(spec)
    weights, scales = blank_pages(spec)
    for neuron in range(8):
        weights[0, neuron, : 8 * neuron] = codes.weight_converter(spec).exact(1.0)
    program = pins_program(spec, [straight(spec, 64, 0, 8)], weights, scales)
    zero = codes.state_converter(spec).exact(0.0)
    quiet = np.full((count, *program.input.shape), zero, np.uint16)
    busy = quiet.copy()
    busy[:, 0] += np.tile(np.array([1, -1], np.int16), 32).astype(np.uint16)  # states that cancel
    for states in (quiet, busy):
        chip = anna.Chip(seed=1, analog=anna.Analog(wire_noise_products=32.0 * lsb_products))
        found = chip.run_codes(program, states, noise_seed=3).codes["codes0"]
        deviations = found.astype(np.float64).std(axis=0)
        expected = 32.0 * np.sqrt(np.arange(8) * 8 / 64)
        np.testing.assert_allclose(deviations, expected, rtol=4.9 / math.sqrt(2 * count), atol=0.01)


def test_the_wires_noise_does_not_know_the_range_and_the_converters_is_a_share_of_it() -> None:
    lsb = codes.adc_lsb(ANNA_WIDE)
    adcs, zero, scale_codes = np.zeros(16, np.int64), np.zeros(16, np.int64), np.arange(16)
    synapses = np.full(16, 28)

    def sigma(**noise: float) -> np.ndarray:
        electronics = anna.Die.draw(ANNA_WIDE, anna.Analog(**noise), 0).electronics
        return electronics.thermal_sigma(adcs, zero, zero, scale_codes, synapses)

    wire, converter = sigma(wire_noise_products=8.5), sigma(adc_noise_lsb=0.18)
    units = codes.units_per_lsb_product(ANNA_WIDE)
    np.testing.assert_allclose(wire, 8.5 * (28 / 64) ** 0.5 * units, rtol=1e-6)
    np.testing.assert_allclose(converter, 0.18 * lsb, rtol=1e-6)
    np.testing.assert_allclose(sigma(wire_noise_products=8.5, adc_noise_lsb=0.18), np.hypot(wire, converter), rtol=1e-6)


def test_a_finer_unit_of_states_changes_no_noise() -> None:
    """State steps make sums finer, and the noise with them."""
    place, synapses = (np.zeros(1, np.int64),) * 4, np.array([28])
    plain, fine = (anna.Die.draw(ANNA_WIDE, anna.Analog(wire_noise_products=8.5, state_step_lsb=step), 0).electronics
                   for step in (0.0, 0.01))  # fmt: skip
    ratio = fine.thermal_sigma(*place, synapses) / plain.thermal_sigma(*place, synapses)
    assert ratio == fine.numerators[-1] / plain.numerators[-1] == 256


def test_the_check_can_fail() -> None:
    rng = np.random.default_rng(0)
    z = rng.standard_normal((1000, 100))
    axes = ("image", "neuron")
    assert noise_check.judged("good", z, axes).holds
    assert not noise_check.judged("shifted", z + 0.02, axes).holds
    assert not noise_check.judged("narrow", z * 0.98, axes).holds
    assert not noise_check.judged("flat", rng.uniform(-(3**0.5), 3**0.5, z.shape), axes).holds
    echo = z.copy()
    echo[:, 1:] = math.sqrt(1 - 0.02**2) * echo[:, 1:] + 0.02 * echo[:, :-1]
    assert not noise_check.judged("echo", echo, axes).holds


def test_chips_seeds_and_parts_do_not_share_draws() -> None:
    """Correlation of the same places on other dies, on the board's other chip, and of one part with another."""
    n = 4096
    base = Draws(1, 0).normals(Part.SYNAPSE_GAIN, n)
    others = [Draws(2, 0).normals(Part.SYNAPSE_GAIN, n), Draws(1, 1).normals(Part.SYNAPSE_GAIN, n),
              Draws(1 << 32, 0).normals(Part.SYNAPSE_GAIN, n), Draws(1, 0).normals(Part.SYNAPSE_ZERO, n)]  # fmt: skip
    for other in others:
        assert abs(np.corrcoef(base, other)[0, 1]) * math.sqrt(n) < LARGEST_Z


def test_chips_have_their_own_noise_and_one_die_the_same_whatever_its_parameters() -> None:
    seeds = [noise_key(noise_seed, die, chip) for noise_seed in (0, 1) for die in (0, 1, 2**63) for chip in (0, 1)]
    assert len(set(seeds)) == 12
    typical, worst = (anna.Die.draw(ANNA_WIDE, analog, 3) for analog in (anna.Analog.typical(), anna.Analog.worst()))
    assert typical.electronics.noise_key(5) == worst.electronics.noise_key(5) != 5
    assert typical.changed().electronics.noise_key(5) == 5 == anna.Chip().silicon(ANNA_WIDE).noise_key(5)
    for bad in (-1, 2**64):
        for engine in ("engine", "interpreter"):
            program = pins_program(ANNA_WIDE, [straight(ANNA_WIDE, 64, 0, 8)], *blank_pages(ANNA_WIDE))
            with pytest.raises(anna.AnnaError, match="the noise seed is"):
                anna.Chip(seed=1).run_codes(program, np.zeros((1, 4, 64), int), noise_seed=bad, engine=engine)


@pytest.mark.parametrize("sigma_lsb", [0.25, 0.5])
def test_codes_at_the_pins_come_with_the_expected_probabilities(sigma_lsb: float) -> None:
    """Chi-squared of the eight codes at sums all over the range: 131,072 images each, false alarm once in 10^6."""
    spec, count = ANNA_WIDE, 1 << 17
    analog = anna.Analog(thermal_noise_lsb=sigma_lsb)
    weights, scales = blank_pages(spec)
    converter = codes.weight_converter(spec)
    for row, weight in enumerate((-31, -17, -9, -1, 0, 5, 13, 29)):
        weights[0, row, :3] = converter.exact(float(weight))
    program = pins_program(spec, [straight(spec, 64, 0, 8)], weights, scales)
    image = np.zeros((1, 4, 64), dtype=np.uint8)
    image[0, 0, :3] = 7
    chip = anna.Chip(seed=4, analog=analog)
    found = chip.run_codes(program, np.repeat(image, count, axis=0), noise_seed=17).codes["codes0"]
    lsb = float(codes.adc_lsb(spec)[0]) / codes.units_per_lsb_product(spec)
    edges = np.array([-math.inf, *codes.unit_thresholds(spec), math.inf])
    for neuron, weight in enumerate((-31, -17, -9, -1, 0, 5, 13, 29)):
        total = 3 * 3.5 * weight / lsb
        below = np.array([0.5 * math.erfc((total - edge) / sigma_lsb / math.sqrt(2)) for edge in edges])
        expected = np.diff(below) * count
        counts = np.bincount(found[:, neuron], minlength=8)
        seen = expected >= 5
        assert counts[~seen].sum() <= expected[~seen].sum() + 30
        chi_squared = float(((counts - expected)[seen] ** 2 / expected[seen]).sum())
        freedom = max(1, int(seen.sum()) - 1)
        assert chi_squared < freedom + LARGEST_Z * math.sqrt(2 * freedom) + 24, f"weight {weight}: {chi_squared:.1f}"


def test_rates_of_faults_are_rates() -> None:
    hits = sum(int(Draws(seed).chosen(FaultKind.DEAD_SYNAPSE, 0.01, 64, 64).sum()) for seed in range(250))
    expected = 0.01 * 4096 * 250
    assert abs(hits - expected) < LARGEST_Z * math.sqrt(expected * 0.99)
    few, more = (Draws(3).chosen(FaultKind.RAM_FLIP, rate, 4096) for rate in (0.01, 0.02))
    assert (more | ~few).all()  # a larger rate hits the same places and more
    assert not Draws(3).chosen(FaultKind.RAM_FLIP, 0.0, 4096).any()
    assert Draws(3).chosen(FaultKind.RAM_FLIP, 1.0, 4096).all()


# The best SIMD level is fast enough for a thousand million draws; the bits of the others are the same.
DRAWS = 1 << 26 if is_checked() or simd_levels()[0] == "plain" else 1 << 30


def test_tails_of_more_than_a_thousand_million_raw_draws() -> None:
    for name, found in noise_check.tails(DRAWS).items():
        for edge, count, expected in found:
            assert abs(count - expected) <= 4.4 * math.sqrt(expected) + 5, f"{name} beyond {edge} sigma"
