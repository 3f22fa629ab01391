"""Why a die is bad: the parts of it that, mended, give back most of what it loses beyond the median die.

A part is a named piece of the die's pattern (a weight DAC, the thresholds of an ADC or one of them, a step of a scale
circuit, the gains of a row, their gradient, all leaks); to mend it is to give it the values of an ideal chip, with all else,
and the noise, left as it is. Parts are chosen one after the other on half of the images, each the one that helps most beside
those chosen before, by how well the right class leads, since errors are few. What they give back is counted on the other
half.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.analog.die import Die
from anna.analog.pattern import complete_pattern
from anna.chip import codes
from anna.chip.codes import Floats
from anna.machine.chip import Chip
from anna.program.file import Program
from anna.sequencer.rules import verified
from lenet.datasets.labelled import LabelledImages
from sim.base.statistics import Bools
from sim.comparison.confined import places_of_layers

Scores = NDArray[Any]
BEAM = 24  # parts that are tried again beside those chosen, the best of the round before
SHARPNESS = 4.0  # of the logistic loss: a lead of a quarter of the scores' spread is one unit of it (A)


@dataclass(frozen=True)
class Part:
    """A piece of a die's pattern, with a name."""

    name: str
    array: str
    at: tuple[Any, ...]


@dataclass(frozen=True)
class Mended:
    """A part that was mended, and the error with it and all parts before it mended, on both halves of the images."""

    part: Part
    seen_error: float
    unseen_error: float


def parts_of(die: Die, program: Program) -> tuple[Part, ...]:
    """The parts of a die that are not ideal and that the program uses."""
    spec, layers = die.spec, places_of_layers(program)
    used = (codes.weight_converter(spec).numerators[program.weight_codes] != 0).any(axis=2)  # (pages, rows)
    rows = {row: [layer for layer, place in layers.items() if place[:, row].any()]
            for row in np.flatnonzero(used.any(axis=0)).tolist()}  # fmt: skip
    adcs, dacs = range(spec.neurons_at_once), range(spec.dacs)
    found = [Part(f"weight DAC {dac}", "dac_levels_lsb", (dac,)) for dac in dacs]
    found += [Part(f"all thresholds of ADC {adc}", "adc_threshold_offset_lsb", (adc,)) for adc in adcs]
    found += [Part(f"threshold {k} of ADC {adc}", "adc_threshold_offset_lsb", (adc, k))
              for adc in adcs for k in range((1 << spec.state_bits) - 1)]  # fmt: skip
    found += [Part(f"range of ADC {adc}", "adc_gain", (adc,)) for adc in adcs]
    found += [Part(f"offset of ADC {adc}", "adc_offset_lsb", (adc,)) for adc in adcs]
    found += [Part(f"scale step {code} of ADC {adc}", "scale_factor", (adc, code))
              for adc in adcs for code in np.unique(program.scale_codes[used]).tolist()]  # fmt: skip
    found += [
        Part(f"gains in row {row} ({', '.join(names) or 'no layer'})", "synapse_gain", (row,)) for row, names in rows.items()
    ]
    found += [Part("all leaks", "synapse_leak", ()), Part("all zero errors of synapses", "synapse_zero_lsb", ())]
    found += [Part("all levels of states", "state_error_lsb", ()), Part("the gradient of the gains", "gain_slope", ())]
    ideal = complete_pattern(spec, {})
    return tuple(part for part in found if not np.array_equal(die.pattern[part.array][part.at], _like(ideal, die, part)))


def _like(ideal: dict[str, Floats], die: Die, part: Part) -> Floats:
    """The ideal values of a part, in the shape of the die's."""
    found: Floats = np.broadcast_to(ideal[part.array], die.pattern[part.array].shape)[part.at]
    return found


def mended(die: Die, parts: Iterable[Part]) -> Die:
    """The same die with some parts ideal; its noise stays the same."""
    ideal, pattern = complete_pattern(die.spec, {}), dict(die.pattern)
    for part in parts:
        pattern[part.array] = pattern[part.array].copy()
        pattern[part.array][part.at] = _like(ideal, die, part)
    return Die(die.spec, die.analog, die.seed, die.chip_on_board, die.faults, pattern)


def right_class_lags(scores: Scores, labels: NDArray[Any]) -> float:
    """How little the right class leads: the mean logistic loss of the scores, in units of their own spread."""
    found = scores.astype(np.float64)
    unit = float(found.std()) or 1.0
    found = (found - found.max(axis=1, keepdims=True)) / unit * SHARPNESS
    right = found[np.arange(len(labels)), labels.astype(np.int64)]
    return float((np.log(np.exp(found).sum(axis=1)) - right).mean())


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """The parts that were mended, in order, and what the die misreads without any."""

    steps: tuple[Mended, ...]
    seen_error: float
    unseen_error: float
    before: Bools  # which of the unseen images the die misreads
    after: Bools  # and with all parts mended
    tried: int  # parts that are not ideal


def diagnose_die(
    die: Die,
    program: Program,
    seen: LabelledImages,
    unseen: LabelledImages,
    *,
    most: int,
    noise_seed: int,
    threads: int,
    enough: Callable[[float], bool],
    say: Callable[[str], None],
) -> Diagnosis:
    """Mends part after part, at most so many, until the error on the images that it sees is small enough or none helps."""
    timeline = verified(program)

    def scores_of(one: Die, digits: LabelledImages) -> Scores:
        return Chip(die=one).run(program, digits.images, noise_seed=noise_seed, timeline=timeline, threads=1).scores

    def lags(parts: Sequence[Part]) -> float:
        return right_class_lags(scores_of(mended(die, parts), seen), seen.labels)

    def wrong(parts: Sequence[Part], digits: LabelledImages) -> Bools:
        found: Bools = scores_of(mended(die, parts), digits).argmax(axis=1) != digits.labels
        return found

    everything = parts_of(die, program)
    chosen, steps, best = list[Part](), list[Mended](), lags(())
    before, seen_before = wrong((), unseen), wrong((), seen)
    after, left, error = before, list(everything), float(seen_before.mean())
    while left and len(chosen) < most and not enough(error):
        say(f"diagnosis: part {len(chosen) + 1}")
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(lambda part: lags((*chosen, part)), left))
        order = sorted(range(len(left)), key=lambda k: (found[k], k))
        if found[order[0]] >= best:
            break
        best = found[order[0]]
        chosen.append(left[order[0]])
        after, seen_after = wrong(chosen, unseen), wrong(chosen, seen)
        error = float(seen_after.mean())
        steps.append(Mended(chosen[-1], error, float(after.mean())))
        left = [left[k] for k in order[1 : BEAM + 1]]
    return Diagnosis(tuple(steps), float(seen_before.mean()), float(before.mean()), before, after, len(everything))
