"""The commands as a shell completes them: options, positionals, and what each offers; read from the parsers."""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sim.cli.values import Kind


@dataclass(frozen=True)
class OptionSyntax:
    """An option of a command; one without a `kind` takes no value."""

    names: tuple[str, ...]
    help: str
    kind: Kind | None
    repeats: bool


@dataclass(frozen=True)
class CommandSyntax:
    """A command: its options and positionals."""

    name: str
    summary: str
    options: tuple[OptionSyntax, ...]
    positionals: tuple[Kind, ...]  # in order
    rest: Kind | None  # what may follow them, any number of times


@dataclass(frozen=True)
class Syntax:
    """All commands of `anna`, and its own options."""

    commands: tuple[CommandSyntax, ...]
    options: tuple[OptionSyntax, ...]

    @property
    def valued(self) -> tuple[str, ...]:
        """The options that take a value; each does so in every command that has it."""
        every = [option for command in self.commands for option in command.options]
        return tuple(sorted({name for option in every if option.kind is not None for name in option.names}))


def syntax_of(parser: argparse.ArgumentParser) -> Syntax:
    """The syntax that the complete parser describes."""
    commands = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    summaries = {action.dest: action.help or "" for action in commands._choices_actions}
    found = tuple(_command(name, summaries[name], sub) for name, sub in commands.choices.items())
    return Syntax(found, tuple(_options(parser)))


def _command(name: str, summary: str, parser: argparse.ArgumentParser) -> CommandSyntax:
    positionals, rest = list[Kind](), None
    for action in parser._get_positional_actions():
        positionals.append(_kind(action))
        if action.nargs == "+":
            rest = replace(positionals[-1], words=tuple)  # the words are for the first one only
    return CommandSyntax(name, summary, tuple(_options(parser)), tuple(positionals), rest)


def _options(parser: argparse.ArgumentParser) -> Iterable[OptionSyntax]:
    for action in parser._get_optional_actions():
        text = (action.help or "").replace("%%", "%")
        repeats = isinstance(action, argparse._AppendAction)
        yield OptionSyntax(tuple(action.option_strings), text, None if action.nargs == 0 else _kind(action), repeats)


def _kind(action: argparse.Action) -> Kind:
    assert isinstance(action.type, Kind), f"{action.option_strings or action.dest} has no type of sim.cli.values"
    return action.type
