"""The work unit of a sweep: one point, compiled once and run on all its chips; a pure function of its task.

It runs in any process or on any machine that has anna. What points share is kept between them: images and the float
reference of a network, and the last few programs, for points that differ only in their chips.
"""

import contextlib
import itertools
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anna.analog.parameters import Analog
from anna.base.errors import AnnaError, CompileError, DataError, GraphError, IllegalProgram, MachineError, SpecError
from anna.chip.spec import BOARDS, BoardSpec
from anna.compiler import compile
from anna.machine.chip import Chip, run_chips
from anna.network.forward import forward
from anna.network.graph import Network
from anna.network.images import image_keys
from anna.program.file import Program
from anna.sequencer.rules import verified
from anna.sequencer.timeline import Timeline
from lenet.datasets.digits import training_digits
from lenet.datasets.labelled import LabelledImages
from lenet.networks.catalogue import define
from lenet.training.train import expect_torch, split
from sim.base import provenance
from sim.base.columns import values
from sim.base.statistics import error_of_counts
from sim.inputs.digits import expect_apart, for_network
from sim.inputs.models import load_network
from sim.sweep.rows import STORED, ChipRun, Outcome
from sim.sweep.spec import Point, SweepSpec
from sim.sweep.training import Training, trained, weights_of

REFUSALS = (CompileError, GraphError, IllegalProgram, MachineError, SpecError)  # the point cannot be, on any machine


@dataclass(frozen=True)
class Task:
    """All that a worker needs for one point; `inputs` are the digests that its files must have."""

    spec: SweepSpec
    point: Point
    inputs: tuple[tuple[str, str], ...]
    trained: str = ""  # the folder of the networks that the sweep trains


@dataclass(frozen=True, eq=False)
class Prepared:
    """A network with its images."""

    network: Network
    digits: LabelledImages
    calibration: NDArray[Any]

    @cached_property
    def digest(self) -> str:
        """What network and images are, to the bit."""
        return f"{self.network.digest[:32]} {self.digits.sha256[:32]}"

    @cached_property
    def reference(self) -> NDArray[np.int64]:
        """What the float network reads."""
        return np.asarray(forward(self.network, self.digits.images).labels, np.int64)


class Source(NamedTuple):
    """What a network and its images are found by."""

    network: str
    data: str | None
    weights_seed: int
    images: int
    stamp: tuple[int, int] | None  # time and size of a file, so that one which changed is read again


@lru_cache(maxsize=4)
def prepared(source: Source) -> Prepared:
    """Loaded once in a process."""
    found = load_network(source.network, source.data, source.weights_seed)
    digits, (images, _) = for_network(found, source.data)
    chosen = digits.first(source.images)
    expect_apart(chosen.images, image_keys(np.asarray(images)))
    return Prepared(found, chosen, np.asarray(images))


@lru_cache(maxsize=2)
def _compiled(source: Source, board: BoardSpec, options: tuple[tuple[str, Any], ...]) -> tuple[Program, Timeline]:
    one = prepared(source)
    program = compile(one.network, one.calibration, board=board, **dict(options))
    return program, verified(program)


def source_of(spec: SweepSpec, point: Point, home: str = "") -> Source:
    """Network and images at a point; networks that the sweep trains lie in `home`."""
    training = spec.training_at(point)
    seed = point.values.get("weights_seed", spec.weights_seed)
    assert isinstance(seed, int)
    network = spec.located(str(point.values.get("network", spec.network)))
    if training is not None:
        network = str(weights_of(training, Path(home)) or Path(home) / training.key)
    stamp = None
    with contextlib.suppress(OSError):
        found = os.stat(network)
        stamp = found.st_mtime_ns, found.st_size
    return Source(network, spec.data, seed, spec.images, stamp)


def analog_at(spec: SweepSpec, point: Point) -> Analog:
    """The chips' electronics at a point: the base, changed fields, then strengths scaled."""
    analog = Analog.named(spec.located(str(point.values.get("analog", spec.analog)))).changed(**point.fields_of("analog"))
    for what, factor in point.fields_of("scaled").items():
        analog = analog.scaled(what, factor)
    return analog


def inputs_of(spec: SweepSpec) -> tuple[tuple[str, str], ...]:
    """The digests of all networks, images and analog records that the sweep names; files that lack are told here. Of a
    network that the sweep trains, those of its digits."""
    found = {}
    networks = spec.values_of("network") if "network" in spec.axes else (spec.network,)
    seeds = spec.values_of("weights_seed") if "weights_seed" in spec.axes else (spec.weights_seed,)
    if spec.trains:
        expect_torch()
        found.update({f"digits of {network}": _digits_digest(spec, str(network)) for network in networks})
        for training in trainings(spec, spec.all_points()):
            split(_training_digits(training.data), 0, training.options.digits)  # refuses more than there are
    else:
        for network, seed in itertools.product(networks, seeds):
            here = Point(number=0, values={"network": network, "weights_seed": seed})
            found[_name(spec, here)] = prepared(source_of(spec, here)).digest
    for name in spec.values_of("analog") if "analog" in spec.axes else (spec.analog,):
        found[f"analog {name}"] = Analog.named(spec.located(str(name))).to_toml()
    return tuple(found.items())


