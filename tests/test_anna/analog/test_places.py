"""Gains by place, a gradient across the die and a drop along its rows, and the knee of the wire: law, moments, independence."""

import math

import numpy as np
import pytest

import anna
from anna.analog import gradient, knee, row_drop
from anna.analog.draws import Draws, Part
from anna.chip import codes
from anna.chip.spec import ANNA_1991, ANNA_WIDE
from anna.lab.noise_check import LARGEST_Z


# --- a gradient across the die ---------------------------------------------------------------------------------------
def test_gains_rise_evenly_from_edge_to_edge_and_the_centre_is_one() -> None:
    found = gradient.gains(ANNA_1991, np.array([0.02, -0.06]))
    assert found.shape == (64, 64)
    np.testing.assert_allclose(found[:, -1] - found[:, 0], 0.02, atol=1e-15)
    np.testing.assert_allclose(found[-1] - found[0], -0.06, atol=1e-15)
    np.testing.assert_allclose(np.diff(found, axis=0), -0.06 / 63, atol=1e-15)
    np.testing.assert_allclose(np.diff(found, axis=1), 0.02 / 63, atol=1e-15)
    assert found.mean() == pytest.approx(1.0, abs=1e-15)


def test_an_array_of_one_row_has_no_gradient_along_y() -> None:
    one = ANNA_WIDE.changed(rows=1, neurons_at_once=1, fan_ins=(64,))
    np.testing.assert_array_equal(gradient.gains(one, np.array([0.0, 0.5])), np.ones((1, 64)))


def test_slopes_over_dies_are_gaussian_of_the_stated_size_in_every_direction_alike() -> None:
    dies, analog = 2000, anna.Analog(gain_gradient=0.04)
    slopes = np.array([gradient.drawn_slopes(ANNA_1991, analog, Draws(seed)) for seed in range(dies)]) / 0.04
    assert np.abs(slopes.mean(axis=0)).max() < LARGEST_Z / math.sqrt(dies)
    assert np.abs((slopes**2).mean(axis=0) - 1).max() < LARGEST_Z * math.sqrt(2 / dies)
    assert abs(np.corrcoef(slopes.T)[0, 1]) < LARGEST_Z / math.sqrt(dies)
    turns = np.arctan2(slopes[:, 1], slopes[:, 0])
    for order in (1, 2, 4):  # of any preferred direction
        assert math.hypot(np.cos(order * turns).sum(), np.sin(order * turns).sum()) < LARGEST_Z * math.sqrt(dies)


@pytest.mark.slow
def test_a_gradient_is_drawn_apart_from_every_other_part() -> None:
    dies, analog = 2000, anna.Analog(gain_gradient=0.1)
    mine = np.array([gradient.drawn_slopes(ANNA_1991, analog, Draws(seed)) for seed in range(dies)]) / 0.1
    for part in set(Part) - {Part.GRADIENT}:
        other = np.array([Draws(seed).normals(part, 2) for seed in range(dies)])
        assert np.abs((mine[:, :, None] * other[:, None]).mean(axis=0)).max() < LARGEST_Z / math.sqrt(dies), part


# --- a drop along a row ----------------------------------------------------------------------------------------------
def test_the_drop_is_that_of_a_line_whose_synapses_take_equal_currents() -> None:
    """A ladder of resistors, solved as circuits are: each piece carries the current of all synapses behind it."""
    columns = 64
    currents = np.ones(columns)
    pieces = np.append(0.0, [currents[c:].sum() for c in range(1, columns)])  # voltage over the piece before each column
    drop = pieces.cumsum()
    np.testing.assert_allclose(row_drop.shares(columns), drop / drop[-1], rtol=1e-12)
    gains = row_drop.gains(ANNA_1991, anna.Analog(row_drop=0.1))
    assert (gains[0], gains[-1]) == (1.0, 0.9)
    assert (np.diff(gains) < 0).all() and np.diff(gains)[-1] > np.diff(gains)[0]  # flat at the far end
    np.testing.assert_array_equal(row_drop.shares(1), [0.0])


@pytest.mark.parametrize("seed", range(20))
def test_a_drop_that_follows_the_data_lies_between_none_and_the_static_one(seed: int) -> None:
    """The bound that the part states: currents of any size up to the largest, anywhere in the row."""
    rng, columns = np.random.default_rng(seed), 64
    currents = rng.uniform(0, 1, columns) * (rng.uniform(0, 1, columns) < rng.uniform(0.05, 1))
    drop = np.append(0.0, [currents[c:].sum() for c in range(1, columns)]).cumsum() / (columns * (columns - 1) / 2)
    static = row_drop.shares(columns)
    assert (drop >= 0).all() and (drop <= static + 1e-12).all()
    strength, products = 0.02, currents * rng.choice([-1, 1], columns)
    off = abs((strength * (static - drop) * products).sum())
    assert off <= strength * np.abs(products).sum()


def test_gradient_and_drop_act_on_the_gain_of_a_synapse_and_on_nothing_else() -> None:
    analog = anna.Analog(gain_gradient=0.04, row_drop=0.02, synapse_zero_lsb=0.3)
    die = anna.Die.draw(ANNA_1991, analog, 3)
    by_place = gradient.gains(ANNA_1991, die.pattern["gain_slope"]) * row_drop.gains(ANNA_1991, analog)
    without = anna.Die.draw(ANNA_1991, analog.without("gradient", "row_drop"), 3)
    nothing = codes.weight_converter(ANNA_1991).exact(0.0)
    zero = without.weights_lsb(nothing)
    np.testing.assert_array_equal(die.weights_lsb(nothing), zero)  # the zero error alone
    np.testing.assert_allclose(die.weights_lsb() - zero, 31 * by_place, atol=1 / 512)


