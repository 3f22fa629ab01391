"""One layer with fewer bits or without noise: only there, only as told, and the same to both evaluators."""

from dataclasses import replace

import numpy as np
import pytest
from command_line import ROOT

import anna
from anna.analog.parameters import Analog
from anna.base.errors import DataError
from sim.comparison.confined import places_of_layers
from sim.comparison.sensitivity import NOISES
from sim.comparison.what_if import Change, Layers, WhatIf, coarser, coarser_codes, coarser_steps

# Every cause at once, including those that `typical` leaves out and one that gives sums a finer unit.
CROOKED = Analog.worst().changed(state_step_lsb=0.1, storage_capacitance_ff=20.0, sum_limit=200.0)
CHANGES = [Change("C3", "weight bits", 4), Change("C3", "state bits", 2), Change("C3", "noise")]


@pytest.fixture(scope="module", params=["one page", "several pages"])
def compiled(request: pytest.FixtureRequest, made, paged) -> anna.Program:
    return made[1] if request.param == "one page" else paged


def silicon(compiled: anna.Program, analog: Analog):
    return anna.Chip(seed=3, analog=analog).die(compiled.spec).electronics


def test_weights_of_fewer_bits_are_neighbours_with_the_same_sum() -> None:
    """Rounding each alone would move a sum of odd weights, and with it how a white image drives the neuron."""
    assert coarser(np.array([1, 1, 1, 1]), 2, 30).tolist() == [2, 2, 0, 0]
    assert coarser(np.array([-3, 5, 6, 31]), 2, 30).tolist() == [-2, 6, 6, 30]
    rng = np.random.default_rng(0)
    for step in (2, 4, 8):
        weights = rng.integers(-32, 32, 200)
        found = coarser(weights.copy(), step, 32 - step)
        assert not (found % step).any() and found.min() >= -32 and found.max() <= 32 - step
        assert (np.abs(found - weights)[weights <= 32 - step] < step).all()
        if (weights <= 32 - step).all():
            assert abs(int(found.sum() - weights.sum())) <= step / 2


def test_states_of_fewer_bits_keep_both_ends() -> None:
    ideal = np.array([[-7, -5, -3, -1, 1, 3, 5, 7]])
    assert coarser_steps(30 * ideal, 2).tolist() == [[-210, -210, -70, -70, 70, 70, 210, 210]]
    assert coarser_steps(ideal, 2).tolist() == [[-7, -7, -2, -2, 2, 2, 7, 7]]
    assert coarser_steps(ideal, 1).tolist() == [[-7] * 4 + [7] * 4]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.what)
def test_a_change_leaves_the_layers_before_it_alone(compiled: anna.Program, made, change: Change) -> None:
    images, layers = made[2].images[:5], Layers.of(compiled)
    taps = [region.name for region in compiled.regions if region.kind == "map"]
    real = silicon(compiled, CROOKED)
    usual, found = (anna.Chip(silicon=one).run(compiled, images, taps=taps) for one in (real, WhatIf(real, layers, change)))
    for name in list(layers.rows)[: list(layers.rows).index("C3")]:
        np.testing.assert_array_equal(found.maps[name], usual.maps[name])
    assert (found.maps["C3"] != usual.maps["C3"]).any()


@pytest.mark.parametrize("analog", [Analog.typical(), CROOKED], ids=["typical", "crooked"])
def test_all_bits_are_the_chip_itself(compiled: anna.Program, made, analog: Analog) -> None:
    images, layers, real = made[2].images[:5], Layers.of(compiled), silicon(compiled, analog)
    usual = anna.Chip(silicon=real).run(compiled, images).scores
    for change in (Change("C3", "weight bits", 6), Change("C3", "state bits", 3)):
        np.testing.assert_array_equal(anna.Chip(silicon=WhatIf(real, layers, change)).run(compiled, images).scores, usual)


def test_fewer_weight_bits_are_a_program_with_those_weights(compiled: anna.Program, made) -> None:
    """On an ideal chip; constants, which carry biases, keep theirs."""
    images, layers = made[2].images[:20], Layers.of(compiled)
    place = places_of_layers(compiled)["C3"][:, :, None] & (compiled.links["taps"] >= 0)
    coarse = coarser_codes(layers, "C3", 4)
    assert not (coarse[place] % 4).any() and (coarse[~place] == compiled.weight_codes[~place]).all()
    other = replace(compiled, weight_codes=coarse.astype(compiled.weight_codes.dtype))
    ideal = silicon(compiled, Analog.ideal())
    found = anna.Chip(silicon=WhatIf(ideal, layers, Change("C3", "weight bits", 4))).run(compiled, images).scores
    np.testing.assert_array_equal(found, anna.Chip().run(other, images).scores)
    assert (found != anna.Chip().run(compiled, images).scores).any()


@pytest.mark.parametrize("analog", [Analog.typical(), CROOKED], ids=["typical", "crooked"])
def test_a_quiet_layer_keeps_its_die(compiled: anna.Program, made, analog: Analog) -> None:
    """All layers quiet are the same die without noise."""
    images, layers = made[2].images[:5], Layers.of(compiled)
    quiet = silicon(compiled, analog)
    for layer in layers.rows:
        quiet = WhatIf(quiet, layers, Change(layer, "noise"))
    noiseless = silicon(compiled, analog.without(*NOISES & {*analog.causes}))
    found, expected = (anna.Chip(silicon=one).run(compiled, images).scores for one in (quiet, noiseless))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.what)
def test_a_change_is_the_same_to_interpreter_and_engine(compiled: anna.Program, made, change: Change) -> None:
    chip = anna.Chip(silicon=WhatIf(silicon(compiled, CROOKED), Layers.of(compiled), change))
    engine, interpreter = (chip.run(compiled, made[2].images[:1], engine=engine) for engine in ("engine", "interpreter"))
    np.testing.assert_array_equal(engine.scores, interpreter.scores)


def test_a_program_by_hand_has_no_layers() -> None:
    edges = anna.assemble((ROOT / "examples" / "edges.asm").read_text(encoding="utf-8"))
    with pytest.raises(DataError, match="was not compiled from a network, so its layers are not known"):
        Layers.of(edges)


def test_every_layer_has_each_change(compiled: anna.Program) -> None:
    layers = Layers.of(compiled)
    found = list(layers.changes(2, True))
    assert [change.layer for change in found if change.what == "noise"] == list(layers.rows)
    assert [change.bits for change in found if change.layer == "C1"] == [5, 4, 2, 1, None]
    assert [change.bits for change in layers.changes(9, False) if change.layer == "C1"] == [5, 4, 3, 2, 2, 1]
