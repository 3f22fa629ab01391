"""Silicon that is real in one place and ideal elsewhere, and where the layers of a program lie."""

import numpy as np
import pytest

import anna
from anna.analog.parameters import Analog
from sim.comparison.confined import Confined, places_of_layers

# Every cause at once, including those that `typical` leaves out and one that gives sums a finer unit.
CROOKED = Analog.worst().changed(
    state_step_lsb=0.1,
    storage_capacitance_ff=20.0,
    sum_limit=200.0,
    neighbour_coupling=0.05,
    sum_unsettled=0.1,
    slow_noise_lsb=0.3,
)


@pytest.fixture(scope="module", params=["one page", "several pages"])
def compiled(request: pytest.FixtureRequest, made, paged) -> anna.Program:
    return made[1] if request.param == "one page" else paged


def test_imperfections_in_all_layers_are_those_of_the_chip_and_in_none_are_none(compiled: anna.Program, made) -> None:
    images, places = made[2].images[:5], places_of_layers(compiled)
    for analog in (Analog.typical(), CROOKED):
        die = anna.Chip(seed=3, analog=analog).die(compiled.spec)
        everywhere, nowhere = sum(places.values()) > 0, np.zeros_like(next(iter(places.values())))
        confined = (anna.Chip(silicon=Confined(die.electronics, place)) for place in (everywhere, nowhere))
        whole, none = (chip.run(compiled, images) for chip in confined)
        np.testing.assert_array_equal(whole.scores, anna.Chip(die=die).run(compiled, images).scores)
        np.testing.assert_array_equal(none.scores, anna.Chip().run(compiled, images).scores)


def test_imperfections_in_one_layer_leave_the_layers_before_it_alone(compiled: anna.Program, made) -> None:
    """In that layer they equal the chip's, since its input is ideal on both."""
    images, places = made[2].images[:5], places_of_layers(compiled)
    layers, taps = list(places), [region.name for region in compiled.regions if region.kind == "map"]
    ideal = anna.Chip().run(compiled, images, taps=taps)
    for number, layer in enumerate(layers[:3]):
        die = anna.Chip(seed=3, analog=CROOKED).die(compiled.spec)
        found = anna.Chip(silicon=Confined(die.electronics, places[layer])).run(compiled, images, taps=taps)
        for name in layers[:number]:
            np.testing.assert_array_equal(found.maps[name], ideal.maps[name])
        assert (found.maps[layer] != ideal.maps[layer]).any()
    np.testing.assert_array_equal(
        anna.Chip(silicon=Confined(die.electronics, places["C1"])).run(compiled, images, taps=["C1"]).maps["C1"],
        anna.Chip(die=die).run(compiled, images, taps=["C1"]).maps["C1"],
    )


def test_confined_silicon_is_the_same_to_interpreter_and_engine(compiled: anna.Program, made) -> None:
    die = anna.Chip(seed=3, analog=CROOKED).die(compiled.spec)
    chip, images = anna.Chip(silicon=Confined(die.electronics, places_of_layers(compiled)["C3"])), made[2].images[:1]
    engine, interpreter = (chip.run(compiled, images, engine=engine) for engine in ("engine", "interpreter"))
    np.testing.assert_array_equal(engine.scores, interpreter.scores)


def test_layers_have_distinct_places(compiled: anna.Program) -> None:
    places = places_of_layers(compiled)
    every = sum(place.astype(int) for place in places.values())
    assert list(places)[:4] == ["C1", "S2", "C3", "S4"]
    assert every.shape == (len(compiled.weight_codes), 64)
    assert every.max() == 1
