"""`anna fit-host`: fits the host's last layer again, to what the pins of drawn chips or of a die give."""

import argparse
from pathlib import Path

from anna.analog.parameters import Analog
from anna.base.errors import DataError, UsageError
from anna.machine.chip import Chip
from anna.program.file import Program
from sim.cli import values
from sim.cli.command import Command, output_file, write
from sim.cli.drawn import first_seed
from sim.cli.options import add, positional
from sim.inputs.files import images_and_labels


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(parser, "file", values.file(".anna"), "a compiled program")
    add(parser, "--images")
    add(parser, "--count", default_text="all")
    add(parser, "--die", default_text="chips drawn from --chip-seed")
    add(parser, "--analog", default="typical")
    add(parser, "--chip-seed", default_text="0")
    add(parser, "--chips", default=1)
    add(parser, "--output", kind=values.file(".anna"), default_text="the program's name with -fitted, in this folder")


def _chips(given: argparse.Namespace) -> list[Chip]:
    if given.die is not None:
        from anna.analog.die import Die

        return [Chip(die=Die.load(given.die))]
    if given.chips < 1:
        raise UsageError(f"--chips {given.chips}: expected at least 1")
    analog = Analog.named(given.analog)
    first = first_seed(given, [analog])
    return [Chip(seed=first + k, analog=analog) for k in range(given.chips)]


def _run(given: argparse.Namespace) -> None:
    from anna.lab.host_fit import fit_host

    program = Program.load(given.file)
    path = output_file(given.output or f"{Path(given.file).stem}-fitted.anna")
    if given.images is None:
        raise UsageError("fit-host needs labelled images: --images SOURCE, or an .npz file with images and labels")
    images, labels = images_and_labels(given.images, given.count)
    if labels is None:
        raise DataError(f"{given.images}: holds images without labels; expected an .npz file with images and labels")
    found = fit_host(program, _chips(given), images, labels)
    found.program.save(path)
    result = {"file": str(path), "images": found.images, "aside": found.aside, "pull": found.pull,
              "error_before": found.error_before, "error_after": found.error_after}  # fmt: skip
    kept = "the layer stays as it was" if found.pull is None else f"pull {found.pull:g}"
    text = (f"{path}: {100 * found.error_before:.2f} % -> {100 * found.error_after:.2f} % error on {found.aside} images kept "
            f"aside ({kept})")  # fmt: skip
    write(result, text, given.json)


COMMAND = Command(
    description="Runs labelled images on a die, or on drawn chips, and fits the last layer on the host again to what leaves\n"
    "the pins. One image in five decides how far; if nothing helps there, the layer stays as it was. The program that comes\n"
    "out is for those chips; results on the images are refused.",
    examples=("anna fit-host recognizer.anna --chip-seed 3 --images holdout --count 1000 -o chip3.anna",),
    arguments=_arguments,
    run=_run,
)
