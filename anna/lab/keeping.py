"""What of a trim is kept: layer by layer, what brings a chip's scores on sample images nearer to the ideal chip's.

Only what leaves the pins is looked at: codes, from which the host makes scores. Measuring at the pins used states made up for
it, so images are evidence of another kind: a trim rounds weights again, and what that costs shows only there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anna.base.errors import DataError
from anna.compiler import exact
from anna.compiler.calibrate import evenly
from anna.lab.trim import OWN_NOISE_SEED, NeuronTrim, Trim, TrimMeter, trim
from anna.machine.chip import Chip
from anna.network.images import image_keys
from anna.program.file import Program

Part = Literal["none", "offset", "gain and offset"]
REPEATS = 4  # runs of each image, each with noise of its own
MOST_IMAGES = 250  # of those given


@dataclass(frozen=True)
class Loss:
    """How far the scores of a program on a chip are from the ideal chip's, over all runs of all images."""

    distance: float  # mean square, as a share of the mean square of the ideal chip's scores about their mean
    changed: float  # share of the images that get another class

    def no_more_than(self, other: "Loss") -> bool:
        """Whether neither is greater."""
        return self.distance <= other.distance and self.changed <= other.changed


@dataclass(frozen=True, eq=False)
class KeptTrim:
    """A program with what is kept of a trim, and why."""

    program: Program  # says which images decided, and what is kept
    trim: Trim  # of the neurons whose trim is kept
    layers: Mapping[str, Part]
    before: Loss  # of the program as it was
    after: Loss


class _Judge:
    """The program and its trims on one chip."""

    def __init__(self, chip: Chip, meter: TrimMeter, images: NDArray[Any], threads: int | None) -> None:
        self.chip, self.meter, self.images, self.threads = chip, meter, images, threads
        self.right = Chip().run(meter.program, images, threads=threads, timeline=meter.timeline).scores.astype(np.float64)
        away = self.right - exact.total(self.right, axis=0) / len(images)
        self.power = float(exact.total(away * away)) or 1.0

    def __call__(self, program: Program) -> Loss:
        timeline, distance, changed = replace(self.meter.timeline, program=program), 0.0, 0
        for k in range(REPEATS):
            scores = self.chip.run(program, self.images, noise_seed=OWN_NOISE_SEED + 1 + k, threads=self.threads,
                                   timeline=timeline).scores  # fmt: skip
            away = scores - self.right
            distance += float(exact.total(away * away)) / REPEATS
            changed += int((scores.argmax(axis=1) != self.right.argmax(axis=1)).sum())
        return Loss(distance / self.power, changed / (REPEATS * self.right[:, :1].size))


def kept_trim(
    chip: Chip, program: Program, images: ArrayLike, *, measured: Trim | None = None, meter: TrimMeter | None = None,
    threads: int | None = None,
) -> KeptTrim:  # fmt: skip
    """Measure a chip and keep of its trim, layer by layer, what helps on sample images; the program's own if nothing does.

    At most 250 of the `images` decide, picked evenly. On them a program never errs more than without its trim, by either
    measure of `Loss`; results on them are refused. `measured` is what `measure_trim` gave, if it was; keep a `meter` for many
    chips.
    """
    meter = meter or TrimMeter(program)
    samples = np.asarray(images)
    if len(samples) > MOST_IMAGES:
        samples = samples[evenly(len(samples), MOST_IMAGES)]
    if program.host is None or not (program.report or {}).get("placement"):
        raise DataError(f"program {program.name} has no layers: it was not compiled from a network, so trim it with anna.trim")
    if not len(samples):
        raise DataError("no images were given to decide what of a trim is kept; give a few hundred that no result is made of")
    found = measured or meter.measure(chip, threads=threads)
    judge, by_layer = _Judge(chip, meter, samples, threads), _by_layer(program, found)
    first = best = judge(program)
    steps, chosen = [(program, dict[str, Part](), first)], dict[str, Part]()
    for layer in by_layer:
        parts: tuple[Part, ...] = ("offset", "gain and offset")
        tries = [chosen | {layer: part} for part in parts]
        programs = [_trimmed(meter, found, by_layer, one) for one in tries]
        losses = [judge(one) for one in programs]
        least = min(range(len(tries)), key=lambda k: losses[k].distance)
        if losses[least].distance < best.distance:
            chosen, best = tries[least], losses[least]
            steps.append((programs[least], chosen, best))
    last, layers, after = next(step for step in reversed(steps) if step[2].no_more_than(first))
    kept = _of_layers(found, by_layer, layers)
    said = {"chip_seed": found.chip_seed, "layers": layers, "images": len(samples),
            "distance": [round(one.distance, 9) for one in (first, after)],
            "changed": [round(one.changed, 9) for one in (first, after)]}  # fmt: skip
    seen = image_keys(samples) if program.calibrated_on is None else np.union1d(program.calibrated_on, image_keys(samples))
    done = replace(last, report={**(program.report or {}), "trim": said}, calibrated_on=np.sort(seen))
    return KeptTrim(done, kept, {layer: layers.get(layer, "none") for layer in by_layer}, first, after)


def _by_layer(program: Program, measured: Trim) -> dict[str, tuple[NeuronTrim, ...]]:
    """The neurons of each layer, in the order of the program."""
    placed = [(part["layer"], part["page"], part["first_row"], part["first_row"] + part["rows"])
              for part in (program.report or {})["placement"]]  # fmt: skip
    found: dict[str, list[NeuronTrim]] = {layer: [] for layer, *_ in placed}
    for layer, page, first, end in placed:
        found[layer] += [one for one in measured.neurons if one.page == page and first <= one.row < end]
    return {layer: tuple(neurons) for layer, neurons in found.items() if neurons}


def _of_layers(measured: Trim, by_layer: Mapping[str, tuple[NeuronTrim, ...]], layers: Mapping[str, Part]) -> Trim:
    """The trim of some layers. Without the gain, thresholds are right on average if they are where the sum is 0."""
    neurons = list[NeuronTrim]()
    for layer, part in layers.items():
        whole = part == "gain and offset"
        neurons += [one if whole else one.changed(gain=1.0, offset_lsb=one.offset_lsb / one.gain) for one in by_layer[layer]]
    return Trim(program=measured.program, chip_seed=measured.chip_seed, neurons=tuple(neurons))


def _trimmed(
    meter: TrimMeter, measured: Trim, by_layer: Mapping[str, tuple[NeuronTrim, ...]], layers: Mapping[str, Part]
) -> Program:
    return trim(meter.program, _of_layers(measured, by_layer, layers), timeline=meter.timeline)


__all__ = ["KeptTrim", "Loss", "kept_trim"]
