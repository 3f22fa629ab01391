"""`anna diagnose`: why one chip is bad, and what mending its parts would give back."""

import argparse

from anna.analog.parameters import Analog
from sim.cli.command import Command, write
from sim.cli.compare import title
from sim.cli.compiling import add_compile_options, compile_options
from sim.cli.images import add_network_and_images, images_of
from sim.cli.options import add
from sim.cli.progress import progress


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_network_and_images(parser)
    add(parser, "--chip-seed", default=0)
    add(parser, "--analog", default="typical")
    add(parser, "--parts", default=10)
    add(parser, "--noise-seed", default=0)
    add(parser, "--threads", default_text="all cores")
    add_compile_options(parser)


def _run(given: argparse.Namespace) -> None:
    from anna.compiler import compilation
    from sim.inputs.models import load_network
    from sim.results.diagnosis import diagnose

    network = load_network(given.model, given.data, given.weights_seed, given.variant or "")
    images, calibration = images_of(network, given)
    with progress() as show:
        show(f"compile {network.name}")
        program = compilation(network, calibration, **compile_options(given)).program
        kind = (title(given.analog), Analog.named(given.analog))
        found = diagnose(program, images.first(given.count), chip_seed=given.chip_seed, analog=kind, parts=given.parts,
                         noise_seed=given.noise_seed, threads=given.threads, watch=show)  # fmt: skip
    write(found.to_json(), found.table(), given.json)


COMMAND = Command(
    description="Mends parts of a drawn chip one after the other, on half of the images, and counts on the other half what\n"
    "they give back of what the chip loses beyond the median one.",
    examples=(
        "anna diagnose lenet5 --chip-seed 104",
        "anna diagnose mine.onnx --calibration digits.npz --chip-seed 3 --parts 4 --json",
    ),
    arguments=_arguments,
    run=_run,
)
