"""The unit of work of a sweep: one point, compiled once and run on all its chips; a pure function of its task.

It runs in any process, on any machine that has anna. What points share is cached: a network's images and float reference,
and the last few programs, for points that differ only in their chips.
"""

import contextlib
import hashlib
import itertools
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.analog.faults import Faults
from anna.analog.parameters import Analog
from anna.base.errors import AnnaError, CompileError, DataError, GraphError, IllegalProgram, MachineError, SpecError
from anna.chip.machines import DEFAULT, FORMER_BOARDS, Machine, machine_named
from anna.compiler import compilation
from anna.machine.chip import Chip, run_chips
from anna.network.forward import forward
from anna.network.graph import Network
from anna.network.images import image_keys
from anna.program.file import Program
from anna.sequencer.rules import verified
from anna.sequencer.tally import tally
from anna.sequencer.timeline import Timeline
from lenet.datasets.digits import training_digits
from lenet.datasets.labelled import LabelledImages
from lenet.datasets.registry import DATA_SETS
from lenet.networks.catalogue import define
from lenet.training.train import expect_torch, split
from sim.base import provenance
from sim.base.columns import values
from sim.base.statistics import Bools, error_of_chips
from sim.inputs.asked import Asked, images_for
from sim.inputs.digits import expect_disjoint
from sim.inputs.models import load_network
from sim.sweep.rows import STORED, ChipRun, Outcome
from sim.sweep.spec import FIRST_CHIP, Point, SweepSpec
from sim.sweep.training import Training, trained, weights_of

REFUSALS = (CompileError, GraphError, IllegalProgram, MachineError, SpecError)  # the point is impossible on any machine


@dataclass(frozen=True)
class Task:
    """All that a worker needs for one point; `inputs` are the digests its files must have."""

    spec: SweepSpec
    point: Point
    inputs: tuple[tuple[str, str], ...]
    trained: str = ""  # folder of the networks that the sweep trains


@dataclass(frozen=True, eq=False)
class Prepared:
    """A network with its images."""

    network: Network
    digits: LabelledImages
    calibration: NDArray[Any]

    own_samples: bool  # the calibration images come from a file

    @cached_property
    def digest(self) -> str:
        """Digest of network and images, and of calibration images that do not come with anna or a data set."""
        both = f"{self.network.digest[:32]} {self.digits.sha256[:32]}"
        return f"{both} {hashlib.sha256(self.calibration.tobytes()).hexdigest()[:32]}" if self.own_samples else both

    @cached_property
    def reference(self) -> NDArray[np.int64]:
        """The float network's labels."""
        return np.asarray(forward(self.network, self.digits.images).labels, np.int64)


@dataclass(frozen=True)
class Source:
    """What identifies a network and its images."""

    network: str
    weights_seed: int
    asked: Asked
    count: int
    stamps: tuple[tuple[int, int] | None, ...]  # time and size of the files, so that a changed file is read again


@lru_cache(maxsize=4)
def prepared(source: Source) -> Prepared:
    """A network with its images, loaded once per process."""
    found = load_network(source.network, source.asked.data, source.weights_seed)
    digits, samples = images_for(found, source.asked, named=not Path(source.network).suffix)
    chosen = digits.first(source.count)
    expect_disjoint(chosen.images, image_keys(samples))
    return Prepared(found, chosen, samples, source.asked.calibration not in (None, *DATA_SETS))


@lru_cache(maxsize=2)
def _compiled(source: Source, machine: Machine, options: str) -> tuple[Program, Timeline]:
    """The program with compile options that are given as JSON, since an option by layer cannot be looked up."""
    one = prepared(source)
    program = compilation(one.network, one.calibration, machine=machine, **json.loads(options)).program
    return program, verified(program)


