"""`anna published`: every published number, and what the model says to it."""

import argparse
from pathlib import Path
from typing import Any

from anna.base.errors import UsageError
from sim.cli import values
from sim.cli.command import Command, output_file, write
from sim.cli.options import add, positional
from sim.cli.progress import progress


def _arguments(parser: argparse.ArgumentParser) -> None:
    what = "only these numbers, with everything that is known of them; with --table-1998: only these methods"
    positional(parser, "names", values.PUBLISHED, what, nargs="*")
    add(parser, "--machine", default_text="all")
    add(parser, "--assumptions")
    add(parser, "--table-1")
    add(parser, "--table-1998")
    add(parser, "--history")
    add(parser, "--network", default_text="recognizer; of the assumptions alone")
    add(parser, "--output", kind=values.file(".md"), default_text="no file")
    add(parser, "--threads", default_text="all cores")


def _run(given: argparse.Namespace) -> None:
    path = None if given.output is None else output_file(given.output)
    if given.assumptions and (given.names or given.machine):
        raise UsageError("--assumptions takes neither numbers nor a machine; name a network with --network")
    if given.table_1 and (given.names or given.machine or given.assumptions):
        raise UsageError("--table-1 takes neither numbers nor a machine nor --assumptions; give one of them")
    if given.table_1998 and (given.machine or given.assumptions or given.table_1 or given.history):
        raise UsageError("--table-1998 takes neither a machine nor --assumptions nor --table-1 nor --history; give one of them")
    if given.history and (given.names or given.machine or given.assumptions or given.table_1):
        raise UsageError("--history takes neither numbers nor a machine nor --assumptions nor --table-1; give one of them")
    if given.network and not given.assumptions:
        raise UsageError("--network goes with --assumptions")
    asked = ((given.history, _history), (given.table_1, _table_1), (given.table_1998, _table_1998),
             (given.assumptions, _assumptions), (True, _numbers))  # fmt: skip
    made = next(make for wanted, make in asked if wanted)
    content, text = made(given, path)
    write(content, text if path is None else f"{text}\n\n{path}", given.json)


def _numbers(given: argparse.Namespace, path: Path | None) -> tuple[dict[str, Any], str]:
    from anna.base.container import write_beside
    from anna.base.threads import worker_count
    from sim.published import page
    from sim.published.findings import chosen, judged, tally
    from sim.published.quantities import Quantities, settings_of
    from sim.published.runs import Runs
    from sim.published.speeds import machines_of, settings, speeds

    rows = chosen(given.names, given.machine)
    threads = worker_count(given.threads)
    with progress() as show, Runs() as runs:
        show("compile")
        machines_named = () if given.names else machines_of(given.machine)
        runs.ahead([*(one for row in rows if row.by for one in settings_of(row.by)), *settings(machines_named)], threads)
        quantities = Quantities(runs, threads)
        findings = judged(rows, quantities, show)
        machines = speeds(runs, machines_named, show)
    if path is not None:
        write_beside(path, page.page(findings, machines).encode())
    content = {
        "rows": [finding.content() for finding in findings],
        "tally": tally(findings),
        "machines": [one.content() for one in machines],
    }
    return content, page.details(findings) if given.names else page.text(findings, machines)


def _assumptions(given: argparse.Namespace, path: Path | None) -> tuple[dict[str, Any], str]:
    from anna.base.container import write_beside
    from anna.base.threads import worker_count
    from sim.published import effects_page
    from sim.published.assumptions import effects
    from sim.report.figure import svg_file

    with progress() as show:
        found = effects(given.network or "recognizer", worker_count(given.threads), show)
    if path is not None:
        plot = path.with_suffix(".svg")
        write_beside(plot, svg_file(effects_page.plot(found)).encode())
        write_beside(path, effects_page.page(found, plot.name).encode())
    return found.content(), effects_page.text(found)


def _table_1(given: argparse.Namespace, path: Path | None) -> tuple[dict[str, Any], str]:
    from anna.base.container import write_beside
    from anna.base.threads import worker_count
    from sim.published import table_1_page
    from sim.published.kept import Kept
    from sim.published.table_1 import Conditions, table_1

    kept = Kept(None if path is None else path.with_name(f".{path.stem}.checkpoint"))
    with progress() as show:
        found = table_1(Conditions(), worker_count(given.threads), show, kept)
    if path is not None:
        write_beside(path, table_1_page.page(found).encode())
    kept.remove()
    return found.content(), table_1_page.text(found)


def _table_1998(given: argparse.Namespace, path: Path | None) -> tuple[dict[str, Any], str]:
    from anna.base.container import write_beside
    from anna.base.threads import worker_count
    from sim.published import table_1998_page
    from sim.published.kept import Kept
    from sim.published.table_1998 import all_digits, chosen, table_1998

    methods = chosen(given.names)
    digits = all_digits()
    kept = Kept(None if path is None else path.with_name(f".{path.stem}.checkpoint"))
    with progress() as show:
        found = table_1998(methods, digits, worker_count(given.threads), show, kept)
    if path is not None:
        write_beside(path, table_1998_page.page(found).encode())
    if methods == chosen(()):  # lines made one by one are kept for the page of all
        kept.remove()
    return {"methods": [one.content() for one in found]}, table_1998_page.text(found)


def _history(_: argparse.Namespace, path: Path | None) -> tuple[dict[str, Any], str]:
    from anna.base.container import write_beside
    from sim.published import history_page
    from sim.published.history import history

    with progress() as show:
        found = history(show)
    if path is not None:
        write_beside(path, history_page.page(found).encode())
    return found.content(), history_page.text(found)


COMMAND = Command(
    description="Holds the model against every number that is published of the chip, its boards and its networks: what it\n"
    "predicts, whether that lies in the range stated before, and where it misses, why; what each assumption is worth; table 1\n"
    "of the chip's paper and the table of 1998, run again; what came before ANNA and after it. What takes minutes is kept\n"
    "beside --output: an interrupted run goes on.",
    examples=(
        "anna published",
        "anna published recognizer-time convolver-board-1991",
        "anna published --machine board-1991 --json",
        "anna published --assumptions -o assumptions.md",
        "anna published --table-1 -o table-1.md",
        "anna published --table-1998 linear tangent",
        "anna published --history",
    ),
    arguments=_arguments,
    run=_run,
)
