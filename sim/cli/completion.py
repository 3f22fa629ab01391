"""`anna completion`: what the Tab key should know, as a script for a shell.

The script is made from the parsers of all commands and asks nothing of anna when it runs, so that Tab answers at once.
What may stand in a place is read from an argument's choices, or else from its metavar: `values_of` is the table.
"""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sim.cli.command import Command, write

SHELLS = ("bash", "zsh", "fish")
ANY = ""  # a suffix that every file has


@dataclass(frozen=True)
class Values:
    """What can be offered in a place; all empty: only the user knows."""

    words: tuple[str, ...] = ()  # one that ends in = is a beginning
    suffixes: tuple[str, ...] = ()  # of files; ANY: all files
    folders: bool = False  # for their own sake: on the way to a file they are offered anyway


@dataclass(frozen=True)
class Option:
    """An option of a command; without `values` it takes none."""

    names: tuple[str, ...]
    help: str
    values: Values | None
    repeats: bool


@dataclass(frozen=True)
class Face:
    """A command as the shell sees it."""

    name: str
    summary: str
    options: tuple[Option, ...]
    places: tuple[Values, ...]  # what stands there without an option's name, one after the other
    rest: Values | None  # and after them, any number


@dataclass(frozen=True)
class Faces:
    """All of `anna`."""

    commands: tuple[Face, ...]
    options: tuple[Option, ...]

    @property
    def valued(self) -> tuple[str, ...]:
        """The options that take a value; each does so wherever it exists."""
        every = [option for face in self.commands for option in face.options]
        names = {name for option in every if option.values is not None for name in option.names}
        both = names & {name for option in every if option.values is None for name in option.names}
        assert not both, f"options {', '.join(sorted(both))} take a value in one command and none in another"
        return tuple(sorted(names))


def values_of(metavar: str) -> Values:
    """What a metavar stands for."""
    import lenet
    from anna.analog.parameters import PRESETS
    from anna.chip.spec import BOARDS, ChipSpec
    from anna.native.loader import simd_levels
    from lenet.datasets.registry import DATA_SETS, SOURCES

    networks, onnx = tuple(lenet.names), (".onnx", ".safetensors")
    table = {
        "MODEL": lambda: Values(networks, onnx),
        "NET": lambda: Values(networks),
        "PRESET": lambda: Values(PRESETS, (".toml",)),
        "FIELD=VALUE": lambda: Values(tuple(f"{name}=" for name in ChipSpec.model_fields)),
        "BOARD": lambda: Values(tuple(BOARDS)),
        "HOST": lambda: Values(("auto", "last", "none")),
        "LEVEL": lambda: Values(simd_levels()),
        "DATA": lambda: Values(tuple(DATA_SETS)),
        "WHERE": lambda: Values(("local",)),
        "[run|plan|merge] SPEC.toml|DIR ...": lambda: Values(("run", "plan", "merge"), (".toml",), folders=True),
        "DIR": lambda: Values(folders=True),
        "FILE": lambda: Values(suffixes=(ANY,)),
        "IMAGES": lambda: Values(tuple(SOURCES), suffixes=(ANY,)),
    }
    if metavar.startswith("FILE."):
        return Values(suffixes=(metavar.removeprefix("FILE"),))
    return table[metavar]() if metavar in table else Values()


def faces() -> Faces:
    """The commands, from their parsers."""
    from sim.cli.main import full_parser, subparsers

    parser = full_parser()
    commands = subparsers(parser)
    summaries = {action.dest: action.help or "" for action in commands._choices_actions}
    found = tuple(_face(name, summaries[name], sub) for name, sub in commands.choices.items())
    return Faces(found, tuple(_options(parser)))


def _face(name: str, summary: str, parser: argparse.ArgumentParser) -> Face:
    places, rest = list[Values](), None
    for action in parser._get_positional_actions():
        places.append(_values(action))
        if action.nargs == "+":
            rest = replace(places[-1], words=())  # words say what to do with what follows
    return Face(name, summary, tuple(_options(parser)), tuple(places), rest)


def _options(parser: argparse.ArgumentParser) -> Iterable[Option]:
    for action in parser._get_optional_actions():
        text = (action.help or "").replace("%%", "%")
        repeats = isinstance(action, argparse._AppendAction)
        yield Option(tuple(action.option_strings), text, None if action.nargs == 0 else _values(action), repeats)


def _values(action: argparse.Action) -> Values:
    if action.choices is not None:
        return Values(tuple(map(str, action.choices)))
    return values_of(action.metavar if isinstance(action.metavar, str) else "")


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, help="whose script")


def _run(given: argparse.Namespace) -> None:
    from sim.cli import completion_scripts

    script = completion_scripts.SCRIPTS[given.shell](faces())
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
