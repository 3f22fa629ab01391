"""`anna trace`: one picture through a program, as a time line or as wave forms."""

import argparse

from anna.base.container import write_beside
from anna.base.errors import DataError
from anna.program.file import Program
from anna.sequencer.rules import verified
from sim.cli.command import Command, output_file, write
from sim.inputs.files import images_and_labels


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE.anna", help="a program")
    parser.add_argument("images", metavar="IMAGES", help="pictures: a file (.npy, .npz or IDX; grey levels for a compiled "
                        "network, else state codes), or digits by name: holdout (built in), mnist, usps")  # fmt: skip
    parser.add_argument("--picture", type=int, default=0, metavar="N", help="which of them (default 0)")
    parser.add_argument("--vcd", metavar="FILE", help="wave forms of units, registers and results")
    parser.add_argument("--perfetto", metavar="FILE", help="time line of the units (default: NAME.json)")


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
    timeline, region = verified(program), program.input
    pictures, _ = images_and_labels(given.images, floats=program.host is not None)
    if not 0 <= given.picture < len(pictures):
        raise DataError(f"{given.images}: holds {len(pictures)} pictures; there is no number {given.picture}")
    picture = pictures[given.picture : given.picture + 1]
    if program.host is not None:
        maps, rows, columns = region.shape
        picture = program.host.input_codes(program.spec, (maps, rows, columns), picture)
    if picture.size != region.size:
        raise DataError(f"the picture has shape {picture.shape[1:]}; program {program.name} takes {region.shape}")
    if "perfetto" in files:
        write_beside(files["perfetto"], perfetto(timeline).encode())
    if "vcd" in files:
        write_beside(files["vcd"], vcd(Interpreter(program, picture.reshape(region.shape)), timeline).encode())
    result = {"cycles": timeline.run_cycles, "files": {kind: str(path) for kind, path in files.items()}}
    text = "\n".join(f"{path}: {timeline.run_cycles:,} cycles, {kind}" for kind, path in files.items())
    write(result, text, given.json)


COMMAND = Command(
    summary="one picture as a time line (Perfetto) or wave forms (VCD)",
    description="Writes what happens in which cycle: a time line of the units for Perfetto, wave forms with registers and\n"
    "results for GTKWave and its like.",
    examples=("anna trace recognizer.anna holdout", "anna trace edges.anna pictures.npy --vcd edges.vcd --perfetto edges.json"),
    arguments=_arguments,
    run=_run,
)
