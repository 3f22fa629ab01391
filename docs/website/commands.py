"""The manual of commands as Markdown, from the parsers themselves."""

import argparse
import os
import re
from collections.abc import Iterator

from sim.cli.main import full_parser, subparsers


def manual() -> str:
    """A section for each command: what it does, how it is called, arguments and options, examples."""
    os.environ["COLUMNS"] = "84"  # argparse breaks the lines of a usage there
    parser = full_parser()
    return "\n".join(line for name, sub in subparsers(parser).choices.items() for line in _section(name, sub))


def _section(name: str, parser: argparse.ArgumentParser) -> Iterator[str]:
    yield from (f"## anna {name}", "", _plain(parser.description or ""), "", "```text")
    yield from (parser.format_usage().removeprefix("usage: ").rstrip(), "```", "")
    yield from _table(parser)
    if parser.epilog:
        yield from ("```text", re.sub(r"^  ", "", parser.epilog.partition("\n")[2], flags=re.M), "```", "")


def _table(parser: argparse.ArgumentParser) -> Iterator[str]:
    actions = [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]
    rows = [(_called(action), action.help) for action in actions if action.help and action.help != argparse.SUPPRESS]
    if rows:
        yield from ("| argument | meaning |", "|---|---|")
        yield from (f"| {called} | {_cell(text)} |" for called, text in rows)
        yield ""


def _called(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else str(action.metavar or (action.dest if action.option_strings else action.dest.upper()))
    names = [f"`{name}`" for name in action.option_strings]
    return ", ".join(names) + (f" `{value}`" if value else "") if names else f"`{value}`"


def _cell(text: str) -> str:
    return _plain(text.replace("%%", "%")).replace("|", r"\|").replace("\n", " ")


def _plain(text: str) -> str:
    """Text of a terminal as Markdown: what has a meaning there has none."""
    return re.sub(r"([\\`*_<>\[\]$])", r"\\\1", text)
