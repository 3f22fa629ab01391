"""The compiler options that commands share, and their translation to `anna.compile`."""

import argparse
from typing import Any, get_origin

from anna.base.errors import UsageError
from anna.chip.machines import Machine, machine_named
from anna.chip.spec import ChipSpec
from sim.cli.options import add


def add_compile_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `anna.compile`, with its defaults."""
    from anna.compiler.options import CompileOptions

    default = CompileOptions()
    add(parser, "--calibration", default_text="the network's data set")
    add(parser, "--calibration-count", default=default.calibration_count)
    add(parser, "--chip", default=[], repeatable=True)
    add(parser, "--machine", default=default.machine.name)
    add(parser, "--batch", default=default.batch)
    add(parser, "--host", default=default.host)
    add(parser, "--split", default=default.split)
    add(parser, "--maxima", default=default.maxima)
    add(parser, "--range-method", default=default.range_method)
    add(parser, "--fit", default=default.fit)
    add(parser, "--round", default=default.round)
    add(parser, "--digits", default=default.digits)
    add(parser, "--overlap", default=default.overlap)
    add(parser, "--copies", default=default.copies)
    add(parser, "--synapses", default=default.synapses)
    add(parser, "--balance", default=default.balance)
    add(parser, "--input-clip", default=default.input_clip)
    add(parser, "--against", default_text="the ideal chip; --precision auto judges on typical ones")
    add(parser, "--positions", default=default.positions)
    add(parser, "--max-charge-lost", default=default.max_charge_lost)
    add(parser, "--check-count", default=default.check_count)


def compile_options(given: argparse.Namespace) -> dict[str, Any]:
    """The given options as keyword arguments of `anna.compile`."""
    names = (
        "batch", "host", "split", "maxima", "range_method", "fit", "round", "digits", "overlap", "copies", "synapses",
        "balance", "input_clip", "positions", "max_charge_lost", "calibration_count", "check_count",
    )  # fmt: skip
    chosen_for = {} if given.against is None else {"against": given.against}
    return {"machine": machine(given), **{name: getattr(given, name) for name in names}, **chosen_for}


def machine(given: argparse.Namespace) -> Machine:
    """The machine, with the chip's fields changed."""
    return machine_named(given.machine).with_fields(**chip_fields(given.chip))


def chip_fields(pairs: list[str]) -> dict[str, Any]:
    """Fields of the chip, from pairs FIELD=VALUE."""
    fields: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"--chip {pair}: expected FIELD=VALUE, such as weight_bits=8")
        several = name in ChipSpec.model_fields and get_origin(ChipSpec.model_fields[name].annotation) is tuple
        fields[name] = None if value == "none" else tuple(value.split(",")) if several else value
    return fields
