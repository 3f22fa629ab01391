"""Parts, faults, dies as objects and files, and the chip that is made of them."""

import hashlib
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anna
from anna.analog import synapse, weight_dac
from anna.analog.draws import Draws
from anna.base import container
from anna.base.border import DIE
from anna.base.errors import FileError, MachineError, SpecError
from anna.chip import codes, refresh
from anna.chip.machines import MACHINES
from anna.chip.spec import ANNA_WIDE
from anna.lab.pins import pins_program, straight
from anna.machine.interpreter import Interpreter
from anna.program.file import Program, blank_pages


# --- parts -----------------------------------------------------------------------------------------------------------
@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**64 - 1), inl=st.floats(0.1, 2.0), apart=st.floats(0.0, 0.1))
def test_the_dacs_are_as_bad_as_stated_and_zero_at_zero(seed: int, inl: float, apart: float) -> None:
    analog = anna.Analog(dac_inl_lsb=inl, dac_gain_apart=apart)
    levels = weight_dac.drawn_levels(ANNA_WIDE, analog, Draws(seed))
    ideal = weight_dac.ideal_levels(ANNA_WIDE)
    gains = levels[:, 0] / ideal[:, 0]  # the bow is zero at the lowest level
    np.testing.assert_allclose(np.abs(levels - ideal * gains[:, None]).max(axis=1), inl, rtol=1e-9)
    assert (levels[:, 32] == 0).all()
    assert abs(gains[0] - gains[1]) == pytest.approx(apart, abs=1e-12)
    assert gains.mean() == pytest.approx(1.0, abs=1e-12)


def test_the_bow_of_a_dac_is_zero_at_the_lowest_level_but_not_at_the_highest() -> None:
    """Which lies a level short of where it would be: the largest share, over all mixtures of even and odd, and over dies."""
    levels = weight_dac.ideal_levels(ANNA_WIDE)[0]
    assert (levels[0], levels[32], levels[-1]) == (-32.0, 0.0, 31.0)
    turns = np.linspace(0.0, np.pi, 20_001)
    bows = weight_dac.bow(levels, np.stack([np.cos(turns), np.sin(turns)], axis=1))
    np.testing.assert_array_equal(np.abs(bows).max(axis=1), 1.0)
    assert not bows[:, [0, 32]].any()
    assert np.abs(bows[:, -1]).max() == pytest.approx(0.2312, abs=1e-4)
    analog = anna.Analog(dac_inl_lsb=2.0)
    found = np.array([weight_dac.drawn_levels(ANNA_WIDE, analog, Draws(seed))[:, [0, -1]] for seed in range(1000)])
    assert (found[:, :, 0] == -32.0).all()
    share = (found[:, :, 1] - 31.0) / 2.0
    assert np.abs(share).max() <= 0.2313 and np.sqrt((share**2).mean()) == pytest.approx(0.153, abs=0.01)


def test_the_bow_is_zero_at_both_ends_of_symmetric_codes() -> None:
    spec = ANNA_WIDE.changed(weight_levels="mid-rise")
    levels = weight_dac.drawn_levels(spec, anna.Analog(dac_inl_lsb=2.0), Draws(3))
    np.testing.assert_array_equal(levels[:, [0, -1]], [[-31.5, 31.5]] * 2)


@pytest.mark.slow
def test_each_die_draws_how_strong_its_inl_gain_difference_and_leak_are() -> None:
    """Log-normal about the stated strength: over 400 dies, mean and deviation of the logarithm, and no correlation."""
    analog, dies = anna.Analog.typical().alone("weight_dac", "droop"), 400
    found = []
    for seed in range(dies):
        pattern = anna.Die.draw(ANNA_WIDE, analog, seed).pattern
        levels, ideal = pattern["dac_levels_lsb"], weight_dac.ideal_levels(ANNA_WIDE)
        gains = levels[:, 0] / ideal[:, 0]
        inl = np.abs(levels - ideal * gains[:, None]).max(axis=1)
        assert inl[0] == pytest.approx(inl[1], rel=1e-9)  # the DACs of a die are equally bad
        (leak,) = np.unique(pattern["synapse_leak"])
        found.append((inl[0] / 0.5, abs(gains[0] - gains[1]) / 0.005, leak))
    logs = np.log(found)
    margin = 4.9 * 0.3 / dies**0.5  # false alarm once in a million
    assert (np.abs(logs.mean(axis=0)) < margin).all()
    assert (np.abs(logs.std(axis=0) - 0.3) < margin / 2**0.5).all()
    assert np.abs(np.corrcoef(logs.T) - np.eye(3)).max() < 4.9 / dies**0.5


