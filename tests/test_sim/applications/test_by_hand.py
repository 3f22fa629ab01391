"""Programs by hand of the applications: against plain NumPy to the bit, under every sequencer, and on drawn chips."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

import anna
from anna.chip.machines import MACHINES, Machine
from anna.chip.spec import DEDICATED, DSP
from sim.applications import cellular, noise_removal
from sim.applications.by_hand import LEAST_BLACK, by_hand, in_bands, in_rows
from sim.applications.pixels import Images

SEQUENCERS = {
    "dedicated": DEDICATED,
    "dsp": DSP,
    "one by one": DEDICATED.changed(overlap="none"),
    "all side by side": DEDICATED.changed(overlap="all"),
}
SYNAPSES = 4  # that share a weight: one in each latch
LSB, END = 4, 3  # weight LSB x state LSB of scale code 0; LSB from its middle to its ends

images = np.random.default_rng(0).random


def on(sequencer: str) -> Machine:
    return MACHINES["sequencer"].changed(sequencer=SEQUENCERS[sequencer])


def code_of(sums: NDArray[np.float64]) -> NDArray[np.int64]:
    """The code of a sum of whole weights times +1 and -1: black and white are 3.5 state LSB."""
    found: NDArray[np.int64] = np.clip(np.floor(SYNAPSES * 3.5 * sums / LSB), -END - 1, END).astype(np.int64) + END + 1
    return found


def summed(values: NDArray[np.float64], kernel: NDArray[np.int64]) -> NDArray[np.float64]:
    """A kernel's sum at each pixel, on a white ground."""
    (height, width), (rows, columns) = kernel.shape, values.shape[1:]
    around = np.pad(values, ((0, 0), (height // 2,) * 2, (width // 2,) * 2), constant_values=-1.0)
    found = np.zeros(values.shape)
    for (y, x), weight in np.ndenumerate(kernel):
        found += weight * around[:, y : y + rows, x : x + columns]
    return found


GAUSSIAN = np.array([[0, 1, 1, 1, 0], [1, 6, 14, 6, 1], [1, 14, 31, 14, 1], [1, 6, 14, 6, 1], [0, 1, 1, 1, 0]])
CROSS = 6 * np.array([[0, 1, 0], [1, 2, 1], [0, 1, 0]])


def clean(black: Images) -> NDArray[np.int64]:
    """What noise_removal.asm computes."""
    return code_of(summed(np.where(black, 1.0, -1.0), GAUSSIAN))


def filled(black: Images) -> NDArray[np.int64]:
    """What cellular.asm computes."""
    found = 7 * cellular.beginning(black).astype(np.int64)
    for _ in range(cellular.TURNS * cellular.STEPS_A_TURN):
        found = code_of(summed((found - 3.5) / 3.5, CROSS) + 30 * np.where(black, 1, -1))
    return found


def framed(count: int) -> Images:
    """Random images in a white frame, with holes and without: blots of two pixels."""
    blots = images((count, 15, 15)) < 0.55
    return np.pad(blots.repeat(2, axis=1).repeat(2, axis=2), ((0, 0), (1, 1), (1, 1)))


Case = tuple[str, Images, Callable[[Images], NDArray[np.uint8]], Callable[[Images], NDArray[np.int64]]]
CASES: list[Case] = [
    ("noise_removal", images((12, 32, 64)) < 0.5, noise_removal.codes, clean),
    ("cellular", framed(12), cellular.codes, filled),
]
cases = pytest.mark.parametrize(("name", "black", "codes", "computed"), CASES, ids=[case[0] for case in CASES])


# --- the ideal chip --------------------------------------------------------------------------------------------------
@cases
@pytest.mark.parametrize("sequencer", SEQUENCERS)
def test_a_program_computes_what_numpy_does(
    sequencer: str, name: str, black: Images, codes: Callable[[Images], NDArray[np.uint8]],
    computed: Callable[[Images], NDArray[np.int64]],
) -> None:  # fmt: skip
    program, expected = by_hand(name, on(sequencer)), computed(black)
    assert 0.2 < (expected >= LEAST_BLACK).mean() < 0.9
    (found,) = anna.Chip().run_codes(program, codes(black)).codes.values()
    np.testing.assert_array_equal(in_rows(found), expected)


@cases
def test_the_interpreter_computes_the_same(
    name: str, black: Images, codes: Callable[[Images], NDArray[np.uint8]], computed: Callable[[Images], NDArray[np.int64]]
) -> None:
    program = by_hand(name, on("dedicated"), turns=2 if name == "cellular" else None)
    given = codes(black[:1])
    slow = anna.Chip().run_codes(program, given, engine="interpreter")
    fast = anna.Chip().run_codes(program, given)
    for region, found in fast.codes.items():
        np.testing.assert_array_equal(slow.codes[region], found)


@pytest.mark.parametrize("name", ["noise_removal", "cellular"])
@pytest.mark.parametrize("machine", ["board-1991", "board-1996"])
def test_a_program_is_legal_on_the_boards(machine: str, name: str) -> None:
    program = by_hand(name, MACHINES[machine])
    assert anna.violations(program)[0] == []
    assert (program.spec, program.sequencer) == (MACHINES[machine].chip, MACHINES[machine].sequencer)


def test_the_weights_of_noise_removal_are_a_gaussian_rounded_and_no_window_is_a_tie() -> None:
    """But for the four ends of the cross, 1.36, and the corners, 0.06."""
    np.testing.assert_allclose(31 * noise_removal.gaussian(), GAUSSIAN, atol=0.51)
    assert GAUSSIAN.sum() % 2 == 1
    weights = by_hand("noise_removal", on("dsp")).weight_codes[0].astype(int) - 32
    assert weights.shape == (64, 64) and (weights.sum(axis=1) == GAUSSIAN.sum()).all()


def test_every_weight_has_four_synapses() -> None:
    for name in ("noise_removal", "cellular"):
        weights = by_hand(name, on("dsp")).weight_codes[0].reshape(-1, SYNAPSES, 64)
        assert (weights == weights[:, :1]).all()


def test_bands_are_rows_again() -> None:
    black = images((3, 8, 5)) < 0.5
    assert in_bands(black).shape == (3, 2, 5, 4)
    assert in_bands(black)[1, 1, 3].tolist() == black[1, 4:, 3].tolist()
    np.testing.assert_array_equal(in_rows(in_bands(black)), black)


# --- what they are good for ------------------------------------------------------------------------------------------
def test_the_templates_fill_what_a_flood_does_not_reach() -> None:
    black, _ = cellular.digits(500)
    states = cellular.beginning(black)
    for _ in range(cellular.TURNS * cellular.STEPS_A_TURN):
        states = cellular.stepped(states, black)
    np.testing.assert_array_equal(states, cellular.flooded(black))
    assert (cellular.flooded(black) != black).any(axis=(1, 2)).mean() > 0.3  # have holes


def test_a_flood_goes_round_corners_and_not_through_lines() -> None:
    black = np.zeros((2, 8, 8), bool)
    black[:, 2, 2:6] = black[:, 5, 2:6] = black[:, 2:6, 2] = black[0, 2:6, 5] = True
    hole = np.zeros((8, 8), bool)
    hole[3:5, 3:5] = True
    np.testing.assert_array_equal(cellular.flooded(black) & ~black, [hole, np.zeros_like(hole)])


def test_holes_stay_filled_on_drawn_chips_because_a_weight_has_four_synapses() -> None:
    black, _ = cellular.digits(40)
    right, four = cellular.flooded(black), by_hand("cellular", MACHINES["board-1991"])
    weights = four.weight_codes.copy()
    weights[0, np.arange(64) % SYNAPSES > 0] = 32  # no weight
    one = replace(four, weight_codes=weights)
    wrong = {}
    for name, program in (("four", four), ("one", one)):
        (found,) = anna.Chip(seed=0).run_codes(program, cellular.codes(black)).codes.values()
        wrong[name] = ((in_rows(found) >= LEAST_BLACK) != right).mean()
    assert wrong["four"] == 0
    assert wrong["one"] == pytest.approx((right != black).mean(), rel=0.1)  # nearly every hole is open


def test_noise_is_removed_on_drawn_chips_as_in_floats() -> None:
    found = noise_removal.noise_removal(40, chips=2)
    came, in_floats, ideal, typical = (arm.wrong.share for arm in found.arms)
    assert [arm.name for arm in found.arms] == ["as they came", "float", "ideal chip", "typical chips"]
    assert came == pytest.approx(noise_removal.FLIPPED, abs=0.005)
    assert in_floats < 0.035 and abs(ideal - in_floats) < 0.004 and abs(typical - ideal) < 0.002
    assert found.to_json()["arms"][3]["chips"] == 2
    assert found.table().count("\n") == 8 and "0.79 ms" in found.table()
    assert len(found.plot().axes) == 3 * 5
