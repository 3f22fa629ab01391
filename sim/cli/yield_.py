"""`anna yield`: how many of thousands of drawn chips are good."""

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from anna.base.errors import UsageError
from sim.cli import values
from sim.cli.command import Command, write
from sim.cli.compiling import chip_fields
from sim.cli.options import add, positional
from sim.cli.progress import progress

PLOT, TEXT = "yield.svg", "yield.txt"


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(parser, "model", values.NETWORK, "a LeNet by name ({words}), or an .onnx or .safetensors file",
          default="recognizer", nargs="?")  # fmt: skip
    add(parser, "--data", default_text="the built-in digits")
    add(parser, "--weights-seed", default=1)
    add(parser, "--count", default_text="4500")
    add(parser, "--chips", default=1000)
    add(parser, "--chip-seed", default=0)
    add(parser, "--analog", default="typical")
    add(parser, "--fault", default=[], repeatable=True)
    add(parser, "--limit", default_text="no limit")
    add(parser, "--chip", default=[], repeatable=True)
    add(parser, "--machine", default_text="sequencer")
    add(parser, "--round", default_text="calibrated")
    add(parser, "--workers", default_text="all cores")
    add(parser, "--output", kind=values.FOLDER)


def _run(given: argparse.Namespace) -> None:
    from anna.base.container import write_beside
    from sim.cli.sweep import progress_line
    from sim.results.yields import chip_yield

    if given.output in (None, "-"):
        raise UsageError("yield needs a folder for its chips: -o DIR; see anna yield --help")
    folder = Path(given.output)
    options = {name: value for name in ("machine", "round") if (value := getattr(given, name)) is not None}
    with progress() as show:
        found = chip_yield(
            given.model, folder, chips=given.chips, data=given.data, weights_seed=given.weights_seed,
            images=given.count or 4500, analog=given.analog,
            faults=_faults(given.fault), compile_options=options, chip_fields=chip_fields(given.chip),
            chip_seed=given.chip_seed, limit=None if given.limit is None else given.limit / 100, workers=given.workers,
            command=shlex.join(["anna", *sys.argv[1:]]), watch=lambda so_far: show(progress_line(so_far)),
        )  # fmt: skip
    try:
        write_beside(folder / PLOT, found.svg().encode())
        write_beside(folder / TEXT, f"{found.table()}\n".encode())
    finally:
        paths = [str(folder / name) for name in ("results.csv", PLOT, TEXT)]
        write({**found.to_json(), "files": paths}, f"{found.table()}\n\n" + "\n".join(paths), given.json)


def _faults(pairs: list[str]) -> dict[str, Any]:
    found = {}
    for pair in pairs:
        name, equals, rate = pair.partition("=")
        try:
            found[name] = float(rate) if equals else None
        except ValueError:
            found[name] = None
        if found[name] is None:
            raise UsageError(f"--fault {pair}: expected NAME=RATE, such as dead_synapse_rate=0.001")
    return found


COMMAND = Command(
    description="Runs a network on many drawn chips, with faults by rate if wanted, and tells how their errors are\n"
    "distributed: median, nine of ten, worst, and the share of good chips. The same command continues after an interruption.",
    examples=(
        "anna yield lenet5 --limit 1.5 -o wafer",
        "anna yield recognizer --chips 200 --fault dead_synapse_rate=0.001 --fault dead_neuron_rate=0.01 -o broken",
    ),
    arguments=_arguments,
    run=_run,
)