def trainings(spec: SweepSpec, points: Sequence[Point]) -> list[Training]:
    """The distinct trainings that some points need, those in floats first: others go on from them. Points whose training
    cannot be are refused in their turn."""
    found = dict[str, Training]()
    for point in points:
        with contextlib.suppress(*REFUSALS):
            training = spec.training_at(point)
            if training is not None:
                found.setdefault(training.key, training)
    return sorted(found.values(), key=lambda training: training.options.for_chip)


def trained_inputs(spec: SweepSpec, points: Sequence[Point], home: str) -> dict[str, str]:
    """The digests of the networks that the sweep has trained, with their images."""
    found = dict[str, str]()
    for point in points:
        with contextlib.suppress(*REFUSALS):
            training = spec.training_at(point)
            if training is not None and training.text not in found:
                trained(training, Path(home))  # is what its record says
                found[training.text] = prepared(source_of(spec, point, home)).digest
    return found


@lru_cache(maxsize=2)
def _training_digits(data: str) -> LabelledImages:
    return training_digits(data)


def _digits_digest(spec: SweepSpec, network: str) -> str:
    """Digits to train on, and those to show."""
    training = Training.of(network, spec.data, 0, {})
    shown, (images, _) = for_network(define(training.network, training.data), spec.data)
    chosen = shown.first(spec.images)
    expect_apart(chosen.images, image_keys(np.asarray(images)))
    return f"{_training_digits(training.data).digest[:32]} {chosen.sha256[:32]}"


def _name(spec: SweepSpec, point: Point) -> str:
    """What a point's network is called among the inputs."""
    training = spec.training_at(point)
    if training is not None:
        return training.text
    network, seed = point.values.get("network", spec.network), point.values.get("weights_seed", spec.weights_seed)
    return f"network {network}, weights {seed}"


def compute(task: Task) -> Outcome:
    """Compile and run one point."""
    begun, clock = provenance.now(), time.perf_counter()
    try:
        rows, squares, facts = _rows(task)
        refusal = None
    except REFUSALS as error:
        rows, squares, facts = (), 0, {}
        refusal = "; ".join(str(error).splitlines())
    except AnnaError as error:
        raise type(error)(f"point {task.point.number} ({task.point.text}): {error}") from None
    facts = {"begun": begun, "seconds": round(time.perf_counter() - clock, 3), **facts, **provenance.process()}
    return Outcome(task.point.number, rows, squares, refusal, facts)


def _rows(task: Task) -> tuple[tuple[dict[str, Any], ...], int, dict[str, Any]]:
    spec, point = task.spec, task.point
    source, analog = source_of(spec, point, task.trained), analog_at(spec, point)
    one = prepared(source)
    named = _name(spec, point)
    if one.digest != dict(task.inputs)[named]:
        raise DataError(f"{named}: weights or digits differ here from those with which the sweep began")
    options = point.fields_of("compile")
    board = BOARDS[options.pop("board", "anna-board-1991")]
    board = board.changed(chip=board.chip.changed(**point.fields_of("chip")))
    clock = time.perf_counter()
    program, timeline = _compiled(source, board, tuple(sorted(options.items())))
    compiled = time.perf_counter() - clock
    reference = one.reference
    labels = one.digits.labels.astype(np.int64)
    rows: list[dict[str, Any]] = []
    erred = np.zeros(len(labels), dtype=np.int64)  # how many chips err on each image
    seeds = range(spec.seed, spec.seed + (1 if analog.is_ideal else spec.chips))  # ideal chips are all alike
    chips = (Chip() if analog.is_ideal else Chip(seed=seed, analog=analog) for seed in seeds)
    for result in run_chips(chips, program, one.digits.images, noise_seed=spec.seed, timeline=timeline, threads=1):
        run = ChipRun(len(rows), seeds[len(rows)], result, labels, reference)
        erred += run.wrong
        rows.append(values(STORED, run))
        if spec.stop is not None and len(rows) % spec.stop.every_chips == 0:
            interval = error_of_counts([row["wrong"] for row in rows], int((erred * erred).sum()), len(labels))
            if 100 * (interval.high - interval.low) <= spec.stop.width_points:
                break
    facts = {"compile_seconds": round(compiled, 3), "program_sha256": program.digest}
    return tuple(rows), int((erred * erred).sum()), facts
