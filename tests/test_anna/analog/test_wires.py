"""Sums that depend on other sums: of the neurons beside them, of the CALC before, and of images before."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anna
from anna.analog import coupling, noise, settling, share, slow_noise
from anna.chip.spec import ANNA_1991, ANNA_WIDE, ChipSpec
from anna.lab.drifting import correlation
from anna.lab.noise_check import LARGEST_Z
from anna.lab.pins import pins_program, straight
from anna.machine.interpreter import Interpreter
from anna.machine.state import CalcRecord
from anna.program.file import Program, blank_pages


# --- a share of a sum ------------------------------------------------------------------------------------------------
@settings(max_examples=300, deadline=None)
@given(sums=st.lists(st.integers(-(2**60), 2**60), min_size=1, max_size=8), units=st.integers(0, share.ONE - 1))
def test_a_share_of_a_sum_is_rounded_to_nearest(sums: list[int], units: int) -> None:
    exact = [(total * units + share.HALF) // (1 << share.BITS) for total in sums]  # Python's integers have no end
    assert share.part(np.array(sums), units).tolist() == exact


def test_no_product_of_a_share_leaves_32_bits() -> None:
    """As the engine's narrow kernel computes it."""
    units = share.ONE - 1
    assert (2**31 >> share.BITS) * units < 2**31
    assert (share.ONE - 1) * units + share.HALF < 2**32


def test_shares_of_nothing_and_halves() -> None:
    assert share.units(0.0) == 0
    assert share.part(np.array([1, -1, 3]), 1 << 15).tolist() == [1, 0, 2]  # halves go up


# --- programs to look at ---------------------------------------------------------------------------------------------
def two_calcs(spec: ChipSpec, first: int = 8, second: int = 8) -> Program:
    """Two CALCs of so many neurons; row r has a weight of r + 1 in column 0."""
    weights, scales = blank_pages(spec)
    for row in range(16):
        weights[0, row, 0] = np.flatnonzero(anna.chip.codes.weight_converter(spec).numerators == 2 * (row + 1))[0]
    return pins_program(
        spec, [straight(spec, spec.columns, 0, first), straight(spec, spec.columns, 8, second)], weights, scales
    )


def records(program: Program, analog: anna.Analog, code: int = 7, **how: int) -> list[CalcRecord]:
    found = list[CalcRecord]()
    machine = Interpreter(
        program, np.full(program.input.shape, code), anna.Chip(seed=1, analog=analog).silicon(program.spec), **how
    )
    machine.hooks.append(found.append)
    machine.run()
    return found


def sums(program: Program, analog: anna.Analog, **how: int) -> list[np.ndarray]:
    return [record.sums for record in records(program, analog, **how)]


