"""`anna compile`: a trained network to a program file."""

import argparse
from pathlib import Path

from anna.program.file import SUFFIX
from sim.cli.command import Command, output_file, write
from sim.cli.model import add_compile_options, calibration_pictures, compile_options
from sim.cli.progress import progress


def _arguments(parser: argparse.ArgumentParser) -> None:
    from anna.compiler import PASSES
    from lenet.datasets.registry import DATA_SETS

    parser.add_argument("model", metavar="MODEL", help="a LeNet by name, or an .onnx or .safetensors file")
    parser.add_argument("-o", "--output", metavar="FILE.anna", help="where the program goes (default: NAME.anna here)")
    parser.add_argument("--data", choices=tuple(DATA_SETS), help="which weights of a LeNet (default: its paper's)")
    parser.add_argument("--seed", type=int, default=1, help="which weights of a LeNet (default 1)")
    parser.add_argument("--calibrate", metavar="FILE", help="sample pictures: .npy, .npz or IDX")
    add_compile_options(parser)
    parser.add_argument("--print-after", action="append", default=[], choices=PASSES, metavar="PASS",
                        help=f"show what a pass made: {', '.join(PASSES)}")  # fmt: skip


def _run(given: argparse.Namespace) -> None:
    from anna.compiler import compilation
    from anna.compiler.listing import listing
    from sim.inputs.models import load_network

    network = load_network(given.model, given.data, given.seed)
    path = output_file(given.output or network.name + SUFFIX)
    instead = "give sample pictures with --calibrate FILE"
    if not Path(given.model).suffix:
        instead += ", or take weights for the built-in digits: --data mnist"
    pictures = calibration_pictures(network, given.calibrate, instead)
    with progress() as show:
        show(f"compile {network.name}")
        done = compilation(network, pictures, **compile_options(given))
    program = done.program
    program.save(path)
    report = dict(program.report or {})
    printed = "".join(f"; --- after {name}\n{done.text(name)}\n\n" for name in given.print_after)
    write({**report, "file": str(path), "sha256": program.digest}, f"{printed}{listing(report)}\n\n{path}", given.json)


COMMAND = Command(
    summary="compile a trained network to a chip file",
    description="Compiles a network for the chip: 6-bit weights, 3-bit states, a schedule exact to the cycle.",
    examples=(
        "anna compile recognizer -o recognizer.anna",
        "anna compile mine.onnx --calibrate digits.npz -o mine.anna",
        "anna compile lenet5 --batch 28 --print-after place",
    ),
    arguments=_arguments,
    run=_run,
)