def test_dies_of_version_1_are_all_equally_strong() -> None:
    for seed in range(3):
        pattern = anna.Die.draw(ANNA_WIDE, anna.Analog.preset("typical-v1"), seed).pattern
        ideal = weight_dac.ideal_levels(ANNA_WIDE)
        gains = pattern["dac_levels_lsb"][:, 0] / ideal[:, 0]
        inl = np.abs(pattern["dac_levels_lsb"] - ideal * gains[:, None]).max(axis=1)
        np.testing.assert_allclose(inl, 0.5, rtol=1e-9)
        assert abs(gains[0] - gains[1]) == pytest.approx(0.005, abs=1e-12)
        assert (pattern["synapse_leak"] == 1.0).all()


def test_a_spread_keeps_its_size_when_the_strength_is_scaled() -> None:
    typical = anna.Analog.typical().changed(leak_mismatch=0.2)
    assert typical.scaled("weight_dac", 2).dac_die_spread == 0.3
    assert (typical.scaled("droop", 2).leak_die_spread, typical.scaled("droop", 2).leak_mismatch) == (0.3, 0.2)
    assert typical.scaled("leak_die_spread", 0.5).leak_die_spread == 0.15
    assert typical.scaled("leak_mismatch", 0.5).leak_mismatch == 0.1


def test_kt_over_c() -> None:
    # Two capacitors of 200 fF at 300 K: sqrt(2 k T / C) = 0.2035 mV, 1/154 of a weight LSB of 31.25 mV.
    assert synapse.ktc_lsb(200.0, 31.25, 300.0) == pytest.approx(0.2035 / 31.25, rel=1e-3)
    assert synapse.charge_noise_lsb(anna.Analog()) == 0.0
    both = anna.Analog(storage_capacitance_ff=200.0, injection_noise_lsb=0.01)
    assert synapse.charge_noise_lsb(both) == pytest.approx((0.006512**2 + 0.01**2) ** 0.5, rel=1e-3)


# --- faults ----------------------------------------------------------------------------------------------------------
def flat(weight: float = 8.0) -> Program:
    weights, scales = blank_pages(ANNA_WIDE)
    weights[:] = codes.weight_converter(ANNA_WIDE).exact(weight)
    return pins_program(ANNA_WIDE, [straight(ANNA_WIDE, 64, 0, 8)], weights, scales)


def synapses(faults: anna.Faults, program: Program) -> np.ndarray:
    machine = Interpreter(program, np.zeros((4, 64), np.uint8), anna.Chip(faults=faults).silicon(ANNA_WIDE))
    machine.step()
    return np.array([[machine.synapse(row, column) for column in range(64)] for row in range(64)])


def test_each_fault_is_what_it_says() -> None:
    faults = anna.Faults(dead_synapses=((3, 5),), stuck_synapses=((9, 1, -12.5),), ram_flips=((0, 20, 30, 5), (7, 0, 0, 0)))
    found = synapses(faults, flat())
    expected = np.full((64, 64), 8.0)
    expected[3, 5], expected[9, 1], expected[20, 30] = 0.0, -12.5, 8.0 - 32.0
    np.testing.assert_array_equal(found, expected)
    images = np.random.default_rng(0).integers(0, 8, (100, 4, 64))
    healthy = anna.Chip().run_codes(flat(2.0), images).codes["codes0"].astype(int)
    broken = anna.Faults(dead_neurons=(2,), stuck_bits=((0, 1, 1), (5, 2, 0)))
    for engine in ("engine", "interpreter"):
        found = anna.Chip(faults=broken).run_codes(flat(2.0), images, engine=engine).codes["codes0"].astype(int)
        expected = healthy.copy()
        expected[:, 0] |= 2
        expected[:, 5] &= 3
        expected[:, 2] = 4  # a sum of nothing lies on the middle threshold
        np.testing.assert_array_equal(found, expected)


