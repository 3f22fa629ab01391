"""Sensitivity counts what a chip with the change misreads, and its intervals cover the truth."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from command_line import ROOT, good
from matplotlib.figure import Figure
from small_digits import other_digits

import anna
import sim
from anna.base.errors import AnnaError
from sim.base.statistics import difference_of_chips
from sim.comparison.what_if import Change, Layers, WhatIf


@pytest.fixture(scope="module")
def found(made) -> sim.Sensitivity:
    _, program, digits = made
    return sim.sensitivity(program, digits, chips=3, chip_seed=4, fewer=2)


def test_a_line_is_the_difference_of_direct_runs(made, found: sim.Sensitivity) -> None:
    _, program, digits = made
    layers = Layers.of(program)
    dies = [anna.Chip(seed=seed).die(program.spec).electronics for seed in (4, 5, 6)]

    def wrong(silicons: list) -> np.ndarray:
        return np.stack([anna.Chip(silicon=one).run(program, digits.images).labels != digits.labels for one in silicons])

    usual = wrong(dies)
    assert found.error.share == pytest.approx(usual.mean())
    for change in (Change("C3", "weight bits", 4), Change("C1", "state bits", 2), Change("C1", "noise")):
        other = wrong([WhatIf(die, layers, change) for die in dies])
        expected = difference_of_chips(other, usual) if change.what == "noise" else difference_of_chips(usual, other)
        assert next(line.moved for line in found.lines if line.change == change) == expected


def test_the_costliest_come_first_and_taking_more_bits_is_another_block(found: sim.Sensitivity) -> None:
    blocks = found.blocks()
    assert list(blocks) == ["weight bits: 5 instead of 6", "weight bits: 4 instead of 6", "state bits: 2 instead of 3",
                            "state bits: 1 instead of 3", "noise of the layer"]  # fmt: skip
    for lines in blocks.values():
        shares = [line.moved.share for line in lines]
        assert shares == sorted(shares, reverse=True) and not lines[0].tied
        assert {line.change.layer for line in lines} == {line.change.layer for line in found.lines}


def test_a_layer_that_reads_one_bit_costs_more_than_chance(found: sim.Sensitivity) -> None:
    lines = found.blocks()["state bits: 1 instead of 3"]
    assert lines[0].matters and lines[0].moved.share > 0.01


def test_ideal_chips_have_no_noise_to_take(made) -> None:
    _, program, digits = made
    found = sim.sensitivity(program, digits.first(50), analog="ideal", fewer=1)
    assert found.chips == 1 and {line.change.what for line in found.lines} == {"weight bits", "state bits"}


def test_it_is_told_as_text_figure_and_json(found: sim.Sensitivity) -> None:
    assert "weight bits: 5 instead of 6\n" in found.table() and "what-if, without compiling anew" in found.table()
    assert isinstance(found.plot(), Figure)
    rows = json.loads(json.dumps(found.to_json(), allow_nan=False))["lines"]
    assert rows == found.rows() and rows[0]["low"] <= rows[0]["costs_points"] <= rows[0]["high"]


def test_what_cannot_be_asked_is_told(made) -> None:
    _, program, digits = made
    with pytest.raises(AnnaError, match="fewer is 0; expected at least 1"):
        sim.sensitivity(program, digits, fewer=0)
    with pytest.raises(AnnaError, match="was not compiled from a network"):
        sim.sensitivity(anna.assemble(anna.disassemble(program)), digits, chips=1)


@pytest.mark.parametrize("chips", [2, 8])
def test_the_interval_of_a_change_covers_the_truth(chips: int) -> None:
    """A change harms some images on every chip, and chips differ in how many; 1,000 repetitions."""
    rng, held, repetitions = np.random.default_rng(8), 0, 1000
    for _ in range(repetitions):
        hard = rng.random(600) < 0.04
        usual = hard | (rng.random((chips, 600)) < 0.01)
        harmed = (rng.random(600) < 0.01) | (rng.random((chips, 600)) < 0.02 + rng.normal(0, 0.006, (chips, 1)))
        moved = difference_of_chips(usual, usual | harmed)
        held += moved.low <= 0.96 * 0.99 * (1 - 0.99 * 0.98) <= moved.high
    assert held / repetitions > 0.95 - 4 * math.sqrt(0.05 * 0.95 / repetitions)


@pytest.mark.slow
def test_the_command_takes_ones_own_network(tmp_path: Path) -> None:
    images, labels = other_digits(200)
    np.savez(tmp_path / "digits.npz", images=images, labels=labels)
    network = ROOT / "tests" / "data" / "exported" / "keras_plain.onnx"
    ask = ("sensitivity", network, "--calibration", "digits.npz", "--chips", 2, "--fewer", 1)
    told = json.loads(good(*ask, "-o", "layers.svg", "--json", cwd=tmp_path))
    assert (told["network"], told["images"], told["chips"]) == ("keras_plain", 160, 2)
    assert (tmp_path / "layers.svg").read_text().startswith("<?xml")
    assert "weight bits: 5 instead of 6" in good(*ask, cwd=tmp_path)
