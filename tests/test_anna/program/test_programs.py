"""Hardware test programs: one small file per mechanism, its outcome in tests/golden/programs.json, the same from every
evaluator.

The images are 0, 1, 2, ... modulo the number of states, and the same backwards. `--update-golden` rewrites the file;
outcomes were checked by hand if the comment at the head of a program says what they should be.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import anna
from anna.engine import simd_levels
from anna.program import isa

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


def test_programs_of_both_sets_are_among_them() -> None:
    programs = [anna.assemble(path.read_text(), path.name) for path in PROGRAMS]
    assert {program.spec.instruction_set for program in programs} == {"published", "wide"}
    published = {op.name for program in programs if not program.spec.wide for op in program.code}
    assert published >= {instruction.name for instruction in isa.PUBLISHED.table} - {"WAIT"}


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


def test_hand_calculation_of_paper() -> None:
    """A cycle for PAGE, sixteen times two of SHIFT and one of STORE, a CALC, a word out; 42 is 2 LSB of 16 and a bit."""
    assert codes("paper")["codes"]["sum"][0] == [4 + 42 // 16]
    assert codes("paper")["busy_cycles"]["input"] == 32
    assert codes("paper")["cycles_per_image"] == 1 + 16 * (2 + 1) + 4 + 2 + 32  # and an RFSH for each pair of a row


def test_hand_calculation_of_loops() -> None:
    assert [row[3] for row in codes("loops")["codes"]["sums"][0]] == [4 + 31 * (2 * k - 3) // 32 for k in range(4)]


def test_hand_calculation_of_two_words() -> None:
    """Columns 63, 62, 61 and 60 hold pixels 3, 2, 1 and 0; one OUT after the other."""
    assert codes("two_words")["codes"]["codes"][0] == [4 + int(np.floor(31 * (s - 3.5) / 32)) for s in (3, 2, 1, 0)] + [4] * 4


def test_hand_calculation_of_from_register() -> None:
    """R0 goes on from pixels 0 to 3 with 4 to 7, R1 with 8 to 11: neurons see pixels 0 and 4, then 0 and 8."""
    seen = [4 + int(np.floor(31 * (s - 3.5) / 32)) for s in (0, 4, 0, 0)]
    assert codes("from_register")["codes"]["codes"][0] == seen + [4] * 4


def test_hand_calculation_of_latches_256() -> None:
    """Pixels 3, 7, 11 and 15 in column 63 of latches 0 to 3; 12 in column 60 of latch 2; 13 in column 61 of latch 3."""
    s = [p % 8 - 3.5 for p in range(16)]
    assert codes("latches_256")["codes"]["wide"][0] == [4 + int(np.floor(31 * (s[3] - s[7] + s[11] + s[15]) / 64))]
    assert codes("latches_256")["codes"]["pairs"][0] == [4 + int(np.floor(31 * s[k] / 32)) for k in (8, 13)]
