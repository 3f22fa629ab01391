"""Old names work for one minor version, and warn at the line that uses them."""

import warnings
from pathlib import Path

import numpy as np
import pytest

import anna
import sim
from anna.base.renamed import renamed

ROOT = Path(__file__).parents[3]
OLD_NAMES = {"Calibration": "Trim", "Schedule": "Timeline", "calibrate": "measure_trim", "calibrated": "trim"}


@renamed(old="new", both=("first", "second"))
def added(*, new: int = 0, first: int = 0, second: int = 0) -> int:
    return 100 * new + 10 * first + second


def test_an_old_keyword_means_the_new_one_and_warns_where_it_stands() -> None:
    with pytest.warns(DeprecationWarning, match="^old is now new; the next minor version removes the old name$") as warned:
        assert added(old=3) == added(new=3) == 300
    assert warned[0].filename == __file__


def test_an_old_keyword_that_was_split_means_all_of_its_parts() -> None:
    with pytest.warns(DeprecationWarning, match="both is now first and second"):
        assert added(both=4) == 44


def test_old_and_new_name_together_are_refused() -> None:
    old = pytest.warns(DeprecationWarning, match="old is now new")
    with old, pytest.raises(TypeError, match="old and new were both given"):
        added(old=1, new=2)


def test_new_names_do_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert added(new=1, first=2) == 120


@pytest.mark.parametrize(("old", "new"), OLD_NAMES.items())
def test_old_public_names_are_the_new_ones(old: str, new: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"anna.{old} is now anna.{new}") as warned:
        assert getattr(anna, old) is getattr(anna, new)
    assert warned[0].filename == __file__
    assert old not in dir(anna)


def test_a_timeline_is_still_found_under_its_old_name() -> None:
    program = anna.assemble((ROOT / "tests" / "programs" / "calc.asm").read_text())
    codes = np.zeros((1, *program.input.shape), int)
    with pytest.warns(DeprecationWarning, match="schedule is now timeline"):
        result = anna.Chip().run_codes(program, codes, schedule=anna.verified(program))  # type: ignore[call-arg]
    with pytest.warns(DeprecationWarning, match="Result.schedule is now Result.timeline"):
        assert result.schedule is result.timeline


def test_an_interpreter_and_a_trim_still_take_their_old_keywords() -> None:
    program = anna.assemble((ROOT / "tests" / "programs" / "calc.asm").read_text())
    codes = np.zeros(program.input.shape, int)
    with pytest.warns(DeprecationWarning, match="picture is now codes"):
        assert not anna.Interpreter(program, picture=codes).done  # type: ignore[call-arg]
    with pytest.warns(DeprecationWarning, match="picture is now codes"):
        assert callable(anna.engine_reference(program, picture=codes))  # type: ignore[call-arg]
    nothing = anna.Trim(program=program.digest, chip_seed=None, neurons=())
    with pytest.warns(DeprecationWarning, match="calibration is now measured"):
        assert anna.trim(program, calibration=nothing).digest == program.digest  # type: ignore[call-arg]


def test_the_lab_still_takes_a_plan() -> None:
    chip, program = anna.Chip(), anna.assemble((ROOT / "tests" / "programs" / "calc.asm").read_text())
    coarse = anna.lab.Resolution(steps=8, repeats=1)
    for measure in (lambda **old: anna.measure_trim(chip, program, **old), lambda **old: anna.lab.converters(chip, **old)):
        with pytest.warns(DeprecationWarning, match="plan is now resolution"):
            measure(plan=coarse)


def test_a_sweep_still_takes_jobs(tmp_path: Path) -> None:
    with pytest.warns(DeprecationWarning, match="jobs is now workers"), pytest.raises(anna.AnnaError, match="workers is 0"):
        sim.run_sweep(None, tmp_path, jobs=0)  # type: ignore[call-arg, arg-type]


def test_compare_still_takes_one_seed_for_chips_and_noise() -> None:
    """Refused for another reason, which is enough to see that the old names were understood."""
    with (
        pytest.warns(DeprecationWarning, match="is now"),
        pytest.raises(anna.AnnaError, match="compare needs a network and its program, got str and str"),
    ):
        sim.compare("net", "program", None, seed=3, calibrate_chips=True)  # type: ignore[call-arg, arg-type]
