"""The page of one image: what it shows when played, stepped and stepped back is what the interpreter has then."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import ROOT
from driven_page import BROWSER, drive

import anna
import lenet
from anna.machine.state import CalcRecord
from anna.trace.events import image_cycles, layers, page_loads
from anna.trace.recording import record
from sim.watch.page import in_order, watch_page

needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed: apt install chromium")
IDEAL, DRAWN = "ideal chip", "typical chip, seed 7"


@dataclass(frozen=True, eq=False)
class Shown:
    """A program on an image and on two chips, and the page of it."""

    program: anna.Program
    codes: Any
    page: str

    def machines(self, instructions: int) -> tuple[anna.Interpreter, anna.Interpreter]:
        """The interpreters of both chips after so many instructions, with the records of their CALCs."""
        found = tuple(anna.Interpreter(self.program, self.codes, chip.silicon(self.program.spec)) for chip in CHIPS.values())
        for machine in found:
            for _ in range(instructions):
                machine.step()
        return found[0], found[1]

    def calc(self, ordinal: int) -> list[CalcRecord]:
        """A CALC on both chips."""
        found = list[CalcRecord]()
        for machine in self.machines(0):
            machine.hooks.append(lambda calc: found.append(calc) if calc.ordinal == ordinal else None)
            while not machine.done:
                machine.step()
        return found


CHIPS = {IDEAL: anna.Chip(), DRAWN: anna.Chip(seed=7)}


def shown(name: str) -> Shown:
    program = anna.assemble((ROOT / name).read_text(encoding="utf-8"))
    codes = np.random.default_rng(3).integers(0, 8, program.input.shape)
    recordings = {name: record(program, codes, chip.silicon(program.spec)) for name, chip in CHIPS.items()}
    return Shown(program, codes, watch_page(program, recordings, f"{program.name} on ANNA", "Drawn at random."))


@pytest.fixture(scope="module")
def convolver() -> Shown:
    return shown("examples/convolver.asm")


def number(text: str) -> int:
    return int(text.replace(",", "").replace("−", "-").replace("+", ""))


def each(told: str) -> list[str]:
    """What a sentence tells of each chip, which is once if they agree."""
    found = re.split("; (?=typical)", told)
    return found if len(found) == 2 else [told, told]


def state_codes(told: str) -> tuple[int, int]:
    """The state codes that a sentence tells of both chips, once if they agree."""
    found = [int(code) for code in re.findall(r"(\d+) \([+−]", told)]
    assert len(found) in (1, 2)
    return found[0], found[-1]


# --- the document


def test_a_page_asks_nothing_of_any_network(convolver: Shown) -> None:
    assert not re.findall(
        r"""(?:src|href|action)\s*=|url\(|@import|fetch\(|XMLHttp|https?://|import\s*[({"']""", convolver.page
    )


def test_modules_stand_in_an_order_in_which_each_finds_what_it_needs() -> None:
    found = in_order("main.js")
    assert found[-1] == "main.js" and set(found) == {path.name for path in (ROOT / "sim" / "watch").glob("*.js")}
    for number, name in enumerate(found):
        text = (ROOT / "sim" / "watch" / name).read_text(encoding="utf-8")
        assert set(re.findall(r'from "\./([\w.]+)"', text)) <= set(found[:number])


def test_modules_define_no_name_twice() -> None:
    """They share one scope on the page."""
    defined = re.compile(r"^(?:export )?(?:async )?(?:class|function|const|let) (\w+)", re.M)
    names = [name for path in sorted((ROOT / "sim" / "watch").glob("*.js")) for name in defined.findall(path.read_text())]
    assert len(names) == len(set(names)) > 20


def test_nothing_in_the_data_ends_the_script(convolver: Shown) -> None:
    recordings = {"</script><b>": record(convolver.program, convolver.codes)}
    page = watch_page(convolver.program, recordings, "</title> & more", "</script>")
    assert page.count("</script>") == 2 and "&lt;/title&gt; &amp; more" in page


# --- played and stepped


@needs_browser
@pytest.mark.browser
@pytest.mark.slow
def test_stepping_on_and_back_shows_what_the_interpreter_has(convolver: Shown, tmp_path: Path) -> None:
    columns, blocks = (0, 17, 60, 61, 62, 63), ("shifter", "register 2", "latch 1")
    look = [["point", f"{block} of the {IDEAL}", 1, 64, 0, column] for block in blocks for column in columns]
    steps = [["click", "step"]] * 40 + look + [["hold", "[aria-current]"]]
    steps += [["set", "jump", "9"], ["click", "step"], ["click", "step"], *look, ["hold", "[aria-current]"]]
    steps += [["click", "back"]] * 30 + [["key", "ArrowLeft"]] + look + [["hold", "[aria-current]"]]
    held = drive(convolver.page, steps, tmp_path)
    calc = anna.verified(convolver.program).calcs[9].index
    for part, instructions in enumerate((40, calc + 3, calc + 3 - 31)):
        mine = held[part * (len(look) + 1) : (part + 1) * (len(look) + 1)]
        assert mine[-1][0].split()[0] == str(instructions - 1)
        machines = convolver.machines(instructions)
        expected = [
            tuple(int(states[column]) for states in pair)
            for pair in ([m.shifter() for m in machines], [m.register(2) for m in machines], [m.latch(1) for m in machines])
            for column in columns
        ]
        assert [state_codes(texts[0]) for texts in mine[:-1]] == expected


@needs_browser
@pytest.mark.browser
@pytest.mark.slow
def test_a_calc_shows_the_sums_thresholds_codes_weights_and_ages_of_the_interpreter(convolver: Shown, tmp_path: Path) -> None:
    calc = anna.verified(convolver.program).calcs[13]
    places = [(calc.row, 0), (calc.row + 7, 33), (calc.row + 31, 63)]
    steps = [["set", "jump", "13"], ["hold", ".chip:nth-child(1) .code"], ["hold", ".chip:nth-child(2) .code"]]
    steps += [["hold", "#now"], *(["point", f"array of 64 by 64 synapses of the {IDEAL}", 64, 64, *place] for place in places)]
    held = drive(convolver.page, steps, tmp_path)
    ideal, drawn = convolver.calc(13)
    assert held[0] == list(map(str, ideal.codes.tolist())) and held[1] == list(map(str, drawn.codes.tolist()))
    assert held[2][0].startswith(f"cycle {ideal.cycle + anna.verified(convolver.program).page_load_cycles:,} of 3,117")
    for (told,), (row, column) in zip(held[3:], places, strict=True):
        (place,) = np.argwhere((ideal.rows == row) & (ideal.columns == column))
        for one, text in zip((ideal, drawn), each(told), strict=True):
            age, weight, state, product = re.findall(
                r"charge ([\d,]+) cycles|weight ([+−][\d.,]+) ×|state (\d+) |= (\S+) units", text
            )
            assert number(age[0]) == one.ages[tuple(place)]
            lsb = one.weights[tuple(place)] / (1 << convolver.program.spec.weight_fraction_bits)
            assert float(weight[1].replace("−", "-")) == pytest.approx(lsb, abs=5e-4)
            assert int(state[2]) == one.states[tuple(place)]
            chip = CHIPS[IDEAL if one is ideal else DRAWN].silicon(convolver.program.spec)
            tables, at = chip.state_tables(), (np.array(row), np.array(column))
            drive_of = chip.numerators if tables is None else tables[chip.state_table_of(*at)]
            assert number(product[3]) == one.weights[tuple(place)] * drive_of[one.states[tuple(place)]]


@needs_browser
@pytest.mark.browser
@pytest.mark.slow
def test_sums_are_told_in_units_with_what_wire_and_noise_add(convolver: Shown, tmp_path: Path) -> None:
    steps = [["set", "jump", "4"]]
    steps += [step for n in range(8) for step in (["focus", ".sums tbody tr", n], ["hold", "#told"])]
    held, (ideal, drawn) = drive(convolver.page, steps, tmp_path), convolver.calc(4)
    for n, (told,) in enumerate(held):
        for one, text in zip((ideal, drawn), each(told), strict=True):
            products, added, seen, thresholds, code = re.findall(
                r"products (\S+) (\S+) = (\S+) units; thresholds ([−\d, ]+); (\d+) \(", text
            )[0]
            assert number(seen) == one.sums[n] == number(products) + number(added)
            assert [number(part) for part in thresholds.split()] == one.thresholds[n].tolist()
            assert int(code) == one.codes[n]
            assert number(added) == 0 or one is drawn


@needs_browser
@pytest.mark.browser
@pytest.mark.slow
def test_playing_runs_to_the_end_and_fills_the_maps_with_the_interpreter_s_outputs(convolver: Shown, tmp_path: Path) -> None:
    region = convolver.program.outputs[0]
    assert region.shape == (3, 5, 16)  # side by side with a gap of one between them
    squares = [(map_, row, column) for map_ in range(3) for row in (0, 4) for column in (0, 7, 15)]
    look = [["point", f"{region.name}, output, 3×5×16 states on the {IDEAL}", 5, 50, row, 17 * map_ + column]
            for map_, row, column in squares]  # fmt: skip
    steps = [["set", "speed", "90"], ["click", "play"], ["wait", 300], ["key", " "], ["hold", "#position"], ["hold", "#now"]]
    steps += [["set", "speed", "100"], ["key", " "], ["wait", 300], ["hold", "#play"], ["hold", "#position"], *look]
    playing, now, button, position, *seen = drive(convolver.page, steps, tmp_path)
    timeline = anna.verified(convolver.program)
    cycle = number(re.findall(r"cycle (\S+) of", now[0])[0])
    starts = timeline.load_cycles[0] + timeline.start
    assert 100 < cycle < 3117 and int(playing[0]) in range((starts < cycle - 1).sum(), (starts <= cycle + 1).sum() + 1)
    assert button == ["▶ Play"] and position == [str(len(convolver.program.ops))]
    outputs = [machine.output(region.name) for machine in convolver.machines(len(convolver.program.ops))]
    assert [state_codes(told) for (told,) in seen] == [tuple(int(out[square]) for out in outputs) for square in squares]


@needs_browser
@pytest.mark.browser
@pytest.mark.slow
def test_while_a_page_loads_it_is_told_for_which_layer(tmp_path: Path) -> None:
    """Results of the layer before may have left only then."""
    quickly = {"fit": False, "round": "nearest", "range_method": "max", "check_count": 0}
    program = anna.compile(lenet.load("lenet5"), lenet.calibration()[0][:40], **quickly)
    timeline = anna.verified(program)
    begins = {layer.start: layer.name for layer in layers(timeline)[1:]}
    load = next(load for load in page_loads(timeline) if load.cycles and load.start in begins)
    page = watch_page(program, {IDEAL: record(program, np.zeros(program.input.shape, int))}, "lenet5", "All zero.")
    middle = float((load.start + load.cycles / 2) / image_cycles(timeline))
    steps = [["press", "The whole image", middle], ["hold", "#now"], ["hold", "#does"]]
    (now,), (does,) = drive(page, steps, tmp_path)
    assert f" · layer {begins[load.start]}" in now and re.match(r"Page \d+ is loaded, (49|50|51) % done", does)


@needs_browser
@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("name", ["tests/programs/paging.asm", "tests/programs/refresh.asm", "examples/edges.asm"])
def test_every_calc_of_a_program_shows_its_codes(name: str, tmp_path: Path) -> None:
    """Several pages, weights refreshed on the way, and the wide instruction set."""
    found = shown(name)
    calcs = anna.verified(found.program).calcs
    steps = [step for k in range(len(calcs)) for step in (["set", "jump", str(k)], ["hold", ".chip:nth-child(2) .code"])]
    held = drive(found.page, steps, tmp_path)
    for k, texts in enumerate(held):
        assert [text for text in texts if text] == list(map(str, found.calc(k)[1].codes.tolist()))
