"""`anna sensitivity`: which layer needs its last bits, and which one suffers from noise."""

import argparse

from anna.analog.parameters import Analog
from sim.cli import values
from sim.cli.command import Command, write
from sim.cli.compare import title
from sim.cli.compiling import add_compile_options, compile_options
from sim.cli.drawn import first_seed
from sim.cli.images import add_network_and_images, images_of
from sim.cli.options import add
from sim.cli.progress import progress

IMAGES = 1000  # unless --count


def _arguments(parser: argparse.ArgumentParser) -> None:
    add_network_and_images(parser, f"{IMAGES}, or all if there are fewer")
    add(parser, "--chips", default=8)
    add(parser, "--chip-seed", default_text="0")
    add(parser, "--analog", default="typical")
    add(parser, "--fewer", default=2)
    add(parser, "--noise-seed", default=0)
    add(parser, "--threads", default_text="all cores")
    add(parser, "--output", kind=values.file(".svg"), default_text="no figure")
    add_compile_options(parser)


def _run(given: argparse.Namespace) -> None:
    from anna.base.container import write_beside
    from anna.compiler import compilation
    from sim.cli.command import output_file
    from sim.inputs.models import load_network
    from sim.results.sensitivity import sensitivity

    kind = (title(given.analog), Analog.named(given.analog))
    seed = first_seed(given, [kind[1]])
    path = None if given.output is None else output_file(given.output)
    network = load_network(given.model, given.data, given.weights_seed, given.variant or "")
    images, calibration = images_of(network, given)
    count = min(IMAGES, len(images)) if given.count is None else given.count
    with progress() as show:
        show(f"compile {network.name}")
        program = compilation(network, calibration, **compile_options(given)).program
        found = sensitivity(program, images.first(count), chips=given.chips, chip_seed=seed, analog=kind,
                            fewer=given.fewer, noise_seed=given.noise_seed, threads=given.threads, watch=show)  # fmt: skip
    try:
        if path is not None:
            write_beside(path, found.svg().encode())
    finally:
        text = found.table() if path is None else f"{found.table()}\n\n{path}"
        write({**found.to_json(), "figure": None if path is None else str(path)}, text, given.json)


COMMAND = Command(
    description="Takes bits of weights and states from one layer at a time, and the noise, and counts what that changes\n"
    "on the same chips and images: a what-if, without compiling anew.",
    examples=(
        "anna sensitivity lenet5 --chips 4 --count 200",
        "anna sensitivity mine.onnx --calibration digits.npz --fewer 1 -o layers.svg",
    ),
    arguments=_arguments,
    run=_run,
)