def test_a_measured_die_may_have_any_slope() -> None:
    die = anna.Die.draw(ANNA_1991, anna.Analog.typical(), 1)
    assert (die.pattern["gain_slope"] == 0).all()
    tilted = die.changed(gain_slope=np.array([0.0, 0.5]))
    ratio = tilted.weights_lsb()[-1].mean() / tilted.weights_lsb()[0].mean()
    assert ratio == pytest.approx(1.25 / 0.75, rel=0.02)
    with pytest.raises(anna.AnnaError, match=r"pattern gain_slope has shape \(3,\); expected \(2,\)"):
        die.changed(gain_slope=np.zeros(3))


# --- the knee of the wire --------------------------------------------------------------------------------------------
LIMIT = 1000.0


def test_the_knee_is_odd_rises_strictly_and_stays_below_its_limit() -> None:
    sums = np.linspace(-50 * LIMIT, 50 * LIMIT, 10_001)
    seen = knee.after(sums, LIMIT)
    assert (np.diff(seen) > 0).all() and np.abs(seen).max() < LIMIT
    np.testing.assert_array_equal(seen, -knee.after(-sums, LIMIT))
    small = np.linspace(-LIMIT / 100, LIMIT / 100, 101)
    np.testing.assert_allclose(knee.after(small, LIMIT), small, rtol=6e-5)  # half of (1/100)^2
    assert knee.after(np.array([LIMIT]), LIMIT)[0] == pytest.approx(LIMIT / math.sqrt(2))


def test_a_threshold_before_the_knee_is_reached_by_the_same_sums() -> None:
    """Sums as whole numbers, by the law itself in exact arithmetic: s / sqrt(1 + (s/L)^2) >= t from the image of t on."""
    limit = 1000
    thresholds = np.arange(-1200, 1201, 7)
    images = knee.before(thresholds.astype(float), float(limit))
    for t, image in zip(thresholds.tolist(), images.tolist(), strict=True):
        for s in {math.floor(image), math.ceil(image), math.floor(image) - 2, math.ceil(image) + 2, 0, 10**6, -(10**6)}:
            s_square = s * s * limit * limit  # of what is seen, times (limit^2 + s^2)
            t_square = t * t * (limit * limit + s * s)
            reached = (s >= 0 or t < 0) and (s_square >= t_square if t >= 0 else s >= 0 or s_square <= t_square)
            if abs(s - image) > 1e-9 * max(1, abs(image)):
                assert (s >= image) == reached, (t, s)


def test_a_threshold_beyond_the_limit_is_never_passed_and_one_below_minus_it_always() -> None:
    found = knee.before(np.array([LIMIT, 2 * LIMIT, 1e300, -LIMIT, -3 * LIMIT]), LIMIT)
    np.testing.assert_array_equal(found, [knee.NEVER] * 3 + [-knee.NEVER] * 2)
    assert (np.abs(knee.before(np.array([5.0, -5.0]), 1e-300)) == knee.NEVER).all()
    assert (knee.before(np.array([0.0, -0.0]), LIMIT) == 0.0).all()


@pytest.mark.parametrize("engine", ["engine", "interpreter"])
def test_a_wire_that_carries_too_little_gives_the_middle_codes_alone(engine: str) -> None:
    """At the widest range, 45 synapses across, no sum on a wire that carries half a synapse gets to the first threshold."""
    program = anna.assemble("""
        .input   name=image address=0 shape=64
        .output  name=sums address=64 shape=4
        .weights row=0 column=0 values=31,31,31,31,31,31,31,31,31,31,31,31,31,31,31,31
        .scale   row=0 codes=15
        PAGE   page=0
        REPEAT count=16
        SHIFT  count=4 address=0 step=4
        ENDREP
        STORE  latches=A.L0
        CALC   fan_in=64 row=0 neurons=4
        OUT    count=4 address=64
        STOP""")
    images = np.repeat(np.arange(8), 64).reshape(8, 64)
    free, tight = (anna.Chip(seed=1, analog=anna.Analog(sum_knee=limit)).run_codes(program, images, engine=engine).codes["sums"]
                   for limit in (1000.0, 0.5))  # fmt: skip
    assert sorted(set(free[:, 0].tolist())) == [1, 2, 3, 4, 5, 6]
    assert sorted(set(tight[:, 0].tolist())) == [3, 4]


def test_thresholds_of_narrow_ranges_do_not_feel_the_knee_of_worst_chips() -> None:
    """0.2 LSB at the last threshold of the widest range, and a 256th of that at a 16th of the range."""
    electronics = anna.Die.draw(ANNA_1991, anna.Analog.worst().alone("knee"), 0).electronics
    place = (np.zeros(16, np.int64),) * 3
    lsb = codes.adc_lsb(ANNA_1991)
    last = electronics.thresholds(*place, np.arange(16))[:, -1] / lsb
    assert last[15] - 3 == pytest.approx(3 / math.sqrt(1 - (3 * lsb[15] / (48 * 128 * 2048)) ** 2) - 3, abs=1e-6)
    assert 0.19 < last[15] - 3 < 0.22
    assert (last[15] - 3) / (last[7] - 3) == pytest.approx(256, rel=0.15)
