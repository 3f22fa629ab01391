"""`anna compile`: compiles a trained network to a program file."""

import argparse
import sys
from pathlib import Path

from anna.program.file import SUFFIX
from sim.cli import values
from sim.cli.command import Command, output_file, write
from sim.cli.compiling import add_compile_options, compile_options
from sim.cli.options import add, positional
from sim.cli.progress import progress


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(
        parser,
        "model",
        values.NETWORK,
        "a LeNet by name ({words}) or by its weights, such as lenet5-mnist-seed1-chip; or an .onnx or .safetensors file",
    )
    add(parser, "--output", kind=values.file(".anna"), default_text="NAME.anna in this folder")
    add(parser, "--data", default_text="that of a LeNet's paper")
    add(parser, "--weights-seed", default=1)
    add(parser, "--variant")
    add_compile_options(parser)
    add(parser, "--precision", default="given")
    add(parser, "--within")
    add(parser, "--time-budget")
    add(parser, "--print-after", default=[], repeatable=True)


def _run(given: argparse.Namespace) -> None:
    from anna.compiler import compilation
    from anna.program.report import listing
    from sim.inputs.calibration import calibration_images
    from sim.inputs.models import load_network

    network = load_network(given.model, given.data, given.weights_seed, given.variant or "")
    path = output_file(given.output or network.name + SUFFIX)
    instead = "give sample images with --calibration FILE"
    if not Path(given.model).suffix:
        instead += ", or use weights for the built-in digits: --data mnist"
    calibration = calibration_images(network, given.calibration, instead)
    with progress() as show:
        show(f"compile {network.name}")
        aim = {"precision": given.precision, "within": given.within, "time_budget": given.time_budget}
        done = compilation(network, calibration, **compile_options(given), **aim)
    program = done.program
    program.save(path)
    for sentence in (done.warning or "").splitlines():
        print(f"warning: {sentence}", file=sys.stderr)
    report = dict(program.report or {})
    climb = {} if done.climb is None else {"precision": done.climb.report()}
    bought = "" if done.climb is None else f"\n{done.climb.text}"
    printed = "".join(f"; --- after {name}\n{done.text(name)}\n\n" for name in given.print_after)
    written = {**report, **climb, "file": str(path), "sha256": program.digest}
    write(written, f"{printed}{listing(report)}{bought}\n\n{path}", given.json)


COMMAND = Command(
    description="Compiles a network for the chip: 6-bit weights, 3-bit states, a schedule exact to the cycle.",
    examples=(
        "anna compile recognizer -o recognizer.anna",
        "anna compile mine.onnx --calibration digits.npz -o mine.anna",
        "anna compile lenet5 --batch 28 --print-after place",
        "anna compile lenet5 --against typical",
        "anna compile mine.onnx --calibration digits.npz --precision auto --within 2 -o mine.anna",
    ),
    arguments=_arguments,
    run=_run,
)
