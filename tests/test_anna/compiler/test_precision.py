"""The compiler chooses digits, copies and synapses itself: near enough, fast enough, and the same as by hand."""

import numpy as np
import pytest
from random_graphs import some_images

import anna
from anna.base.errors import CompileError, SpecError
from anna.compiler import compilation
from anna.compiler.judging import Judge, set_apart
from anna.compiler.passes import Compilation
from anna.compiler.rungs import STEPS_ONLY
from anna.network.graph import RELU, Convolution, FullConnection, Graph, Pool

RNG = np.random.default_rng(3)
HIDDEN = FullConnection("hidden", RNG.normal(0, 0.5, (12, 9)).astype(np.float32), None, activation=RELU)
GRAPH = Graph("precise", (1, 3, 3), (HIDDEN, FullConnection("out", RNG.normal(0, 0.5, (4, 12)).astype(np.float32))))
IMAGES = some_images(GRAPH, 300)


def chosen(**aim: object) -> Compilation:
    return compilation(GRAPH, IMAGES, host="none", precision="auto", **aim)


@pytest.mark.parametrize("against", ["ideal", "typical"])
def test_a_program_is_as_near_as_asked_for_and_the_same_as_by_hand(against: str) -> None:
    done = chosen(within=8.0, against=against)
    assert done.climb is not None
    climb, first = done.climb, done.climb.steps[0]
    assert first.verdict.mean > 0.08 >= climb.chosen.verdict.mean and climb.reached
    assert climb.chosen.us > first.us
    by_hand = anna.compile(GRAPH, IMAGES, host="none", **climb.options)
    assert by_hand.digest == done.program.digest
    assert chosen(within=8.0, against=against).climb == climb


def test_what_is_reported_is_what_the_judge_says_of_images_kept_apart() -> None:
    climb = chosen(within=8.0, against="ideal").climb
    assert climb is not None
    mine, others = set_apart(IMAGES, 500)
    program = anna.compile(GRAPH, mine, host="none", check_count=0, **climb.options)
    assert Judge.of(GRAPH, others)(program) == climb.chosen.verdict


def test_a_time_is_kept_and_what_would_take_longer_is_tried_no_further() -> None:
    free = chosen(within=0.01, against="ideal").climb
    assert free is not None
    budget = (free.steps[0].us + free.chosen.us) / 2
    climb = chosen(time_budget=budget, against="ideal").climb
    assert climb is not None and climb.reached
    assert climb.chosen.us <= budget and climb.chosen.verdict.mean < climb.steps[0].verdict.mean
    assert all(step.us <= budget for step in climb.steps if step.kept)


def test_what_cannot_be_reached_is_told_with_the_best_there_is() -> None:
    climb = chosen(within=0.01, against="worst").climb
    assert climb is not None and not climb.reached and "NOT REACHED" in climb.text
    assert climb.chosen.verdict.mean == min(step.verdict.mean for step in climb.steps)


def test_the_listing_tells_what_each_layer_got_what_it_bought_and_what_it_cost() -> None:
    climb = chosen(within=8.0, against="ideal").climb
    assert climb is not None
    lines = climb.text.splitlines()
    assert lines[0].startswith("precision, within 8 points: ") and "; with one digit " in lines[0]
    assert lines[1].startswith("cost: ") and lines[1].endswith("pages")
    names = [line.split()[0] for line in lines if " -> " in line and "dB" not in line][1:]
    assert names == ["hidden", "out"]
    assert lines[-1].startswith("by hand: digits=")
    assert climb.report()["options"] == climb.options


@pytest.mark.parametrize(
    ("aim", "message"),
    [
        ({}, "precision auto needs an aim: within .* time_budget"),
        ({"within": 1.0, "digits": 2}, "option digits was given, but precision auto chooses it"),
        ({"within": 1.0, "balance": True}, "option balance was given, but precision auto chooses it"),
    ],
)
def test_an_aim_is_needed_and_nothing_that_is_chosen_may_be_given(aim: dict[str, object], message: str) -> None:
    with pytest.raises(CompileError, match=message):
        chosen(**aim)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"precision": "auto", "within": 0.0}, "precision options: within: "),
        ({"precision": "auto", "time_budget": -1.0}, "precision options: time_budget: "),
        ({"precision": "auto", "within": 1.0, "against": "bad"}, "there is no preset 'bad'"),
        ({"precision": "much"}, "precision: 'much'; expected 'given' or 'auto'"),
        ({"within": 1.0}, "within and time_budget are aims of precision='auto'"),
    ],
)
def test_bad_aims_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        anna.compile(GRAPH, IMAGES, **options)


def test_without_images_there_is_nothing_to_judge_by() -> None:
    with pytest.raises(CompileError, match="precise: precision auto needs calibration images"):
        anna.compile(GRAPH, precision="auto", within=1.0)


def test_where_maxima_are_taken_is_settled_first_and_part_of_the_plan() -> None:
    first = Convolution("C", RNG.normal(0, 0.6, (3, 1, 2, 2)).astype(np.float32), activation=RELU)
    last = FullConnection("out", RNG.normal(0, 0.5, (4, 12)).astype(np.float32))
    graph = Graph("pooled", (1, 5, 5), (first, Pool("P", "max", (2, 2), (2, 2)), last))
    seen = some_images(graph, 90)
    done = compilation(graph, seen, precision="auto", within=20.0, check_count=0)
    assert done.climb is not None and done.climb.options["maxima"] in ("chip", "host")
    assert anna.compile(graph, seen, check_count=0, **done.climb.options).digest == done.program.digest


@pytest.mark.slow
def test_sums_that_come_in_parts_have_finer_parts_before_finer_results() -> None:
    """A layer of more inputs than a neuron has; the one after it has no parts, and no rung for them."""
    hidden = FullConnection("hidden", RNG.normal(0, 0.1, (8, 400)).astype(np.float32), None, activation=RELU)
    last = FullConnection("out", RNG.normal(0, 0.5, (4, 8)).astype(np.float32))
    graph = Graph("parted", (1, 20, 20), (hidden, last))
    climb = compilation(graph, some_images(graph, 300), host="none", precision="auto", within=4.0, against="ideal").climb
    assert climb is not None
    visited = {name: {climb.aim.rungs[step.rungs[name]] for step in climb.steps} for name in ("hidden", "out")}
    assert STEPS_ONLY in visited["hidden"] and STEPS_ONLY not in visited["out"]
    only = next(step for step in climb.steps if climb.aim.rungs[step.rungs["hidden"]] == STEPS_ONLY)
    assert only.verdict.mean < climb.steps[0].verdict.mean and only.us > climb.steps[0].us


def test_an_input_is_clipped_as_far_as_the_float_network_bears() -> None:
    """A few rare values, far beyond all others, of which the classes do not depend."""
    images = IMAGES.copy()
    images[::9, 0, 0, 0] = 40.0
    ignoring = HIDDEN.weights_oi.copy()
    ignoring[:, 0] = 0.0
    graph = Graph("clipped", (1, 3, 3), (FullConnection("hidden", ignoring, None, activation=RELU), GRAPH.layers[1]))
    climb = compilation(graph, images, host="none", precision="auto", within=8.0, against="typical").climb
    assert climb is not None and climb.options["input_clip"] == 3.0
