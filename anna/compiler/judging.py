"""Judging: how far a compiled program is from its float network, on the ideal chip or on drawn ones.

A program is judged on images that its ranges do not come from, where there are enough, and on dies that nobody else draws by
counting from zero. A network that tells classes errs where the class changes, another one by the share of its outputs'
variance that is lost.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.analog.parameters import Analog
from anna.base.errors import CompileError
from anna.compiler import exact
from anna.compiler.calibrate import evenly
from anna.machine.chip import Chip, run_chips
from anna.network.forward import forward
from anna.network.graph import Network
from anna.program.file import Program

IDEAL = "ideal"
FIRST_SEED = 1_000_000  # of the dies that programs are judged on
CHIPS = 4
MOST_JUDGED = 500  # images
LEAST_APART = 60  # images from which on some are kept apart for judging
APART = 3  # one in so many


@dataclass(frozen=True)
class Verdict:
    """The error of a program, chip by chip."""

    classes: bool  # the share of images whose class changes; or the share of the outputs' variance that is lost
    errors: tuple[float, ...]  # a chip each
    images: int
    against: str  # the preset of the chips

    @property
    def mean(self) -> float:
        """Over the chips."""
        return float(np.cumsum(self.errors)[-1]) / len(self.errors)

    @property
    def worst(self) -> float:
        """Of the chips."""
        return max(self.errors)

    @property
    def text(self) -> str:
        """In words."""
        what = "of the classes change" if self.classes else "of the outputs' variance is lost"
        on = "the ideal chip" if self.against == IDEAL else f"{len(self.errors)} {self.against} chips"
        to = f", {100 * self.worst:.1f} % on the worst" if len(self.errors) > 1 else ""
        return f"{100 * self.mean:.1f} % {what} on {on}{to} ({self.images} images)"


@dataclass(frozen=True, eq=False)
class Judge:
    """Images to judge on, what the float network makes of them, and the chips."""

    images: NDArray[Any]
    scores: NDArray[np.float32]
    classes: bool
    against: str
    chips: int

    @classmethod
    def of(cls, network: Network, images: NDArray[Any], against: str = IDEAL, chips: int = CHIPS) -> "Judge":
        """A judge by images as the network takes them; `against` is a preset of the chips' electronics."""
        chosen = np.asarray(images)
        Analog.preset(against)  # refused here, if there is none
        if chosen.ndim == 0 or len(chosen) == 0:
            raise CompileError([f"{network.name}: there are no images to judge a program on"])
        if len(chosen) > MOST_JUDGED:
            chosen = chosen[evenly(len(chosen), MOST_JUDGED)]
        return cls(chosen, forward(network, chosen).scores, tells_classes(network), against, 1 if against == IDEAL else chips)

    @property
    def dies(self) -> Iterator[Chip]:
        """The chips, drawn one after the other."""
        if self.against == IDEAL:
            return iter([Chip()])
        return (Chip(seed=FIRST_SEED + k, analog=Analog.preset(self.against)) for k in range(self.chips))

    def __call__(self, program: Program, threads: int | None = None) -> Verdict:
        """The error of a program, run on each chip."""
        return self.verdict([result.scores for result in run_chips(self.dies, program, self.images, threads=threads)])

    def verdict(self, scores: list[NDArray[np.float32]]) -> Verdict:
        """The error of scores (images, classes, ...) that each chip gave."""
        return Verdict(self.classes, tuple(self.error(found) for found in scores), len(self.images), self.against)

    def error(self, scores: NDArray[np.float32]) -> float:
        """The error of one chip's scores."""
        if self.classes:
            return float((scores.argmax(axis=1) != self.scores.argmax(axis=1)).mean())
        right, found = (part.reshape(len(part), -1).astype(np.float64) for part in (self.scores, scores))
        away = right - exact.total(right, axis=0) / len(right)
        power = float(exact.total(away * away))
        lost = float(exact.total((found - right) ** 2))
        return lost / power if power else float(lost > 0)


def tells_classes(network: Network) -> bool:
    """Whether a network's outputs are scores of classes: one column of at least two, and not an image of its input."""
    maps, rows, columns = network.output_shape
    return maps >= 2 and (rows, columns) == (1, 1) and maps != math.prod(network.members[0].input_shape)


def set_apart(images: NDArray[Any], calibration_count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Images for the ranges and others to judge on: those that the ranges leave over, else one in three; all for both where
    there are few."""
    n = len(images)
    if n < LEAST_APART:
        return images, images
    used = np.zeros(n, bool)
    used[evenly(n, min(calibration_count, n - n // APART))] = True
    return images[used], images[~used]


__all__ = ["CHIPS", "IDEAL", "Judge", "Verdict", "set_apart", "tells_classes"]
