"""Traces: what a viewer would read back is what the timeline and the interpreter say."""

import json
import re
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from random_programs import legal_programs, random_codes

import anna
from anna.trace.events import events
from anna.trace.perfetto import perfetto
from anna.trace.vcd import vcd

PROGRAMS = Path(__file__).parents[2] / "programs"


def read_vcd(text: str) -> dict[str, dict[int, str]]:
    """Signal -> time in ps -> value, by the letter of the format."""
    names = dict(re.findall(r"\$var wire \d+ (\S+) (\S+) \$end", text))
    found: dict[str, dict[int, str]] = {name: {} for name in names.values()}
    time = 0
    for line in text[text.index("$enddefinitions") :].splitlines():
        if line.startswith("#"):
            assert int(line[1:]) >= time
            time = int(line[1:])
        elif line.startswith("b"):
            value, code = line[1:].split()
            found[names[code]][time] = value
        elif line[:1] in "01" and line[1:] in names:
            found[names[line[1:]]][time] = line[0]
    return found


def test_perfetto_has_a_slice_for_every_instruction_that_takes_time() -> None:
    timeline = anna.verified(anna.assemble((PROGRAMS / "paging.asm").read_text()))
    trace = json.loads(perfetto(timeline))
    slices = [event for event in trace["traceEvents"] if event["ph"] == "X"]
    assert [s["name"] for s in slices if s["tid"] == 0] == ["page 0", "page 1"]
    named = [s for s in slices if s["tid"] > 0]
    assert len(named) == len(list(events(timeline)))
    assert max(s["ts"] + s["dur"] for s in slices) == timeline.run_cycles * 0.05


@settings(max_examples=60, deadline=None)
@given(program=legal_programs())
def test_wave_forms_say_what_the_schedule_says(program: anna.Program) -> None:
    timeline, codes = anna.verified(program), random_codes(program, 1, 1)[0]
    waves, ps = read_vcd(vcd(anna.Interpreter(program, codes), timeline)), round(program.spec.cycle_ns * 1e3)
    for unit in ("input", "array", "output"):
        busy, level, since = 0, "0", 0
        for time, value in sorted({**waves[f"{unit}_busy"], timeline.run_cycles * ps: "0"}.items()):
            busy += (time - since) // ps if level == "1" else 0
            level, since = value, time
        assert busy == timeline.busy_cycles[unit]


def test_wave_forms_hold_registers_and_results() -> None:
    program = anna.assemble((PROGRAMS / "overlap.asm").read_text())
    codes = np.arange(96).reshape(16, 6) % 8
    waves = read_vcd(vcd(anna.Interpreter(program, codes), anna.verified(program)))
    stored = int(waves["register_0"][16 * 50_000], 2)
    assert [stored >> (3 * column) & 7 for column in range(6)] == [0, 1, 2, 3, 4, 5]
    first = anna.Chip().run_codes(program, codes[None]).codes["row"][0, 0]
    assert [int(waves[f"neuron_{k}"][20 * 50_000], 2) for k in range(8)] == first.tolist()
