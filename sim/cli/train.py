"""`anna train`: train a network on digits and write its weights with their record."""

import argparse
from pathlib import Path

from sim.cli.command import Command, table, write
from sim.cli.progress import progress


def _arguments(parser: argparse.ArgumentParser) -> None:
    from lenet import names
    from lenet.datasets.registry import DATA_SETS
    from lenet.training.recipes import RECIPES

    parser.add_argument("network", metavar="NET", help=f"one of {', '.join(names)}")
    parser.add_argument("--data", choices=tuple(DATA_SETS), help="default: the data set of the network's paper")
    parser.add_argument("--train-seed", type=int, default=1, metavar="N", help="of weights, order and distortions (default 1)")
    parser.add_argument("--recipe", choices=tuple(RECIPES), help="default: that of the shipped weights")
    parser.add_argument("--distort", action="store_true", help="add distorted copies of the digits")
    parser.add_argument("--passes", type=int, metavar="N", help="passes over the digits, instead of the recipe's")
    parser.add_argument("--validation", type=int, default=0, metavar="N", help="training digits kept aside and watched")
    parser.add_argument("--count", type=int, metavar="N", help="train on so many digits only (default: all)")
    parser.add_argument("--for-chip", action="store_true", help="go on from these weights in the chip's codes, with its noise")
    parser.add_argument("--chip-passes", type=int, metavar="N", help="passes for the chip, instead of the recipe's")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="data folder (default: ANNA_DATA)")
    parser.add_argument("-o", "--output", type=Path, default=Path(), metavar="DIR", help="where weights and record go")


def _run(given: argparse.Namespace) -> None:
    from lenet.training.train import run

    try:
        with progress() as show:
            done = run(
                given.network, data=given.data, train_seed=given.train_seed, recipe=given.recipe, distort=given.distort,
                passes=given.passes, validation=given.validation, count=given.count, for_chip=given.for_chip,
                chip_passes=given.chip_passes, folder=given.folder, output=given.output, watch=show,
            )  # fmt: skip
    except KeyboardInterrupt:
        raise KeyboardInterrupt("the same command continues after the last finished pass") from None
    rows = [("digits", "wrong", "error", "95 % interval")]
    for one in done.record["results"]:
        interval = f"{one['low_percent']:.2f} to {one['high_percent']:.2f} %"
        rows.append((one["digits"], f"{one['wrong']} of {one['images']}", f"{one['error_percent']:.2f} %", interval))
    text = f"{done.weights_path}\n\n{table(rows)}"
    write({"weights": str(done.weights_path), "record": str(done.record_path), **done.record}, text, given.json)


COMMAND = Command(
    summary="train a network (needs PyTorch)",
    description="Trains a network on digits and writes its weights with their record. Interrupted, the same command\n"
    "continues it. Needs the optional extra `train`.",
    examples=("anna train recognizer --data usps --train-seed 4 -o weights", "anna train lenet4 --for-chip -o weights"),
    arguments=_arguments,
    run=_run,
)
