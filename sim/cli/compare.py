"""`anna compare`, the main command: compiles a trained network and compares ideal and drawn chips with float."""

import argparse
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from anna.analog.parameters import Analog
from sim.cli import values
from sim.cli.command import Command, output_file, write
from sim.cli.compiling import add_compile_options, compile_options
from sim.cli.drawn import first_seed
from sim.cli.images import add_network_and_images, images_of
from sim.cli.options import add
from sim.cli.progress import progress

if TYPE_CHECKING:
    from sim.results.comparison import Comparison

LEDGER_IMAGES, LEDGER_CHIPS = 1000, 4  # for the ledger, unless --ledger full
FULL_ORDERS = 4  # pairs of orders on each chip in a full ledger


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_network_and_images(parser)
    add(parser, "--chips", default_text="40, of large networks 8")
    add(parser, "--limit", default_text="no limit")
    add(parser, "--analog", repeatable=True, default_text="typical")
    add(parser, "--trimmed")
    add(parser, "--quantised")
    add(parser, "--chip-trained", default_text="shipped ones, if any; none leaves them out")
    add(parser, "--chip-seed", default_text="0")
    add(parser, "--noise-seed", default=0)
    add(parser, "--ledger", default="totals", default_text=f"totals, on {LEDGER_IMAGES} images and {LEDGER_CHIPS} chips")
    add(parser, "--output", kind=values.file(".html"), default="report.html")
    add(parser, "--threads", default_text="all cores")
    add_compile_options(parser)


def _run(given: argparse.Namespace) -> None:
    from anna.base.container import write_beside

    path = output_file(given.output)
    with progress() as show:
        found = _found(given, show)
    try:
        write_beside(path, found.page(shlex.join(["anna", *sys.argv[1:]])).encode())
    finally:  # print the result even if the page cannot be written
        write({**found.to_json(), "report": str(path)}, f"{found.table()}\n\n{path}", given.json)


def _found(given: argparse.Namespace, watch: Callable[[str], None]) -> "Comparison":
    from dataclasses import replace

    from anna.base.threads import worker_count
    from anna.chip.spec import CHIPS
    from anna.compiler import compilation
    from sim.comparison.arms import ChipTrained
    from sim.comparison.ledger_codes import codes_ledger
    from sim.inputs.models import chip_trained, load_network
    from sim.results.comparison import compare
    from sim.results.ledger import ledger

    threads = worker_count(given.threads)
    network = load_network(given.model, given.data, given.weights_seed, given.variant or "")
    images, calibration = images_of(network, given)
    kinds = [(title(name), Analog.named(name)) for name in given.analog or ["typical"]]
    chip_seed = first_seed(given, [analog for _, analog in kinds])
    watch(f"compile {network.name}")
    options = compile_options(given)
    made = compilation(network, calibration, **options)
    program = made.program
    # Shipped weights were trained for the codes of the chip, which are those of the wide one: it only has other ranges.
    usual = None if options["machine"].chip in CHIPS.values() else "none"
    other = chip_trained(network, given.model, given.weights_seed, given.chip_trained or usual, given.variant or "")
    as_trained = {**options, "round": "nearest"}
    other_arm = other and ChipTrained(*other, compilation(other[1], calibration, **as_trained).program)
    some = images.first(given.count)
    seeds = {"chip_seed": chip_seed, "noise_seed": given.noise_seed}
    limit = None if given.limit is None else given.limit / 100
    found = compare(network, program, some, chips=given.chips, analogs=kinds, trimmed=given.trimmed, calibration=calibration,
                    **seeds, threads=threads, chip_trained=other_arm, quantised=made.quantised if given.quantised else None,
                    limit=limit,
                    watch=watch)  # fmt: skip
    drawn = [(kind, analog) for kind, analog in kinds if not analog.is_ideal]
    if given.ledger != "none" and drawn:
        full = given.ledger == "full"
        part = some if full else some.first(min(LEDGER_IMAGES, len(some)))
        drawn_chips = found.drawn.chips if found.drawn is not None else 1
        chips = drawn_chips if full else min(LEDGER_CHIPS, drawn_chips)
        lost = ledger(program, part, chips=chips, analog=drawn[0], **seeds, orders=FULL_ORDERS if full else 1, pairs=full,
                      threads=threads, watch=watch)  # fmt: skip
        if full:
            codes = codes_ledger(network, program, calibration, part, options, watch)
            lost = replace(lost, entries=(*lost.entries, *codes))
        found = replace(found, ledger=lost)
    return found


def title(name: str) -> str:
    """What chips of a kind are called."""
    return f"{Path(name).stem if name.endswith('.toml') else name} chips"


COMMAND = Command(
    description="Compiles a trained network, runs it on the ideal chip and on drawn chips, and compares them with float:\n"
    "errors with 95 % intervals, spread over chips, rejects, and a ledger of where accuracy was lost.",
    examples=(
        "anna compare",
        "anna compare lenet5 --chips 16 --analog typical --analog worst",
        "anna compare mine.onnx --calibration digits.npz",
        "anna compare --json",
    ),
    arguments=_arguments,
    run=_run,
)
