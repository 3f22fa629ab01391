"""`anna energy`: what a program makes the machine do, by layer, and what that costs."""

import argparse

from anna.program.file import Program
from sim.cli import values
from sim.cli.command import Command, write
from sim.cli.options import add, positional


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(parser, "file", values.file(".anna"), "a program")
    add(parser, "--joules", default_text="events are only counted")


def _run(given: argparse.Namespace) -> None:
    from sim.results.energy import energy

    found = energy(Program.load(given.file), given.joules)
    write(found.to_json(), found.table(), given.json)


COMMAND = Command(
    description="Counts what a program makes the machine do for one image: products that carry current, conversions, weights\n"
    "written, words moved, operations of the host. With joules for each event, tells the energy. No figure of the chip's\n"
    "energy is known, so none is built in.",
    examples=("anna energy lenet5.anna", "anna energy lenet5.anna --joules joules.toml"),
    arguments=_arguments,
    run=_run,
)
