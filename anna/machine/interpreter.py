"""The interpreter: one image, one instruction at a time, in plain Python and NumPy, with everything open to inspection.

It defines what a program means, and the engine must agree with it to the bit. Step it, run it to a cycle, stop it at an
instruction or when something changes, look at registers, memory and synapses, step back, save and restore it.
"""

import copy
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from anna.analog import noise
from anna.analog.silicon import IdealSilicon, Silicon
from anna.base.errors import DataError, MachineError
from anna.base.renamed import renamed
from anna.chip import refresh
from anna.chip.codes import Ints, carries_weight
from anna.program import isa
from anna.program.file import Program
from anna.program.isa import Op
from anna.sequencer.rules import verified
from anna.sequencer.timeline import UNDEFINED, Calc
from anna.sequencer.timing import Scoreboard, Span

CHECKPOINT_EVERY = 64  # instructions between two snapshots for stepping back


@dataclass(frozen=True)
class CalcRecord:
    """Everything that happened in one CALC."""

    ordinal: int
    index: int  # instruction
    cycle: int  # since the image began
    rows: Ints  # (neurons, fan_in)
    columns: Ints
    ages: Ints  # cycles
    weights: Ints  # 2^-f weight LSB
    states: Ints  # codes
    sums: Ints  # accumulator units
    thresholds: Ints  # (neurons, levels - 1)
    codes: Ints  # (neurons)


@dataclass
class State:
    """Everything that changes while an image runs."""

    memory: Ints  # state codes; UNDEFINED where nothing was written
    shift: Ints  # (registers, columns) codes
    hold: Ints
    board: Scoreboard
    index: int = 0  # next instruction
    page: int = 0
    segment: int = -1
    elapsed: int = 0  # cycles of the segments before
    calcs: int = 0
    untaken: deque[Ints] = field(default_factory=deque)
    done: bool = False

    @property
    def cycle(self) -> int:
        """Cycles since the image began, without page loads."""
        return self.elapsed + self.board.now


Hook = Callable[[CalcRecord], None]