def test_faults_by_rate() -> None:
    assert (synapses(anna.Faults(dead_synapse_rate=1.0), flat()) == 0).all()
    some = synapses(anna.Faults(dead_synapse_rate=0.1, seed=3), flat())
    assert 300 < (some == 0).sum() < 520
    stuck = synapses(anna.Faults(stuck_synapse_rate=1.0), flat())
    assert len(np.unique(stuck)) > 50
    flipped = synapses(anna.Faults(ram_flip_rate=1.0), flat())
    assert (flipped == -9.0).all()  # 8 is code 40; all bits turned make 23
    chip = anna.Chip(faults=anna.Faults(stuck_bit_rate=1.0, dead_neuron_rate=1.0))
    assert len(np.unique(chip.run_codes(flat(), np.zeros((9, 4, 64), int)).codes["codes0"], axis=0)) == 1


@pytest.mark.parametrize(
    ("faults", "sentence"),
    [
        ({"dead_synapses": ((64, 0),)}, r"dead synapse \(64, 0\) is not on this chip; its last one is \(63, 63\)"),
        ({"stuck_bits": ((0, 3, 1),)}, r"stuck bit \(0, 3, 1\) is not on this chip; its last one is \(7, 2, 1\)"),
        ({"dead_neurons": (8,)}, r"dead neuron \(8\) is not on this chip; its last one is \(7\)"),
        ({"ram_flips": ((0, 0, 0, 6),)}, r"RAM flip \(0, 0, 0, 6\) is not on this chip; its last one is \(255, 63, 63, 5\)"),
        ({"stuck_synapses": ((0, 0, 33.0),)}, r"stuck synapse \(0, 0\) is at 33 weight LSB; expected at most ±32"),
        ({"dead_synapse_rate": 1.5}, "Faults: dead_synapse_rate: expected at most 1, got 1.5"),
        ({"refresh_stops_at_cycle": -1}, "Faults: refresh_stops_at_cycle: expected at least 0"),
    ],
)
def test_faults_that_cannot_be_are_refused(faults: dict[str, object], sentence: str) -> None:
    with pytest.raises(SpecError, match=sentence):
        anna.Chip(faults=anna.Faults(**faults)).silicon(ANNA_WIDE)


# --- dies ------------------------------------------------------------------------------------------------------------
def test_a_die_is_a_file_that_gives_the_same_silicon(tmp_path: Path) -> None:
    chip = anna.Chip(seed=2**64 - 1, analog=anna.Analog.worst(), faults=anna.Faults(dead_synapse_rate=0.01), chip_on_board=1)
    die, path = chip.die(ANNA_WIDE), tmp_path / "mine.die"
    die.save(path)
    loaded = anna.Die.load(path)
    assert loaded.to_bytes() == die.to_bytes() == path.read_bytes()
    assert (loaded.seed, loaded.chip_on_board, loaded.analog) == (2**64 - 1, 1, anna.Analog.worst())
    images = np.random.default_rng(0).integers(0, 8, (50, 4, 64))
    one, other = (c.run_codes(flat(), images).codes["codes0"] for c in (chip, anna.Chip(die=loaded)))
    np.testing.assert_array_equal(one, other)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.die"]


def test_a_die_of_format_2_is_the_same_silicon() -> None:
    """Written when gains had no slope: by `Die.draw(spec, Analog.preset("worst-v2"), 7).save`, and the digest with it."""
    die = anna.Die.load(Path(__file__).parents[2] / "data" / "format-2.die")
    digest = hashlib.sha256(die.weights_lsb().tobytes()).hexdigest()
    assert digest == "ee3193032964ac388a58eeebbd777cbdc99f59d8227f04ab5a9a052e470db8c8"
    assert die.analog == anna.Analog.preset("worst-v2")
    drawn = anna.Die.draw(die.spec, die.analog, 7)
    assert set(die.pattern) == set(drawn.pattern)
    assert all(np.array_equal(die.pattern[name], drawn.pattern[name]) for name in drawn.pattern)


def test_a_die_of_today_without_its_slopes_is_not_complete(tmp_path: Path) -> None:
    die, path = anna.Die.draw(ANNA_WIDE, anna.Analog.worst(), 1), tmp_path / "mine.die"
    die.save(path)
    content, tensors = container.unpack(path, "anna_die", "die", DIE)
    del content["sha256"], tensors["gain_slope"]
    container.write_beside(path, container.pack("anna_die", content, tensors))
    with pytest.raises(FileError, match="tensors gain_slope are missing or unknown; expected a die file"):
        anna.Die.load(path)


