"""Sensitivity: what the error gains when one layer has fewer bits, and what it loses when one layer has no noise."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product

import numpy as np

from anna.analog.die import Die
from anna.analog.parameters import Analog
from anna.analog.silicon import Silicon
from anna.machine.chip import Chip
from anna.program.file import Program
from anna.sequencer.rules import verified
from lenet.datasets.labelled import LabelledImages
from sim.base.statistics import Bools, Interval, difference_of_chips, error_of_chips
from sim.comparison.what_if import Change, Layers, What, WhatIf

NOISES = frozenset({"thermal_noise", "adc_noise", "slow_noise"})
KINDS: tuple[What, ...] = ("weight bits", "state bits", "noise")


@dataclass(frozen=True)
class Costs:
    """What a change costs: the error with the fewer bits, or with the noise, less that without."""

    change: Change
    moved: Interval  # a share of images
    tied: bool  # whether it may cost as much as the change listed before it

    @property
    def matters(self) -> bool:
        """Whether it costs something, beyond chance."""
        return self.moved.low > 0


def costs_of_changes(
    program: Program,
    digits: LabelledImages,
    analog: Analog,
    *,
    chips: int,
    chip_seed: int,
    noise_seed: int,
    fewer: int,
    threads: int,
    say: Callable[[str], None],
) -> tuple[Interval, tuple[Costs, ...]]:
    """The error of the chips as they are, and each change, the costliest of its kind and bits first."""
    layers, timeline = Layers.of(program), verified(program)
    seeds = range(chip_seed, chip_seed + (1 if analog.is_ideal else chips))
    dies = [Die.draw(program.spec, analog, seed).electronics for seed in seeds]
    noisy = not NOISES.isdisjoint(analog.causes)

    def wrong_of(silicon: Silicon) -> Bools:
        found = Chip(silicon=silicon).run(program, digits.images, noise_seed=noise_seed, timeline=timeline, threads=1).labels
        wrong: Bools = found != digits.labels
        return wrong

    changes = list(layers.changes(fewer, noisy))
    say(f"sensitivity: {len(changes)} changes on {len(dies)} chips")
    with ThreadPoolExecutor(threads) as pool:
        usual = np.stack(list(pool.map(wrong_of, dies)))
        done = list(pool.map(lambda pair: wrong_of(WhatIf(pair[1], layers, pair[0])), product(changes, dies)))
    changed = {change: np.stack(done[k * len(dies) : (k + 1) * len(dies)]) for k, change in enumerate(changes)}
    more = {change: (wrong, usual) if change.what == "noise" else (usual, wrong) for change, wrong in changed.items()}
    found = list[Costs]()
    for what, bits in dict.fromkeys((change.what, change.bits) for change in sorted(changes, key=_order)):
        mine = [change for change in changes if (change.what, change.bits) == (what, bits)]
        mine.sort(
            key=lambda change: -difference_of_chips(*more[change]).share
        )  # a stable sort: equal ones in the network's order
        for place, change in enumerate(mine):
            apart = difference_of_chips(*_in_order(what, changed[change], changed[mine[place - 1]])) if place else None
            found.append(Costs(change, difference_of_chips(*more[change]), apart is not None and apart.low <= 0))
    return error_of_chips(usual), tuple(found)


def _order(change: Change) -> tuple[int, int]:
    return KINDS.index(change.what), -(change.bits or 0)


def _in_order(what: What, this: Bools, before: Bools) -> tuple[Bools, Bools]:
    """Such that their difference is what the change before costs more than this one."""
    return (before, this) if what == "noise" else (this, before)
