"""`anna plan`: what a network will take on a machine, from its shapes alone."""

import argparse

from sim.cli import values
from sim.cli.command import Command, write
from sim.cli.compiling import machine
from sim.cli.options import add, positional


def _arguments(parser: argparse.ArgumentParser) -> None:
    from anna.compiler.options import CompileOptions

    default = CompileOptions()
    positional(
        parser,
        "model",
        values.NETWORK,
        "a LeNet by name ({words}) or by its weights, such as lenet5-mnist-seed1-chip; or an .onnx or .safetensors file",
    )
    add(parser, "--data", default_text="that of a LeNet's paper")
    add(parser, "--chip", default=[], repeatable=True)
    add(parser, "--machine", default=default.machine.name)
    add(parser, "--batch", default=default.batch)
    add(parser, "--host", default=default.host)
    add(parser, "--split", default=default.split)
    add(parser, "--maxima", default=default.maxima)
    add(parser, "--digits", default=default.digits)
    add(parser, "--copies", default=default.copies)
    add(parser, "--synapses", default=default.synapses)
    add(parser, "--positions", default=default.positions)


def _run(given: argparse.Namespace) -> None:
    from anna.compiler.planner import plan
    from sim.inputs.models import load_network

    network = load_network(given.model, given.data)
    names = ("batch", "host", "split", "maxima", "digits", "copies", "synapses", "positions")
    found = plan(network, machine=machine(given), **{name: getattr(given, name) for name in names})
    write(found.json, found.text, given.json)


COMMAND = Command(
    description="Plans a network in about a second: pages, cycles, memory, host work, and where to cut between chip and host.",
    examples=(
        "anna plan lenet5",
        "anna plan mine.onnx --machine board-1996",
        "anna plan mine.onnx --chip max_pages=1024 --host last --json",
    ),
    arguments=_arguments,
    run=_run,
)
