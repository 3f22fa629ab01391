"""A chip on the bench: what is measured through the pins is what the die is, and trim makes up for it."""

import dataclasses
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anna
import lenet
from anna.analog.adc import real_thresholds
from anna.base.errors import FileError, SpecError
from anna.chip import codes
from anna.chip.spec import ANNA_1991, ANNA_WIDE, ChipSpec
from anna.lab import curves as lab
from anna.lab.characterise import converters, dac_levels, droop, effective_bits, measurable_scales
from anna.lab.noise_parts import noise_law
from anna.lab.pins import Resolution, line, pins_program, random_words, states_for_sums, straight
from anna.lab.trim import TrimMeter
from anna.program.file import Program, blank_pages

ROOT = Path(__file__).parents[3]
FINE = Resolution(steps=200, repeats=64)
BOTH = (ANNA_WIDE, ANNA_1991)


@settings(max_examples=60, deadline=None)
@given(
    weights=st.lists(st.integers(-62, 62), min_size=1, max_size=40),
    shares=st.lists(st.floats(-1.0, 1.0), min_size=1, max_size=20), seed=st.integers(0, 2**32),
)  # fmt: skip
def test_states_are_found_for_any_sum_within_reach(weights: list[int], shares: list[float], seed: int) -> None:
    halves = np.array(weights, dtype=np.int64)
    reach = 7 * int(np.abs(halves).sum())
    targets = np.array([round(share * reach) for share in shares], dtype=np.int64)
    chosen, sums = states_for_sums(ANNA_WIDE, halves, targets, seed)
    numerators = codes.state_converter(ANNA_WIDE).numerators
    np.testing.assert_array_equal((numerators[chosen] * halves).sum(axis=1), sums)
    # Half a step of the largest weight at worst; the end of the reach is always reached.
    assert (np.abs(sums - targets) <= max(np.abs(halves).max(), 1)).all()


def test_the_line_that_fits_best() -> None:
    x = np.linspace(-3, 3, 7)
    assert line(x, 1.5 * x - 0.25) == pytest.approx((1.5, -0.25))


# --- what is measured is what the die is -----------------------------------------------------------------------------
@pytest.mark.parametrize("spec", BOTH)
def test_thresholds_gain_offset_and_noise_of_the_adcs(spec: ChipSpec) -> None:
    analog = anna.Analog(adc_gain_mismatch=0.05, adc_offset_lsb=0.3, adc_threshold_offset_lsb=0.1, thermal_noise_lsb=0.25)
    chip = anna.Chip(seed=5, analog=analog)
    pattern = chip.die(spec).pattern
    true = real_thresholds(spec, *(pattern[n] for n in ("adc_gain", "adc_offset_lsb", "adc_threshold_offset_lsb")))
    found = converters(chip, spec=spec, resolution=FINE)
    # A threshold's area has a standard error of 0.006 LSB here; a gain of true / 7 thresholds inherits it.
    np.testing.assert_allclose(found.thresholds_lsb, true, atol=0.05)
    slopes = [line(codes.unit_thresholds(spec), one) for one in true]
    np.testing.assert_allclose(found.gains_and_offsets[:, 0], [1 / s for s, _ in slopes], rtol=0.01)
    np.testing.assert_allclose(found.gains_and_offsets[:, 1], [-b / s for s, b in slopes], atol=0.02)
    np.testing.assert_allclose(found.noise_lsb, 0.25, rtol=0.06)
    assert 0.05 < np.abs(found.inl_lsb).max() < 0.5
    assert 0.05 < np.abs(found.dnl_lsb).max() < 0.7


@pytest.mark.parametrize(("spec", "scale_code"), [(ANNA_WIDE, 4), (ANNA_1991, 10)])
def test_an_ideal_chip_measures_ideal(spec: ChipSpec, scale_code: int) -> None:
    found = converters(anna.Chip(), scale_code, spec=spec)
    step = found.sweeps[0].step_lsb
    np.testing.assert_allclose(found.thresholds_lsb, np.tile(codes.unit_thresholds(spec), (8, 1)), atol=step)
    assert found.noise_lsb.max() < step


@pytest.mark.parametrize("scale_code", [0, 3, 9, 13])
def test_scale_mismatch_at_its_scale_code(scale_code: int) -> None:
    chip = anna.Chip(seed=2, analog=anna.Analog(scale_mismatch=0.05, thermal_noise_lsb=0.1))
    found = converters(chip, scale_code, resolution=FINE).gains_and_offsets[:, 0]
    np.testing.assert_allclose(found, 1 / chip.die().pattern["scale_factor"][:, scale_code], rtol=0.01)


