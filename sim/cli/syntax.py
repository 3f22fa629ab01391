"""The commands as a shell sees them: their options, their positionals, and what can be offered in each; read from the parsers."""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sim.cli.values import Kind


@dataclass(frozen=True)
class OptionSyntax:
    """An option of a command; without a `kind` it takes no value."""

    names: tuple[str, ...]
    help: str
    kind: Kind | None
    repeats: bool


@dataclass(frozen=True)
class CommandSyntax:
    """A command as the shell sees it."""

    name: str
    summary: str
    options: tuple[OptionSyntax, ...]
    positionals: tuple[Kind, ...]  # what stands there without an option's name, one after the other
    rest: Kind | None  # and after them, any number


@dataclass(frozen=True)
class Syntax:
    """All of `anna`."""

    commands: tuple[CommandSyntax, ...]
    options: tuple[OptionSyntax, ...]

    @property
    def valued(self) -> tuple[str, ...]:
        """The options that take a value; each does so wherever it exists."""
        every = [option for command in self.commands for option in command.options]
        return tuple(sorted({name for option in every if option.kind is not None for name in option.names}))


def syntax_of(parser: argparse.ArgumentParser) -> Syntax:
    """The commands of the parser of all of them."""
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    summaries = {action.dest: action.help or "" for action in commands._choices_actions}
    found = tuple(_command(name, summaries[name], sub) for name, sub in commands.choices.items())
    return Syntax(found, tuple(_options(parser)))


def _command(name: str, summary: str, parser: argparse.ArgumentParser) -> CommandSyntax:
    positionals, rest = list[Kind](), None
    for action in parser._get_positional_actions():
        positionals.append(_kind(action))
        if action.nargs == "+":
            rest = replace(positionals[-1], words=tuple)  # words say what to do with what follows
    return CommandSyntax(name, summary, tuple(_options(parser)), tuple(positionals), rest)


def _options(parser: argparse.ArgumentParser) -> Iterable[OptionSyntax]:
    for action in parser._get_optional_actions():
        text = (action.help or "").replace("%%", "%")
        repeats = isinstance(action, argparse._AppendAction)
        yield OptionSyntax(tuple(action.option_strings), text, None if action.nargs == 0 else _kind(action), repeats)


def _kind(action: argparse.Action) -> Kind:
    assert isinstance(action.type, Kind), f"{action.option_strings or action.dest} has no type of sim.cli.values"
    return action.type
