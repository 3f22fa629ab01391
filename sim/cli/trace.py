"""`anna trace`: writes one image's run through a program as a timeline or waveforms."""

import argparse

from anna.base.container import write_beside
from anna.program.file import Program
from anna.sequencer.rules import verified
from sim.cli import values
from sim.cli.command import Command, output_file, write
from sim.cli.one_image import add_one_image, image_codes
from sim.cli.options import add, positional


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(parser, "file", values.file(".anna"), "a program")
    add_one_image(parser)
    add(parser, "--vcd")
    add(parser, "--perfetto", default_text="NAME.json")


def _run(given: argparse.Namespace) -> None:
    from anna.machine.interpreter import Interpreter
    from anna.trace.perfetto import perfetto
    from anna.trace.vcd import vcd

    program = Program.load(given.file)
    files = {}
    if given.perfetto or not given.vcd:
        files["perfetto"] = output_file(given.perfetto or f"{program.name}.json")
    if given.vcd:
        files["vcd"] = output_file(given.vcd)
    timeline, (codes, _) = verified(program), image_codes(given, program)
    if "perfetto" in files:
        write_beside(files["perfetto"], perfetto(timeline).encode())
    if "vcd" in files:
        write_beside(files["vcd"], vcd(Interpreter(program, codes), timeline).encode())
    cycles = timeline.cycles_per_image
    result = {"cycles_per_image": cycles, "files": {kind: str(path) for kind, path in files.items()}}
    text = "\n".join(f"{path}: {cycles:,g} cycles, {kind}" for kind, path in files.items())
    write(result, text, given.json)


COMMAND = Command(
    description="Writes what happens in each cycle: a timeline of layers, pages and units for Perfetto, or waveforms with\n"
    "registers and results for GTKWave and similar viewers.",
    examples=(
        "anna trace recognizer.anna holdout",
        "anna trace edges.anna --codes codes.npy --vcd edges.vcd --perfetto edges.json",
    ),
    arguments=_arguments,
    run=_run,
)
