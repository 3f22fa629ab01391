"""A program for the chip in SystemVerilog (anna/rtl): its sources, its sizes, and what its memories hold.

*.sv, Makefile      the chip, its machine, and a bench that runs it
parameters.svh      sizes, codes and thresholds, from the specification; one build runs every program of that chip
program/            of one program: what the bench reads into the memories, and what it then expects
    settings.hex    the sequencer, and how many cycles each instruction lasts
    words.hex       the words of the program's file
    weights.hex     weight codes, a pair in a line; scales.hex: scale codes, a row in a line
    memory_0.hex    the states of image 0 and the constants
    starts.txt      the cycle in which each instruction starts; segments.txt: the cycles of each page load and segment
    calcs_0.txt     the codes of every CALC for image 0; states_0.txt: the memory at the end, address and code
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anna.base.container import write_beside
from anna.base.errors import MachineError
from anna.chip.codes import thresholds
from anna.chip.spec import ChipSpec
from anna.exporters.bundle import made_folder
from anna.machine.inputs import checked_codes, expect_program
from anna.machine.interpreter import Interpreter
from anna.machine.state import CalcRecord
from anna.program import isa
from anna.program.file import Program
from anna.sequencer.rules import verified
from anna.sequencer.timeline import Timeline

SOURCES = Path(__file__).parents[1] / "rtl"
PACKAGE = "anna_pkg.sv"  # what every other source imports
MOST_THRESHOLDS = 1 << 13  # they are constants of the sources
LEAST_WORDS, LEAST_STATES = 1 << 14, 1 << 18  # memories of every build, so that one serves most programs
OVERLAPS = ("none", "shift-calc", "all")  # by their number in anna_pkg.sv
NO_OP = ("PAGE", "WAIT", "STOP")  # what the sequencer does by itself

MAKEFILE = """\
# Builds the machine with Verilator, on CORES cores (0: all), and runs it; PROGRAM=DIR is another program of this chip.
PROGRAM ?= program
VERILATOR ?= verilator
CORES ?= 0
FLAGS = --timing --timescale 1ps/1ps -Wall --top-module bench --unroll-count {unrolled}
SOURCES = {sources}

run: obj_dir/bench
	obj_dir/bench +program=$(PROGRAM)

trace: obj_dir/bench
	obj_dir/bench +program=$(PROGRAM) +trace=anna.vcd

lint:
	$(VERILATOR) --lint-only $(FLAGS) $(SOURCES)

obj_dir/bench: $(SOURCES) parameters.svh
	$(VERILATOR) --binary $(FLAGS) --trace --trace-depth 3 -j $(CORES) -O3 -o bench $(SOURCES)

.PHONY: run trace lint
"""


def export_rtl(program: Program, folder: Path | str, codes: ArrayLike | None = None) -> Path:
    """Write the chip in SystemVerilog, a program for it, and what the ideal chip makes of some images, as state codes (images,
    *input shape). Without images the bench runs one of zeros, and compares cycles alone."""
    home = Path(folder)
    made_folder(home)
    files = source_files(program.spec, *_memories(program)) | {
        f"program/{name}": data for name, data in program_files(program, codes).items()
    }
    made_folder(home / "program")
    for name, data in files.items():
        write_beside(home / name, data)
    return home


# --- the chip -------------------------------------------------------------------------------------------------------------


def source_files(spec: ChipSpec, words: int = LEAST_WORDS, states: int = LEAST_STATES) -> dict[str, bytes]:
    """The sources for a chip, whose programs have at most so many words, and images windows of so many states."""
    if spec.wide:
        raise MachineError("the SystemVerilog is that of the published instruction set; this chip has the wide one")
    count = (1 << spec.scale_bits) * ((1 << spec.state_bits) - 1)
    if count > MOST_THRESHOLDS:
        raise MachineError(
            f"state_bits {spec.state_bits} and scale_bits {spec.scale_bits} give {count} thresholds of the ADC; "
            f"the SystemVerilog takes at most {MOST_THRESHOLDS}"
        )
    sources = {path.name: path.read_bytes() for path in sorted(SOURCES.glob("*.sv"))}
    names = [PACKAGE, *(name for name in sources if name != PACKAGE)]
    return {
        **sources,
        "parameters.svh": _parameters(spec, words, states).encode(),
        "Makefile": MAKEFILE.format(sources=" ".join(names), unrolled=_unrolled(spec)).encode(),
    }


def _unrolled(spec: ChipSpec) -> int:
    """Turns of the longest loop that writes to a memory, which Verilator must unroll; unrolling longer ones only takes time."""
    return max(spec.neurons_at_once, spec.dacs)


def _parameters(spec: ChipSpec, words: int, states: int) -> str:
    """Everything that is wired into the chip, as constants."""
    numbers = {
        "ROWS": spec.rows,
        "COLUMNS": spec.columns,
        "REGISTERS": spec.registers,
        "LATCHES": spec.latches,
        "NEURONS": spec.neurons_at_once,
        "DACS": spec.dacs,
        "WORD_STATES": spec.word_states,
        "WEIGHT_BITS": spec.weight_bits,
        "STATE_BITS": spec.state_bits,
        "SCALE_FIELD_BITS": max(1, spec.scale_bits),
        "MEMORY_STATES": spec.memory_states or 0,
        "MEMORY_LATENCY": spec.memory_latency_cycles,
        "MAX_PAGES": spec.max_pages,
        "LIMBS": isa.limbs(spec),
        "FAN_IN_COUNT": len(spec.fan_ins),
        "PROGRAM_WORDS": words,
        "WINDOW_STATES": states,
    }
    table = thresholds(spec, range(1 << spec.scale_bits)).tolist()
    lines = [
        "// Sizes, codes and thresholds of one chip, written by `anna export --rtl` from its specification.",
        *(f"localparam int {name} = {number};" for name, number in numbers.items()),
        f"localparam int FAN_INS[FAN_IN_COUNT] = '{{{', '.join(map(str, spec.fan_ins))}}};",
        f"localparam bit STATE_MID_TREAD = {int(spec.state_levels == 'mid-tread')};",
        f"localparam bit WEIGHT_MID_TREAD = {int(spec.weight_levels == 'mid-tread')};",
        f"localparam longint CLOCK_PS = {round(spec.cycle_ns * 1e3)};",
        "// In accumulator units: whole numbers, rounded once from the scale's range, a line for each scale code.",
        f"localparam longint THRESHOLDS[{sum(map(len, table))}] = '{{",
        ",\n".join("    " + ", ".join(map(str, row)) for row in table),
        "};",
    ]
    return "\n".join(lines) + "\n"


def _memories(program: Program) -> tuple[int, int]:
    """Words and states of memories that hold this program and an image's window."""
    expect_program(program)
    words, states = len(program.words), program.window_states
    return max(LEAST_WORDS, _power_of_two(words)), max(LEAST_STATES, _power_of_two(states))


