"""`anna published`: every published number, and what the model says to it."""

import argparse

from sim.cli import values
from sim.cli.command import Command, output_file, write
from sim.cli.options import add, positional
from sim.cli.progress import progress


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(parser, "names", values.PUBLISHED, "only these numbers, with everything that is known of them", nargs="*")
    add(parser, "--machine", default_text="all")
    add(parser, "--output", kind=values.file(".md"), default_text="no file")
    add(parser, "--threads", default_text="all cores")


def _run(given: argparse.Namespace) -> None:
    from anna.base.container import write_beside
    from anna.base.threads import worker_count
    from sim.published import page
    from sim.published.findings import chosen, judged, tally
    from sim.published.quantities import Quantities
    from sim.published.speeds import machines_of, speeds

    rows = chosen(given.names, given.machine)
    path = None if given.output is None else output_file(given.output)
    quantities = Quantities(threads=worker_count(given.threads))
    with progress() as show:
        findings = judged(rows, quantities, show)
        machines = [] if given.names else speeds(quantities.runs, machines_of(given.machine), show)
    if path is not None:
        write_beside(path, page.page(findings, machines).encode())
    text = page.details(findings) if given.names else page.text(findings, machines)
    content = {
        "rows": [finding.content() for finding in findings],
        "tally": tally(findings),
        "machines": [one.content() for one in machines],
    }
    write(content, text if path is None else f"{text}\n\n{path}", given.json)


COMMAND = Command(
    summary="every published number, and what the model predicts",
    description="Holds the model against every number that is published of the chip, its boards and its networks: what it\n"
    "predicts, whether that lies in the range stated before, and where it misses, why.",
    examples=("anna published", "anna published recognizer-time convolver-board-1991", "anna published --json"),
    arguments=_arguments,
    run=_run,
)
