"""`anna export`: compiles a network and writes it for other tools, or for the chip in SystemVerilog, with known answers."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import DataError, UsageError
from anna.machine.inputs import input_codes
from anna.program.file import SUFFIX, Program
from anna.sequencer.rules import verified
from sim.cli import values
from sim.cli.command import Command, write
from sim.cli.compiling import add_compile_options, compile_options
from sim.cli.options import add, positional
from sim.cli.progress import progress
from sim.inputs.files import images_and_labels, read_codes

if TYPE_CHECKING:
    from anna.compiler.passes import Compilation

COUNT = 10


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(
        parser,
        "model",
        values.MODEL_OR_PROGRAM,
        "a LeNet by name ({words}) or by its weights, such as lenet5-mnist-seed1-chip; or an .onnx or .safetensors file; "
        "for --rtl also a program",
    )
    add(parser, "--output", kind=values.FOLDER, default_text="NAME-export in this folder")
    add(parser, "--rtl")
    add(parser, "--images", default_text="the calibration images; of a program, none")
    add(parser, "--codes")
    add(parser, "--count", default=COUNT)
    add(parser, "--data", default_text="that of a LeNet's paper")
    add(parser, "--weights-seed", default=1)
    add(parser, "--variant")
    add_compile_options(parser)


def _images(given: argparse.Namespace, calibration: NDArray[Any]) -> NDArray[Any]:
    """The images of the known answers."""
    if given.images is not None:
        return images_and_labels(given.images, given.count)[0]
    if not 0 <= given.count <= len(calibration):
        raise DataError(f"{given.count} images requested, but there are {len(calibration)} for calibration; give --images")
    return np.asarray(calibration[np.arange(given.count) * len(calibration) // max(1, given.count)])


def _compiled(given: argparse.Namespace) -> "tuple[Compilation, NDArray[Any]]":
    """The network as a program, and the images of the known answers."""
    from anna.compiler import compilation
    from anna.exporters.bundle import made_folder
    from sim.inputs.calibration import calibration_images
    from sim.inputs.models import load_network

    network = load_network(given.model, given.data, given.weights_seed, given.variant or "")
    if given.rtl is None:
        made_folder(Path(given.output or f"{network.name}-export"))
    calibration = calibration_images(network, given.calibration, "give sample images with --calibration FILE")
    images = _images(given, calibration)
    with progress() as show:
        show(f"compile {network.name}")
        done = compilation(network, calibration, **compile_options(given))
    for sentence in (done.warning or "").splitlines():
        print(f"warning: {sentence}", file=sys.stderr)
    return done, images


def _run(given: argparse.Namespace) -> None:
    if given.rtl is not None:
        if given.output is not None:
            raise UsageError("--rtl names the folder already; leave out --output")
        _run_rtl(given)
    elif given.model.endswith(SUFFIX):
        raise UsageError(
            f"{given.model} is a program, which has no layers left to write as ONNX; give --rtl FOLDER or a network"
        )
    elif given.codes is not None:
        raise UsageError("--codes goes with --rtl and a program; a network takes --images")
    else:
        _run_onnx(given)


def _run_onnx(given: argparse.Namespace) -> None:
    from anna.exporters.bundle import export

    done, images = _compiled(given)
    name, layers = done.quantised.lowered.network.name, [layer.name for layer in done.quantised.lowered.layers]
    folder = Path(given.output or f"{name}-export")
    with progress() as show:
        show(f"run {name}")
        export(done, folder, images)
    result = {
        "folder": str(folder),
        "network": name,
        "images": given.count,
        "layers": layers,
        "cycles_per_image": done.timeline.cycles_per_image,
    }
    text = (
        f"{folder}: network.onnx with {len(layers)} layers, known answers for {given.count} images in answers.npz\n"
        f"compare other answers with: anna check {folder} ANSWERS.npz"
    )
    write(result, text, given.json)


def _program(given: argparse.Namespace) -> tuple[Program, NDArray[Any] | None]:
    """The program for the SystemVerilog, and its images as state codes, if any."""
    if not given.model.endswith(SUFFIX):
        if given.codes is not None:
            raise UsageError("--codes goes with a program; a network takes --images")
        done, images = _compiled(given)
        return done.program, input_codes(done.program, images)
    if given.images is not None and given.codes is not None:
        raise UsageError("give either --images SOURCE or --codes FILE")
    program = Program.load(given.model)
    if given.codes is not None:
        return program, read_codes(Path(given.codes), program.input.shape)[: given.count]
    if given.images is not None:
        return program, input_codes(program, images_and_labels(given.images, given.count)[0])
    return program, None


def _run_rtl(given: argparse.Namespace) -> None:
    from anna.exporters.rtl import export_rtl

    program, codes = _program(given)
    folder, images = Path(given.rtl), 0 if codes is None else len(codes)
    with progress() as show:
        show(f"run {program.name}")
        export_rtl(program, folder, codes)
    cycles = verified(program).run_cycles
    result = {"folder": str(folder), "program": program.name, "images": images, "run_cycles": cycles}
    text = (
        f"{folder}: the chip in SystemVerilog, {program.name} with {cycles:,} cycles, known answers for {images} images\n"
        f"run it with Verilator: make -C {folder}"
    )
    write(result, text, given.json)


COMMAND = Command(
    description="Compiles a network and writes a folder for other tools: an ONNX model of integers that gives the states of\n"
    "the ideal chip to the bit, known answers, the program, and what the codes stand for. docs/export.md describes it.\n"
    "With --rtl, a folder for Verilator instead: the digital chip in SystemVerilog and a program for it, see docs/rtl.md.",
    examples=(
        "anna export recognizer -o recognizer-export",
        "anna export mine.onnx --calibration digits.npz --images digits.npz --count 20",
        "anna export recognizer --count 1 --rtl recognizer-rtl",
    ),
    arguments=_arguments,
    run=_run,
)
