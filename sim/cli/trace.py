"""`anna trace`: writes one image's run through a program as a timeline or waveforms."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.container import write_beside
from anna.base.errors import DataError, UsageError
from anna.machine.inputs import checked_codes, input_codes
from anna.program.file import Program
from anna.sequencer.rules import verified
from sim.cli import values
from sim.cli.command import Command, output_file, write
from sim.cli.options import add, positional
from sim.inputs.files import images_and_labels, read_codes


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(parser, "file", values.file(".anna"), "a program")
    positional(parser, "images", values.IMAGES, "the images of a source ({words}) or a file", nargs="?")
    add(parser, "--codes")
    add(parser, "--image", default=0)
    add(parser, "--vcd")
    add(parser, "--perfetto", default_text="NAME.json")


def _codes(given: argparse.Namespace, program: Program) -> NDArray[Any]:
    """The state codes of the traced image."""
    if (given.images is None) == (given.codes is None):
        raise UsageError("no image given; give either IMAGES or --codes FILE")
    if given.codes is not None:
        source, found = given.codes, read_codes(Path(given.codes), program.input.shape)
    else:
        source, found = given.images, images_and_labels(given.images)[0]
    if not 0 <= given.image < len(found):
        raise DataError(f"{source}: holds {len(found)} images; expected --image below that, got {given.image}")
    one = found[given.image : given.image + 1]
    codes: NDArray[Any] = checked_codes(program, one) if given.codes is not None else input_codes(program, one)
    return np.asarray(codes[0])


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
    timeline, codes = verified(program), _codes(given, program)
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
