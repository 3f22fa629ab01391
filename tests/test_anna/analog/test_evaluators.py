"""Ideal is exact, strength zero is ideal, each part touches only what it should, and both evaluators agree to the bit."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from random_programs import CHIPS, legal_programs, random_codes

import anna
from anna.analog import gradient, row_drop, synapse
from anna.analog.electronics import rounding_bound_lsb
from anna.analog.parameters import CAUSES, STRENGTHS
from anna.analog.pattern import PATTERN
from anna.analog.silicon import IdealSilicon, Silicon
from anna.chip import codes, refresh
from anna.chip.spec import ANNA_WIDE, ChipSpec
from anna.engine import simd_levels
from anna.program.file import Program

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

# Every imperfection at once, each strong enough to be seen.
EVERYTHING_V1 = anna.Analog.preset("worst-v1").changed(
    dac_dnl_lsb=0.3, synapse_zero_lsb=0.2, state_step_lsb=0.05, synapse_step_lsb=0.03, leak_mismatch=0.3,
    storage_capacitance_ff=20.0, injection_noise_lsb=0.1, sum_limit=8.0, adc_gain_mismatch=0.03, adc_offset_lsb=0.2,
    adc_noise_lsb=0.2,
)  # fmt: skip
EVERYTHING_V2 = EVERYTHING_V1.changed(wire_noise_products=17.0, dac_die_spread=0.3, leak_die_spread=0.3)
EVERYTHING_V3 = EVERYTHING_V2.changed(gain_gradient=0.1, row_drop=0.1, sum_knee=6.0)
EVERYTHING = EVERYTHING_V3.changed(neighbour_coupling=0.05, sum_unsettled=0.1, slow_noise_lsb=0.3)


def many(examples: int) -> settings:
    return settings(max_examples=examples, deadline=None, suppress_health_check=SLOW)


def by_hand(program: Program, images: np.ndarray) -> np.ndarray:
    """The integer arithmetic of the codes, in Python integers, from the timeline alone."""
    spec, timeline = program.spec, anna.verified(program)
    weights = codes.weight_converter(spec).numerators.tolist()
    states = codes.state_converter(spec).numerators.tolist()
    shift = spec.weight_fraction_bits - 1
    results = []
    for image in images:
        known = dict(enumerate([*image.reshape(-1).tolist(), *program.constant_codes.tolist(), spec.reset_state_code]))
        for calc in timeline.calcs:
            rows, columns = calc.synapses(spec)
            where = zip(*calc.scale_places(spec), strict=True)
            for k, (row, group) in enumerate(where):
                mine = program.weight_codes[calc.page, rows[k], columns[k]].tolist()
                total = sum(
                    (weights[code] << shift) * states[known[value]]
                    for code, value in zip(mine, calc.operands[k].tolist(), strict=True)
                )
                edges = codes.thresholds(spec, int(program.scale_codes[calc.page, row, group]))
                known[timeline.values.result(calc.ordinal, k)] = int((total >= edges).sum())
        results.append([known[int(v)] for values in timeline.outputs.values() for v in values.reshape(-1)])
    return np.array(results)


def outputs(result: anna.Result) -> np.ndarray:
    return np.concatenate([part.reshape(result.images, -1) for part in result.codes.values()], axis=1).astype(np.int64)


@many(500)
@given(program=legal_programs(), seed=st.integers(0, 2**64 - 1))
def test_ideal_is_the_integer_arithmetic_of_the_codes(program: Program, seed: int) -> None:
    assume(program.outputs)
    images = random_codes(program, 2, seed % 2**31)
    expected = by_hand(program, images)
    for chip in (anna.Chip(), anna.Chip(seed=seed, analog=anna.Analog.ideal())):
        np.testing.assert_array_equal(outputs(chip.run_codes(program, images)), expected)


def answers(silicon: Silicon) -> dict[str, object]:
    """Everything a piece of silicon says about itself, at two ages."""
    spec = silicon.spec
    rows, columns = np.indices((spec.rows, spec.columns))
    some = (rows * 7 + columns) % (1 << spec.weight_bits)
    adcs, scale_codes = (a.reshape(-1) for a in np.indices((spec.neurons_at_once, 1 << spec.scale_bits)))
    nowhere = np.zeros_like(adcs)
    where = (adcs, nowhere, nowhere, scale_codes)
    limits, masks = silicon.sum_limits(*where), silicon.code_masks(adcs)
    return {
        "fresh weights": silicon.weights(some, rows, columns, np.zeros_like(rows)),
        "old weights": silicon.weights(some, rows, columns, np.full_like(rows, 2000)),
        "thresholds": silicon.thresholds(*where),
        "sigma": silicon.thermal_sigma(*where, adcs * 9 % 65),
        "coupled": silicon.coupled(*where),
        "unsettled": silicon.unsettled(*where),
        "slow": silicon.slow_sigma(*where),
        "limits": None if limits is None else np.stack(limits),
        "masks": None if masks is None else np.stack(masks),
        "charge": silicon.charge_sigma(some, rows, columns),
        "states": silicon.state_tables(),
        "numerators": silicon.numerators,
    }


def differing(one: dict[str, object], other: dict[str, object]) -> set[str]:
    return {key for key in one if not np.array_equal(one[key], other[key])}  # type: ignore[arg-type]


@pytest.mark.parametrize("field", STRENGTHS)
@many(10)
@given(spec=CHIPS, seed=st.integers(0, 2**64 - 1))
def test_each_imperfection_at_strength_zero_is_ideal(field: str, spec: ChipSpec, seed: int) -> None:
    analog = EVERYTHING.alone(field).scaled(field, 0)
    assert analog.is_ideal
    assert differing(answers(anna.Die.draw(spec, analog, seed).electronics), answers(IdealSilicon(spec))) == set()


# What each cause changes in the silicon's answers: exactly these, nothing else.
TOUCHES = {
    "weight_dac": {"fresh weights", "old weights"},
    "synapse_gain": {"fresh weights", "old weights"},
    "synapse_zero": {"fresh weights", "old weights"},
    "state_steps": {"states", "numerators", "thresholds"},  # numerators and thresholds only by the finer unit
    "droop": {"old weights"},
    "charge_noise": {"charge"},
    "saturation": {"limits"},
    "thermal_noise": {"sigma"},
    "scale": {"thresholds"},
    "adc_offset": {"thresholds"},
    "adc_gain": {"thresholds"},
    "adc_noise": {"sigma"},
    "gradient": {"fresh weights", "old weights"},
    "row_drop": {"fresh weights", "old weights"},
    "knee": {"thresholds"},
    "coupling": {"coupled"},
    "settling": {"unsettled"},
    "slow_noise": {"slow"},
}


@pytest.mark.parametrize("cause", CAUSES)
def test_with_one_part_on_only_what_it_touches_differs(cause: str) -> None:
    die = anna.Die.draw(ANNA_WIDE, EVERYTHING.alone(cause), 5)
    found, ideal = answers(die.electronics), answers(IdealSilicon(ANNA_WIDE))
    assert differing(found, ideal) == TOUCHES[cause]
    if cause == "state_steps":
        for name in ("numerators", "thresholds"):
            np.testing.assert_allclose(found[name], np.asarray(ideal[name]) * 256, rtol=2e-6)
    if cause == "droop":  # towards zero, and zero stays zero
        before, after = np.asarray(ideal["old weights"]), np.asarray(found["old weights"])
        assert (np.abs(after) <= np.abs(before)).all()
        assert (after[before == 0] == 0).all()


@pytest.mark.parametrize("cause", CAUSES)
def test_a_part_that_is_on_sees_the_same_draws_alone_and_in_company(cause: str) -> None:
    alone, company = (anna.Die.draw(ANNA_WIDE, a, 9).pattern for a in (EVERYTHING.alone(cause), EVERYTHING))
    ideal = anna.Die.draw(ANNA_WIDE, anna.Analog.ideal(), 9).pattern
    for name, array in alone.items():
        if not np.array_equal(array, ideal[name]) and cause != "weight_dac":
            np.testing.assert_array_equal(array, company[name])


STRONG = st.builds(
    lambda kept, factor: EVERYTHING.alone(*kept).scaled(kept[0], factor) if kept else anna.Analog.ideal(),
    st.lists(st.sampled_from(sorted(CAUSES)), max_size=12, unique=True),
    st.sampled_from([0.5, 1.0]),
)


@st.composite
def faulty(draw: st.DrawFn, spec: ChipSpec) -> anna.Faults:
    rates = st.sampled_from([0.0, 0.0, 0.02, 0.3])
    return anna.Faults(
        seed=draw(st.integers(0, 2**64 - 1)), dead_synapse_rate=draw(rates), stuck_synapse_rate=draw(rates),
        dead_neuron_rate=draw(rates), stuck_bit_rate=draw(rates), ram_flip_rate=draw(st.sampled_from([0.0, 0.01])),
        refresh_stops_at_cycle=draw(st.sampled_from([None, None, 0, 1, 40])),
        dead_synapses=((spec.rows - 1, 0),), stuck_bits=((spec.neurons_at_once - 1, 0, 1),),
    )  # fmt: skip


@pytest.mark.slow
@many(150)
@given(data=st.data(), program=legal_programs(), analog=STRONG, seed=st.integers(0, 2**64 - 1),
       phase=st.sampled_from([0, 1, 1000]), lanes=st.integers(1, 70))  # fmt: skip
def test_interpreter_and_engine_agree_on_drawn_chips(
    data: st.DataObject, program: Program, analog: anna.Analog, seed: int, phase: int, lanes: int
) -> None:
    """Threads, lanes, SIMD levels, order of the images: the same bits, those of the interpreter."""
    assume(program.outputs)
    faults = data.draw(st.one_of(st.just(anna.Faults()), faulty(program.spec)))
    images = random_codes(program, lanes + 1, seed % 2**31)
    ids = np.arange(len(images)) + (seed >> 8)
    chip = anna.Chip(seed=seed, analog=analog, faults=faults)
    whole = outputs(chip.run_codes(program, images, noise_seed=seed, image_ids=ids, phase_cycles=phase))
    few = [0, lanes]
    truth = chip.run_codes(program, images[few], noise_seed=seed, image_ids=ids[few], phase_cycles=phase, engine="interpreter")
    np.testing.assert_array_equal(whole[few], outputs(truth))
    order = np.random.default_rng(seed % 2**31).permutation(len(images))
    again = anna.Chip(seed=seed, analog=analog, faults=faults)
    for simd in simd_levels():
        for threads in (1, 2):
            found = again.run_codes(program, images[order], noise_seed=seed, image_ids=ids[order], phase_cycles=phase,
                              threads=threads, lanes=lanes, simd=simd)  # fmt: skip
            np.testing.assert_array_equal(outputs(found), whole[order])


@pytest.mark.parametrize("analog", [anna.Analog(synapse_zero_lsb=1.0), EVERYTHING])
def test_columns_never_stored_carry_current_where_zero_is_not_zero(analog: anna.Analog) -> None:
    """Legal under a weight of zero; with a zero error, or a flipped bit, the reset state is read there by both evaluators."""
    program = anna.assemble("""
        .chip name=anna-wide
        .input name=image address=0 shape=8
        .output name=out address=8 shape=8
        .weights row=0 column=0 values=1,2,3,4,5,6,7,8
        PAGE page=0
        SHIFT register=0 width=8 address=0 count=8
        STORE registers=0
        CALC fan_in=64 row=0 neurons=8 registers=0
        OUT address=8 count=8
        END""")
    images = np.random.default_rng(0).integers(0, 8, (40, 8))
    chip = anna.Chip(seed=3, analog=analog, faults=anna.Faults(ram_flips=((0, 1, 20, 5),)))
    engine = outputs(chip.run_codes(program, images))
    np.testing.assert_array_equal(engine, outputs(chip.run_codes(program, images, engine="interpreter")))
    assert (engine != outputs(anna.Chip().run_codes(program, images)))[:, 1:].any()


def _digest(seed: int, analog: anna.Analog) -> str:
    """SHA-256 of what a drawn chip gives, and of the die itself."""
    text = (Path(__file__).parents[2] / "programs" / "fan_in_256.asm").read_text()
    program = anna.assemble(text)
    images = np.random.default_rng(3).integers(0, 8, (64, *program.input.shape))
    chip = anna.Chip(seed=seed, analog=analog)
    found = outputs(chip.run_codes(program, images, noise_seed=5))
    arrays = sorted(name for name, part in PATTERN.items() if part.since == 1)  # those of the first digests
    pattern = b"".join(chip.die().pattern[name].tobytes() for name in arrays)
    return hashlib.sha256(found.tobytes() + pattern).hexdigest()


def test_the_same_bits_in_another_process() -> None:
    here = Path(__file__).parent
    paths = [str(here), str(here.parents[1]), *sys.path]
    code = f"import sys; sys.path[:] = {paths!r}; import test_evaluators as t; print(t._digest(7, t.EVERYTHING))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert found == _digest(7, EVERYTHING)


@pytest.mark.parametrize(
    ("analog", "golden"),
    [
        (EVERYTHING_V1, "e1d9eb8b14be33cfea9b795eaae18d6f0eecb95d14c0be837f03f2a17e7d07ce"),
        (EVERYTHING_V2, "1c40dfccc80384a2e8a502abddca4f16f535f2573046881df30d8a310809ddbe"),
        (EVERYTHING_V3, "dabee4b310827763dd9850d8d0881db8bba6b8519f3733f63727fc4ccc67db93"),
        (EVERYTHING, "3bf9f8a4738200ec55496ea6db81ec8e91e4f909d99b7f39ea6313e865ada6e4"),
    ],
    ids=["version 1", "version 2", "places and knee", "version 3"],
)
def test_the_same_die_on_every_machine(analog: anna.Analog, golden: str) -> None:
    """The bits of a die, and of its results with noise of version 4: for a seed they change with that version only."""
    assert _digest(7, analog) == golden


@many(30)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(0, 300),
    rate=st.sampled_from([0.0, 1e-6, 1e-3]),
    simd=st.sampled_from(simd_levels()),
)
def test_the_engine_shows_the_weights_of_the_definition(seed: int, count: int, rate: float, simd: str) -> None:
    rng = np.random.default_rng(seed)
    dac, level = rng.integers(0, 2, 64), rng.normal(0, 16, (2, 8))
    gain, zero, leak = rng.normal(1, 0.1, 64), rng.normal(0, 0.1, 64), rng.uniform(0, 2, 64)
    synapses = synapse.Synapses(8, dac, level, gain, zero, leak, rate, 1024.0)
    reads = [rng.integers(0, most, count) for most in (8, 8, 8, 10**6)]
    np.testing.assert_array_equal(synapses.fixed(*reads, simd), synapses.fixed_by_numpy(*reads))


@many(30)
@given(seed=st.integers(0, 2**32), fan_in=st.sampled_from([16, 64, 128, 256]), full=st.booleans())
def test_fixed_point_weights_err_by_less_than_a_64th_of_an_lsb(seed: int, fan_in: int, full: bool) -> None:
    """A dot product with rounded weights against the same in float64, at the most sensitive scale."""
    die = anna.Die.draw(ANNA_WIDE, anna.Analog.worst(), seed)
    rng = np.random.default_rng(seed)
    rows, columns = rng.integers(0, 64, (2, 200, fan_in))
    weight_codes = rng.integers(0, 64, rows.shape)
    ages = rng.integers(0, 2200, rows.shape)
    whole = die.electronics.weights(weight_codes, rows, columns, ages)
    one = 1 << ANNA_WIDE.weight_fraction_bits
    pattern = die.pattern
    levels = pattern["dac_levels_lsb"][refresh.writers(ANNA_WIDE)[rows, columns], weight_codes]
    kept = synapse.charge_kept(synapse.leak_per_cycle(ANNA_WIDE, die.analog), pattern["synapse_leak"][rows, columns], ages)
    by_place = gradient.gains(ANNA_WIDE, pattern["gain_slope"]) * row_drop.gains(ANNA_WIDE, die.analog)
    gains = (pattern["synapse_gain"] * by_place)[rows, columns]
    exact = synapse.weight_now(levels, gains, 0.0, kept)  # type: ignore[arg-type]
    error = whole / one - exact
    states = np.where(error > 0, 3.5, -3.5) if full else rng.integers(0, 8, rows.shape) - 3.5
    lsb = float(codes.adc_lsb(ANNA_WIDE)[0]) / codes.units_per_lsb_product(ANNA_WIDE)
    assert np.abs((error * states).sum(axis=1)).max() / lsb < rounding_bound_lsb(ANNA_WIDE, fan_in) < 1 / 64
