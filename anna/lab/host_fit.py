"""The host's last layer fitted again, to what the pins of one chip or of several give for labelled images.

What a chip does to its maps is for ever, so the layer that reads them can make up for it. Scores become those of a logistic
regression that is pulled towards the layer as it was; how strongly is decided by images kept aside, and if none of the
strengths helps there, the program stays as it is. All sums are exact and everything else is computed elementwise, so the same
chips and images give the same weights on every machine.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anna.base.errors import DataError
from anna.board.host_part import HostPart
from anna.compiler import exact
from anna.compiler.calibrate import evenly
from anna.lab.trim import OWN_NOISE_SEED
from anna.machine.chip import Chip, run_chips
from anna.native.exact_math import exp
from anna.network.images import image_keys
from anna.network.imported_layers import Softmax
from anna.network.layers import FullConnection, Layer, Rbf
from anna.program.file import Program

Floats = NDArray[np.float64]
Fixed = tuple[Floats, int]  # whole numbers, and the power of two that they were multiplied by
PULLS = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003)  # of the mean square of an input; from strong to weak
ASIDE = 5  # one image in so many decides how strong
LEAST_IMAGES = 50
STEPS = 25  # of the descent, for each pull
PIECE = 4096  # images whose products are added exactly
ROOM = 1e-9  # that keeps a matrix from being singular, as a share of its mean diagonal


@dataclass(frozen=True, eq=False)
class HostFit:
    """A program with another last layer, and what it gained on the images kept aside, or on all if the pull was given."""

    program: Program
    pull: float | None  # the strength; None: the layer stays as it was
    images: int  # of each chip
    aside: int  # of these, kept aside
    error_before: float  # share, over all chips
    error_after: float


def fit_host(
    program: Program, chips: Chip | Sequence[Chip], images: ArrayLike, labels: ArrayLike, *, pull: float | None = None
) -> HostFit:
    """Fit the last layer of a compiled network again, for one chip or for several with one program.

    One image in five is kept aside to choose the strength of the pull; then all are used. Images that the network was trained
    on cannot choose it well, since it misreads hardly any of them: `pull`, one of `PULLS`, was then chosen elsewhere, and no
    image is kept aside. Scores of the new layer are logarithms of odds. Results on these images are refused.
    """
    if pull is not None and pull not in PULLS:
        raise DataError(f"pull is {pull}; expected one of {', '.join(map(str, PULLS))}")
    several, samples, right = [chips] if isinstance(chips, Chip) else list(chips), np.asarray(images), np.asarray(labels)
    last = _last_layers(program)
    classes = len(_straight(last[0])[1])
    if not several:
        raise DataError("fit_host was given no chips; expected one or more")
    if right.shape != (len(samples),) or not np.issubdtype(right.dtype, np.integer):
        raise DataError(
            f"labels are {right.dtype} of shape {right.shape}; expected {len(samples)} whole numbers, one per image"
        )
    if len(samples) < LEAST_IMAGES or not (right.min() >= 0 and right.max() < classes):
        raise DataError(
            f"{len(samples)} images with labels; expected at least {LEAST_IMAGES}, labels from 0 to {classes - 1}"
        )  # fmt: skip
    if missing := sorted(set(range(classes)) - set(right.tolist())):
        raise DataError(f"the labels have no image of class {missing[0]}; expected some of every class")
    found = [_features(program, last, result.codes)
             for result in run_chips(several, program, samples, noise_seed=OWN_NOISE_SEED)]  # fmt: skip
    x, y = np.concatenate(found), np.tile(right.astype(np.int64), len(several))
    former = _Scores.of(last)

    def misread(scores: _Scores, which: NDArray[np.bool_]) -> int:
        return int((scores(x[which]).argmax(axis=1) != y[which]).sum())

    if pull is None:
        counted = np.zeros(len(samples), bool)
        counted[evenly(len(samples), len(samples) // ASIDE)] = True
        counted = np.tile(counted, len(several))
        wrong = [misread(one, counted) for one in (former, *_path(x[~counted], y[~counted], former, len(PULLS)))]
        best = min(range(len(wrong)), key=lambda k: (wrong[k], k))  # of a tie, the strongest pull
        fitted = _path(x, y, former, best)[-1] if best else former
        before, after = wrong[0], wrong[best]
        aside, pull = int(counted.sum()), PULLS[best - 1] if best else None
    else:
        counted, aside = np.ones(len(y), bool), 0
        fitted = _path(x, y, former, PULLS.index(pull) + 1)[-1]
        before, after = misread(former, counted), misread(fitted, counted)
    made = program if pull is None else _with_layer(program, last, fitted)
    count = int(counted.sum())
    seen = image_keys(samples) if program.calibrated_on is None else np.union1d(program.calibrated_on, image_keys(samples))
    said = {"chip_seeds": [None if chip.seed is None else str(chip.seed) for chip in several], "images": len(samples),
            "pull": pull, "aside": aside, "wrong_before": before, "wrong_after": after}  # fmt: skip
    made = replace(made, report={**(program.report or {}), "host_fit": said}, calibrated_on=np.sort(seen))
    return HostFit(made, pull, len(samples), aside // len(several), before / count, after / count)


# --- the layer -------------------------------------------------------------------------------------------------------
def _last_layers(program: Program) -> list[Layer]:
    """The last layer with weights of each tail, whose scores are added."""
    if program.host is None or not program.host.tails:
        raise DataError(f"program {program.name} has no host layers: it was not compiled from a network")
    found = list[Layer]()
    for tail in program.host.tails:
        at = len(tail.layers) - 1
        while at >= 0 and isinstance(tail.layers[at], Softmax):  # scores keep their order
            at -= 1
        layer = tail.layers[at] if at >= 0 else None
        single = len(tail.outputs) == 1 and tail.shapes[tail.outputs[0]][1:] == (1, 1)
        if not isinstance(layer, FullConnection | Rbf) or not single:
            name = "none" if layer is None else f"{layer.name}, a {layer.kind} layer"
            raise DataError(
                f"program {program.name}: the host's last layer is {name}; expected a full connection or RBF units that give "
                "one score a class (compile with host='last')"
            )
        found.append(layer)
    return found


def _straight(layer: Layer) -> tuple[Floats, Floats]:
    """Weights (o, inputs) and biases of a layer as a linear one; RBF units but for what is common to all."""
    if isinstance(layer, Rbf):
        centres = layer.centres_oi.astype(np.float64)
        return 2.0 * centres, -np.asarray([float(exact.total(row * row)) for row in centres])
    assert isinstance(layer, FullConnection), f"{layer.name}: should have been refused"
    bias = np.zeros(len(layer.weights_oi)) if layer.bias_o is None else layer.bias_o.astype(np.float64)
    return layer.weights_oi.astype(np.float64), bias


def _features(program: Program, last: Sequence[Layer], states: Any) -> Floats:
    """What the last layers read (images, inputs), those of all tails side by side."""
    assert program.host is not None, f"{program.name}: should have been refused"
    found = []
    for tail, layer in zip(program.host.tails, last, strict=True):
        name = next(step.inputs[0] for step in tail.steps if step.layer.name == layer.name)
        values = HostPart(tail.readings, tail.layers, tail.links, (name,)).run(program.spec, states)[name]
        found.append(values.reshape(len(values), -1).astype(np.float64))
    return np.concatenate(found, axis=1)


def _with_layer(program: Program, last: Sequence[Layer], scores: "_Scores") -> Program:
    """The program with a full connection in place of each last layer; the first has the biases."""
    assert program.host is not None, f"{program.name}: should have been refused"
    tails, at = list[HostPart](), 0
    for tail, layer in zip(program.host.tails, last, strict=True):
        inputs = len(_straight(layer)[0][0])
        bias = scores.bias_o if at == 0 else scores.bias_o * 0.0
        weights = scores.weights_io[at : at + inputs].T
        made = FullConnection(layer.name, np.ascontiguousarray(weights, np.float32), bias.astype(np.float32))
        before = tail.layers[: [one.name for one in tail.layers].index(layer.name)]
        links = {name: inputs for name, inputs in tail.links.items() if name in {one.name for one in (*before, layer)}}
        tails.append(HostPart(tail.readings, (*before, made), links, (layer.name,)))
        at += inputs
    return replace(program, host=replace(program.host, tails=tuple(tails)))


# --- the regression --------------------------------------------------------------------------------------------------
@dataclass(frozen=True, eq=False)
class _Scores:
    """Linear scores of inputs."""

    weights_io: Floats
    bias_o: Floats

    @staticmethod
    def of(last: Sequence[Layer]) -> "_Scores":
        parts = [_straight(layer) for layer in last]
        return _Scores(np.concatenate([weights.T for weights, _ in parts]), np.sum([bias for _, bias in parts], axis=0))

    def __call__(self, x: Floats) -> Floats:
        return _product(exact.fixed(x), self.weights_io) + self.bias_o


def _path(x: Floats, y: NDArray[np.int64], former: _Scores, count: int) -> list[_Scores]:
    """Fits with so many of the pulls, each beginning where the one before ended.

    Every step takes the inverse of a matrix that is at least the curvature everywhere (Boehning 1992), so that the loss never
    rises and no length of a step has to be searched for.
    """
    n, inputs = x.shape
    away = x - exact.total(x, axis=0) / n
    start = former(x)
    start = start - np.cumsum(start, axis=1)[:, -1:] / start.shape[1]
    scale = _temperature(start, y)
    start = start * scale
    wide = exact.fixed(away)
    tall = np.ascontiguousarray(wide[0].T), wide[1]
    gram = _product(tall, away) / n
    power = float(np.cumsum(np.diag(gram))[-1]) / inputs or 1.0
    right = np.eye(start.shape[1])[y]
    added, shift, found = np.zeros((inputs, start.shape[1])), np.zeros(start.shape[1]), list[_Scores]()
    for pull in PULLS[:count]:
        inverse = exact.fixed(_inverse(0.5 * gram + (pull + ROOM) * power * np.eye(inputs)))
        for _ in range(STEPS):
            rest = right - _shares(start + _product(wide, added) + shift)
            slope = _product(tall, rest) / n - pull * power * added
            added = added + _product(inverse, slope)
            shift = shift + 2.0 * exact.total(rest, axis=0) / n
        bias = former.bias_o * scale + shift - _product(exact.fixed((x - away)[:1]), added)[0]
        found.append(_Scores(former.weights_io * scale + added, bias))
    return found


TEMPERATURES = tuple(mantissa * 2.0**k for k in range(-8, 8) for mantissa in (1.0, 1.5))


def _temperature(scores: Floats, y: NDArray[np.int64]) -> float:
    """The factor that makes logarithms of odds of scores."""
    size = math.sqrt(float(exact.total(scores * scores)) / scores.size) or 1.0
    losses = [_loss(scores * (factor / size), y) for factor in TEMPERATURES]
    return TEMPERATURES[losses.index(min(losses))] / size


def _loss(scores: Floats, y: NDArray[np.int64]) -> float:
    """The mean square of what is missing to certainty: where it is least, odds are about right."""
    rest = np.eye(scores.shape[1])[y] - _shares(scores)
    return float(exact.total(rest * rest))


def _shares(scores: Floats) -> Floats:
    """Softmax, its sum over the classes in order."""
    powers = exp(scores - scores.max(axis=1, keepdims=True))
    found: Floats = powers / np.cumsum(powers, axis=1)[:, -1:]
    return found


def _product(a: Fixed, b: Floats) -> Floats:
    """a @ b of numbers rounded to 20 bits of the largest: exact in pieces, which are added in order."""
    (left, more), (right, power) = a, exact.fixed(b)
    total = np.zeros((len(left), b.shape[1]))
    for k in range(0, left.shape[1], PIECE):
        total += left[:, k : k + PIECE] @ right[k : k + PIECE]  # 20 + 20 + 12 bits
    return np.ldexp(total, -(more + power))


def _inverse(matrix: Floats) -> Floats:
    """Of a positive definite matrix, by elimination, element by element."""
    n = len(matrix)
    both = np.concatenate([matrix, np.eye(n)], axis=1)
    for k in range(n):
        both[k] /= both[k, k]
        others = both[:, k].copy()
        others[k] = 0.0
        both -= others[:, None] * both[k]
    return np.ascontiguousarray(both[:, n:])


__all__ = ["HostFit", "fit_host"]
