"""Lock-step of a compiled program with its float network, layer by layer through the regions of the program."""

import numpy as np
import pytest

import anna
import lenet
from anna.base.errors import MachineError
from anna.compiler import compilation
from anna.compiler.reference import float_reference
from anna.machine.lockstep import map_reference


@pytest.fixture(scope="module")
def made():
    return compilation(lenet.load("recognizer", data="mnist"), lenet.calibration(), calibration_count=60, check_count=0)


def codes_of(made, image: np.ndarray) -> np.ndarray:
    return anna.input_codes(made.program, image[None])[0]


def test_the_first_rounding_stops_it_and_is_shown(made) -> None:
    image = lenet.holdout()[0][3]
    machine = anna.Interpreter(made.program, codes_of(made, image))
    found = anna.lockstep(machine, float_reference(made, image), tolerance_lsb=0.51)
    assert found is not None
    assert 0.51 < found.off_by < 7
    assert str(found).startswith(f"cycle {found.record.cycle}, instruction {found.record.index}, CALC")


def test_most_results_lie_within_one_and_a_half_lsb_of_float(made) -> None:
    image = lenet.holdout()[0][3]
    reference, off = float_reference(made, image), []
    machine = anna.Interpreter(made.program, codes_of(made, image))
    machine.hooks.append(lambda calc: off.extend(np.abs(reference(calc.ordinal)[: len(calc.codes)] - calc.codes)))
    machine.run()
    off = np.array(off)
    assert np.isfinite(off).mean() > 0.9  # rows beyond a map's edge have no float counterpart
    assert (off[np.isfinite(off)] <= 1.5).mean() > 0.9


def test_a_map_that_is_not_there_is_told(made) -> None:
    with pytest.raises(MachineError, match="has no region C9; it has"):
        map_reference(made.timeline, {"C9": np.zeros((1, 1, 1))})
    with pytest.raises(MachineError, match=r"maps for region C1 have shape \(1, 2, 2\); expected \(4, 28, 28\)"):
        map_reference(made.timeline, {"C1": np.zeros((1, 2, 2))})