# --- coupling --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("spec", [ANNA_WIDE, ANNA_1991])
def test_a_sum_takes_a_share_of_its_two_neighbours(spec: ChipSpec) -> None:
    plain, coupled = (sums(two_calcs(spec), anna.Analog(neighbour_coupling=c)) for c in (0.0, 0.125))
    for own, found in zip(plain, coupled, strict=True):
        beside = np.append(own[1:], 0) + np.insert(own[:-1], 0, 0)
        np.testing.assert_array_equal(found, own + beside // 8)  # which are multiples of eight
        assert (beside % 8 == 0).all()


def test_neurons_that_a_calc_does_not_have_give_nothing() -> None:
    plain, coupled = (sums(two_calcs(ANNA_WIDE, 3), anna.Analog(neighbour_coupling=c))[0] for c in (0.0, 0.125))
    assert coupled.tolist() == [plain[0] + plain[1] // 8, plain[1] + (plain[0] + plain[2]) // 8, plain[2] + plain[1] // 8]


def test_neighbours_give_what_their_wires_carry_at_most() -> None:
    free, bound = (
        sums(two_calcs(ANNA_WIDE), anna.Analog(neighbour_coupling=0.125, sum_limit=limit))[1] for limit in (None, 0.1)
    )
    assert (np.abs(bound) < np.abs(free)).all()
    limit = round(0.1 * 32 * 4 * anna.chip.codes.units_per_lsb_product(ANNA_WIDE))
    assert np.abs(bound).max() <= limit + share.part(np.array(2 * limit), share.units(0.125))


# --- settling --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("spec", [ANNA_WIDE, ANNA_1991])
def test_a_sum_keeps_a_share_of_the_last_one_of_its_neuron_and_the_first_of_nothing(spec: ChipSpec) -> None:
    plain, found = (sums(two_calcs(spec), anna.Analog(sum_unsettled=e)) for e in (0.0, 0.125))
    np.testing.assert_array_equal(found[0], plain[0] - plain[0] // 8)
    np.testing.assert_array_equal(found[1], plain[1] + (plain[0] - plain[1]) // 8)


def test_what_is_left_is_what_the_wire_carried_and_not_what_was_seen_of_it() -> None:
    """Coupled sums, whole ones."""
    program = two_calcs(ANNA_WIDE)
    carried = sums(program, anna.Analog(neighbour_coupling=0.125))
    found = sums(program, anna.Analog(neighbour_coupling=0.125, sum_unsettled=0.25))
    np.testing.assert_array_equal(found[1], settling.seen(carried[1], carried[0], np.full(8, 1 << 14)))


def test_neurons_that_the_calc_before_did_not_have_keep_what_they_carried() -> None:
    program = anna.assemble("""
        .chip name=anna-wide
        .input name=image address=0 shape=64
        .output name=out address=64 shape=24
        .weights row=0 column=0 values=8
        .weights row=1 column=0 values=16
        .weights row=8 column=0 values=24
        .weights row=16 column=0 values=8
        .weights row=17 column=0 values=8
        PAGE page=0
        SHIFT register=0 width=64 address=0 count=64
        STORE registers=0
        CALC fan_in=64 row=0 neurons=8 registers=0
        OUT address=64 count=8
        CALC fan_in=64 row=8 neurons=1 registers=0
        OUT address=72 count=1
        CALC fan_in=64 row=16 neurons=8 registers=0
        OUT address=80 count=8
        END""".replace("shape=24", "shape=9"))  # fmt: skip
    plain, found = (sums(program, anna.Analog(sum_unsettled=e)) for e in (0.0, 0.125))
    last = np.array([plain[1][0], *plain[0][1:]])  # neuron 0 was in the second CALC too
    np.testing.assert_array_equal(found[2], plain[2] + (last - plain[2]) // 8)


PAGED = """
.input   name=image address=0 shape=64
.output  name=out address=64 shape=16
.weights page=0 row=0 column=0 values=31
.weights page=1 row=0 column=0 values=16
PAGE page=0
REPEAT count=16
SHIFT count=4 address=0 step=4
ENDREP
STORE latches=A.L0
CALC fan_in=64 row=0 neurons=8
OUT count=4 address=64
OUT count=4 address=68
{between}
REPEAT count=16
SHIFT count=4 address=0 step=4
ENDREP
STORE latches=A.L0
CALC fan_in=64 row=0 neurons=8
OUT count=4 address=72
OUT count=4 address=76
STOP
"""


def test_a_page_begins_with_wires_that_carry_nothing_and_nothing_else_does() -> None:
    on = anna.Analog(sum_unsettled=0.125)
    turned = anna.assemble(PAGED.format(between="PAGE page=1"))
    plain, found = sums(turned, anna.Analog()), sums(turned, on)
    np.testing.assert_array_equal(found[1], plain[1] - plain[1] // 8)
    straight_on = [sums(anna.assemble(PAGED.format(between=between)), on) for between in ("", "RFSH pair=0", "WAIT cycles=999")]
    for one in straight_on:
        assert one[1][0] == plain[0][0]  # the sum before is the same, so nothing is left to settle
    assert found[0][0] != plain[0][0]


def test_the_images_before_and_their_batch_do_not_matter() -> None:
    program = anna.assemble(PAGED.format(between="PAGE page=1"))
    chip = anna.Chip(seed=3, analog=anna.Analog(sum_unsettled=0.3, neighbour_coupling=0.1))
    images = np.random.default_rng(0).integers(0, 8, (300, 64))
    together = chip.run_codes(program, images).codes["out"]
    for some in (slice(0, 1), slice(17, 18), slice(290, 300)):
        np.testing.assert_array_equal(chip.run_codes(program, images[some]).codes["out"], together[some])
    np.testing.assert_array_equal(chip.run_codes(program, images[::-1], lanes=3).codes["out"], together[::-1])


def test_stepping_back_and_restoring_remember_what_wires_carried() -> None:
    program = two_calcs(ANNA_1991)
    silicon = anna.Chip(seed=1, analog=anna.Analog(sum_unsettled=0.3)).silicon(program.spec)
    machine = Interpreter(program, np.full(program.input.shape, 7), silicon)
    seen = list[np.ndarray]()
    machine.hooks.append(lambda calc: seen.append(calc.sums))
    machine.run()
    steps = len(program.ops) - next(i for i, op in enumerate(program.ops) if op.name == "CALC")
    machine.back(steps - 1)  # to after the first CALC
    saved = machine.save()
    machine.run()
    machine.restore(saved)
    machine.run()
    assert len(seen) == 4
    for again in seen[2:]:
        np.testing.assert_array_equal(again, seen[1])


def test_what_is_left_follows_the_clock() -> None:
    """0.04 after 200 ns: its square after 400, its root after 100."""
    on = anna.Analog(sum_unsettled=0.04)
    for clock_hz, left in ((20_000_000, 0.04), (10_000_000, 0.0016), (40_000_000, 0.2)):
        assert settling.left_units(ANNA_1991.changed(clock_hz=clock_hz), on) == share.units(left)
    assert settling.left_units(ANNA_1991.changed(clock_hz=10_000_000, calc_cycles=2), on) == share.units(0.04)


def test_wires_that_have_no_time_to_settle_show_the_sum_before() -> None:
    fast = ANNA_1991.changed(clock_hz=10**12)
    assert settling.left_units(fast, anna.Analog(sum_unsettled=0.4)) == share.units(0.4**0.00002)
    assert share.units(0.9999999) == 2**16 - 1


def test_an_engine_computes_sums_that_others_take_a_share_of_and_no_more() -> None:
    """Of eight neurons one is read: beside it two, and the same three in the CALC before."""
    program = two_calcs(ANNA_WIDE)
    timeline = anna.verified(program)
    wanted = [timeline.outputs["codes1"][3:4]]

    def macs(**on: float) -> int:
        from anna.engine.building import build_workload

        silicon = anna.Chip(seed=1, analog=anna.Analog(**on)).silicon(program.spec)
        return int(np.count_nonzero(build_workload(timeline, silicon, wanted).op_weight))

    assert [macs(), macs(neighbour_coupling=0.1), macs(sum_unsettled=0.1), macs(neighbour_coupling=0.1, sum_unsettled=0.1)] == [
        1, 3, 2, 6,
    ]  # fmt: skip


# --- slow noise ------------------------------------------------------------------------------------------------------
def test_a_level_is_a_function_of_key_image_and_adc_alone() -> None:
    ids = np.array([5, 2**64 - 1, 0, 8191, 2**40, 5], dtype=np.uint64)
    found = slow_noise.levels(77, ids, 8)
    for i, image in enumerate(ids.tolist()):
        np.testing.assert_array_equal(slow_noise.levels(77, [image], 8)[0], found[i])
    np.testing.assert_array_equal(slow_noise.levels(77, ids, 3), found[:, :3])
    assert not (slow_noise.levels(78, ids, 8) == found).any()
    assert np.abs(found).max() <= slow_noise.LARGEST_LEVEL < 6.7 * math.sqrt(slow_noise.OCTAVES) + 1e-9


def test_a_level_is_what_the_octaves_add_up_to() -> None:
    """By the definition, one number at a time."""
    key, image, adc = 12345, 4321, 6
    total = np.float32(0)
    for octave in range(14):
        counter = np.array([0, 0, octave, 6 << 28], np.uint32)
        phase = int(noise.philox4x32(counter, (key & 0xFFFFFFFF, key >> 32))[0]) % 2**octave
        total += noise.normals(key, (image + phase) >> octave, octave, 5, adc)
    assert slow_noise.levels(key, [image], 8)[0, adc] == total * np.float32(14**-0.5)


KEYS, RUN = 400, 512


@pytest.fixture(scope="module")
def runs() -> np.ndarray:
    """Levels (keys, images, ADCs) of images in a row."""
    return np.stack([slow_noise.levels(key * 2**33 + 1, np.arange(RUN) + 999 * key, 8) for key in range(KEYS)]).astype(
        np.float64
    )


def test_images_in_a_row_are_as_correlated_as_the_law_says(runs: np.ndarray) -> None:
    """Over keys and ADCs, which are independent: each product has a variance of 1 + rho²."""
    for lag, rho in zip((1, 2, 8, 64, 256), correlation((1, 2, 8, 64, 256)), strict=True):
        products = (runs[:, 0] * runs[:, lag]).reshape(-1)
        assert abs(products.mean() - rho) < LARGEST_Z * math.sqrt((1 + rho * rho) / products.size), lag
    assert correlation([1])[0] == pytest.approx(1 - (2 - 2**-13) / 14)
    assert [round(float(a - b), 3) for a, b in pairwise(correlation([16, 32, 64]))] == [0.071, 0.071]
    assert correlation([8192])[0] == 0


def density(frequency: np.ndarray) -> np.ndarray:
    """Of a sum of 14 normals, number k of which lasts 2^k images from a random one on, with a variance of 1/14."""
    lasts = 2.0 ** np.arange(14)[:, None]
    return ((np.sin(np.pi * frequency * lasts) / np.sin(np.pi * frequency)) ** 2 / lasts).sum(axis=0) / 14


def test_the_spectrum_falls_as_one_over_f(runs: np.ndarray) -> None:
    """What is found is the density of the sum of octaves (to 5 %: 3,200 runs, a window that smears a little): 1/f within
    5 % for long periods and 17 % for those of a few images."""
    window = np.hanning(RUN)
    power = np.abs(np.fft.rfft(runs * window[:, None], axis=1)) ** 2 / (window**2).sum()
    frequency = np.arange(1, RUN // 2) / RUN
    found, law = power.mean(axis=(0, 2))[1 : RUN // 2] * frequency, density(frequency) * frequency
    for low in (4, 8, 16, 32, 64):  # of 512 images
        octave = slice(low - 1, 2 * low - 1)
        assert found[octave].mean() == pytest.approx(law[octave].mean(), rel=0.05), low
        one_over_f = 1 / (28 * math.log(2))
        assert (0.94 if low <= 8 else 0.82) * one_over_f < law[octave].mean() < one_over_f, low


def test_adcs_and_chips_drift_by_themselves(runs: np.ndarray) -> None:
    first = runs[:, 0]
    for a in range(8):
        for b in range(a):
            assert abs((first[:, a] * first[:, b]).mean()) * math.sqrt(KEYS) < LARGEST_Z
    program = two_calcs(ANNA_1991)
    states = np.full((200, *program.input.shape), 4)
    one, other = (anna.Chip(seed=seed, analog=anna.Analog(slow_noise_lsb=1.0)).run_codes(program, states).codes["codes0"]
                  for seed in (1, 2))  # fmt: skip
    assert (one != other).any()


def test_no_image_is_a_step_of_all_octaves() -> None:
    """The largest change from image to image over many keys is no larger at a power of two than elsewhere."""
    steps = np.zeros(32)
    for key in range(300):
        found = slow_noise.levels(key, np.arange(2**12 - 16, 2**12 + 17), 8)
        steps += (np.diff(found, axis=0) ** 2).mean(axis=1)
    assert steps[15] < 1.5 * np.median(steps)  # 4095 to 4096


@pytest.mark.parametrize("engine", ["engine", "interpreter"])
def test_any_part_of_the_images_drifts_as_all_do(engine: str) -> None:
    program = two_calcs(ANNA_1991)
    states = np.full((12, *program.input.shape), 4)
    chip, ids = anna.Chip(seed=5, analog=anna.Analog(slow_noise_lsb=1.0)), np.arange(12) * 7
    together = chip.run_codes(program, states, image_ids=ids, engine=engine).codes["codes0"]
    apart = [chip.run_codes(program, states[:1], image_ids=[i], engine=engine).codes["codes0"][0] for i in ids[::-1]]
    np.testing.assert_array_equal(np.array(apart)[::-1], together)
    assert len(np.unique(together[:, 0])) > 1


def test_all_calcs_of_an_image_have_the_same_slow_noise() -> None:
    for image_id in range(5):
        still, drifting = (records(two_calcs(ANNA_1991), anna.Analog(slow_noise_lsb=s), image_id=image_id) for s in (0.0, 0.5))
        moved = [b.sums - a.sums for a, b in zip(still, drifting, strict=True)]
        np.testing.assert_array_equal(*moved)
        assert (moved[0] != 0).all()


def test_slow_noise_is_a_share_of_the_range_in_use_errors_of_the_scale_included() -> None:
    adcs, scale_codes = (a.reshape(-1) for a in np.indices((8, 16)))
    silicon, still = (
        anna.Die.draw(ANNA_1991, anna.Analog(slow_noise_lsb=s, scale_mismatch=0.05), 3).electronics for s in (0.5, 0)
    )
    thresholds = silicon.thresholds(adcs, 0 * adcs, 0 * adcs, scale_codes)
    lsb = (thresholds[:, -1] - thresholds[:, 0]) / 6
    sigma = silicon.slow_sigma(adcs, 0 * adcs, 0 * adcs, scale_codes)
    assert sigma is not None
    np.testing.assert_allclose(sigma, 0.5 * lsb, rtol=1e-4)
    assert still.slow_sigma(adcs, 0 * adcs, 0 * adcs, scale_codes) is None


# --- dead neurons ----------------------------------------------------------------------------------------------------
def test_a_dead_neurons_wire_takes_its_share_of_the_others() -> None:
    analog, faults = anna.Analog(neighbour_coupling=0.125), anna.Faults(dead_neurons=(2,))
    program, found = two_calcs(ANNA_WIDE), list[CalcRecord]()
    silicon = anna.Chip(seed=1, analog=analog, faults=faults).silicon(program.spec)
    machine = Interpreter(program, np.full(program.input.shape, 7), silicon)
    machine.hooks.append(found.append)
    machine.run()
    own = sums(program, anna.Analog())[0]
    assert found[0].sums[2] == (own[1] + own[3]) // 8
    assert found[0].sums[1] == own[1] + own[0] // 8  # and gives nothing


def test_coupled_and_seen_sums_by_hand() -> None:
    assert coupling.coupled(np.array([800, -1600, 80]), np.full(3, 1 << 13)).tolist() == [600, -1490, -120]
    assert settling.seen(np.array([800, 0]), np.array([0, 800]), np.full(2, 1 << 13)).tolist() == [700, 100]