@pytest.mark.parametrize("spec", BOTH)
def test_a_missing_code_shows_as_a_width_of_nothing(spec: ChipSpec) -> None:
    die = anna.Die.draw(spec, anna.Analog.ideal(), 0)
    offsets = np.zeros((8, 7))
    offsets[3, 2] = 1.0  # on top of its neighbour
    found = converters(anna.Chip(die=die.changed(adc_threshold_offset_lsb=offsets)), spec=spec, resolution=FINE)
    assert found.dnl_lsb[3, 2] == pytest.approx(-1.0, abs=0.1)
    assert np.abs(np.delete(found.dnl_lsb, 3, axis=0)).max() < 0.1


@pytest.mark.parametrize("spec", BOTH)
def test_droop_against_time(spec: ChipSpec) -> None:
    chip = anna.Chip(seed=3, analog=anna.Analog(charge_lost=0.04, thermal_noise_lsb=0.2))
    found = droop(chip, [0, 2000, 10_000, 30_000], spec=spec)
    expected = 0.96 ** ((found.age_cycles - found.age_cycles[0]) / 2200)
    np.testing.assert_allclose(found.gain, expected, rtol=0.01)
    assert found.gain[-1] < 0.6


# What the pins must find for the parts of the noise: (wire of 64 synapses, converter).
NOISE_PARTS = {"typical-v1": (0.0, 0.25), "typical-v2": (8.5, 0.18), "worst-v2": (17.0, 0.36),
               "typical-all-wire": (12.17, 0.0), "typical-all-converter": (0.0, 0.2515)}  # fmt: skip


@pytest.mark.parametrize("spec", BOTH)
@pytest.mark.parametrize("preset", NOISE_PARTS)
def test_the_pins_tell_noise_of_the_wire_from_noise_of_the_converter(preset: str, spec: ChipSpec) -> None:
    chip = anna.Chip(seed=7, analog=anna.Analog.preset(preset).alone("noise"))
    found = noise_law(chip, spec=spec, resolution=Resolution(repeats=64))
    wire, converter = NOISE_PARTS[preset]
    assert found.parts[0] == pytest.approx(wire, rel=0.03, abs=0.5)  # 0.5 on 64 synapses is 0.03 LSB even on 256
    assert found.parts[1] == pytest.approx(converter, rel=0.03, abs=0.01)
    np.testing.assert_allclose(found.noise_products, found.fitted_products, rtol=0.05)


def test_noise_grows_with_the_synapses_and_falls_with_the_range_as_the_law_says() -> None:
    """Of a typical chip, mismatch and all. Gains of up to 1.1 make noise referred to the sum so much smaller."""
    found = noise_law(anna.Chip(seed=7), [8, 128], [14])
    (few, many, wide), products = found.noise_lsb, found.noise_products
    assert many / few == pytest.approx(((0.18**2 + 144.5 / 1024) / (0.18**2 + 9.03 / 1024)) ** 0.5, rel=0.06)
    assert wide == pytest.approx((0.18**2 + (8.5 / 512) ** 2) ** 0.5, rel=0.06)
    assert products[2] > 10 * products[0]
    assert found.parts == pytest.approx((8.5, 0.18), rel=0.1)


@pytest.mark.parametrize(
    ("spec", "call", "sentence"),
    [
        (ANNA_1991, {"synapses": [7]}, "noise of 7 synapses cannot be measured; expected an even number up to 256"),
        (ANNA_1991, {"synapses": [258]}, "noise of 258 synapses cannot be measured"),
        (ANNA_WIDE, {"scale_codes": [15]}, "64 synapses do not reach the range of scale code 15; choose more"),
        (ANNA_1991.changed(weight_levels="mid-rise"), {}, "on a chip with a weight of zero"),
    ],
)
def test_noise_that_cannot_be_measured_is_refused(spec: anna.ChipSpec, call: dict[str, list[int]], sentence: str) -> None:
    with pytest.raises(SpecError, match=sentence):
        noise_law(anna.Chip(), **call, spec=spec)