def source_of(spec: SweepSpec, point: Point, home: str = "") -> Source:
    """Network and images of a point; networks that the sweep trains lie in `home`."""
    training = spec.training_at(point)
    seed = point.values.get("weights_seed", spec.weights_seed)
    assert isinstance(seed, int)
    network = spec.located(str(point.values.get("network", spec.network)))
    if training is not None:
        network = str(weights_of(training, Path(home)) or Path(home) / training.key)
    asked = asked_by(spec)
    return Source(network, seed, asked, spec.count, tuple(map(_stamp, (network, asked.images, asked.calibration))))


def asked_by(spec: SweepSpec) -> Asked:
    """The images that a sweep asks for; files with their full paths."""
    images, calibration = (None if name is None else spec.located(name) for name in (spec.images, spec.calibration))
    return Asked(images, calibration, spec.data, spelling='{name} = "{file}"')


def _stamp(name: str | None) -> tuple[int, int] | None:
    """Time and size of a file; None if the name is no file's."""
    with contextlib.suppress(OSError):
        found = os.stat(name or "")
        return found.st_mtime_ns, found.st_size
    return None


def analog_at(spec: SweepSpec, point: Point) -> Analog:
    """The electronics of a point: the base, with fields changed, then strengths scaled."""
    analog = Analog.named(spec.located(str(point.values.get("analog", spec.analog)))).changed(**point.fields_of("analog"))
    for what, factor in point.fields_of("scaled").items():
        analog = analog.scaled(what, factor)
    return analog


def chip_seeds(spec: SweepSpec, point: Point, analog: Analog) -> range:
    """The chips of a point; ideal ones without faults are all alike, so there is one."""
    first = point.values.get(FIRST_CHIP, 0)
    assert isinstance(first, int)
    alike = analog.is_ideal and not point.fields_of("faults")
    return range(spec.seed + first, spec.seed + first + (1 if alike else spec.chips))


def chip_at(point: Point, analog: Analog, seed: int) -> Chip:
    """One chip of a point; its faults are drawn from its own seed, unless the point gives one."""
    faults = point.fields_of("faults")
    if faults:
        return Chip(seed=seed, analog=analog, faults=Faults(**{"seed": seed, **faults}))
    return Chip() if analog.is_ideal else Chip(seed=seed, analog=analog)


def inputs_of(spec: SweepSpec) -> tuple[tuple[str, str], ...]:
    """Digests of all networks, images and analog records that the sweep names; for a network it trains, of the digits.
    Raises if a named file is missing."""
    found = {}
    networks = spec.values_of("network") if "network" in spec.axes else (spec.network,)
    seeds = spec.values_of("weights_seed") if "weights_seed" in spec.axes else (spec.weights_seed,)
    if spec.trains:
        expect_torch()
        found.update({f"digits of {network}": _digits_digest(spec, str(network)) for network in networks})
        for training in trainings(spec, spec.all_points()):
            split(_training_digits(training.data), 0, training.options.digits)  # raises if there are too few
    else:
        for network, seed in itertools.product(networks, seeds):
            here = Point(number=0, values={"network": network, "weights_seed": seed})
            found[_name(spec, here)] = prepared(source_of(spec, here)).digest
    for name in spec.values_of("analog") if "analog" in spec.axes else (spec.analog,):
        found[f"analog {name}"] = Analog.named(spec.located(str(name))).to_toml()
    return tuple(found.items())


def trainings(spec: SweepSpec, points: Sequence[Point]) -> list[Training]:
    """The distinct trainings that these points need, float trainings first since others continue from them. Points whose
    training is impossible are skipped; they are refused when computed."""
    found = dict[str, Training]()
    for point in points:
        with contextlib.suppress(*REFUSALS):
            training = spec.training_at(point)
            if training is not None:
                found.setdefault(training.key, training)
    return sorted(found.values(), key=lambda training: training.options.for_chip)


def trained_inputs(spec: SweepSpec, points: Sequence[Point], home: str) -> dict[str, str]:
    """Digests of the networks that the sweep has trained, with their images."""
    found = dict[str, str]()
    for point in points:
        with contextlib.suppress(*REFUSALS):
            training = spec.training_at(point)
            if training is not None and training.text not in found:
                trained(training, Path(home))  # raises unless it matches its record
                found[training.text] = prepared(source_of(spec, point, home)).digest
    return found


