"""One word for each thing: docs/glossary.md says which, and no name, option, help, message or page uses another."""

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import PAGES, ROOT

from sim.cli.main import full_parser

SOURCES = sorted(path for package in ("anna", "lenet", "sim") for path in (ROOT / package).rglob("*.py"))
ROWS = [
    [cell.strip() for cell in line.strip("|\n").split("|")]
    for line in (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| word |")
]

# Keys of files and of JSON, which change with a format number only, and names that others gave.
KEPT: dict[str, str] = {}


def banned(in_names: bool) -> dict[str, str]:
    """Words that are not used, each with the one to use; some are refused in names only, since English needs them."""
    found = {}
    for word, _, instead in ROWS:
        for one in filter(None, (part.strip() for part in instead.split(","))):
            if in_names or not one.startswith("`"):
                found[one.strip("`")] = word
    return found


def names(tree: ast.AST) -> Iterator[str]:
    """Names that a caller meets: of classes, functions, arguments and fields."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.name
            yield from (
                line.target.id for line in node.body if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
            )
        elif isinstance(node, ast.FunctionDef):
            yield node.name
            if not node.name.startswith("_"):
                yield from (argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs))


def words_of(name: str) -> set[str]:
    """The words of a name, in lower case and in the singular: {"image", "count"} of ImageCounts and image_counts."""
    parts = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower().split("_")
    return {part for part in parts if part} | {part.removesuffix("s") for part in parts if len(part) > 3}


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Everything that a reader may meet: strings and docstrings, with their lines; keys and names have no blanks."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, node.value


def found_in(text: str) -> Iterator[str]:
    for word, instead in banned(in_names=False).items():
        if re.search(rf"(?<![\w`]){re.escape(word)}s?\b", text, re.IGNORECASE):
            yield f"{word!r} (say {instead})"


def test_the_glossary_has_a_meaning_for_each_word() -> None:
    assert 60 <= len(ROWS) <= 100
    assert all(word and meaning for word, meaning, _ in ROWS)
    assert len({word for word, _, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_names_use_the_words_of_the_glossary(path: Path) -> None:
    refused = banned(in_names=True)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    wrong = {
        f"{name}: say {refused[word]}" for name in names(tree) for word in words_of(name) & set(refused) if name not in KEPT
    }
    assert not wrong


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_messages_and_docstrings_use_the_words_of_the_glossary(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    wrong = [f"line {line}: {what}: {text[:80]!r}" for line, text in texts(tree) for what in found_in(text)]
    assert not wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_use_the_words_of_the_glossary(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    if page.name == "glossary.md":
        lines = [line.rpartition("|")[0].rpartition("|")[0] for line in lines if line.startswith("|")]
    assert not [f"line {number}: {what}" for number, line in enumerate(lines, start=1) for what in found_in(line)]


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in {id(sub): sub for sub in action.choices.values()}.values():
                yield from parsers(each)


def test_options_and_help_use_the_words_of_the_glossary() -> None:
    refused, wrong = banned(in_names=True), []
    for parser in parsers(full_parser()):
        wrong += [f"{parser.prog}: {what}" for what in found_in(parser.format_help())]
        options = {option for action in parser._actions for option in action.option_strings}
        wrong += [f"{parser.prog} {option}" for option in options if words_of(option.replace("-", "_")) & set(refused)]
        assert "--seed" not in options, f"{parser.prog}: a bare --seed does not say of what"
    assert not wrong


@pytest.mark.parametrize(("text", "refused"), [("12 pictures were read", True), ("a Job", True), ("the whole image", False)])
def test_a_banned_word_is_found_and_plain_english_is_not(text: str, refused: bool) -> None:
    assert bool(list(found_in(text))) is refused


def test_a_banned_name_is_found() -> None:
    tree = ast.parse("class ShownPictures:\n    rival: int\n\ndef whole(posed_lsb: float, job_count: int) -> None: ...\n")
    assert {word for name in names(tree) for word in words_of(name) & set(banned(in_names=True))} == {
        "shown", "picture", "rival", "whole", "posed", "job",
    }  # fmt: skip
