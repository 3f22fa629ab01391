"""Why a chip is bad: a fault that is planted is found, and what mending gives back is counted on images it does not see."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from command_line import good

import anna
import lenet
from anna.analog.die import Die
from anna.analog.parameters import Analog
from anna.analog.pattern import PATTERN
from anna.base.errors import DataError
from lenet.datasets.labelled import LabelledImages
from sim.comparison.mending import diagnose_die, mended, parts_of, right_class_lags
from sim.inputs.digits import for_network
from sim.results.diagnosis import ChipDiagnosis, diagnose, halves


@pytest.fixture(scope="module")
def made() -> tuple[anna.Program, LabelledImages]:
    network = lenet.load("recognizer", data="mnist")
    digits, (images, _) = for_network(network, None)
    return anna.compile(network, images, check_count=0), digits


def _halves(digits: LabelledImages) -> tuple[LabelledImages, LabelledImages]:
    return digits.picked("seen", np.arange(150)), digits.picked("unseen", np.arange(150, 300))


@pytest.mark.parametrize(
    ("array", "at", "value", "name"),
    [
        ("dac_levels_lsb", (0, slice(20, None)), 9.0, "weight DAC 0"),
        ("adc_threshold_offset_lsb", (3,), 2.5, "all thresholds of ADC 3"),
        ("synapse_gain", (1,), -9.0, "gains in row 1 (C1)"),
    ],
)
def test_a_planted_fault_is_found_first(made, array: str, at: tuple[object, ...], value: float, name: str) -> None:
    """One part of an else ideal die is spoiled; the diagnosis names it, and it gives back what was lost."""
    program, digits = made
    die = Die.draw(program.spec, Analog.ideal(), 0)
    pattern = {key: found.copy() for key, found in die.pattern.items()}
    pattern[array][at] += value
    pattern["scale_factor"] *= 1.001  # many parts that do not matter
    bad = Die(program.spec, Analog.ideal(), 0, 0, die.faults, pattern)
    seen, unseen = _halves(digits)
    found = diagnose_die(
        bad, program, seen, unseen, most=2, noise_seed=0, threads=2, enough=lambda _: False, say=lambda _: None
    )
    assert found.steps[0].part.name == name and found.tried > 8
    good_error = float((anna.Chip().run(program, unseen.images).labels != unseen.labels).mean())
    assert found.unseen_error > good_error + 0.015
    assert found.steps[0].unseen_error <= good_error + 0.01


def test_with_all_parts_mended_a_die_is_ideal_but_for_its_noise(made) -> None:
    """Every array of the pattern is covered by parts, so nothing that is drawn escapes the diagnosis."""
    program, digits = made
    drawn = Analog.worst().changed(adc_gain_mismatch=0.05, adc_offset_lsb=0.3, synapse_zero_lsb=0.2, state_step_lsb=0.05)
    die = Die.draw(program.spec, drawn, 3)
    parts = parts_of(die, program)
    assert {part.array for part in parts} == set(PATTERN)
    whole = mended(die, parts)
    assert whole.seed == die.seed and whole.analog == die.analog
    some = digits.first(60).images
    quiet = Die(program.spec, drawn.alone("droop"), 3, 0, die.faults, {**whole.pattern})
    still = Die(program.spec, drawn.alone("droop"), 3, 0, die.faults, {})
    np.testing.assert_array_equal(
        anna.Chip(die=quiet).run(program, some).scores, anna.Chip(die=still).run(program, some).scores
    )


def test_mending_nothing_changes_nothing_noise_included(made) -> None:
    program, digits = made
    die, some = Die.draw(program.spec, Analog.typical(), 5), digits.first(60).images
    np.testing.assert_array_equal(
        anna.Chip(die=mended(die, ())).run(program, some).scores, anna.Chip(seed=5).run(program, some).scores
    )


def test_scores_that_lead_more_lag_less() -> None:
    labels = np.array([0, 1])
    close, clear = np.array([[1.0, 0.9], [0.9, 1.0]]), np.array([[1.0, 0.0], [0.0, 1.0]])
    far = np.concatenate([close, clear])
    assert right_class_lags(clear, labels) < right_class_lags(np.array([[0.0, 1.0], [1.0, 0.0]]), labels)
    assert right_class_lags(far, np.array([0, 1, 0, 1])) < right_class_lags(far, np.array([1, 0, 0, 1]))


@pytest.mark.slow
def test_a_diagnosis_counts_on_images_that_it_does_not_see(made) -> None:
    program, digits = made
    some = digits.first(200)
    found = diagnose(program, some, chip_seed=1, analog="worst", parts=2, median_of=3, threads=2)
    assert isinstance(found, ChipDiagnosis) and len(found.steps) <= 2
    others = some.picked("the others", halves(some.labels)[1])  # with the noise of their own numbers
    wrong = anna.Chip(seed=1, analog=Analog.worst()).run(program, others.images).labels != others.labels
    assert (found.images, found.unseen_error) == (100, wrong.mean())
    if found.steps:
        assert found.steps[-1].unseen_error - found.unseen_error == pytest.approx(found.gain.share)
    assert {line.what for line in found.lines} >= {"no weight dac", "C1 ideal"}
    json.dumps(found.to_json(), allow_nan=False)
    assert "that the diagnosis does not see" in found.table() and len(repr(found)) < 100


def test_halves_have_the_same_classes(made) -> None:
    """The built-in digits come class by class in turn; both halves must have all of them."""
    _, digits = made
    some = digits.first(100)
    seen, unseen = halves(some.labels)
    assert np.bincount(some.labels[seen]).tolist() == np.bincount(some.labels[unseen]).tolist() == [5] * 10
    assert not set(seen.tolist()) & set(unseen.tolist())


def test_a_good_chip_is_told_to_be_one(made) -> None:
    program, digits = made
    found = diagnose(program, digits.first(60), chip_seed=1, parts=1, median_of=1, threads=2)
    better = replace(found, unseen_error=found.median_error)
    assert better.given_back is None and "there is nothing to explain" in better.table()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"analog": "ideal"}, "a chip without imperfections has nothing to mend; expected a kind of chips such as 'typical'"),
        ({"parts": 0}, "parts is 0; expected at least 1"),
        ({"chip_seed": -1}, "chip_seed is -1; expected at least 0"),
    ],
)
def test_what_cannot_be_diagnosed_is_refused(made, given: dict[str, object], sentence: str) -> None:
    program, digits = made
    with pytest.raises(anna.AnnaError, match=f"^{re.escape(sentence)}$"):
        diagnose(program, digits.first(20), **{"chip_seed": 0, **given})
    with pytest.raises(DataError, match="no class has two images"):
        diagnose(program, digits.first(10), chip_seed=0)


@pytest.mark.slow
def test_the_command_names_parts() -> None:
    ask = ("diagnose", "--chip-seed", "1", "--analog", "worst", "--count", "60", "--parts", "1", "--calibration-count", "60")
    found = json.loads(good(*ask, "--json"))
    assert found["chip_seed"] == 1 and len(found["parts"]) <= 1 and found["tried"] > 50
    assert "what mending more would give back" in good(*ask)
