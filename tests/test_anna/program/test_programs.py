"""Hardware test programs: one small file per mechanism, its outcome in tests/golden/programs.json, all evaluators alike.

The images are 0, 1, 2, ... modulo the number of states, and the same backwards. `--update-golden` writes the file anew;
the outcomes in it were checked by hand where the comment at the head of a program says what should come out.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import anna
from anna.engine import simd_levels

PROGRAMS = sorted((Path(__file__).parents[2] / "programs").glob("*.asm"))
GOLDEN = Path(__file__).parents[2] / "golden" / "programs.json"


def images(program: anna.Program) -> np.ndarray:
    size, levels = program.input.size, 1 << program.spec.state_bits
    forward = np.arange(size) % levels
    return np.stack([forward, forward[::-1]]).reshape(2, *program.input.shape)


def outcome(program: anna.Program) -> dict[str, Any]:
    result = anna.Chip().run_codes(program, images(program), taps=[r.name for r in program.regions if r.kind == "map"])
    timeline = result.timeline
    return {
        "cycles_per_image": result.cycles_per_image,
        "busy_cycles": timeline.busy_cycles,
        "stall_cycles": timeline.stall_cycles,
        "live_products": timeline.live_products,
        "codes": {name: part.tolist() for name, part in {**result.codes, **result.maps}.items()},
    }


def test_outcomes_are_as_recorded(update_golden: bool) -> None:
    found = {path.stem: outcome(anna.assemble(path.read_text(), path.name)) for path in PROGRAMS}
    if update_golden:
        lines = [f" {json.dumps(name)}: {json.dumps(value, sort_keys=True)}" for name, value in found.items()]
        GOLDEN.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    assert found == json.loads(GOLDEN.read_text())


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_interpreter_and_engine_agree(path: Path) -> None:
    program = anna.assemble(path.read_text(), path.name)
    taps = [region.name for region in program.regions if region.kind == "map"]
    chip = anna.Chip()
    truth = chip.run_codes(program, images(program), taps=taps, engine="interpreter")
    for simd in simd_levels():
        found = chip.run_codes(program, images(program), taps=taps, simd=simd)
        for name, part in {**truth.codes, **truth.maps}.items():
            np.testing.assert_array_equal({**found.codes, **found.maps}[name], part, err_msg=f"{name} on {simd}")


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_text_to_words_to_text_is_the_identity(path: Path) -> None:
    program = anna.assemble(path.read_text(), path.name)
    text = anna.disassemble(program)
    again = anna.assemble(text)
    assert anna.disassemble(again) == text
    assert again.to_bytes() == program.to_bytes()


def codes(name: str) -> dict[str, Any]:
    return dict(json.loads(GOLDEN.read_text())[name])


def test_hand_calculation_of_shift() -> None:
    """Pixels 2, 3, 8, 9 stand in columns 0..3 after the second SHIFT; a weight of 31 alone: code 4 + floor(31 x / 32)."""
    states = [2, 1, 2, 3, 1, 2, 1, 0]  # codes in columns 0 17 34 51, then 3 18 33 48
    expected = [4 + int(np.floor(31 * (s - 3.5) / 32)) for s in states]
    assert codes("shift")["codes"]["seen"][0] == expected


def test_hand_calculation_of_calc() -> None:
    """States -3.5 .. 3.5 under 1, -2, 3, -4, ...: the sum is -18, less than one step of 32; two scale codes double it."""
    total = sum(w * (s - 3.5) for s, w in enumerate([1, -2, 3, -4, 5, -6, 7, -8]))
    assert total == -18
    steps = [-18 / 32, -18 / 64, 31 * -8 / 32, 31 * -8 / 128]
    assert codes("calc")["codes"]["sums"][0] == [max(0, 4 + int(np.floor(step))) for step in steps]


def test_hand_calculation_of_tie() -> None:
    """Sums of 0, -0.5 and +0.5 with a step of 0.5: on a threshold the higher code is taken."""
    assert codes("tie")["codes"]["code"][0] == [4, 3, 5]


def test_hand_calculation_of_overlap() -> None:
    """15 cycles bring 30 states in, one stores them, then a CALC every four cycles, and four to take the last out."""
    assert codes("overlap")["cycles_per_image"] == 15 + 1 + 3 * 4 + 4


def test_hand_calculation_of_paging() -> None:
    """Two segments of 32 + 1 + 4 + 1 and 1 + 1 + 4 + 1 cycles; two loads of 2048 + 152 cycles shared by ten images."""
    assert codes("paging")["cycles_per_image"] == 38 + 7 + 2 * 2200 / 10
