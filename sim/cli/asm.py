"""`anna asm`: assembles text to a program file, once the verifier accepts it."""

import argparse
import sys
from pathlib import Path

from anna.base.border import ASSEMBLY, read_bytes
from anna.base.errors import AssemblyError, UsageError
from anna.program.file import SUFFIX
from anna.program.text import assemble
from anna.sequencer.rules import verified
from sim.cli import values
from sim.cli.command import Command, output_file, write
from sim.cli.options import add, positional


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(parser, "source", values.file(".asm"), "assembly text; - for standard input")
    add(parser, "--output", kind=values.file(".anna"), default_text="beside the source")


def read_text(source: str) -> str:
    """The text of a file or standard input."""
    try:
        if source != "-":
            return read_bytes(source, ASSEMBLY).decode()
        text = sys.stdin.read(ASSEMBLY.file_bytes + 1)
        ASSEMBLY.expect_size("standard input", len(text))
        return text
    except UnicodeDecodeError:
        raise AssemblyError(f"{source}: is not text; expected assembly (for a program file use anna disasm)") from None


def _run(given: argparse.Namespace) -> None:
    if given.source == "-" and not given.output:
        raise UsageError("assembly from standard input needs -o FILE.anna")
    text = read_text(given.source)
    path = output_file(given.output or str(Path(given.source).with_suffix(SUFFIX)))
    program = assemble(text, given.source)
    timeline = verified(program)
    program.save(path)
    result = {"file": str(path), "name": program.name, "instructions": len(program.ops), "pages": len(program.weight_codes),
              "cycles_per_image": timeline.cycles_per_image, "sha256": program.digest}  # fmt: skip
    text = f"{path}: {len(program.ops)} instructions, {timeline.cycles_per_image:,g} cycles an image"
    write(result, text, given.json)


COMMAND = Command(
    description="Assembles text to a program file and verifies it. For the language see anna info --isa and docs/assembly.md.",
    examples=("anna asm edges.asm -o edges.anna",),
    arguments=_arguments,
    run=_run,
)
