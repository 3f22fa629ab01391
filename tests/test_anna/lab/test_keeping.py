"""What of a trim is kept: never what makes a chip worse on the images that decide."""

import dataclasses
from functools import cache

import numpy as np
import pytest
from small_digits import other_digits

import anna
import lenet
from anna.base.errors import DataError
from anna.lab import KeptTrim, TrimMeter, kept_trim
from anna.lab.keeping import REPEATS
from anna.lab.trim import OWN_NOISE_SEED
from anna.network.images import image_keys
from anna.program.file import Program

CHIPS = range(6)


@cache
def program() -> Program:
    return anna.compile(lenet.load("recognizer"), calibration=lenet.calibration()[0][:250])


@cache
def meter() -> TrimMeter:
    return TrimMeter(program())


def samples() -> np.ndarray:
    return lenet.calibration()[0][250:]


@cache
def kept(seed: int, analog: str) -> KeptTrim:
    return kept_trim(anna.Chip(seed=seed, analog=analog), program(), samples(), meter=meter())


def scores(seed: int, analog: str, one: Program, images: np.ndarray, noise_seed: int) -> np.ndarray:
    timeline = dataclasses.replace(meter().timeline, program=one)
    return anna.Chip(seed=seed, analog=analog).run(one, images, noise_seed=noise_seed, timeline=timeline).scores


@pytest.mark.slow
@pytest.mark.parametrize("analog", ["typical", "worst"])
def test_no_chip_is_worse_on_the_images_that_decide(analog: str) -> None:
    """Counted here again, from what leaves the pins."""
    right, picked = anna.Chip().run(program(), samples()).scores, 0
    for seed in CHIPS:
        found = kept(seed, analog)
        distance, changed = [], []
        for one in (program(), found.program):
            runs = [scores(seed, analog, one, samples(), OWN_NOISE_SEED + 1 + k) for k in range(REPEATS)]
            distance.append(sum(float(((run - right) ** 2).sum()) for run in runs))
            changed.append(sum(int((run.argmax(axis=1) != right.argmax(axis=1)).sum()) for run in runs))
        assert distance[1] <= distance[0] * (1 + 1e-9)
        assert changed[1] <= changed[0]
        assert found.after.changed == changed[1] / (REPEATS * len(samples()))
        picked += set(found.layers.values()) != {"none"}
    assert picked > 0, "something is kept on some chip"


def test_on_other_images_bad_chips_gain_on_average_and_none_is_clearly_worse() -> None:
    images, labels = lenet.holdout()
    images, labels = images[::3], labels[::3]
    gained = 0
    for seed in CHIPS:
        before, after = (scores(seed, "worst", one, images, 1).argmax(axis=1) == labels
                         for one in (program(), kept(seed, "worst").program))  # fmt: skip
        lost, won = int((before & ~after).sum()), int((~before & after).sum())
        assert lost - won <= 2.6 * (lost + won) ** 0.5, f"chip {seed}: beyond what chance does to one chip in 200"
        gained += won - lost
    assert gained > 0


def test_what_decided_is_written_into_the_program() -> None:
    found = kept(1, "worst")
    said = found.program.report["trim"]
    assert said["chip_seed"] == "1"
    assert {layer: said["layers"].get(layer, "none") for layer in found.layers} == dict(found.layers)
    assert np.isin(image_keys(samples()), found.program.calibrated_on).all(), "so no result is made of them"
    assert found.trim.program == program().digest
    assert anna.trim(program(), found.trim).weight_codes.tolist() == found.program.weight_codes.tolist()


def test_an_ideal_chip_keeps_its_program() -> None:
    found = kept_trim(anna.Chip(), program(), samples(), meter=meter())
    assert set(found.layers.values()) == {"none"}
    assert (found.after.distance, found.after.changed) == (0.0, 0.0)


def test_the_choice_is_the_same_again_and_with_other_threads() -> None:
    again = kept_trim(anna.Chip(seed=2, analog="worst"), program(), samples(), threads=1)
    assert again.program.digest == kept(2, "worst").program.digest


def test_without_images_or_layers_it_is_refused() -> None:
    with pytest.raises(DataError, match="no images were given to decide"):
        kept_trim(anna.Chip(seed=1), program(), other_digits(0)[0])
    bare = dataclasses.replace(program(), host=None, report=None)
    with pytest.raises(DataError, match="has no layers: it was not compiled from a network"):
        kept_trim(anna.Chip(seed=1), bare, samples())


@pytest.mark.slow
def test_a_neuron_of_small_reach_is_given_a_gain_of_one() -> None:
    """Two thresholds that offsets have pushed together would pass for a gain of ten."""
    network = lenet.load("lenet5")
    small = anna.compile(network, calibration=lenet.calibration(), calibration_count=50, check_count=0)
    found = anna.measure_trim(anna.Chip(seed=8, analog="worst"), small)
    assert max(one.gain for one in found.neurons) < 2