def test_damaged_and_foreign_dies_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.die"
    data = anna.Die.draw(ANNA_WIDE, anna.Analog.typical(), 1).to_bytes()
    damaged = bytearray(data)
    damaged[-3] ^= 1
    path.write_bytes(bytes(damaged))
    with pytest.raises(FileError, match=r"checksum does not match|outside"):
        anna.Die.load(path)
    path.write_bytes(data[:1000])
    with pytest.raises(FileError, match="is not a valid die file"):
        anna.Die.load(path)
    flat().save(path)
    with pytest.raises(FileError, match="has no anna_die description; expected a die file"):
        anna.Die.load(path)


def test_seeds_and_places_on_the_board_make_other_silicon() -> None:
    dies = [anna.Die.draw(ANNA_WIDE, anna.Analog.typical(), seed, chip) for seed in (1, 2) for chip in range(2)]
    gains = [die.pattern["synapse_gain"] for die in dies]
    assert len({array.tobytes() for array in gains}) == 4
    again = anna.Die.draw(ANNA_WIDE, anna.Analog.typical(), 1, 0)
    assert again.to_bytes() == dies[0].to_bytes()
    assert MACHINES["board-1996"].chips == 2
    for bad in (-1, 2**64):
        with pytest.raises(SpecError, match="the die's seed is"):
            anna.Die.draw(ANNA_WIDE, anna.Analog.typical(), bad)


def test_a_die_shows_weights_as_they_were_just_written_unless_an_age_is_given() -> None:
    die = anna.Die.draw(ANNA_WIDE, anna.Analog.worst(), 1)
    np.testing.assert_array_equal(die.weights_lsb(), die.weights_lsb(age_cycles=0))
    assert (die.weights_lsb(age_cycles=100_000) < die.weights_lsb())[die.weights_lsb() > 1].all()


def test_a_die_can_be_measured_instead_of_drawn() -> None:
    die = anna.Die.draw(ANNA_WIDE, anna.Analog.typical(), 1)
    gains = np.full((64, 64), 0.5)
    changed = die.changed(synapse_gain=gains)
    assert changed.seed is None
    assert changed.weights_lsb().mean() < 0.51 * die.weights_lsb().mean()
    with pytest.raises(SpecError, match=r"pattern synapse_gain has shape \(64,\); expected \(64, 64\)"):
        die.changed(synapse_gain=gains[0])
    with pytest.raises(SpecError, match="pattern adc_gain holds a value outside 0 to 10"):
        die.changed(adc_gain=np.full(8, np.nan))
    with pytest.raises(SpecError, match="a die has no pattern gain; it has dac_levels_lsb"):
        die.changed(gain=gains)
    with pytest.raises(ValueError, match="read-only"):
        die.pattern["adc_gain"][0] = 1.0


def test_a_figure_of_all_synapses() -> None:
    figure = anna.Die.draw(ANNA_WIDE, anna.Analog.typical(), 7).plot()
    (squares, _) = figure.axes
    assert squares.images[0].get_array().shape == (64, 64)
    assert "die 7, 4096 synapses, weight 31 LSB" in squares.get_title()


