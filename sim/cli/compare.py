"""`anna compare`: the main job. A trained network, compiled, run on ideal and drawn chips, against float."""

import argparse
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from anna.analog.parameters import Analog
from anna.base.errors import DataError
from anna.network.graph import Network
from lenet.datasets.labelled import LabelledImages
from sim.cli.command import Command, output_file, write
from sim.cli.model import add_compile_options, calibration_pictures, compile_options
from sim.cli.progress import progress
from sim.inputs.digits import Images
from sim.inputs.files import read_labelled

if TYPE_CHECKING:
    from sim.results.comparison import Comparison

LEDGER_IMAGES, LEDGER_CHIPS = 1000, 4  # what the ledger is counted on unless --ledger full


def _arguments(parser: argparse.ArgumentParser) -> None:
    from lenet.datasets.registry import SOURCES

    parser.add_argument("model", nargs="?", default="recognizer", metavar="MODEL",
                        help="a LeNet by name, or an .onnx or .safetensors file (default: the recogniser of 1991)")  # fmt: skip
    parser.add_argument("--data", choices=tuple(SOURCES), help="digits to show (default: the built-in ones)")
    parser.add_argument("--images", type=int, metavar="N", help="show only so many digits, of all classes alike")
    parser.add_argument("--chips", type=int, default=8, metavar="N", help="drawn chips of each kind (default 8)")
    parser.add_argument("--analog", action="append", metavar="PRESET", help="typical, worst, or a TOML file; may be given "
                        "again (default: typical)")  # fmt: skip
    parser.add_argument("--calibrated", action="store_true", help="also with a program for each chip, from its own pins")
    parser.add_argument("--quantised", action="store_true", help="also the codes in plain integers, without the engine")
    parser.add_argument("--chip-trained", metavar="FILE.safetensors", help="also weights of the network that were trained "
                        "on for the chip (default: those shipped, if there are any; none leaves them out)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="of the first chip and of the noise (default 0)")
    parser.add_argument("--weights-seed", type=int, default=1, help="which weights of a LeNet (default 1)")
    parser.add_argument("--ledger", choices=("totals", "full", "none"), default="totals", help="where it was lost: "
                        f"on {LEDGER_IMAGES} digits and {LEDGER_CHIPS} chips, on all and with the codes, or not")  # fmt: skip
    parser.add_argument("--calibrate", metavar="FILE", help="sample pictures for a network of your own; with labels, and "
                        "without --pictures, most of them are shown")  # fmt: skip
    parser.add_argument("--pictures", metavar="FILE.npz", help="pictures to show: arrays images and labels")
    parser.add_argument("-o", "--report", metavar="FILE.html", default="report.html", help="where the page goes")
    parser.add_argument("--threads", type=int, help="default: as many as there are cores")
    add_compile_options(parser)


def _run(given: argparse.Namespace) -> None:
    from anna.base.container import write_beside

    path = output_file(given.report)
    with progress() as show:
        found = _found(given, show)
    try:
        write_beside(path, found.page(shlex.join(["anna", *sys.argv[1:]])).encode())
    finally:  # what was found is told even where its page cannot be written
        write({**found.to_json(), "report": str(path)}, f"{found.table()}\n\n{path}", given.json)


def _found(given: argparse.Namespace, watch: Callable[[str], None]) -> "Comparison":
    from dataclasses import replace

    from anna.base.threads import worker_count
    from anna.chip.spec import ANNA_1991
    from anna.compiler import compilation, compile
    from sim.comparison.arms import ChipTrained
    from sim.comparison.ledger_codes import codes_ledger
    from sim.inputs.models import chip_trained, load_network
    from sim.results.comparison import compare
    from sim.results.ledger import ledger

    threads = worker_count(given.threads)
    network = load_network(given.model, given.data, given.weights_seed)
    digits, pictures = _digits(network, given)
    kinds = [(_title(name), Analog.named(name)) for name in given.analog or ["typical"]]
    watch(f"compile {network.name}")
    options = compile_options(given)
    made = compilation(network, pictures, **options)
    program = made.program
    usual = None if options["board"].chip == ANNA_1991 else "none"  # shipped weights were trained for that chip
    other = chip_trained(network, given.model, given.weights_seed, given.chip_trained or usual)
    rival = other and ChipTrained(*other, compile(other[1], pictures, **options, round="nearest"))  # as it was trained
    shown = digits.first(given.images)
    found = compare(network, program, shown, chips=given.chips, analogs=kinds, trimmed=given.calibrated,
                    chip_seed=given.seed, noise_seed=given.seed, threads=threads, chip_trained=rival,
                    quantised=made.quantised if given.quantised else None, watch=watch)  # fmt: skip
    drawn = [(kind, analog) for kind, analog in kinds if not analog.is_ideal]
    if given.ledger != "none" and drawn:
        full = given.ledger == "full"
        part = shown if full else shown.first(min(LEDGER_IMAGES, len(shown)))
        chips = given.chips if full else min(LEDGER_CHIPS, given.chips)
        lost = ledger(
            program,
            part,
            chips=chips,
            analog=drawn[0],
            chip_seed=given.seed,
            noise_seed=given.seed,
            threads=threads,
            watch=watch,
        )
        if full:
            codes = codes_ledger(network, program, pictures, part, options, watch)
            lost = replace(lost, entries=(*lost.entries, *codes))
        found = replace(found, ledger=lost)
    return found


def _digits(network: Network, given: argparse.Namespace) -> tuple[LabelledImages, Images]:
    """What is shown, and what the network is calibrated with."""
    from sim.inputs.digits import for_network
    from sim.inputs.own_digits import brought, divided

    if given.data and given.pictures:
        raise DataError("--data and --pictures both say what to show; expected one of them")
    if given.pictures:
        shown = brought(network, Path(given.pictures).name, *read_labelled(Path(given.pictures)))
        return shown, calibration_pictures(network, given.calibrate, "give sample pictures with --calibrate FILE")
    if network.prepare is None and given.calibrate and not given.data:
        return divided(brought(network, Path(given.calibrate).name, *read_labelled(Path(given.calibrate))))
    named = not Path(given.model).suffix
    instead = ("take weights for the built-in digits: --data holdout" if named else
               "give digits of your own with --calibrate FILE and --pictures FILE.npz")  # fmt: skip
    pictures = calibration_pictures(network, given.calibrate, instead)
    return for_network(network, given.data)[0], pictures


def _title(name: str) -> str:
    return f"{Path(name).stem if name.endswith('.toml') else name} chips"


COMMAND = Command(
    summary="what the chip costs a network in accuracy, and where",
    description="Compiles a trained network, runs it on the ideal chip and on drawn chips, and compares with float:\n"
    "errors with 95 % intervals, spread over chips, rejects, and the ledger of what was lost where.",
    examples=(
        "anna compare",
        "anna compare lenet5 --chips 16 --analog typical --analog worst",
        "anna compare mine.onnx --calibrate digits.npz",
        "anna compare --json",
    ),
    arguments=_arguments,
    run=_run,
)