def _power_of_two(least: int) -> int:
    return 1 << max(0, least - 1).bit_length()


# --- a program ------------------------------------------------------------------------------------------------------------


def program_files(program: Program, codes: ArrayLike | None = None) -> dict[str, bytes]:
    """What the bench reads: memories, and what the ideal chip makes of the images."""
    if program.host is not None and program.host.rounds:
        raise MachineError(
            f"program {program.name} has rounds of the host, the first before segment {program.host.rounds[0].segment}; the "
            "SystemVerilog is that of the chip, and runs programs whose host works only before and after it"
        )
    timeline = verified(program)
    images = None if codes is None else checked_codes(program, codes)
    shown = np.zeros((1, *program.input.shape), np.uint8) if images is None else images
    texts = {
        "settings.hex": _settings(program, len(shown)),
        "words.hex": _words(program),
        "weights.hex": _packed(program.weight_codes.reshape(-1, program.spec.dacs), program.spec.weight_bits),
        "scales.hex": _packed(program.scale_codes.reshape(-1, program.spec.groups), max(1, program.spec.scale_bits)),
        "starts.txt": _starts(timeline),
        "segments.txt": _segments(timeline),
    }
    for number, image in enumerate(shown):
        texts[f"memory_{number}.hex"] = _memory(program, image)
        if images is not None:
            texts |= {f"{name}_{number}.txt": lines for name, lines in _answers(program, image).items()}
    return {name: ("\n".join(lines) + "\n").encode() for name, lines in texts.items()}


def _settings(program: Program, images: int) -> Iterator[str]:
    """In the order in which the bench reads them."""
    spec, sequencer = program.spec, program.sequencer
    paced = sequencer.instructions_per_s is not None or sequencer.bytes_per_s is not None
    numbers = {
        "images": images,
        "overlap": OVERLAPS.index(sequencer.overlap),
        "issue_width": spec.issue_width,
        "paced": int(paced),
        "instruction_cycles": sequencer.issue_cycles(spec),
        "word_cycles": sequencer.word_cycles(spec),
        "calc_cycles": spec.calc_cycles,
        "store_cycles": spec.store_cycles,
        "states_in_per_cycle": spec.states_in_per_cycle,
        "states_out_per_cycle": spec.states_out_per_cycle,
        "from_shifter": int(spec.shift_from == "shifter"),
        "reset_state": spec.reset_state_code,
    }
    return (f"{number:x}  // {name}" for name, number in numbers.items())


def _words(program: Program) -> Iterator[str]:
    for limbs in program.words.tolist():
        yield "".join(f"{limb:016x}" for limb in reversed(limbs))


def _packed(codes: NDArray[Any], bits: int) -> Iterator[str]:
    """Each row of codes as one number, the first code in its lowest bits."""
    digits = math.ceil(codes.shape[1] * bits / 4)
    for row in codes.tolist():
        yield f"{sum(code << bits * place for place, code in enumerate(row)):0{digits}x}"


def _memory(program: Program, image: NDArray[Any]) -> Iterator[str]:
    """What is in an image's window from the beginning; an address before each run of states."""
    held = dict(zip(program.input.addresses.reshape(-1).tolist(), image.reshape(-1).tolist(), strict=True))
    held |= dict(zip(program.constant_addresses.tolist(), program.constant_codes.tolist(), strict=True))
    places = sorted(held)
    for before, place in pairwise([-2, *places]):
        if place != before + 1:
            yield f"@{place:x}"
        yield f"{held[place]:x}"


def _starts(timeline: Timeline) -> Iterator[str]:
    for op, span in zip(timeline.program.ops, timeline.spans, strict=True):
        if op.name not in NO_OP:
            yield str(span.start)


def _segments(timeline: Timeline) -> Iterator[str]:
    for number, segment in enumerate(timeline.segments):
        yield str(timeline.charges.load_cycles(number))
        yield str(segment.cycles)


def _answers(program: Program, image: NDArray[Any]) -> dict[str, Iterator[str]]:
    """What the interpreter, which is the definition, makes of an image."""
    calcs = list[str]()

    def note(calc: CalcRecord) -> None:
        calcs.extend(map(str, calc.codes.tolist()))

    machine = Interpreter(program, image)
    machine.hooks.append(note)
    machine.run()
    states = ((place, machine.memory(place)) for place in range(program.window_states))
    return {"calcs": iter(calcs), "states": (f"{place} {code}" for place, code in states if code is not None)}
