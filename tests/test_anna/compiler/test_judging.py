"""A program is judged against its float network, on images that its ranges do not come from and on dies of its own."""

from dataclasses import replace

import numpy as np
import pytest
from random_graphs import some_images

import anna
from anna.base.errors import CompileError, SpecError
from anna.compiler.judging import Judge, set_apart, tells_classes
from anna.network.graph import RELU, FullConnection, Graph

RNG = np.random.default_rng(3)
HIDDEN = FullConnection("hidden", RNG.normal(0, 0.5, (12, 9)).astype(np.float32), None, activation=RELU)
GRAPH = Graph("judged", (1, 3, 3), (HIDDEN, FullConnection("out", RNG.normal(0, 0.5, (4, 12)).astype(np.float32))))
IMAGES = some_images(GRAPH, 200)
PROGRAM = anna.compile(GRAPH, IMAGES, check_count=0)


def test_the_ideal_chip_is_one_and_what_changes_is_counted() -> None:
    verdict = Judge.of(GRAPH, IMAGES)(PROGRAM)
    labels = anna.Chip().run(PROGRAM, IMAGES).labels
    right = anna.forward(GRAPH, IMAGES).labels
    assert verdict.errors == ((labels != right).mean(),)
    assert 0 < verdict.mean < 0.5
    assert verdict.text.endswith("of the classes change on the ideal chip (200 images)")


def test_drawn_chips_err_each_in_its_own_way_and_always_alike() -> None:
    judge = Judge.of(GRAPH, IMAGES, "worst", 3)
    verdict = judge(PROGRAM)
    assert len(set(verdict.errors)) > 1 and verdict.worst == max(verdict.errors)
    assert verdict == judge(PROGRAM, threads=1)
    assert "on 3 worst chips" in verdict.text


def test_outputs_that_are_no_classes_lose_variance() -> None:
    layer = FullConnection("out", RNG.normal(0, 0.5, (9, 12)).astype(np.float32))
    graph = replace(GRAPH, layers=(HIDDEN, layer))
    assert tells_classes(GRAPH) and not tells_classes(graph)
    judge = Judge.of(graph, IMAGES)
    right = anna.forward(graph, IMAGES).scores
    assert judge.error(right) == 0.0
    assert judge.error(np.broadcast_to(right.mean(axis=0), right.shape)) == pytest.approx(1.0, rel=1e-5)
    assert judge(anna.compile(graph, IMAGES, check_count=0)).text.split(" % ")[1].startswith("of the outputs' variance is lost")


@pytest.mark.parametrize(("given", "count", "ranges", "judged"), [(20, 500, 20, 20), (90, 500, 60, 30), (900, 500, 500, 400)])
def test_images_are_kept_apart_where_there_are_enough(given: int, count: int, ranges: int, judged: int) -> None:
    mine, others = set_apart(np.arange(given), count)
    assert (len(mine), len(others)) == (ranges, judged)
    assert given < 60 or not set(mine) & set(others)


def test_nothing_to_judge_on_and_unknown_chips_are_refused() -> None:
    with pytest.raises(CompileError, match="judged: there are no images to judge a program on"):
        Judge.of(GRAPH, IMAGES[:0])
    with pytest.raises(SpecError, match="there is no preset 'bad'; expected ideal, typical or worst"):
        Judge.of(GRAPH, IMAGES, "bad")
