"""`anna disasm`: turns a program file back into its canonical text."""

import argparse

from anna.base.container import write_beside
from anna.program.file import Program
from anna.program.text import disassemble
from sim.cli import values
from sim.cli.command import Command, output_file, write
from sim.cli.options import add, positional


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(parser, "file", values.file(".anna"), "a program")
    add(parser, "--output", kind=values.file(".asm"), default_text="- for standard output")


def _run(given: argparse.Namespace) -> None:
    path = output_file(given.output) if given.output not in (None, "-") else None
    text = disassemble(Program.load(given.file))
    if path:
        write_beside(path, text.encode())
        write({"file": given.output, "lines": text.count("\n")}, f"{given.output}: {text.count(chr(10))} lines", given.json)
    else:
        write({"text": text}, text.rstrip("\n"), given.json)


COMMAND = Command(
    description="Writes the canonical text of a program; assembling it gives the same file, byte for byte.",
    examples=("anna disasm edges.anna | head",),
    arguments=_arguments,
    run=_run,
)
