"""`anna examples`: lists the examples that come with anna, or writes them to a folder."""

import argparse
from pathlib import Path

from anna.base.container import write_beside
from anna.base.errors import UsageError
from sim.cli import values
from sim.cli.command import Command, table, write
from sim.cli.options import add

PACKAGE = Path(__file__).parents[1]
# Installed with the package; in the source tree they stand beside it.
FOLDER = next(folder for folder in (PACKAGE / "examples", PACKAGE.parent / "examples") if folder.is_dir())


def about(text: str) -> str:
    """The first sentence of an example: its first line, without the marks of a comment."""
    return text.splitlines()[0].strip('#;" ').rstrip(".:").partition(". ")[0]


def _arguments(parser: argparse.ArgumentParser) -> None:
    add(parser, "--output", kind=values.FOLDER, default_text="list them and write nothing")


def _run(given: argparse.Namespace) -> None:
    found = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.iterdir()) if path.is_file()}
    told = [{"name": name, "about": about(text)} for name, text in found.items()]
    if given.output is None:
        write({"examples": told}, table([[one["name"], one["about"]] for one in told]), given.json)
        return
    folder = Path(given.output)
    for name, text in found.items():
        if (folder / name).exists() and (folder / name).read_text(encoding="utf-8", errors="replace") != text:
            raise UsageError(f"{folder / name} is there already and is another text; choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in found.items():
        write_beside(folder / name, text.encode())
    write({"examples": told, "folder": str(folder)}, f"{folder}: {', '.join(found)}", given.json)


COMMAND = Command(
    description="Lists the examples that come with anna: programs in assembly, sweeps, a PyTorch network. -o writes them.",
    examples=("anna examples", "anna examples -o examples && anna asm examples/edges.asm -o edges.anna"),
    arguments=_arguments,
    run=_run,
)
