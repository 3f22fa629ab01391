"""The arms of a comparison, and how each is run.

float          the network in 32-bit floats
quantised graph    its codes in plain integer arithmetic, without the engine: must equal the ideal chip
ideal chip     6-bit weights and 3-bit states on a chip without imperfections
typical chips  drawn chips, each with its own fixed pattern and noise
worst chips    the same with the worst electronics
..., chip-trained  the same chips with other weights of the network, trained further for the chip
..., trimmed   each of those chips with a program that compensates its gains and offsets, as measured at its pins
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from anna.analog.parameters import PRESETS, Analog
from anna.base.errors import DataError
from anna.compiler.integer import States
from anna.compiler.quantised import QuantGraph
from anna.compiler.selfcheck import evaluate
from anna.machine.chip import Chip
from anna.network.forward import forward
from anna.network.graph import Network
from anna.program.file import Program
from anna.sequencer.timeline import Timeline
from lenet.datasets.labelled import LabelledImages
from sim.base.pace import Pace
from sim.base.statistics import leads

Watch = Callable[[str], None]
Kind = str | Analog | tuple[str, Analog]
Run = tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]  # labels, leads, and scores if they are kept
IMAGES_AT_ONCE = 100  # in the integer arithmetic: their maps fit in the cache


@dataclass(frozen=True, eq=False)
class Arm:
    """One classifier, or several chips of one kind, on the same images."""

    name: str
    what: str  # how it was made, in words
    labels_cn: NDArray[np.int64]  # (chips, images)
    leads_cn: NDArray[Any]  # by which the best score leads the second
    scores_nk: NDArray[Any]  # of the first chip
    seeds: tuple[int, ...]  # of the chips; empty where nothing is drawn
    analog: Analog | None = None  # the chips' electronics; None: no chip
    program: Literal["own", "trimmed", "chip-trained"] = "own"  # what the chips run; own: the comparison's program
    ordinary: str | None = None  # for an arm with other weights: the arm with the network's own on the same chips

    def __repr__(self) -> str:
        return f"Arm({self.name}: {self.what})"

    @property
    def chips(self) -> int:
        """Number of chips; one for a float network."""
        return len(self.labels_cn)

    def wrong_cn(self, labels: NDArray[Any]) -> NDArray[np.bool_]:
        """Which images each chip misreads."""
        wrong: NDArray[np.bool_] = self.labels_cn != labels.astype(np.int64)[None]
        return wrong


@dataclass(frozen=True, eq=False)
class ChipTrained:
    """Other weights of the network, trained further for the chip, and their program."""

    name: str
    network: Network
    program: Program


def kind_of(given: Kind) -> tuple[str, Analog]:
    """The name and electronics of a kind of chips, given as a preset, a record, or a name with a record."""
    match given:
        case str():
            return f"{given} chips", Analog.preset(given)
        case Analog():
            return f"{given.kind if given.kind in PRESETS else 'own'} chips", given
        case (str(name), Analog() as analog):
            return name, analog
    raise DataError(f"{given!r} is not a kind of chips; expected a preset such as 'worst', an Analog, or (name, Analog)")


def kinds_of(given: str | Analog | Sequence[Kind]) -> list[tuple[str, Analog]]:
    """One or several kinds of chips, with distinct names."""
    kinds = [kind_of(one) for one in ([given] if isinstance(given, str | Analog) else given)]
    names = [name for name, _ in kinds]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{names.count(name)} kinds are named {name!r}; expected distinct names: (name, Analog)")
    return kinds


def float_arm(network: Network, digits: LabelledImages) -> Arm:
    """The float reference."""
    done = forward(network, digits.images)
    labels = np.asarray(done.labels, np.int64)
    return Arm("float", "32-bit floats, fixed order of sums", labels[None], leads(done.scores)[None], done.scores, ())


def chip_arm(
    name: str,
    what: str,
    program: Program,
    digits: LabelledImages,
    analog: Analog,
    seeds: Sequence[int],
    noise_seed: int,
    threads: int,
    say: Watch = lambda _: None,
) -> Arm:
    """Drawn chips, spread over threads; an ideal chip runs once, whatever the seeds."""
    drawn = tuple(seeds) if not analog.is_ideal else (0,)

    def run(seed: int) -> Run:
        chip = Chip() if analog.is_ideal else Chip(seed=seed, analog=analog)
        return _run(chip, program, digits, noise_seed, keep=seed == drawn[0])

    with ThreadPoolExecutor(min(threads, len(drawn))) as pool:
        done = list(Pace(name, len(drawn), say).over(pool.map(run, drawn)))
    return _arm(name, what, done, () if analog.is_ideal else drawn, analog)


def _run(
    chip: Chip, program: Program, digits: LabelledImages, noise_seed: int, *, keep: bool, timeline: Timeline | None = None
) -> Run:
    """One chip's labels and leads, and its scores if they are kept."""
    result = chip.run(program, digits.images, noise_seed=noise_seed, threads=1, timeline=timeline)
    return result.labels, leads(result.scores), result.scores if keep else None


