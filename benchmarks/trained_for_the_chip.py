"""Networks trained for the chip on many drawn chips, beside the float error of the weights they go on from.

    python benchmarks/trained_for_the_chip.py [WEIGHTS ...] [--ordinary] [--images SOURCE] [--chips N] [--chip-seed SEED]
                                               [--digits N]

WEIGHTS are shipped ones, such as lenet5-mnist-seed1-distorted-chip; default: all that were trained for the chip. --ordinary
adds those they go on from. Prints a table in Markdown, errors in per cent: in floats, on the ideal chip, and of the drawn
chips the mean with its 95 % interval over images and chips, the median and the worst; last, how far that mean lies above the
float error of the ordinary weights on the same images, with the interval of this difference. Weights that differ only in
their seed also get a line for the mean over seeds. --digits compiles with that many states a value, of which training does not
know.
"""

import argparse
from collections import defaultdict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import anna
import lenet
from anna.network.forward import forward
from lenet.networks.catalogue import named, shipped, stem
from lenet.training.records import ANALOG, CHIPS
from sim.base.statistics import Interval, difference_of_chips, error_of_chips
from sim.inputs.digits import labelled_images

HEADINGS = ("weights", "float", "ideal chip", "mean", "95 %", "median", "worst", "above float", "95 %")


class Found(NamedTuple):
    """What was misread: axes c of chips, n of images."""

    ordinary_n: NDArray[np.int64]  # in floats
    float_n: NDArray[np.int64]
    ideal_n: NDArray[np.int64]
    wrong_cn: NDArray[np.int64]


def found(weights: str, images: str | None, chips: range, digits: int) -> Found:
    """Runs one set of weights. Those trained for the chip are rounded to nearest, as in training."""
    network, ordinary = lenet.load(weights), lenet.load(before(weights))
    assert network.data is not None
    shown = labelled_images(images or network.data)
    rounding = "calibrated" if weights == before(weights) else "nearest"
    program = anna.compile(network, lenet.calibration(network.data), round=rounding, digits=digits)
    analog = anna.Analog.preset(ANALOG)

    def wrong(labels: NDArray[np.int64]) -> NDArray[np.int64]:
        return (labels != shown.labels).astype(np.int64)

    return Found(
        wrong(forward(ordinary, shown.images).labels),
        wrong(forward(network, shown.images).labels),
        wrong(anna.Chip().run(program, shown.images).labels),
        np.stack([wrong(anna.Chip(seed=seed, analog=analog).run(program, shown.images).labels) for seed in chips]),
    )


def before(weights: str) -> str:
    """The weights that these go on from; ordinary ones are their own."""
    own = named(weights)
    variant = own.variant.removesuffix("chip").removesuffix("-")
    return stem(own.network, own.data or "", own.weights_seed, variant)


def line(name: str, several: list[Found]) -> str:
    """A line of the table: the mean over several sets of weights, run on the same chips and images."""
    seeds = len(several)
    ordinary_n, float_n, ideal_n, wrong_cn = (sum(parts) for parts in zip(*several, strict=True))
    chips_c = 100 * wrong_cn.mean(axis=1) / seeds
    above = difference_of_chips(np.broadcast_to(ordinary_n, wrong_cn.shape), wrong_cn)  # counts of 0 to `seeds`, divided below
    mean = error_of_chips(wrong_cn) if seeds == 1 else None
    return _cells(
        name,
        f"{100 * float_n.mean() / seeds:.2f}",
        f"{100 * ideal_n.mean() / seeds:.2f}",
        f"{chips_c.mean():.2f}",
        "" if mean is None else _interval(mean, 1),
        f"{np.median(chips_c):.2f}",
        f"{chips_c.max():.2f}",
        f"{100 * above.share / seeds:+.2f}",
        _interval(above, seeds, "+"),
    )


def _interval(one: Interval, seeds: int, sign: str = "") -> str:
    return f"{100 * one.low / seeds:{sign}.2f} to {100 * one.high / seeds:{sign}.2f}"


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", nargs="*", default=[one for one in shipped() if one.endswith("chip")])
    parser.add_argument("--ordinary", action="store_true")
    parser.add_argument("--images", help="default: the test digits of the data set the weights were trained on")
    parser.add_argument("--chips", type=int, default=len(CHIPS))
    parser.add_argument("--chip-seed", type=int, default=CHIPS.start)
    parser.add_argument("--digits", type=int, default=1)
    given = parser.parse_args()
    print(_cells(*HEADINGS), _cells(*("---" for _ in HEADINGS)), sep="\n")
    alike = defaultdict[str, list[Found]](list)
    for name in sorted({*given.weights, *(before(one) for one in given.weights if given.ordinary)}):
        own = named(name)
        one = found(name, given.images, range(given.chip_seed, given.chip_seed + given.chips), given.digits)
        alike[f"{own.network}-{own.data}, {own.variant or 'ordinary'}, mean over seeds"].append(one)
        print(line(name, [one]), flush=True)
    for name, several in alike.items():
        if len(several) > 1:
            print(line(name, several))


if __name__ == "__main__":
    main()
