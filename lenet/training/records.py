"""The record written beside trained weights: results with intervals, and everything needed to reproduce the weights."""

from __future__ import annotations

import math
import platform
from importlib import metadata
from typing import Any

from anna.analog.parameters import Analog
from anna.compiler import compile
from anna.machine.chip import Chip
from anna.network.forward import forward
from anna.network.graph import Network
from lenet.datasets import registry
from lenet.datasets.digits import calibration
from lenet.datasets.labelled import LabelledImages
from lenet.training.recipes import ForChip

CHIPS = range(100, 132)  # seeds of the drawn chips on which weights trained for the chip are tested
ANALOG = ForChip().analog  # their electronics
Z95 = 1.959963984540054  # of the normal distribution, two-sided 95 %


def wilson_percent(wrong: int, total: int) -> tuple[float, float]:
    """Wilson's 95 % interval of an error rate, in per cent."""
    share, spread = wrong / total, Z95 * Z95 / total
    middle = share + spread / 2
    half = Z95 * math.sqrt((share * (1 - share) + spread / 4) / total)
    return 100 * max(0.0, (middle - half) / (1 + spread)), 100 * min(1.0, (middle + half) / (1 + spread))


def result(network: Network, digits: LabelledImages) -> dict[str, Any]:
    """Errors of the network on the digits, by anna's forward in float32."""
    wrong = int((forward(network, digits.images).labels != digits.labels).sum())
    low, high = wilson_percent(wrong, len(digits))
    return {
        "digits": digits.name,
        "digits_sha256": digits.digest,
        "images": len(digits),
        "wrong": wrong,
        "error_percent": round(100 * wrong / len(digits), 3),
        "low_percent": round(low, 3),
        "high_percent": round(high, 3),
    }


def chip_result(ordinary: Network, trained: Network, digits: LabelledImages, folder: Any = None) -> dict[str, Any]:
    """Errors of float weights and of those trained for the chip, both compiled, on the ideal chip and the same drawn chips.
    The latter are rounded to nearest, as in training."""
    found = {"digits": digits.name, "digits_sha256": digits.digest, "images": len(digits)}
    samples = calibration(ordinary.data or registry.DEFAULT.name, folder).images
    programs = {"ordinary": compile(ordinary, samples), "trained": compile(trained, samples, round="nearest")}
    found |= {"machine": (programs["ordinary"].report or {})["machine"], "analog": ANALOG, "chip_seeds": [*CHIPS]}
    for name, program in programs.items():
        chips = [Chip(), *(Chip(seed=seed, analog=Analog.preset(ANALOG)) for seed in CHIPS)]
        wrong = [int((chip.run(program, digits.images).labels != digits.labels).sum()) for chip in chips]
        found[name] = {"ideal_wrong": wrong[0], "typical_wrong": wrong[1:]}
    return found


def versions() -> dict[str, str]:
    """Versions and machine: a training run has the same bits only on one machine with one set of versions."""
    out = {"python": platform.python_version(), "machine": platform.machine()}
    for package in ("anna", "numpy", "torch"):
        try:
            out[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            out[package] = "source tree"
    return out