def _arm(name: str, what: str, done: Sequence[Run], seeds: Sequence[int], analog: Analog) -> Arm:
    labels, lead = np.stack([run[0] for run in done]).astype(np.int64), np.stack([run[1] for run in done])
    assert done[0][2] is not None
    return Arm(name, what, labels, lead, done[0][2], tuple(seeds), analog)


def quantised_arm(program: Program, graph: QuantGraph, digits: LabelledImages, threads: int) -> Arm:
    """The quantised graph that a program was made from, in integers, map by map, without the engine."""
    host, spec = program.host, program.spec
    assert host is not None, f"{program.name} was compiled, so it has a host"
    states = host.input_codes(spec, graph.lowered.input_shape, digits.images)
    lasts = sorted(graph.lowered.results)

    def some(start: int) -> dict[str, States]:
        found = evaluate(graph, states[start : start + IMAGES_AT_ONCE])
        return {name: found[name] for name in lasts}

    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(some, range(0, len(states), IMAGES_AT_ONCE)))
    kind = np.uint8 if spec.state_bits <= 8 else np.uint16
    scores = host.scores(spec, {name: np.concatenate([part[name] for part in parts]).astype(kind) for name in lasts})
    what = "the codes in plain integer arithmetic, without the engine"
    return Arm("quantised graph", what, scores.argmax(axis=1).astype(np.int64)[None], leads(scores)[None], scores, ())


def chip_trained_arms(
    arms: Sequence[Arm], other: ChipTrained, digits: LabelledImages, noise_seed: int, threads: int, say: Watch
) -> list[Arm]:
    """The chips of each arm again, with weights trained further for the chip."""
    wrong, found = int((forward(other.network, digits.images).labels != digits.labels).sum()), list[Arm]()
    for arm in arms:
        assert arm.analog is not None
        what = f"other weights: {other.name} (in floats {100 * wrong / len(digits):.2f} %), {arm.what}"
        name = f"{arm.name.removesuffix(' chips').removesuffix(' chip')}, chip-trained"
        again = chip_arm(name, what, other.program, digits, arm.analog, arm.seeds, noise_seed, threads, say)
        found.append(replace(again, program="chip-trained", ordinary=arm.name))
    return found


def trimmed_arm(
    arm: Arm, program: Program, digits: LabelledImages, samples: NDArray[Any], noise_seed: int, threads: int, say: Watch
) -> Arm:
    """The chips of an arm again, each measured at its pins and given its own program: of the trim, what helps on samples."""
    from anna.lab.keeping import kept_trim
    from anna.lab.trim import TrimMeter

    meter, name = TrimMeter(program), f"{arm.name}, trimmed"

    def run(seed: int) -> Run:
        chip = Chip(seed=seed, analog=arm.analog)
        own = kept_trim(chip, program, samples, meter=meter, threads=1).program
        timeline = replace(meter.timeline, program=own)
        return _run(chip, own, digits, noise_seed, keep=seed == arm.seeds[0], timeline=timeline)

    with ThreadPoolExecutor(min(threads, arm.chips)) as pool:
        done = list(Pace(name, arm.chips, say).over(pool.map(run, arm.seeds)))
    assert arm.analog is not None
    what = f"{arm.what}, weights requantised for each where that helps on calibration images"
    return replace(_arm(name, what, done, arm.seeds, arm.analog), program="trimmed")


def all_arms(
    network: Network,
    program: Program,
    digits: LabelledImages,
    kinds: Sequence[tuple[str, Analog]],
    *,
    chips: int,
    trimmed: NDArray[Any] | None,
    chip_seed: int,
    noise_seed: int,
    threads: int,
    quantised: QuantGraph | None,
    chip_trained: ChipTrained | None,
    say: Watch,
) -> tuple[Arm, ...]:
    """Runs all arms, in the order of the table; `trimmed` are images that decide what is kept of the chips' trims."""
    say("float")
    arms = [float_arm(network, digits)]
    if quantised is not None:
        say("quantised graph")
        arms.append(quantised_arm(program, quantised, digits, threads))
    for name, analog in [("ideal chip", Analog.ideal()), *kinds]:
        seeds = range(chip_seed, chip_seed + chips)
        what = "no imperfections" if analog.is_ideal else f"chips {chip_seed} to {seeds[-1]}, noise seed {noise_seed}"
        arms.append(chip_arm(name, what, program, digits, analog, seeds, noise_seed, threads, say))
        if trimmed is not None and not analog.is_ideal:
            arms.append(trimmed_arm(arms[-1], program, digits, trimmed, noise_seed, threads, say))
    if chip_trained is not None:
        own = [arm for arm in arms if arm.analog is not None and arm.program == "own"]
        arms += chip_trained_arms(own, chip_trained, digits, noise_seed, threads, say)
    return tuple(arms)


def first_chips(arms: Sequence[Arm]) -> dict[str, Chip]:
    """The first chip of each kind that runs the comparison's program."""
    kinds = [arm for arm in arms if arm.analog is not None and arm.program == "own"]
    return {arm.name: Chip(seed=arm.seeds[0], analog=arm.analog) if arm.seeds else Chip() for arm in kinds}
