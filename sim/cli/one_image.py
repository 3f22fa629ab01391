"""The one image that a command follows through a program: of a source or a file, or as state codes."""

import argparse
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from anna.base.errors import DataError, UsageError
from anna.machine.inputs import checked_codes, input_codes
from anna.program.file import Program
from sim.cli import values
from sim.cli.options import add, positional
from sim.inputs.files import images_and_labels, read_codes


def add_one_image(parser: argparse.ArgumentParser) -> None:
    """The arguments that name an image."""
    positional(parser, "images", values.IMAGES, "the images of a source ({words}) or a file", nargs="?")
    add(parser, "--codes")
    add(parser, "--image", default=0)


def expect_one_source(given: argparse.Namespace) -> None:
    """Raises unless images or state codes are given."""
    if (given.images is None) == (given.codes is None):
        raise UsageError("no image given; give either IMAGES or --codes FILE" if given.images is None else
                         f"both {given.images} and --codes {given.codes} are given; expected one of them")  # fmt: skip


def image_codes(given: argparse.Namespace, program: Program) -> tuple[NDArray[Any], int | None]:
    """The state codes of the image, and its label if known."""
    expect_one_source(given)
    labels = None
    if given.codes is not None:
        source, found = given.codes, read_codes(Path(given.codes), program.input.shape)
    else:
        source, (found, labels) = given.images, images_and_labels(given.images)
    if not 0 <= given.image < len(found):
        raise DataError(f"{source}: holds {len(found)} images; expected --image below that, got {given.image}")
    one = found[given.image : given.image + 1]
    codes = checked_codes(program, one) if given.codes is not None else input_codes(program, one)
    known = labels is not None and labels.shape == (len(found),) and labels.dtype.kind in "ui"
    return codes[0], int(labels[given.image]) if labels is not None and known else None