@lru_cache(maxsize=2)
def _training_digits(data: str) -> LabelledImages:
    return training_digits(data)


def _digits_digest(spec: SweepSpec, network: str) -> str:
    """Digest of the digits for training and for results."""
    training = Training.of(network, spec.data, 0, {})
    results, samples = images_for(define(training.network, training.data), asked_by(spec), named=True)
    chosen = results.first(spec.count)
    expect_disjoint(chosen.images, image_keys(samples))
    return f"{_training_digits(training.data).digest[:32]} {chosen.sha256[:32]}"


def _name(spec: SweepSpec, point: Point) -> str:
    """The name of a point's network among the inputs."""
    training = spec.training_at(point)
    if training is not None:
        return training.text
    network, seed = point.values.get("network", spec.network), point.values.get("weights_seed", spec.weights_seed)
    return f"network {network}, weights {seed}"


def compute(task: Task) -> Outcome:
    """Compiles and runs one point."""
    begun, clock = provenance.now(), time.perf_counter()
    try:
        rows, misread, facts = _rows(task)
        refusal = None
    except REFUSALS as error:
        rows, misread, facts = (), np.zeros((0, 0), np.bool_), {}
        refusal = "; ".join(str(error).splitlines())
    except AnnaError as error:
        raise type(error)(f"point {task.point.number} ({task.point.text}): {error}") from None
    facts = {"begun": begun, "seconds": round(time.perf_counter() - clock, 3), **facts, **provenance.process()}
    bits = tuple(np.packbits(wrong).tobytes() for wrong in misread)
    return Outcome(task.point.number, rows, bits, _squares(misread), refusal, facts)


def _squares(misread_cn: Bools) -> int:
    """Sum over images of the squared number of chips that misread it."""
    erred_n = misread_cn.sum(axis=0, dtype=np.int64)
    return int((erred_n * erred_n).sum())


def machine_at(point: Point) -> Machine:
    """The machine of a point."""
    called = point.fields_of("compile").get("machine", DEFAULT)
    return machine_named(FORMER_BOARDS.get(called, called)).with_fields(**point.fields_of("chip"))


def _rows(task: Task) -> tuple[tuple[dict[str, Any], ...], Bools, dict[str, Any]]:
    spec, point = task.spec, task.point
    source, analog = source_of(spec, point, task.trained), analog_at(spec, point)
    one = prepared(source)
    named = _name(spec, point)
    if one.digest != dict(task.inputs)[named]:
        raise DataError(f"{named}: weights or digits here differ from those the sweep began with")
    options = {name: value for name, value in point.fields_of("compile").items() if name != "machine"}
    machine = machine_at(point)
    clock = time.perf_counter()
    program, timeline = _compiled(source, machine, json.dumps(options, sort_keys=True))
    compiled = time.perf_counter() - clock
    reference = one.reference
    labels = one.digits.labels.astype(np.int64)
    rows: list[dict[str, Any]] = []
    misread = list[Bools]()
    seeds = chip_seeds(spec, point, analog)
    chips = (chip_at(point, analog, seed) for seed in seeds)
    for result in run_chips(chips, program, one.digits.images, noise_seed=spec.seed, timeline=timeline, threads=1):
        run = ChipRun(len(rows), seeds[len(rows)], result, labels, reference)
        misread.append(run.wrong)
        rows.append(values(STORED, run))
        if spec.stop is not None and len(rows) % spec.stop.every_chips == 0:
            interval = error_of_chips(np.stack(misread))
            if 100 * (interval.high - interval.low) <= spec.stop.width_points:
                break
    counts = tally(program)
    events = {name: count / counts.batch for name, count in counts.total.items()}
    facts = {"compile_seconds": round(compiled, 3), "program_sha256": program.digest, "events_per_image": events}
    return tuple(rows), np.stack(misread), facts