@pytest.mark.parametrize("spec", BOTH)
@pytest.mark.parametrize("dac", [0, 1])
def test_the_levels_of_a_dac(dac: int, spec: ChipSpec) -> None:
    chip = anna.Chip(seed=7, analog=anna.Analog(dac_inl_lsb=1.0, thermal_noise_lsb=0.25))
    found = dac_levels(chip, dac, spec=spec, pages=1)
    true = chip.die(spec).pattern["dac_levels_lsb"][dac]
    slope, base = line(found.ideal_lsb, true)
    np.testing.assert_allclose(found.inl_lsb, true - slope * found.ideal_lsb - base, atol=0.12)
    assert np.abs(found.inl_lsb).max() > 0.5


def test_the_levels_of_a_dac_need_columns_of_its_own() -> None:
    halves = ANNA_WIDE.changed(refresh_order="halves")
    with pytest.raises(
        SpecError, match=r"measuring DAC 1 needs 16 of 64 columns that it writes in every row.* has 0 of 64 such columns"
    ):
        dac_levels(anna.Chip(), 1, spec=halves)


@pytest.mark.parametrize("spec", BOTH)
@pytest.mark.parametrize("fan_in", [16, 64, 128, 256])
def test_effective_bits_of_a_dot_product(fan_in: int, spec: ChipSpec) -> None:
    assert effective_bits(anna.Chip(), fan_in, spec=spec).bits == 3.0
    typical, worst = (
        effective_bits(anna.Chip(seed=1, analog=f"{name}-v1"), fan_in, spec=spec) for name in ("typical", "worst")
    )
    assert 2.3 < typical.bits < 2.7
    assert 1.4 < worst.bits < 2.0
    # Noise and threshold offsets alone: 0.25 and 0.15 LSB.
    assert (0.25**2 + 0.15**2) ** 0.5 - 0.03 < typical.analog_error_lsb < 0.40


@pytest.mark.parametrize("fan_in", [16, 64, 128, 256])
def test_effective_bits_are_more_where_the_range_is_wide_and_the_wires_noise_small(fan_in: int) -> None:
    """Random weights need wide ranges, 256 to 1024 products, beside which the wire's noise is small."""
    typical, worst = (effective_bits(anna.Chip(seed=1, analog=name), fan_in) for name in ("typical", "worst"))
    assert 2.5 < typical.bits < 2.75
    assert 1.6 < worst.bits < 2.2
    # Noise of the converter and threshold offsets alone: 0.18 and 0.15 LSB.
    assert (0.18**2 + 0.15**2) ** 0.5 - 0.03 < typical.analog_error_lsb < 0.33


def test_kt_over_c_is_invisible_at_real_capacitances() -> None:
    """Two capacitors of 200 fF at 300 K under 256 inputs, read by an ADC 512 times finer: 0.007 LSB of a 3-bit one."""
    spec = ANNA_WIDE.changed(state_bits=12)
    weights, scales = blank_pages(spec)
    weights[:] = random_words(0, weights.size, 1).reshape(weights.shape) % 64
    program = pins_program(spec, [straight(spec, 256, 0, 8)], weights, scales)
    states = (random_words(0, 256, 2) % 8) * 512 + 256
    images = np.repeat(states.reshape(1, 4, 64), 4000, axis=0)
    chip = anna.Chip(seed=0, analog=anna.Analog(storage_capacitance_ff=200.0))
    found = chip.run_codes(program, images).codes["codes0"].astype(float) / 512
    inside = (found.min(axis=0) > 0) & (found.max(axis=0) < 7.99)
    assert inside.sum() >= 3
    np.testing.assert_allclose(found.std(axis=0)[inside], 0.0070, rtol=0.05)