# --- the chip --------------------------------------------------------------------------------------------------------
def test_what_a_chip_is_made_of() -> None:
    assert anna.Chip().analog.is_ideal
    assert anna.Chip(seed=3).analog == anna.Analog.typical()
    assert (anna.Chip(seed=3).seed, anna.Chip().seed) == (3, None)
    with pytest.raises(MachineError, match="a chip with imperfections is drawn from a seed"):
        anna.Chip(analog=anna.Analog.typical())
    die = anna.Die.draw(ANNA_WIDE, anna.Analog.typical(), 5)
    assert anna.Chip(die=die).seed == 5
    with pytest.raises(MachineError, match="pass either die or seed to a chip, not both"):
        anna.Chip(die=die, seed=4)
    assert anna.Chip(seed=3, analog="worst").analog == anna.Analog.worst()
    assert anna.Chip(analog="ideal").analog.is_ideal
    other = ANNA_WIDE.changed(weight_bits=8)
    with pytest.raises(MachineError, match="the program is for another chip"):
        anna.Chip(die=die).silicon(other)
    assert anna.Chip(seed=5).silicon(other).spec == other


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"analog": "typical"}, "a chip with imperfections is drawn from a seed: Chip(seed=0, analog=...)"),
        (
            {"analog": "superb", "seed": 7},
            "there is no preset 'superb'; expected ideal, typical or worst, or one of typical-v2, worst-v3, typical-all-wire, "
            "typical-all-converter, worst-v2, typical-v1, worst-v1, as-measured",
        ),
        ({"analog": 3, "seed": 7}, "analog is 3; expected an anna.Analog"),
        ({"faults": 3}, "faults is 3; expected an anna.Faults"),
        ({"die": 3}, "die is 3; expected an anna.Die"),
        ({"seed": "a"}, "the chip's seed is 'a'; expected a whole number"),
        ({"seed": 3.5}, "the chip's seed is 3.5; expected a whole number"),
        ({"seed": -1}, "the chip's seed is -1; expected 0 to 18446744073709551615"),
        ({"seed": 1, "chip_on_board": "a"}, "chip_on_board is 'a'; expected a whole number"),
    ],
)
def test_a_bad_chip_is_refused_at_once(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(anna.AnnaError, match=f"^{re.escape(sentence)}$"):
        anna.Chip(**given)


def test_seeds_may_be_numpy_integers() -> None:
    assert anna.Chip(seed=np.int32(3)).die().to_bytes() == anna.Chip(seed=3).die().to_bytes()


@pytest.mark.parametrize("threads", [1, 2, 3, 9])
@pytest.mark.parametrize("count", [0, 1, 4])
def test_many_chips_at_once(threads: int, count: int) -> None:
    images = np.random.default_rng(0).integers(0, 8, (50, 4, 64))
    chips = [anna.Chip(seed=seed, analog=anna.Analog.worst()) for seed in range(count)]
    together = list(anna.run_chips(iter(chips), flat(), codes=images, noise_seed=2, threads=threads))
    for seed, result in enumerate(together):
        alone = anna.Chip(seed=seed, analog=anna.Analog.worst()).run_codes(flat(), images, noise_seed=2)
        np.testing.assert_array_equal(result.codes["codes0"], alone.codes["codes0"])
    assert len({result.codes["codes0"].tobytes() for result in together}) == count


@pytest.mark.parametrize("threads", [1, 3])
def test_chips_are_drawn_no_further_ahead_than_there_are_threads(threads: int) -> None:
    drawn, before = list[int](), threading.active_count()

    def chips() -> Iterator[anna.Chip]:
        for seed in range(100):
            drawn.append(seed)
            yield anna.Chip(seed=seed)

    results = anna.run_chips(chips(), flat(), codes=np.zeros((2, 4, 64), np.uint8), threads=threads)
    for read in range(1, 4):
        next(results)
        assert len(drawn) <= read + threads
    results.close()  # stopping early leaves no thread behind
    assert threading.active_count() == before


def test_a_chip_that_fails_ends_the_run() -> None:
    chips = [anna.Chip(), anna.Chip(faults=anna.Faults(dead_neurons=(99,))), anna.Chip()]
    results = anna.run_chips(chips, flat(), codes=np.zeros((2, 4, 64), np.uint8), threads=2)
    next(results)
    with pytest.raises(SpecError, match=r"dead neuron \(99\) is not on this chip"):
        next(results)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["typical", "worst", "charge"]), st.booleans())
def test_a_synapse_that_never_conducts_has_no_weight_at_any_age(seed: int, kind: str, faulty: bool) -> None:
    analog = {"typical": anna.Analog.typical(), "worst": anna.Analog.worst(),
              "charge": anna.Analog.typical().changed(injection_noise_lsb=0.01)}[kind]  # fmt: skip
    rates = {"seed": seed, "dead_synapse_rate": 0.3, "stuck_synapse_rate": 0.2} if faulty else {}
    silicon = anna.Die.draw(ANNA_WIDE, analog, seed, faults=anna.Faults(**rates)).electronics
    rows, columns = np.indices((64, 64)).reshape(2, -1)
    zero = int(np.flatnonzero(codes.weight_converter(ANNA_WIDE).numerators == 0)[0])
    stored = np.random.default_rng(seed).choice([zero, zero, 0, 1, 31, 63], rows.size)
    conducts = silicon.conducts(stored, rows, columns)
    charge = silicon.charge_sigma(stored, rows, columns)
    for age in (0, 1, 3000, 10**7):
        weights = silicon.weights(stored, rows, columns, np.full(rows.shape, age))
        assert not weights[~conducts].any()
    assert charge is None or not charge[~conducts].any()
    assert kind != "typical" or faulty or not conducts[stored == zero].any()  # nothing is asked about idle synapses


def test_writers_are_those_of_the_refresh() -> None:
    die = anna.Die.draw(ANNA_WIDE, anna.Analog(dac_gain_apart=0.1), 1)
    two = die.weights_lsb()
    for dac in (0, 1):
        assert len(np.unique(two[refresh.writers(ANNA_WIDE) == dac])) == 1
