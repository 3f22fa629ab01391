"""`anna export`: compiles a network and writes it for other tools, with known answers."""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import DataError
from sim.cli import values
from sim.cli.command import Command, write
from sim.cli.compiling import add_compile_options, compile_options
from sim.cli.options import add, positional
from sim.cli.progress import progress
from sim.inputs.files import images_and_labels

COUNT = 10


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(
        parser,
        "model",
        values.NETWORK,
        "a LeNet by name ({words}) or by its weights, such as lenet5-mnist-seed1-chip; or an .onnx or .safetensors file",
    )
    add(parser, "--output", kind=values.FOLDER, default_text="NAME-export in this folder")
    add(parser, "--images", default_text="the calibration images")
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


def _run(given: argparse.Namespace) -> None:
    from anna.compiler import compilation
    from anna.exporters.bundle import export, made_folder
    from sim.inputs.calibration import calibration_images
    from sim.inputs.models import load_network

    network = load_network(given.model, given.data, given.weights_seed, given.variant or "")
    folder = Path(given.output or f"{network.name}-export")
    made_folder(folder)
    calibration = calibration_images(network, given.calibration, "give sample images with --calibration FILE")
    images = _images(given, calibration)
    with progress() as show:
        show(f"compile {network.name}")
        done = compilation(network, calibration, **compile_options(given))
        show(f"run {network.name}")
        export(done, folder, images)
    for sentence in (done.warning or "").splitlines():
        print(f"warning: {sentence}", file=sys.stderr)
    names = [layer.name for layer in done.quantised.lowered.layers]
    cycles = done.timeline.cycles_per_image
    result = {
        "folder": str(folder),
        "network": network.name,
        "images": given.count,
        "layers": names,
        "cycles_per_image": cycles,
    }
    text = (
        f"{folder}: network.onnx with {len(names)} layers, known answers for {given.count} images in answers.npz\n"
        f"compare other answers with: anna check {folder} ANSWERS.npz"
    )
    write(result, text, given.json)


COMMAND = Command(
    summary="compile a network and write it as ONNX in integers, with known answers",
    description="Compiles a network and writes a folder for other tools: an ONNX model of integers that gives the states of\n"
    "the ideal chip to the bit, known answers, the program, and what the codes stand for. docs/export.md describes it.",
    examples=(
        "anna export recognizer -o recognizer-export",
        "anna export mine.onnx --calibration digits.npz --images digits.npz --count 20",
    ),
    arguments=_arguments,
    run=_run,
)