@pytest.mark.slow
def test_the_laboratory_finds_what_the_manual_says(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert lab.main(["--chip-seed", "7", "-o", str(tmp_path)]) == 0
    assert capsys.readouterr().out in (ROOT / "docs" / "characterisation.md").read_text(encoding="utf-8")
    figures = {path.name for path in (ROOT / "docs" / "characterisation").iterdir()}
    assert {path.name for path in tmp_path.iterdir()} == figures
    assert lab.main(["--analog", "good"]) == 2
    assert capsys.readouterr().err.startswith("there is no preset 'good'; expected ideal, typical or worst, or one of ")


@pytest.mark.parametrize("spec", BOTH)
def test_scales_that_are_measured_reach_from_where_states_resolve_to_what_synapses_drive(spec: ChipSpec) -> None:
    """256 weights of 31 under states of 3.5 drive as much as 217 full synapses to either side. A sweep to 5 of 8 LSB takes
    5/8 of the range, so the ranges of up to 347 of them can be swept."""
    measured = measurable_scales(spec, FINE)
    ranges = codes.full_scales(spec) / (32 * 4)
    assert measured == [code for code in range(16) if ranges[code] <= 347 and code >= measured[0]]
    assert ranges[measured[-1]] == pytest.approx(256 if spec.wide else 0.25 * 2**7.5)
    assert codes.full_scales(spec)[measured[0]] / 8 >= 32 > codes.full_scales(spec)[measured[0] - 1] / 8 or measured[0] == 0


@pytest.mark.parametrize("machine", ["sequencer", "wide"])
def test_effective_bits_of_many_chips(machine: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert lab.main(["--chips", "2", "--machine", machine]) == 0
    rows = capsys.readouterr().out.splitlines()[2:]
    assert [row.split(" | ")[0] for row in rows] == ["| 16", "| 64", "| 128", "| 256"]


@pytest.mark.slow
def test_the_laboratory_measures_the_wide_chip_too(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert lab.main(["--machine", "wide", "-o", str(tmp_path)]) == 0
    assert len(list(tmp_path.iterdir())) == len(lab.PLOTS) + 1
    assert "| 7 | " in capsys.readouterr().out


# --- trim -----------------------------------------------------------------------------------------------------
@cache
def recognizer() -> Program:
    return anna.compile(lenet.load("recognizer"), calibration=lenet.calibration())


@pytest.mark.slow
def test_calibration_gets_back_half_of_what_gain_and_offset_mismatch_cost() -> None:
    """Mean over 32 chips, paired: the same die with and without the mismatch, the same noise, the same 1,000 images.

    The severity was fixed before any chip was looked at: a typical chip whose ADCs' gains spread by 10 % and whose
    offsets spread by 0.5 LSB. Measured through the pins, made up for in the program's own 6-bit weights.
    """
    program = recognizer()
    timeline = anna.verified(program)
    images, labels = (part[:1000] for part in lenet.holdout())
    typical = anna.Analog.typical()
    severe = typical.changed(adc_gain_mismatch=0.10, adc_offset_lsb=0.5)
    meter = TrimMeter(program, timeline=timeline)

    def errors(analog: anna.Analog, seed: int, program: Program) -> int:
        walked = dataclasses.replace(timeline, program=program)
        result = anna.Chip(seed=seed, analog=analog).run(program, images, noise_seed=1, timeline=walked)
        return int((result.labels != labels).sum())

    cost, back = [], []
    for seed in range(32):
        trim = meter.measure(anna.Chip(seed=seed, analog=severe))
        before, after = (errors(severe, seed, one) for one in (program, anna.trim(program, trim, timeline=timeline)))
        cost.append(before - errors(typical, seed, program))
        back.append(before - after)
    print(f"cost {np.mean(cost) / 10:.2f} points, back {np.mean(back) / 10:.2f} points")
    assert np.mean(cost) > 5, "the mismatch must cost something"
    assert np.mean(back) >= 0.5 * np.mean(cost)


SCALE_CODE = {ANNA_WIDE: 4, ANNA_1991: 10}  # the same range on both


def hand_made(spec: ChipSpec) -> Program:
    """Eight neurons of 64 inputs, the last three columns constant: fine, coarse and coarse."""
    rng = np.random.default_rng(0)
    name = "wide" if spec.wide else "1991"
    lines = [".program name=hand", f".chip name=anna-{name}", ".input name=image address=0 shape=61",
             ".output name=states address=64 shape=8",
             ".constant address=61 codes=4,7,7"]  # fmt: skip
    for row in range(8):
        values = [*rng.integers(-20, 21, 61), 0, 0, 0]
        lines.append(f".weights row={row} values={','.join(map(str, values))}")
        lines.append(f".scale row={row} codes={SCALE_CODE[spec]}")
    if spec.wide:
        lines += ["PAGE page=0", "SHIFT register=0 width=64 address=0 count=64", "STORE registers=0",
                  "CALC fan_in=64 row=0 neurons=8 registers=0", "OUT address=64 count=8", "END"]  # fmt: skip
    else:
        lines += ["PAGE page=0", *(f"SHIFT count=4 address={at}" for at in range(0, 64, 4)), "STORE latches=A.L0",
                  "CALC fan_in=64 row=0 neurons=8 latch=0", "OUT address=64 count=4", "OUT address=68 count=4",
                  "STOP"]  # fmt: skip
    return anna.assemble("\n".join(lines))


@pytest.mark.parametrize("spec", BOTH)
def test_gains_and_offsets_are_measured_and_made_up_for(spec: ChipSpec) -> None:
    program = hand_made(spec)
    analog = anna.Analog(adc_gain_mismatch=0.08, adc_offset_lsb=0.5, thermal_noise_lsb=0.2)
    chip = anna.Chip(seed=4, analog=analog)
    trim = anna.measure_trim(chip, program, resolution=FINE)
    pattern = chip.die(spec).pattern
    assert [(n.page, n.row, n.group, n.adc) for n in trim.neurons] == [(0, k, 0, k) for k in range(8)]
    np.testing.assert_allclose([n.gain for n in trim.neurons], 1 / pattern["adc_gain"], rtol=0.01)
    offsets = -pattern["adc_offset_lsb"] / pattern["adc_gain"]
    np.testing.assert_allclose([n.offset_lsb for n in trim.neurons], offsets, atol=0.03)
    images = np.random.default_rng(1).integers(0, 8, (3000, 61))
    ideal = anna.Chip().run_codes(program, images).codes["states"]
    quiet = anna.Chip(seed=4, analog=analog.without("thermal_noise"))
    before = (quiet.run_codes(program, images).codes["states"] != ideal).mean()
    trimmed = anna.trim(program, trim)
    after = (quiet.run_codes(trimmed, images).codes["states"] != ideal).mean()
    assert before > 0.25
    assert after < 0.2 * before


@pytest.mark.parametrize("spec", BOTH)
def test_a_gain_beyond_half_a_step_takes_another_scale_code(spec: ChipSpec) -> None:
    program = hand_made(spec)
    die = anna.Die.draw(spec, anna.Analog(thermal_noise_lsb=0.2), 1)
    chip = anna.Chip(die=die.changed(adc_gain=np.array([1.5, 0.7, 1.0, 1.1, 0.9, 1.0, 1.0, 1.0])))
    trimmed = anna.trim(program, anna.measure_trim(chip, program))
    steps = trimmed.scale_codes[0, :8, 0].astype(int) - SCALE_CODE[spec]
    assert steps.tolist() == [-1, 1, 0, 0, 0, 0, 0, 0]
    images = np.random.default_rng(1).integers(0, 8, (2000, 61))
    ideal = anna.Chip().run_codes(program, images).codes["states"].astype(int)
    found = chip.run_codes(trimmed, images).codes["states"].astype(int)
    assert np.abs((found - ideal).mean(axis=0)).max() < 0.03


@pytest.mark.parametrize("spec", BOTH)
def test_an_ideal_chip_needs_no_trim(spec: ChipSpec) -> None:
    program = hand_made(spec)
    trim = anna.measure_trim(anna.Chip(), program, resolution=FINE)
    for neuron in trim.neurons:
        assert (neuron.gain, neuron.offset_lsb) == pytest.approx((1.0, 0.0), abs=0.01)
    images = np.random.default_rng(1).integers(0, 8, (2000, 61))
    ideal = anna.Chip().run_codes(program, images).codes["states"]
    again = anna.Chip().run_codes(anna.trim(program, trim), images).codes["states"]
    assert (again != ideal).mean() < 0.04  # gains are measured to half a per cent: sums next to a threshold move


def test_a_trim_is_plain_data(tmp_path: Path) -> None:
    program = hand_made(ANNA_1991)
    trim = anna.measure_trim(anna.Chip(seed=3), program, resolution=Resolution(steps=40, repeats=4))
    path = tmp_path / "chip3.json"
    trim.save(path)
    assert anna.Trim.load(path) == trim
    assert anna.measure_trim(anna.Chip(seed=3), program, resolution=Resolution(steps=40, repeats=4)) == trim
    other = anna.assemble((ROOT / "tests" / "programs" / "calc.asm").read_text())
    with pytest.raises(SpecError, match="this trim was not measured with program calc; measure it again"):
        anna.trim(other, trim)
    path.write_text("{}")
    with pytest.raises(FileError, match="is not a trim: program is missing"):
        anna.Trim.load(path)
    with pytest.raises(SpecError, match="a sweep needs at least 8 steps, 1 repeat and a margin of 0 to 100 LSB"):
        Resolution(steps=1)
