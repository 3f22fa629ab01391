"""Traces: what a viewer would read back is what the timeline and the interpreter say."""

import json
import re
import shutil
import subprocess
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from random_programs import legal_programs, random_codes
from random_published import published_programs

import anna
import lenet
from anna.trace.events import events, image_cycles, layers, page_loads, pages
from anna.trace.perfetto import perfetto
from anna.trace.vcd import vcd

PROGRAMS = Path(__file__).parents[2] / "programs"
GTKWAVE = pytest.mark.skipif(shutil.which("vcd2fst") is None, reason="vcd2fst is not installed: apt install gtkwave")


@pytest.fixture(scope="module")
def lenet5() -> anna.Program:
    return anna.compile(lenet.load("lenet5"), lenet.calibration()[0][:60], round="nearest", fit=False, batch=3)


def read_vcd(text: str) -> dict[str, dict[int, str]]:
    """Signal -> time in ps -> value, by the letter of the format."""
    names = dict(re.findall(r"\$var wire \d+ (\S+) (\S+)(?: \[\d+:0\])? \$end", text))
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


def slices(timeline: anna.Timeline) -> dict[str, list[dict[str, Any]]]:
    """The slices of each track by the format of Chrome's trace events, which Perfetto reads; whatever is not in it fails."""
    trace = json.loads(perfetto(timeline))
    assert set(trace) == {"displayTimeUnit", "traceEvents"} and trace["displayTimeUnit"] in ("ms", "ns")
    tracks, found = dict[int, str](), dict[str, list[dict[str, Any]]]()
    for event in trace["traceEvents"]:
        assert event["pid"] == 1 and isinstance(event["name"], str) and isinstance(event["args"], dict)
        match event["ph"]:
            case "M":
                keys = {"process_name": "name", "thread_name": "name", "thread_sort_index": "sort_index"}
                assert [*event["args"]] == [keys[event["name"]]]
                assert set(event) - {"tid"} == {"ph", "pid", "name", "args"}
                assert ("tid" in event) == (event["name"] != "process_name")
                if event["name"] == "thread_name":
                    tracks[event["tid"]] = event["args"]["name"]
                    found[event["args"]["name"]] = []
            case "X":
                assert set(event) == {"ph", "pid", "tid", "name", "ts", "dur", "args"}
                assert isinstance(event["ts"], float) and event["ts"] >= 0
                assert isinstance(event["dur"], float) and event["dur"] > 0
                found[tracks[event["tid"]]].append(event)
            case other:
                pytest.fail(f"no such phase is written: {other}")
    return found


def test_perfetto_has_a_slice_for_every_instruction_that_takes_time() -> None:
    timeline = anna.verified(anna.assemble((PROGRAMS / "paging.asm").read_text()))
    found = slices(timeline)
    assert [one["name"] for one in found["page"]] == ["load page 0", "page 0", "load page 1", "page 1"]
    units = [one for track, mine in found.items() if track not in ("layer", "page") for one in mine]
    assert sorted(one["args"]["instruction"] for one in units) == [event.index for event in events(timeline)]


@settings(max_examples=60, deadline=None)
@given(program=legal_programs() | published_programs())
def test_a_trace_takes_the_time_that_the_timeline_tells_page_loads_included(program: anna.Program) -> None:
    timeline = anna.verified(program)
    assert float(image_cycles(timeline)) == timeline.cycles_per_image
    us = timeline.cycles_per_image * timeline.spec.cycle_ns / 1e3
    assert max(one["ts"] + one["dur"] for one in slices(timeline)["page"]) == pytest.approx(us)
    text = vcd(anna.Interpreter(program, random_codes(program, 1, 1)[0]), timeline)
    last = int(re.findall(r"^#(\d+)$", text, re.M)[-1])
    assert last == round(timeline.cycles_per_image * timeline.spec.cycle_ns * 1e3)


@settings(max_examples=60, deadline=None)
@given(program=legal_programs() | published_programs())
def test_loads_and_pages_follow_each_other_without_gap(program: anna.Program) -> None:
    timeline = anna.verified(program)
    at = Fraction()
    for load, page in zip(page_loads(timeline), pages(timeline), strict=True):
        assert (load.start, page.start) == (at, at + load.cycles)
        at = page.start + page.cycles
    assert at == image_cycles(timeline)
    assert sum(load.cycles for load in page_loads(timeline)) == Fraction(timeline.page_load_cycles, program.batch)


@settings(max_examples=60, deadline=None)
@given(program=legal_programs() | published_programs())
def test_slices_of_a_track_follow_each_other(program: anna.Program) -> None:
    """The format has no room for slices that overlap; only STOREs do, and theirs are several tracks."""
    found = slices(anna.verified(program))
    for track, mine in found.items():
        times = sorted((one["args"]["cycle"], one["args"]["cycles"]) for one in mine)
        for (start, cycles), following in pairwise(times):
            assert start + cycles <= following[0] + 1e-6, f"{track} at {start}"
    assert {track.partition(" ")[0] for track in found if " " in track} <= {"store"}


