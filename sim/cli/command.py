"""What a command is, and how it writes its result."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anna.base.errors import UsageError


@dataclass(frozen=True)
class Command:
    """One command of `anna`; what it does in a few words stands in the table of commands (`sim.cli.main`)."""

    description: str
    examples: tuple[str, ...]
    arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], None]


def write(result: Mapping[str, Any], text: str, as_json: bool) -> None:
    """Prints the result as one JSON object, or as text for a person."""
    import json  # needed when a result is there

    print(json.dumps(result, allow_nan=False) if as_json else text)


def output_file(name: str) -> Path:
    """The file for a result; raises before the work begins if it cannot be written."""
    from anna.base.container import expect_writable

    if name == "-":
        raise UsageError("-: this result cannot go to standard output; expected a file name (./- for a file named -)")
    expect_writable(Path(name))
    return Path(name)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows as left-aligned columns; numbers too, since they carry units."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
