"""What a workload remembers of its timeline changes nothing: chips in any order get the workload they would get alone."""

from dataclasses import fields
from pathlib import Path

import numpy as np

import anna
from anna.analog.parameters import Analog
from anna.engine import wiring
from anna.engine.building import build_workload
from anna.engine.workload import Workload
from anna.program.text import assemble

EXAMPLE = Path(__file__).parents[3] / "examples" / "edges.asm"


def same(a: Workload, b: Workload) -> bool:
    def equal(x: object, y: object) -> bool:
        if x is None or y is None:
            return x is y
        one, other = np.asarray(x), np.asarray(y)
        return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())

    return all(equal(getattr(a, field.name), getattr(b, field.name)) for field in fields(a))


def test_chips_in_any_order_get_the_workload_they_would_get_alone() -> None:
    program = assemble(EXAMPLE.read_text())
    timeline = anna.verified(program)
    wanted = [timeline.outputs[region.name] for region in program.outputs]
    noisy = Analog.typical().changed(storage_capacitance_ff=20.0)
    dead = anna.Faults(stuck_synapses=((0, 0, 0.0), (1, 3, 0.0)))
    chips = [anna.Chip(), anna.Chip(seed=1), anna.Chip(seed=1, faults=dead), anna.Chip(seed=2, analog=noisy), anna.Chip(seed=3)]
    silicon = [chip.silicon(program.spec) for chip in chips]

    def fresh(number: int, phase: int) -> Workload:
        for memory in (wiring.wiring, wiring.needed, wiring.ages, wiring.layout):
            memory.cache_clear()
        return build_workload(timeline, silicon[number], wanted, phase)

    alone = {(number, phase): fresh(number, phase) for number in range(len(chips)) for phase in (0, 77)}
    for number, phase in [*alone, *reversed(alone)]:
        assert same(build_workload(timeline, silicon[number], wanted, phase), alone[number, phase])
    assert not same(alone[0, 0], alone[1, 0]) and not same(alone[1, 0], alone[2, 0])
