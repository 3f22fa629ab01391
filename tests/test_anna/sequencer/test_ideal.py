"""One image's data straight from a timeline: the same states as the interpreter's and the engine's, of random programs."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_published import published_programs

import anna
import lenet
from anna.machine.interpreter import interpret
from anna.sequencer.ideal import ideal_states
from anna.sequencer.rules import verified


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(program=published_programs(), seed=st.integers(0, 1000))
def test_it_is_what_the_interpreter_finds(program: anna.Program, seed: int) -> None:
    image = np.random.default_rng(seed).integers(0, 1 << program.spec.state_bits, program.input.shape)
    found, right = ideal_states(verified(program), image), interpret(program, image)
    assert found.keys() == right.keys()
    assert all(np.array_equal(found[name], right[name]) for name in right)


@pytest.mark.parametrize("machine", ["sequencer", "wide"])
def test_it_is_what_the_engine_finds(machine: str) -> None:
    images = lenet.calibration()[0][:60]
    program = anna.compile(lenet.load("lenet5"), images, machine=machine)
    ran = anna.Chip().run(program, images[:1], taps=("C3",))
    found = ideal_states(verified(program), anna.input_codes(program, images[:1])[0])
    assert np.array_equal(found["C3"], ran.maps["C3"][0])
    assert all(np.array_equal(found[name], part[0]) for name, part in ran.codes.items())
