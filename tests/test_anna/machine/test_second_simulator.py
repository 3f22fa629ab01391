"""The documents are enough: a simulator written from them alone finds the same results, cycles and ages."""

import ast
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_programs import random_codes
from random_published import chips, published_programs
from second_simulator import SecondSimulator

import anna

TESTS = Path(__file__).parents[2]
# Of curves and scale laws the second simulator knows one each.
DESCRIBED = chips().map(lambda chip: chip.changed(adc_curve="linear", scale_law="geometric"))
BY_HAND = [TESTS.parent / "examples" / "convolver.asm", *sorted((TESTS / "programs").glob("*.asm"))]


def agree(program: anna.Program, path: Path, slots: tuple[int, ...]) -> None:
    program.save(path)
    second, timeline = SecondSimulator(path), anna.verified(program)
    assert second.start_cycles()[1] == [segment.cycles for segment in timeline.segments]
    assert second.batch_cycles() == timeline.batch_cycles
    for slot in slots:
        for found, calc in zip(second.ages(slot), timeline.calcs, strict=True):
            np.testing.assert_array_equal(found, timeline.ages(calc, slot))
    images = random_codes(program, 2, 1)
    for number, image in enumerate(images):
        found, expected = second.run(image), anna.Chip().run_codes(program, images).codes
        assert found.keys() == expected.keys()
        for name in found:
            np.testing.assert_array_equal(found[name], expected[name][number])


def test_it_knows_nothing_of_anna() -> None:
    tree = ast.parse((TESTS / "second_simulator.py").read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert imported == {"fractions", "json", "math", "numpy", "pathlib", "safetensors"}


@pytest.mark.parametrize("path", BY_HAND, ids=lambda path: path.stem)
def test_programs_by_hand(path: Path, tmp_path: Path) -> None:
    program = anna.assemble(path.read_text(), path.name)
    if not program.spec.wide:
        agree(program, tmp_path / "p.anna", (0, program.batch - 1))


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(program=published_programs(DESCRIBED), number=st.integers(0, 8))
def test_random_programs(program: anna.Program, number: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    agree(program, tmp_path_factory.getbasetemp() / "random.anna", (0, number % program.batch))
