"""Coupling and settling of the summing wires through the pins: one wire is driven far either way, another is read.

What is driven and what is read lie on other columns of the same rows, so the two differ by nothing but what leaks from one to
the other. The thresholds move by share x (difference of what is driven); noise and offsets, the same in both runs, cancel.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anna.chip import codes
from anna.chip.codes import Floats, Ints
from anna.chip.spec import ANNA_1991, ChipSpec
from anna.lab.pins import (
    NEAR_LSB,
    Resolution,
    Sweep,
    count_reached,
    finest_scale,
    pins_program,
    quarter_products_per_lsb,
    states_for_sums,
    straight,
)
from anna.machine.chip import Chip
from anna.program.file import Codes, Program, blank_pages

DRIVEN = 8  # synapses at the largest weight, under the lowest or the highest state
RESOLUTION = Resolution(beyond_lsb=4.0)  # shares of up to 0.14 move no threshold farther


@dataclass(frozen=True, eq=False)
class Coupling:
    """Share of each neighbour's sum in each neuron's, by ADC; nothing where there is no neighbour."""

    from_left: Floats
    from_right: Floats


@dataclass(frozen=True, eq=False)
class Settling:
    """Share of its last sum that each neuron's wire still holds, by ADC."""

    left: Floats


def coupling(
    chip: Chip,
    *,
    spec: ChipSpec = ANNA_1991,
    resolution: Resolution = RESOLUTION,
    noise_seed: int = 0,
    threads: int | None = None,
) -> Coupling:
    """Drive the neighbour on one side of each neuron, in the same CALC; in such an order of neurons that no wire is read that
    was driven in the CALC before."""
    adcs, found = spec.neurons_at_once, []
    for side in (-1, 1):
        weights, scales = _blank(spec)
        turns = range(adcs)[::-side]  # which ADC each CALC reads
        for turn, adc in enumerate(turns):
            first = turn * adcs
            _read_weights(spec, weights, [first + adc], resolution)
            if 0 <= adc + side < adcs:
                _driven_weights(spec, weights, [first + adc + side])
        layouts = [straight(spec, spec.columns, turn * adcs, adcs) for turn in range(adcs)]
        program = pins_program(spec, layouts, weights, scales)
        moved = _moved(chip, program, resolution, noise_seed, threads)
        found.append(moved[np.argsort(turns), np.arange(adcs)])
    return Coupling(*found)


def settling(
    chip: Chip,
    *,
    spec: ChipSpec = ANNA_1991,
    resolution: Resolution = RESOLUTION,
    noise_seed: int = 0,
    threads: int | None = None,
) -> Settling:
    """Drive every other wire in one CALC and read it in the next, then the wires between them: coupling adds nothing."""
    adcs = spec.neurons_at_once
    weights, scales = _blank(spec)
    for turn in range(2):
        mine = range(turn, adcs, 2)
        _driven_weights(spec, weights, [2 * turn * adcs + adc for adc in mine])
        _read_weights(spec, weights, [(2 * turn + 1) * adcs + adc for adc in mine], resolution)
    layouts = [straight(spec, spec.columns, number * adcs, adcs) for number in range(4)]
    moved = _moved(chip, pins_program(spec, layouts, weights, scales), resolution, noise_seed, threads)
    moves = np.array([moved[1 + 2 * (adc % 2), adc] for adc in range(adcs)])
    return Settling(moves / (1.0 + moves))  # of the sum that is read, only the rest is seen


def _blank(spec: ChipSpec) -> tuple[Codes, Codes]:
    weights, scales = blank_pages(spec)
    scales[:] = finest_scale(spec)
    return weights, scales


def _driven_weights(spec: ChipSpec, weights: Codes, rows: Sequence[int]) -> None:
    weights[0, rows, :DRIVEN] = codes.weight_converter(spec).size - 1


def _read_weights(spec: ChipSpec, weights: Codes, rows: Sequence[int], resolution: Resolution) -> None:
    """The smallest weights that move a sum over the range."""
    weights[0, rows, DRIVEN:] = codes.weight_converter(spec).exact(_read_half(spec, resolution) / 2.0)


def _read_half(spec: ChipSpec, resolution: Resolution) -> int:
    need = float(resolution.grid_lsb(spec)[-1]) * float(quarter_products_per_lsb(spec)[finest_scale(spec)])
    reach = (spec.columns - DRIVEN) * int(codes.state_converter(spec).numerators[-1])
    return next(int(half) for half in codes.weight_converter(spec).numerators.tolist() if half > 0 and half * reach >= need)


def _moved(chip: Chip, program: Program, resolution: Resolution, noise_seed: int, threads: int | None) -> Floats:
    """How far the thresholds move as the driven columns go from the highest state to the lowest, as a share of the difference
    of what is driven: (CALCs, ADCs)."""
    spec, read = program.spec, program.spec.columns - DRIVEN
    lsb, grid = float(quarter_products_per_lsb(spec)[finest_scale(spec)]), resolution.grid_lsb(spec)
    targets = np.repeat(np.rint(grid * lsb).astype(np.int64), resolution.repeats)
    chosen, _ = states_for_sums(spec, np.full(read, _read_half(spec, resolution)), targets, noise_seed, lsb * NEAR_LSB)
    ends = codes.state_converter(spec).numerators[[0, -1]]
    heaviest = int(codes.weight_converter(spec).numerators[-1]) * DRIVEN / lsb
    sweeps = list[Floats]()
    for state in (0, codes.state_converter(spec).size - 1):
        states = np.zeros((len(targets), spec.latches, spec.columns), dtype=np.int64)
        states[:, 0, DRIVEN:], states[:, 0, :DRIVEN] = chosen, state
        result = chip.run_codes(program, states, noise_seed=noise_seed, threads=threads)
        sweeps.append(np.array([_thresholds(part.astype(np.int64), grid, resolution, spec) for part in result.codes.values()]))
    return np.asarray((sweeps[0] - sweeps[1]) / (heaviest * float(ends[1] - ends[0])))


def _thresholds(found: Ints, grid: Floats, resolution: Resolution, spec: ChipSpec) -> Floats:
    """The mean threshold of each ADC, in LSB."""
    codes_srk = found.reshape(resolution.steps, resolution.repeats, -1)
    sweeps = (Sweep(grid, count_reached(spec, codes_srk[:, :, k]), resolution.repeats) for k in range(codes_srk.shape[2]))
    return np.array([float(sweep.thresholds_lsb.mean()) for sweep in sweeps])
