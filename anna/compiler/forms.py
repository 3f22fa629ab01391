"""The instructions of a program without their addresses, numbered as they come, and what the schedulers must know of each."""

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.chip.spec import ChipSpec, Sequencer
from anna.program.isa import Op
from anna.sequencer.timing import UNITS, busy_cycles, held_cycles, issue_cycles


class Forms:
    """Every instruction that was asked for, once."""

    def __init__(self, spec: ChipSpec, sequencer: Sequencer) -> None:
        self.spec, self.sequencer = spec, sequencer
        self.ops: list[Op] = []
        self._numbers: dict[tuple[Any, ...], int] = {}
        numbers = ("kind", "states", "cycles", "held", "issue_cycles", "neurons", "offsets", "first")
        self._columns = {name: array("q") for name in numbers} | {name: array("Q") for name in ("latches", "needs")}
        self._columns["first"].append(0)

    def number(self, op: Op, latches: Sequence[int] = (), needs: Sequence[int] = ()) -> int:
        """The number of an instruction: the latches that a STORE fills or a CALC reads, and of these those that matter."""
        filled, needed = (sum(1 << latch for latch in set(some)) for some in (latches, needs))
        key = op.name, op.values, filled, needed
        if key not in self._numbers:
            self._numbers[key] = len(self.ops)
            self._add(op, filled, needed)
        return self._numbers[key]

    def _add(self, op: Op, latches: int, needs: int) -> None:
        moves, columns = op.name in ("SHIFT", "OUT"), self._columns
        row = {
            "kind": UNITS.index(op.name) if op.name in UNITS else -1,
            "states": op.states if moves else 0,
            "cycles": busy_cycles(self.spec, op),
            "held": held_cycles(self.spec, self.sequencer, op),
            "issue_cycles": issue_cycles(self.spec, self.sequencer, op),
            "neurons": op.get("neurons", 0),
            "latches": latches,
            "needs": needs,
        }
        for name, value in row.items():
            columns[name].append(value)
        columns["offsets"].extend((op.addresses - op["address"]).tolist() if moves else [])
        columns["first"].append(len(columns["offsets"]))
        self.ops.append(op)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """A column for each thing to know. The addresses of a form are its place and `offsets` from its `first` on."""
        return {name: np.array(column) for name, column in self._columns.items()}
