"""`anna check`: compares somebody's answers with the known ones of an exported network."""

import argparse

from sim.cli import values
from sim.cli.command import Command, write
from sim.cli.options import positional


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(parser, "folder", values.FOLDER, "a folder that anna export wrote")
    positional(parser, "answers", values.file(".npz"), "the answers: an array of state codes for each map, by name")


def _run(given: argparse.Namespace) -> None:
    from anna.exporters.answers import check_answers

    found = check_answers(given.folder, given.answers)
    result = {"images": found.images, "states": found.states, "maps": list(found.stacks), "not_given": list(found.not_given)}
    rest = f"; not given: {', '.join(found.not_given)}" if found.not_given else ""
    text = f"{', '.join(found.stacks)} agree: {found.states:,} states of {found.images} images{rest}"
    write(result, text, given.json)


COMMAND = Command(
    description="Compares what another tool or chip gave for the images of an exported network with the known answers, and\n"
    "names the first layer, map and place that differ.",
    examples=("anna check recognizer-export answers.npz",),
    arguments=_arguments,
    run=_run,
)
