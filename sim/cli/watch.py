"""`anna watch`: makes a page on which one image runs through the chip, to be played and stepped."""

import argparse
import shlex
import sys
from pathlib import Path

from anna.analog.parameters import Analog
from anna.base.container import write_beside
from anna.program.file import SUFFIX, Program
from sim.cli import values
from sim.cli.command import Command, output_file, write
from sim.cli.compiling import add_compile_options, compile_options
from sim.cli.drawn import first_seed
from sim.cli.one_image import add_one_image, expect_one_source, image_codes
from sim.cli.options import add, positional
from sim.cli.progress import progress


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(
        parser,
        "model",
        values.MODEL_OR_PROGRAM,
        "a LeNet by name ({words}) or by its weights, such as lenet5-mnist-seed1-chip; or an .onnx or .safetensors file, or "
        "a program",
    )
    add_one_image(parser)
    add(parser, "--output", kind=values.file(".html"), default_text="NAME.html in this folder")
    add(parser, "--analog", default="typical")
    add(parser, "--chip-seed", default_text="0")
    add(parser, "--noise-seed", default=0)
    add(parser, "--slot", default_text="the last, whose charges are oldest")
    add(parser, "--data", default_text="that of a LeNet's paper")
    add(parser, "--weights-seed", default=1)
    add(parser, "--variant")
    add_compile_options(parser)


def _program(given: argparse.Namespace) -> Program:
    """The program that is given, or that the network compiles to."""
    if given.model.endswith(SUFFIX):
        return Program.load(given.model)
    from anna.compiler import compilation
    from sim.inputs.calibration import calibration_images
    from sim.inputs.models import load_network

    network = load_network(given.model, given.data, given.weights_seed, given.variant or "")
    calibration = calibration_images(network, given.calibration, "give sample images with --calibration FILE")
    return compilation(network, calibration, **compile_options(given)).program


def _run(given: argparse.Namespace) -> None:
    from anna.machine.chip import Chip
    from anna.trace.recording import expect_short, record
    from sim.watch.page import watch_page

    expect_one_source(given)
    analog = Analog.named(given.analog)
    seed = first_seed(given, [analog])
    output = output_file(given.output) if given.output else None
    with progress() as show:
        show(f"read {given.model}")
        program = _program(given)
        expect_short(program)
        path = output or output_file(f"{program.name}.html")
        codes, label = image_codes(given, program)
        chips = {"ideal chip": Chip()}
        if not analog.is_ideal:
            kind = Path(given.analog).stem
            chips[f"{kind} chip, seed {seed}"] = Chip(seed=seed, analog=analog)
        options = {"noise_seed": given.noise_seed, "image_id": given.image, "slot": given.slot}
        recordings = {}
        for name, chip in chips.items():
            show(f"run the {name}")
            recordings[name] = record(program, codes, chip.silicon(program.spec), **options)
    source = given.codes or given.images
    facts = f"Image {given.image} of {source}{'' if label is None else f', a {label}'}. Made by: "
    page = watch_page(program, recordings, f"{program.name} on ANNA", facts + shlex.join(["anna", *sys.argv[1:]])).encode()
    write_beside(path, page)
    result = {
        "file": str(path),
        "bytes": len(page),
        "instructions": len(program.issued),
        "chips": [*recordings],
        "label": label,
        "outputs": {
            name: {region: codes.tolist() for region, codes in one.outputs.items()} for name, one in recordings.items()
        },
    }
    write(result, f"{path}: {len(page) / 1e6:.1f} MB, {len(program.issued):,} instructions; open it in a browser", given.json)


COMMAND = Command(
    description="Makes a page that shows one image on its way through the ideal chip and a drawn one: states, synapses, sums,\n"
    "codes and feature maps, instruction by instruction. It plays in any browser, without network.",
    examples=(
        "anna watch lenet5 holdout --image 3 -o lenet5.html",
        "anna watch recognizer.anna holdout --chip-seed 7",
        "anna watch edges.anna --codes codes.npy --analog ideal",
    ),
    arguments=_arguments,
    run=_run,
)