class Interpreter:
    """A program running on one image, given as state codes in the shape of its input region."""

    @renamed(picture="codes")
    def __init__(
        self,
        program: Program,
        codes: NDArray[np.generic],
        silicon: Silicon | None = None,
        *,
        noise_seed: int = 0,
        image_id: int = 0,
        phase_cycles: int = 0,
    ) -> None:
        verified(program)
        self.program, self.spec = program, program.spec
        self.silicon = silicon if silicon is not None else IdealSilicon(program.spec)
        self.noise_key, self.image_id, self.phase_cycles = self.silicon.noise_key(noise_seed), image_id, phase_cycles
        self._weight_codes = self.silicon.stored_codes(program.weight_codes.astype(np.int64))
        self.hooks: list[Hook] = []
        self.breakpoints: set[int] = set()
        self._watches: dict[str, Callable[[], object]] = {}
        self.state = self._fresh(np.asarray(codes))
        self._checkpoints = {0: copy.deepcopy(self.state)}

    def __repr__(self) -> str:
        of = len(self.program.ops)
        where = f"done, {of} instructions" if self.done else f"before instruction {self.state.index} of {of}"
        return f"Interpreter({self.program.name}: {where}, cycle {self.cycle})"

    def _fresh(self, codes: NDArray[np.generic]) -> State:
        region, spec = self.program.input, self.spec
        if codes.shape != region.shape:
            raise DataError(f"codes have shape {codes.shape}; region {region.name} takes {region.shape}")
        if not np.issubdtype(codes.dtype, np.integer) or codes.min() < 0 or codes.max() >= 1 << spec.state_bits:
            raise DataError(f"codes must be state codes, whole numbers from 0 to {(1 << spec.state_bits) - 1}")
        memory = np.full(self.program.window_states, UNDEFINED, dtype=np.int64)
        memory[region.addresses] = codes
        memory[self.program.constant_addresses] = self.program.constant_codes
        return State(memory, self._reset_registers(), self._reset_registers(), Scoreboard(spec))

    def _reset_registers(self) -> Ints:
        return np.full((self.spec.registers, self.spec.columns), self.spec.reset_state_code, dtype=np.int64)

    # --- running -----------------------------------------------------------------------------------------------------
    @property
    def done(self) -> bool:
        """Whether END was reached."""
        return self.state.done

    @property
    def cycle(self) -> int:
        """Cycles since the image began, without page loads."""
        return self.state.cycle

    def step(self) -> Op:
        """Execute the next instruction."""
        if self.state.done:
            raise MachineError(f"program {self.program.name} has ended")
        op = self.program.ops[self.state.index]
        if op.name == "PAGE":
            self._turn_page(op["page"])
        span = self.state.board.issue(op)
        match op.name:
            case "SHIFT":
                self._shift(op)
            case "STORE":
                for register in op.members("registers"):
                    self.state.hold[register] = self.state.shift[register]
            case "CALC":
                self._calc(op, span)
            case "OUT":
                results = self.state.untaken.popleft()
                self.state.memory[op.addresses] = results[: op.states]
            case "END":
                self.state.elapsed += self.state.board.idle
                self.state.board = Scoreboard(self.spec)
                self.state.done = True
        self.state.index += 1
        if self.state.index % CHECKPOINT_EVERY == 0:
            self._checkpoints[self.state.index] = copy.deepcopy(self.state)
        return op

    def run(self, to_cycle: int | None = None) -> str:
        """Run to the end, a breakpoint, a change of something watched, or a cycle; returns which it was."""
        seen = {name: look() for name, look in self._watches.items()}
        while not self.state.done:
            if to_cycle is not None and self.cycle >= to_cycle:
                return f"cycle {self.cycle}"
            self.step()
            for name, look in self._watches.items():
                if (now := look()) != seen[name]:
                    return f"{name} changed from {seen[name]} to {now} in instruction {self.state.index - 1}"
            if self.state.index in self.breakpoints and not self.state.done:
                return f"breakpoint at instruction {self.state.index}"
        return "end"

    def back(self, steps: int = 1) -> None:
        """Undo instructions."""
        target = self.state.index - steps
        if steps < 0 or target < 0:
            raise MachineError(f"cannot step back {steps} instructions; {self.state.index} have been executed")
        hooks, self.hooks = self.hooks, []
        self.state = copy.deepcopy(self._checkpoints[max(i for i in self._checkpoints if i <= target)])
        while self.state.index < target:
            self.step()
        self.hooks = hooks

    def save(self) -> State:
        """A copy of everything that changes."""
        return copy.deepcopy(self.state)

    def restore(self, state: State) -> None:
        """Continue from a saved state of the same program."""
        self.state = copy.deepcopy(state)
        self._checkpoints = {i: kept for i, kept in self._checkpoints.items() if i == 0}
        self._checkpoints[state.index] = copy.deepcopy(state)

    # --- inspection --------------------------------------------------------------------------------------------------
    def register(self, number: int) -> Ints:
        """State codes in the hold stage of a register, as the array sees them."""
        held: Ints = self.state.hold[number].copy()
        return held

    def memory(self, address: int) -> int | None:
        """State code at an address; None where nothing was written."""
        code = int(self.state.memory[address])
        return None if code == UNDEFINED else code

    def synapse(self, row: int, column: int) -> float:
        """The weight that a synapse has now, in weight LSB: code, imperfections and the age of its charge."""
        r, c = np.array(row), np.array(column)
        now, stops = np.array(self.state.board.now), self.silicon.refresh_stops
        age = refresh.ages(self.spec, now, r, c, self.phase_cycles, stops)
        code = self._weight_codes[self.state.page, row, column]
        silicon = self.silicon.with_pages(np.array(self.state.page))
        return float(silicon.weights(np.asarray(code), r, c, age)) / (1 << self.spec.weight_fraction_bits)

    def output(self, name: str) -> Ints:
        """State codes of an output region or map."""
        region = next((region for region in self.program.readable if region.name == name), None)
        if region is None:
            known = ", ".join(region.name for region in self.program.readable) or "none"
            raise MachineError(f"program {self.program.name} has no region {name}; it has {known}")
        found: Ints = self.state.memory[region.addresses]
        return found

    def watch_register(self, number: int, column: int | None = None) -> None:
        """Stop `run` when a register, or one column of it, changes in the hold stage."""
        columns = slice(None) if column is None else slice(column, column + 1)
        name = f"register {number}" + ("" if column is None else f" column {column}")
        self._watches[name] = lambda: tuple(self.state.hold[number, columns].tolist())

    def watch_memory(self, address: int) -> None:
        """Stop `run` when an address changes."""
        self._watches[f"address {address}"] = lambda: self.memory(address)

    def watch_synapse(self, row: int, column: int) -> None:
        """Stop `run` when the weight of a synapse changes: a new page, a refresh, or leaked charge."""
        self._watches[f"synapse {row}.{column}"] = lambda: self.synapse(row, column)

    def unwatch(self) -> None:
        """Remove all watches."""
        self._watches.clear()

    # --- what the instructions do ------------------------------------------------------------------------------------
    def _turn_page(self, page: int) -> None:
        state = self.state
        state.elapsed += state.board.idle
        state.board, state.page, state.segment = Scoreboard(self.spec), page, state.segment + 1
        state.shift, state.hold = self._reset_registers(), self._reset_registers()

    def _shift(self, op: Op) -> None:
        lane = self.state.shift[op["register"], op["first"] : op["first"] + op["width"]]
        lane[:] = np.concatenate([lane[op.states :], self.state.memory[op.addresses]])

    def _calc(self, op: Op, span: Span) -> None:
        state, spec = self.state, self.spec
        calc = Calc(state.calcs, state.index, state.segment, state.page, span.start, isa.fan_in_of(spec, op), op["row"],
                    op["neurons"], np.zeros(0, np.int32))  # fmt: skip
        rows, columns = calc.synapses(spec)
        silicon = self.silicon.with_pages(np.array(calc.page))
        states = state.hold[np.array(op.per_row("registers"))[rows - calc.row], columns]
        weight_codes, stops = self._weight_codes[calc.page, rows, columns], self.silicon.refresh_stops
        ages = refresh.ages(spec, np.array(calc.cycle), rows, columns, self.phase_cycles, stops)
        weights = silicon.weights(weight_codes, rows, columns, ages)
        charge = silicon.charge_sigma(weight_codes, rows, columns)
        if charge is not None:
            lap = refresh.laps(spec, np.array(calc.cycle), rows, columns, self.phase_cycles, stops)
            when = refresh.ordinal(np.array(calc.segment), lap)
            z = noise.normals(self.noise_key, self.image_id, when, noise.CHARGE, rows * spec.columns + columns)
            weights = weights + noise.steps(z, charge)
        sums = (weights * _drive(silicon, states, rows, columns)).sum(axis=1)

        adcs = np.arange(calc.neurons)
        places = (adcs, *calc.scale_places(spec))
        scale_codes = self.program.scale_codes[calc.page, places[1], places[2]].astype(np.int64)
        limits = silicon.sum_limits(*places, scale_codes)
        if limits is not None:
            sums = np.clip(sums, *limits)
        sigma = silicon.thermal_sigma(*places, scale_codes, carries_weight(spec, weight_codes).sum(axis=1))
        if sigma is not None:
            z = noise.normals(self.noise_key, self.image_id, calc.ordinal, noise.THERMAL, adcs)
            sums = sums + noise.steps(z, sigma)
        thresholds = silicon.thresholds(*places, scale_codes)
        results = (sums[:, None] >= thresholds).sum(axis=1)
        masks = silicon.code_masks(adcs)
        if masks is not None:
            results = results & masks[0] | masks[1]
        record = CalcRecord(calc.ordinal, calc.index, state.elapsed + calc.cycle, rows, columns, ages, weights, states,
                            sums, thresholds, results)  # fmt: skip
        state.untaken.append(results)
        state.calcs += 1
        for hook in self.hooks:
            hook(record)


def _drive(silicon: Silicon, states: Ints, rows: Ints, columns: Ints) -> Ints:
    """What state codes drive synapses with."""
    tables = silicon.state_tables()
    if tables is None:
        return silicon.numerators[states]
    return tables[silicon.state_table_of(rows, columns), states]


def interpret(program: Program, codes: NDArray[np.generic], silicon: Silicon | None = None, *, noise_seed: int = 0,
              image_id: int = 0, phase_cycles: int = 0) -> dict[str, Ints]:  # fmt: skip
    """Run an image, given as state codes, to the end; returns the state codes of every output region and map."""
    machine = Interpreter(program, codes, silicon, noise_seed=noise_seed, image_id=image_id, phase_cycles=phase_cycles)
    while not machine.done:
        machine.step()
    return {region.name: machine.output(region.name) for region in program.readable}
