"""Droop cycle by cycle: charges leak exponentially with their age since the refresh, faster on warmer chips."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anna
from anna.analog.synapse import leak_per_cycle
from anna.chip import codes, refresh
from anna.chip.spec import ANNA_WIDE
from anna.lab.pins import pins_program, straight
from anna.machine.interpreter import Interpreter
from anna.program.file import Program, blank_pages

LEAKY = anna.Analog(charge_lost=0.2)


def waiting(cycles: int, weight: float = 31.0) -> Program:
    weights, scales = blank_pages(ANNA_WIDE)
    weights[:] = codes.weight_converter(ANNA_WIDE).exact(weight)
    return pins_program(ANNA_WIDE, [straight(ANNA_WIDE, 64, 0, 8)], weights, scales, wait_cycles=cycles)


@settings(max_examples=200, deadline=None)
@given(
    cycle=st.integers(0, 10**6), row=st.integers(0, 63), column=st.integers(0, 63), phase=st.integers(0, 5000),
    stop=st.integers(0, 5000),
)  # fmt: skip
def test_ages_agree_with_counting_cycle_by_cycle(cycle: int, row: int, column: int, phase: int, stop: int) -> None:
    spec = ANNA_WIDE.changed(rows=64, refresh_overhead_cycles=152)
    place = np.array(row), np.array(column)
    cycle %= 12_000
    turn = int(refresh.write_cycles(spec)[row, column])
    period = spec.refresh_period_cycles
    written = [t for t in range(-period, min(cycle, stop - 1) + 1) if (t + phase - turn) % period == 0]
    assert int(refresh.ages(spec, np.array(cycle), *place, phase, stop)) == cycle - written[-1]
    unstopped = [t for t in range(-period, cycle + 1) if (t + phase - turn) % period == 0]
    assert int(refresh.ages(spec, np.array(cycle), *place, phase)) == cycle - unstopped[-1]
    assert 0 <= cycle - unstopped[-1] < period


@pytest.mark.parametrize("stop", [0, 300, 2500])
def test_a_stopped_refresh_lets_every_weight_fall_along_the_stated_exponential(stop: int) -> None:
    """Read at cycle c, as the debugger reads it: w exp(-age / tau), rounded to 2^-10 weight LSB."""
    faults = anna.Faults(refresh_stops_at_cycle=stop)
    silicon = anna.Chip(seed=1, analog=LEAKY, faults=faults).silicon(ANNA_WIDE)
    machine = Interpreter(waiting(30_000), np.zeros((4, 64), np.uint8), silicon)
    tau_cycles = 110e-6 * ANNA_WIDE.clock_hz / -math.log(1 - 0.2)
    machine.run()
    record = []
    machine = Interpreter(waiting(30_000), np.zeros((4, 64), np.uint8), silicon)
    machine.hooks.append(record.append)
    while not machine.done:
        machine.step()
        now = machine.state.board.now
        if machine.done or machine.state.segment < 0:
            continue
        for row, column in ((0, 0), (13, 7), (63, 63)):
            age = int(refresh.ages(ANNA_WIDE, np.array(now), np.array(row), np.array(column), 0, stop))
            assert age >= now - stop
            expected = 31.0 * math.exp(-age / tau_cycles)
            assert abs(machine.synapse(row, column) - expected) <= 0.5 / 1024 + 1e-9
    (calc,) = record
    assert calc.ages.min() > 27_000
    np.testing.assert_allclose(calc.weights / 1024, 31.0 * np.exp(-calc.ages / tau_cycles), atol=0.5 / 1024 + 1e-9)


def test_by_the_end_of_a_period_the_stated_share_is_gone() -> None:
    for preset, lost in (("typical-v1", 0.01), ("worst-v1", 0.04)):
        die = anna.Die.draw(ANNA_WIDE, anna.Analog.preset(preset).alone("droop"), 0)
        left = die.weights_lsb(-1, ANNA_WIDE.refresh_period_cycles) / die.weights_lsb(-1, 0)
        np.testing.assert_allclose(left, 1 - lost, atol=1e-4)


def test_since_version_2_the_stated_share_is_gone_after_5_ms_on_the_median_die() -> None:
    for preset, lost in (("typical-v2", 0.01), ("worst-v2", 0.04)):
        analog = anna.Analog.preset(preset).alone("droop")
        median = anna.Die.draw(ANNA_WIDE, analog.changed(leak_die_spread=0.0), 0)
        cycles = round(5e-3 * ANNA_WIDE.clock_hz)
        np.testing.assert_allclose(median.weights_lsb(-1, cycles) / 31.0, 1 - lost, atol=1e-4)
        die = anna.Die.draw(ANNA_WIDE, analog, 0)
        (factor,) = np.unique(die.pattern["synapse_leak"])
        np.testing.assert_allclose(die.weights_lsb(-1, cycles) / 31.0, (1 - lost) ** factor, atol=1e-4)


def test_the_same_calc_at_another_refresh_phase_gives_another_result_in_both_evaluators_alike() -> None:
    program = waiting(0, weight=3.0)
    images = np.random.default_rng(1).integers(0, 8, (200, 4, 64))
    chip = anna.Chip(seed=1, analog=anna.Analog(charge_lost=0.9))
    found = {}
    for phase in (0, 1500):
        engine = chip.run_codes(program, images, phase_cycles=phase).codes["codes0"]
        oracle = chip.run_codes(program, images, phase_cycles=phase, engine="interpreter").codes["codes0"]
        np.testing.assert_array_equal(engine, oracle)
        found[phase] = engine
    assert (found[0] != found[1500]).any()
    ideal = anna.Chip()
    np.testing.assert_array_equal(
        ideal.run_codes(program, images).codes["codes0"], ideal.run_codes(program, images, phase_cycles=1500).codes["codes0"]
    )


def test_a_longer_period_and_a_warmer_chip_lose_more() -> None:
    spec, slow = ANNA_WIDE, refresh.with_period_us(ANNA_WIDE, 1100.0)
    assert slow.refresh_period_cycles == 22_000
    analog = anna.Analog(charge_lost=0.01)
    assert leak_per_cycle(slow, analog) == leak_per_cycle(spec, analog)
    left = anna.Die.draw(slow, analog, 0).weights_lsb(-1, slow.refresh_period_cycles) / 31.0
    np.testing.assert_allclose(left, 0.99**10, atol=1e-4)
    warmer = analog.changed(temperature_k=309.0)
    assert leak_per_cycle(spec, warmer) == pytest.approx(2 * leak_per_cycle(spec, analog), rel=1e-12)
    hotter = analog.changed(temperature_k=350.0, leak_doubling_k=10.0)
    assert leak_per_cycle(spec, hotter) == pytest.approx(32 * leak_per_cycle(spec, analog), rel=1e-12)
    assert leak_per_cycle(spec, analog) == pytest.approx(-math.log(0.99) / 2200, rel=1e-12)
    assert leak_per_cycle(spec, anna.Analog(charge_lost=0.6)) == pytest.approx(-math.log(0.4) / 2200, rel=1e-12)


@pytest.mark.parametrize(
    ("noise", "grows"), [({"thermal_noise_lsb": 0.25}, 1.1), ({"wire_noise_products": 8.5}, 1.1), ({"adc_noise_lsb": 0.18}, 1)]
)
def test_noise_of_a_sum_grows_with_the_root_of_temperature(noise: dict[str, float], grows: float) -> None:
    place, synapses = (np.zeros(1, np.int64),) * 4, np.array([28])
    cool, warm = (anna.Die.draw(ANNA_WIDE, anna.Analog(**noise, temperature_k=kelvin), 0).electronics for kelvin in (300, 363))
    ratio = warm.thermal_sigma(*place, synapses)[0] / cool.thermal_sigma(*place, synapses)[0]
    assert ratio == pytest.approx(grows, rel=1e-6)


def test_a_refresh_period_too_short_for_the_array_is_refused() -> None:
    with pytest.raises(anna.AnnaError) as error:
        refresh.with_period_us(ANNA_WIDE, 90.0)
    assert str(error.value) == (
        "refresh period is 90 us, 1800 cycles; the 2 DACs need 2048 cycles (102.4 us) to write 4096 synapses"
    )
    with pytest.raises(anna.AnnaError, match="refresh period must be positive and below 1000 s, got -1 us"):
        refresh.with_period_us(ANNA_WIDE, -1.0)
    with pytest.raises(anna.AnnaError, match="refresh_overhead_cycles: expected at least 0, got -1"):
        ANNA_WIDE.changed(refresh_overhead_cycles=-1)


def test_leak_mismatch_makes_synapses_differ() -> None:
    die = anna.Die.draw(ANNA_WIDE, anna.Analog(charge_lost=0.1, leak_mismatch=0.3), 2)
    fresh, old = die.weights_lsb(-1, 0), die.weights_lsb(-1, 2000)
    assert (fresh == 31.0).all()
    assert 0.3 < np.std(old) < 1.5
    assert (old <= 31.0).all()
