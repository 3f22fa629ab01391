"""The tables of docs/isa.md and docs/isa-wide.md, from what they describe; the prose is written by hand around them.

python -m anna.sequencer.manual docs/isa*.md    puts the tables into the pages, each between its two marks
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from anna.chip import codes
from anna.chip.spec import ANNA_1991, ANNA_WIDE, DEDICATED, DSP, ChipSpec
from anna.program.isa import PUBLISHED
from anna.program.manual import instructions_of, words_of, worked_word
from anna.sequencer.timing import BESIDE, ENDS, RESULTS, UNITS, WAITS

MARK = re.compile(r"(<!-- table (\w+) -->\n\n)(.*?)(<!-- end -->)", re.S)


def tables() -> dict[str, list[str]]:
    """Every table by the name in its mark."""
    shift = PUBLISHED.op("SHIFT", count=4, register=1, address=12, step=4)
    calc = PUBLISHED.op("CALC", fan_in=2, row=8, neurons=8, latch=2)
    return {
        "words": words_of(ANNA_1991),
        "worked": [*worked_word(ANNA_1991, shift), *worked_word(ANNA_1991, calc)],
        "instructions": instructions_of(ANNA_1991, "###"),
        "neurons": [*_neurons(ANNA_1991), ""],
        "thresholds": [*_thresholds(ANNA_1991), ""],
        "durations": [*_durations(ANNA_1991), ""],
        "beside": [*_beside(), ""],
        "rates": [*_rates(ANNA_1991), ""],
        "wide_words": words_of(ANNA_WIDE),
        "wide_instructions": instructions_of(ANNA_WIDE, "##"),
    }


def filled(page: str) -> str:
    """A page with the tables as they are today."""
    known = tables()
    return MARK.sub(lambda mark: mark[1] + "".join(f"{line}\n" for line in known[mark[2]]) + mark[4], page)


def _neurons(spec: ChipSpec) -> Iterator[str]:
    """Which synapses and states a neuron has, and where its scale code lies."""
    yield "| fan-in | index | rows of neuron k | columns | latches | scale code at |"
    yield "|---|---|---|---|---|---|"
    for index, fan_in in enumerate(spec.fan_ins):
        rows, share = max(1, fan_in // spec.columns), max(1, spec.columns // fan_in)
        first = f"r + k div {share}" if share > 1 else "r + k" if rows == 1 else f"r + {rows}k"
        last = "" if rows == 1 else f" .. r + {rows}k + {rows - 1}"
        columns = f"{fan_in} (k mod {share}) and the next {fan_in - 1}" if share > 1 else f"0 .. {spec.columns - 1}"
        group = f"{fan_in * spec.groups // spec.columns} (k mod {share})" if share > 1 else "0"
        latches = "l" if rows == 1 else f"l .. l + {rows - 1}, row by row; l is a multiple of {rows}"
        yield f"| {fan_in} | {index} | {first}{last} | {columns} | {latches} | row {first}, group {group} |"


def _thresholds(spec: ChipSpec) -> Iterator[str]:
    """The ADC at each scale code."""
    yield "| scale code | LSB, weight LSB x state LSB | thresholds, units |"
    yield "|---|---|---|"
    lsb = (codes.full_scales(spec) / (1 << spec.state_bits)).tolist()
    for code, one in enumerate(lsb):
        yield f"| {code} | {one:.6g} | {', '.join(map(str, codes.thresholds(spec, code).tolist()))} |"


_DURATIONS = {
    "RFSH": "1",
    "SHIFT": "words(count) x ceil(word_states / states_in_per_cycle)",
    "STORE": "store_cycles",
    "CALC": "calc_cycles",
    "OUT": "words(count) x ceil(word_states / states_out_per_cycle)",
}
_WAITED_FOR = {("CALC", "OUT"): "and the output latch", ("OUT", RESULTS): "and the CALC whose results it takes"}


def _durations(spec: ChipSpec) -> Iterator[str]:
    """How long instructions last, and what they wait for whatever the overlap."""
    each = {"RFSH": "1", "SHIFT": f"{spec.cycles_in(1)} a word", "STORE": f"{spec.store_cycles}", "CALC": f"{spec.calc_cycles}",
            "OUT": f"{spec.cycles_out(1)} a word"}  # fmt: skip
    yield "| instruction | lasts, cycles | on anna-1991 | always waits for the end of |"
    yield "|---|---|---|---|"
    for name in UNITS:
        ends = [end for end in ENDS if end in WAITS[name] and WAITS[name][end](spec) is not None]
        ends.sort(key=lambda end: (end != name, (name, end) in _WAITED_FOR))
        waited = ", ".join(_WAITED_FOR.get((name, end), f"the last {end}") for end in ends)
        yield f"| {name} | {_DURATIONS[name]} | {each[name]} | {waited} |"


def _beside() -> Iterator[str]:
    """What may still be running when an instruction starts."""
    yield "| instruction | " + " | ".join(f"`overlap` {overlap}" for overlap in BESIDE) + " |"
    yield "|---" * (1 + len(BESIDE)) + "|"
    for name in UNITS:
        beside = (", ".join(BESIDE[overlap].get(name, ())) or "nothing" for overlap in BESIDE)
        yield f"| {name} | {' | '.join(beside)} |"


def _rates(spec: ChipSpec) -> Iterator[str]:
    """The sequencers that have names."""
    yield "| sequencer | overlap | instruction, cycles | word, cycles | aligned |"
    yield "|---|---|---|---|---|"
    for name, one in (("dedicated", DEDICATED), ("dsp", DSP)):
        aligned = "yes" if one.aligned else "no"
        yield f"| {name} | {one.overlap} | {one.issue_cycles(spec)} | {one.word_cycles(spec)} | {aligned} |"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        page = Path(name)
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
