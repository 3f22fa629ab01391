"""Runs the interpreter against a reference and stops at the first CALC in which they differ.

A reference gives the state code that each neuron of each CALC should have: the engine (`engine_reference`), or maps from
elsewhere (`map_reference`), such as those of the float network (`anna.compiler.reference`). NaN means: anything goes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anna.analog.silicon import IdealSilicon, Silicon
from anna.base.errors import MachineError
from anna.base.renamed import renamed
from anna.machine.interpreter import Interpreter
from anna.machine.stages import Staged
from anna.machine.state import CalcRecord
from anna.program.file import Program
from anna.sequencer.charge import moment
from anna.sequencer.timeline import Timeline
from anna.sequencer.walk import elaborate

Reference = Callable[[int], NDArray[np.float64]]  # CALC -> expected code of each neuron, or NaN


@dataclass(frozen=True)
class Divergence:
    """The first neuron that differs, and everything that went into it."""

    neuron: int
    expected: float
    record: CalcRecord

    @property
    def off_by(self) -> float:
        """LSB between the two."""
        return abs(float(self.record.codes[self.neuron]) - self.expected)

    def __str__(self) -> str:
        record, k = self.record, self.neuron
        operands = " ".join(f"{s}*{w}" for s, w in zip(record.states[k], record.weights[k], strict=True) if w)
        return (
            f"cycle {record.cycle}, instruction {record.index}, CALC {record.ordinal}, neuron {k}: "
            f"code {record.codes[k]}, expected {self.expected:g}; sum {record.sums[k]} of (state code*weight) {operands}"
        )


def lockstep(machine: Interpreter, reference: Reference, tolerance_lsb: float = 0.0) -> Divergence | None:
    """Run the interpreter to the end, or to the first CALC that differs by more than the tolerance, and stop there."""
    found: list[Divergence] = []

    def compare(record: CalcRecord) -> None:
        expected = reference(record.ordinal)[: len(record.codes)]
        off = np.abs(record.codes - expected) > tolerance_lsb  # false for NaN
        if off.any():
            neuron = int(off.argmax())
            found.append(Divergence(neuron, float(expected[neuron]), record))

    machine.hooks.append(compare)
    try:
        while not machine.done and not found:
            machine.step()
    finally:
        machine.hooks.remove(compare)
    return found[0] if found else None


@renamed(picture="codes", schedule="timeline")
def engine_reference(
    program: Program,
    codes: NDArray[np.generic],
    silicon: Silicon | None = None,
    *,
    noise_seed: int = 0,
    image_id: int = 0,
    phase_cycles: int = 0,
    slot: int | None = None,
    simd: str | None = None,
    kernel: str | None = None,
    timeline: Timeline | None = None,
) -> Reference:
    """What the engine gives for every CALC of an image; the image is given as state codes."""
    timeline = timeline or elaborate(program)
    silicon = silicon or IdealSilicon(program.spec)
    results = timeline.values.fixed + np.arange(len(timeline.columns) * program.spec.neurons_at_once)
    when = moment(program.spec, program.batch, phase_cycles, slot)
    engine = Staged(timeline, silicon, [results], when, simd=simd, kernel=kernel, keep=True)
    inputs = np.asarray(codes).reshape(1, -1).astype(np.uint16)
    ids = np.array([image_id], dtype=np.uint64)
    found = engine.run(inputs, ids, noise_seed=silicon.noise_key(noise_seed))
    table = found.reshape(len(timeline.columns), program.spec.neurons_at_once).astype(np.float64)
    return lambda calc: table[calc]


def map_reference(timeline: Timeline, maps: Mapping[str, NDArray[np.float64]]) -> Reference:
    """What each CALC should give so that regions hold these codes, which may be fractions; NaN for all other results."""
    table = np.full((len(timeline.columns), timeline.spec.neurons_at_once), np.nan)
    for name, codes in maps.items():
        if name not in timeline.outputs:
            raise MachineError(f"program {timeline.program.name} has no region {name}; it has {', '.join(timeline.outputs)}")
        values = timeline.outputs[name]
        if codes.shape != values.shape:
            raise MachineError(f"maps for region {name} have shape {codes.shape}; expected {values.shape}")
        results = values >= timeline.values.fixed
        table.reshape(-1)[values[results] - timeline.values.fixed] = codes[results]
    return lambda calc: table[calc]
