"""`anna train`: trains a network on digits and writes its weights with their record."""

import argparse
from pathlib import Path

from sim.cli import values
from sim.cli.command import Command, table, write
from sim.cli.options import add, positional
from sim.cli.progress import progress


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(parser, "network", values.LENET, "a network: {words}")
    add(parser, "--data", default_text="that of the network's paper")
    add(parser, "--train-seed", default=1)
    add(parser, "--recipe", default_text="that of the shipped weights")
    add(parser, "--distort")
    add(parser, "--passes")
    add(parser, "--validation", default=0)
    add(parser, "--count", default_text="all training digits")
    add(parser, "--for-chip")
    add(parser, "--chip-passes")
    add(parser, "--folder", default_text="ANNA_DATA")
    add(parser, "--output", kind=values.FOLDER, default=".")


def _run(given: argparse.Namespace) -> None:
    from lenet.training.train import run

    folder = None if given.folder is None else Path(given.folder)
    try:
        with progress() as show:
            done = run(
                given.network, data=given.data, train_seed=given.train_seed, recipe=given.recipe, distort=given.distort,
                passes=given.passes, validation=given.validation, count=given.count, for_chip=given.for_chip,
                chip_passes=given.chip_passes, folder=folder, output=Path(given.output), watch=show,
            )  # fmt: skip
    except KeyboardInterrupt:
        raise KeyboardInterrupt("run the same command again to continue after the last finished pass") from None
    rows = [("digits", "wrong", "error", "95 % interval")]
    for one in done.record["results"]:
        interval = f"{one['low_percent']:.2f} to {one['high_percent']:.2f} %"
        rows.append((one["digits"], f"{one['wrong']} of {one['images']}", f"{one['error_percent']:.2f} %", interval))
    text = f"{done.weights_path}\n\n{table(rows)}"
    write({"weights": str(done.weights_path), "record": str(done.record_path), **done.record}, text, given.json)


COMMAND = Command(
    description="Trains a network on digits and writes its weights with their record. After an interruption the same\n"
    "command continues. Needs the optional extra `train`.",
    examples=("anna train recognizer --data usps --train-seed 4 -o weights", "anna train lenet4 --for-chip -o weights"),
    arguments=_arguments,
    run=_run,
)