def test_stores_that_overlap_are_on_several_tracks() -> None:
    """Two in the same cycle, and after them one by itself."""
    head = ".chip name=anna-1991 issue_width=2\n.sequencer overlap=all\n.input name=x address=0 shape=64\n"
    text = "REPEAT 16\nSHIFT 4\nENDREP\nSTORE A.L0\nSTORE A.L1\nWAIT cycles=9\nSTORE A.L2\nSTOP"
    found = slices(anna.verified(anna.assemble(head + text)))
    assert [len(found[track]) for track in ("store", "store 2")] == [2, 1]
    assert found["store"][0]["ts"] == found["store 2"][0]["ts"]


def test_layers_share_out_the_time_of_an_image(lenet5: anna.Program) -> None:
    timeline = anna.verified(lenet5)
    found = layers(timeline)
    assert [layer.name for layer in found] == ["C1", "S2", "C3", "S4", "C5.1", "C5", "F6"]
    assert found[0].start == 0 and found[-1].start + found[-1].cycles == image_cycles(timeline)
    assert all(one.start + one.cycles == following.start for one, following in pairwise(found))
    assert lenet5.report is not None
    told = {layer["name"]: layer["cycles"] for layer in lenet5.report["layers"] if layer["where"] == "chip"}
    for layer in found:  # the report counts results that leave beside the next layer's states otherwise
        assert float(layer.cycles) == pytest.approx(told[layer.name], rel=0.02)


@pytest.mark.parametrize("layer", ["C1", "F6"])
def test_a_layer_s_calcs_lie_in_its_time(lenet5: anna.Program, layer: str) -> None:
    timeline = anna.verified(lenet5)
    mine = next(one for one in layers(timeline) if one.name == layer)
    waves = read_vcd(vcd(anna.Interpreter(lenet5, random_codes(lenet5, 1, 1)[0]), timeline))
    names = [one.name for one in layers(timeline)]
    ps = int(mine.start * 50_000)
    assert int(waves["layer"][ps], 2) == names.index(layer)
    within = [time for time, ordinal in waves["calc"].items() if ordinal != "x" and 0 <= time - ps < int(mine.cycles * 50_000)]
    assert lenet5.report is not None
    array = next(one["array_cycles"] for one in lenet5.report["layers"] if one["name"] == layer)
    assert len(within) * lenet5.spec.calc_cycles == array


def test_a_program_written_by_hand_has_no_layers() -> None:
    timeline = anna.verified(anna.assemble((PROGRAMS / "paging.asm").read_text()))
    assert layers(timeline) == [] and slices(timeline)["layer"] == []


@settings(max_examples=60, deadline=None)
@given(program=legal_programs())
def test_wave_forms_say_what_the_schedule_says(program: anna.Program) -> None:
    timeline, codes = anna.verified(program), random_codes(program, 1, 1)[0]
    waves, ps = read_vcd(vcd(anna.Interpreter(program, codes), timeline)), round(program.spec.cycle_ns * 1e3)
    total = round(timeline.cycles_per_image * ps)
    expected = {**timeline.busy_cycles, "page_load": timeline.page_load_cycles_per_image}
    for unit in ("input", "array", "output", "page_load"):
        busy, level, since = 0, "0", 0
        for time, value in sorted({**waves[f"{unit}_busy"], total: "0"}.items()):
            busy += time - since if level == "1" else 0
            level, since = value, time
        assert busy / ps == pytest.approx(expected[unit], abs=1e-3)


def test_wave_forms_hold_registers_and_results() -> None:
    program = anna.assemble((PROGRAMS / "overlap.asm").read_text())
    codes, timeline = np.arange(96).reshape(16, 6) % 8, anna.verified(program)
    waves = read_vcd(vcd(anna.Interpreter(program, codes), timeline))
    began = timeline.load_cycles[0] * 50_000
    assert waves["page"] == {began: "0"}
    stored = int(waves["register_0"][began + 16 * 50_000], 2)
    assert [stored >> (3 * column) & 7 for column in range(6)] == [0, 1, 2, 3, 4, 5]
    first = anna.Chip().run_codes(program, codes[None]).codes["row"][0, 0]
    assert [int(waves[f"neuron_{k}"][began + 20 * 50_000], 2) for k in range(8)] == first.tolist()


@GTKWAVE
@pytest.mark.parametrize("name", ["paging", "overlap", "refresh"])
def test_gtkwave_s_own_reader_finds_the_same_changes(name: str, tmp_path: Path) -> None:
    """Read and written again by the tools that come with GTKWave, a file has the same signals and changes."""
    program = anna.assemble((PROGRAMS / f"{name}.asm").read_text())
    ours = vcd(anna.Interpreter(program, random_codes(program, 1, 1)[0]), anna.verified(program))
    (tmp_path / "ours.vcd").write_text(ours)
    subprocess.run(["vcd2fst", "ours.vcd", "theirs.fst"], cwd=tmp_path, check=True, timeout=60)
    theirs = subprocess.run(["fst2vcd", "theirs.fst"], cwd=tmp_path, check=True, timeout=60, capture_output=True, text=True)
    assert "$timescale\n\t1ps\n$end" in theirs.stdout

    def changes(text: str) -> dict[str, list[tuple[int, int]]]:
        known = {name: sorted((t, int(v, 2)) for t, v in mine.items() if "x" not in v) for name, mine in read_vcd(text).items()}
        return {name: [one for k, one in enumerate(mine) if not k or mine[k - 1][1] != one[1]] for name, mine in known.items()}

    assert changes(theirs.stdout) == changes(ours)
