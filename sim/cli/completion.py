"""`anna completion`: prints a script for completion with the Tab key.

The script is generated from the parsers of all commands and never calls anna, so Tab answers at once. What can be completed
for an argument is what its type offers (`sim.cli.values`).
"""

import argparse

from sim.cli import values
from sim.cli.command import Command, write
from sim.cli.completion_scripts import SCRIPTS
from sim.cli.options import positional
from sim.cli.syntax import syntax_of


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(parser, "shell", values.choice("SHELL", *SCRIPTS), "the shell: {words}")


def _run(given: argparse.Namespace) -> None:
    from sim.cli.main import full_parser

    script = SCRIPTS[given.shell](syntax_of(full_parser()))
    write({"shell": given.shell, "script": script}, script.rstrip("\n"), given.json)


COMMAND = Command(
    description="Prints a script that lets the shell complete commands, options, names and files of the right kind.\n"
    "The script never calls anna; after an update, generate it again.",
    examples=(
        "source <(anna completion bash)    # a line for ~/.bashrc",
        "mkdir -p ~/.zfunc && anna completion zsh > ~/.zfunc/_anna    # where ~/.zfunc is a folder of $fpath",
        "mkdir -p ~/.config/fish/completions && anna completion fish > ~/.config/fish/completions/anna.fish",
    ),
    arguments=_arguments,
    run=_run,
)
