"""`anna application`: what ran on the boards beside the recogniser, on drawn chips and timed."""

import argparse
from pathlib import Path

from anna.analog.parameters import Analog
from sim.cli import values
from sim.cli.command import Command, output_file, write
from sim.cli.compare import title
from sim.cli.drawn import first_seed
from sim.cli.options import add, positional
from sim.cli.progress import progress


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(parser, "name", values.APPLICATION, "which one: {words}; left out, all are listed", nargs="?")
    add(parser, "--count", default_text="as the list says")
    add(parser, "--chips", default=16)
    add(parser, "--analog", repeatable=True, default_text="typical")
    add(parser, "--chip-seed", default_text="0")
    add(parser, "--noise-seed", default=0)
    add(parser, "--machine", default="board-1991")
    add(parser, "--output", kind=values.file(".svg"), default_text="no figure")
    add(parser, "--threads", default_text="all cores")


def _run(given: argparse.Namespace) -> None:
    from anna.base.container import write_beside
    from sim.applications.table import APPLICATIONS, listing

    if given.name is None:
        write({name: one.summary for name, one in APPLICATIONS.items()}, listing(), given.json)
        return
    path = None if given.output is None else output_file(given.output)
    one = APPLICATIONS[given.name]
    kinds = [(title(name), Analog.named(name)) for name in given.analog or ["typical"]]
    seed = first_seed(given, [analog for _, analog in kinds])
    with progress() as show:
        found = one.run(one.count if given.count is None else given.count, chips=given.chips, analog=kinds,
                        chip_seed=seed, noise_seed=given.noise_seed, machine=given.machine,
                        threads=given.threads, watch=show)  # fmt: skip
    try:
        if path is not None:
            write_beside(path, _drawn(found.plot(), path))
    finally:
        text = found.table() if path is None else f"{found.table()}\n\n{path}"
        write({**found.to_json(), "figure": None if path is None else str(path)}, text, given.json)


def _drawn(figure: object, path: Path) -> bytes:
    """The figure as the file's ending says: pixels for .png, else SVG."""
    from sim.report.figure import png_file, svg_file

    return png_file(figure) if path.suffix == ".png" else svg_file(figure).encode()


COMMAND = Command(
    description="Runs an application of the boards of 1991 and 1996 in floats, on the ideal chip and on drawn chips; prints\n"
    "how well each does, with 95 % intervals, and the time on a machine; draws a figure.",
    examples=(
        "anna application",
        "anna application slant -o slant.svg",
        "anna application noise-removal --count 20 --chips 4 -o clean.png",
        "anna application cellular --count 50 --analog typical --analog worst --json",
    ),
    arguments=_arguments,
    run=_run,
)
