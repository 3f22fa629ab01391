"""`anna completion`: what the Tab key should know, as a script for a shell.

The script is made from the parsers of all commands and asks nothing of anna when it runs, so that Tab answers at once.
What may stand in a place is what its type offers (`sim.cli.values`).
"""

import argparse

from sim.cli import values
from sim.cli.command import Command, write
from sim.cli.completion_scripts import SCRIPTS
from sim.cli.syntax import syntax_of
from sim.cli.options import positional


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(parser, "shell", values.choice("SHELL", *SCRIPTS), "whose script: {words}")


def _run(given: argparse.Namespace) -> None:
    from sim.cli.main import full_parser

    script = SCRIPTS[given.shell](syntax_of(full_parser()))
    write({"shell": given.shell, "script": script}, script.rstrip("\n"), given.json)


COMMAND = Command(
    summary="what the Tab key should know, for bash, zsh or fish",
    description="Prints a script with which the shell completes commands, options, names and files of the right kind.\n"
    "It is made once and asks nothing of anna at the Tab key; after an update, make it again.",
    examples=(
        "anna completion bash > ~/.local/share/bash-completion/completions/anna",
        "anna completion zsh > ~/.zfunc/_anna      # a folder of $fpath",
        "anna completion fish > ~/.config/fish/completions/anna.fish",
    ),
    arguments=_arguments,
    run=_run,
)
