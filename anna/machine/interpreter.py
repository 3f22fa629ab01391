"""The interpreter: one image, one instruction at a time, in plain Python and NumPy, with everything open to inspection.

It defines what a program means, and the engine must agree with it to the bit. Step it, run it to a cycle, stop it at an
instruction or when something changes, look at registers, memory and synapses, step back, save and restore it.
"""

import copy
from collections.abc import Callable
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from anna.analog import coupling, noise, settling, slow_noise, thermal
from anna.analog.silicon import IdealSilicon, Silicon
from anna.base.errors import DataError, MachineError
from anna.base.renamed import renamed
from anna.chip import refresh
from anna.chip.codes import Ints, carries_weight
from anna.machine.state import CalcRecord, State
from anna.program import isa
from anna.program.file import Program
from anna.program.isa import Op
from anna.sequencer.charge import FIRST_ORDINAL, moment
from anna.sequencer.rules import verified
from anna.sequencer.timeline import UNDEFINED, Calc
from anna.sequencer.timing import Scoreboard, Span

CHECKPOINT_EVERY = 64  # instructions between two snapshots for stepping back
MOST_CHECKPOINTS = 64  # every second one goes, if there are more


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
        slot: int | None = None,
    ) -> None:
        verified(program)
        self.program, self.spec = program, program.spec
        self.silicon = silicon if silicon is not None else IdealSilicon(program.spec)
        self.noise_key, self.image_id = self.silicon.noise_key(noise_seed), image_id
        self.moment = moment(program.spec, program.batch, phase_cycles, slot)
        self._weight_codes = self.silicon.stored_codes(program.weight_codes.astype(np.int64))
        self.hooks: list[Hook] = []
        self.breakpoints: set[int] = set()
        self._watches: dict[str, Callable[[], object]] = {}
        self.state = self._fresh(np.asarray(codes))
        self._checkpoints, self._spacing, self._restored = {0: copy.deepcopy(self.state)}, CHECKPOINT_EVERY, 0

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
        none = np.zeros(spec.pairs, dtype=np.int64)
        wires = np.zeros(spec.neurons_at_once, dtype=np.int64)
        return State(memory, *self._reset(), Scoreboard(spec, self.program.sequencer), none, none, wires)

    def _reset(self) -> tuple[Ints, Ints, Ints]:
        """Shifters, registers and latches at the beginning of a segment."""
        spec = self.spec
        shift, registers, latches = (np.full((count, spec.columns), spec.reset_state_code, dtype=np.int64)
                                     for count in (spec.shifters, spec.registers, spec.latches))  # fmt: skip
        return shift, registers, latches

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
        self._settle(span.start)
        match op.name:
            case "SHIFT":
                self._shift(op)
            case "STORE":
                self._store(op)
            case "CALC":
                self._calc(op, span)
            case "OUT":
                self._out(op)
            case "RFSH":
                self._refresh(op["pair"], span.start)
            case "STOP" | "END":
                self.state.elapsed += self.state.board.idle
                self.state.board = Scoreboard(self.spec, self.program.sequencer)
                self.state.done = True
        self.state.index += 1
        if self.state.index % self._spacing == 0:
            self._checkpoint()
        return op

    def _checkpoint(self) -> None:
        """Remember the state; of a long program in wider steps."""
        self._checkpoints[self.state.index] = copy.deepcopy(self.state)
        if len(self._checkpoints) > MOST_CHECKPOINTS:
            self._spacing *= 2
            kept = [i for i in self._checkpoints if i % self._spacing == 0 or i == self._restored]
            self._checkpoints = {i: self._checkpoints[i] for i in kept}

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
        self._checkpoints[state.index], self._restored = copy.deepcopy(state), state.index

    # --- inspection --------------------------------------------------------------------------------------------------
    def register(self, number: int) -> Ints:
        """State codes in a register of the state storage; on a wide chip in its hold stage, as the array sees them."""
        held: Ints = (self.state.hold if self.spec.wide else self.state.registers)[number].copy()
        return held

    def latch(self, number: int) -> Ints:
        """State codes in a latch, as the array sees them."""
        held: Ints = self.state.hold[number].copy()
        return held

    def shifter(self, number: int = 0) -> Ints:
        """State codes in a shifter."""
        held: Ints = self.state.shift[number].copy()
        return held

    def memory(self, address: int) -> int | None:
        """State code at an address; None where nothing was written."""
        code = int(self.state.memory[address])
        return None if code == UNDEFINED else code

    def synapse(self, row: int, column: int) -> float:
        """The weight that a synapse has now, in weight LSB: code, imperfections and the age of its charge."""
        r, c = np.array(row), np.array(column)
        fresh = [written for pair, written, _ in self.state.fresh if pair == self._pair(r, c)]
        age = np.array(0) if fresh else self._charges(self.state.board.now, r, c)[0]
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
        """Stop `run` when a register, or one column of it, changes."""
        columns = slice(None) if column is None else slice(column, column + 1)
        name = f"register {number}" + ("" if column is None else f" column {column}")
        self._watches[name] = lambda: tuple(self.register(number)[columns].tolist())

    def watch_latch(self, number: int, column: int | None = None) -> None:
        """Stop `run` when a latch, or one column of it, changes."""
        columns = slice(None) if column is None else slice(column, column + 1)
        name = f"latch {number}" + ("" if column is None else f" column {column}")
        self._watches[name] = lambda: tuple(self.latch(number)[columns].tolist())

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
        state.board, state.page, state.segment = Scoreboard(self.spec, self.program.sequencer), page, state.segment + 1
        state.shift, state.registers, state.hold = self._reset()
        state.last = np.zeros_like(state.last)
        state.fresh.clear()
        self._exchange()
        if not self.spec.wide:
            self._load_page()

    def _exchange(self) -> None:
        """The host's rounds before this segment: it reads regions, computes, and writes regions."""
        regions, memory = {region.name: region.addresses for region in self.program.regions}, self.state.memory
        for one in self.program.rounds:
            if one.segment == self.state.segment:
                states = {each.region: memory[regions[each.region]].astype(np.uint16)[None] for each in one.part.readings}
                for name, codes in one.codes(self.spec, states).items():
                    memory[regions[name]] = codes[0]

    def _load_page(self) -> None:
        """What RFSH wrote before this image: the page, before the first image of the batch, and what the image before did."""
        spec, state, ops = self.spec, self.state, self.program.ops
        begin = state.index + 1
        end = next(i for i in range(begin, len(ops)) if ops[i].ends or ops[i].name == "PAGE")
        board, rows, again = Scoreboard(spec, self.program.sequencer), set[int](), list[tuple[int, int]]()
        board.issue(ops[state.index])
        for op in ops[begin:end]:
            span = board.issue(op)
            if op.name == "CALC":
                rows |= {op["row"] + row for row in range(isa.rows_of(spec, isa.fan_in_of(spec, op), op["neurons"]))}
            if op.name == "RFSH":
                again.append((op["pair"], span.start))
        state.written = np.full(spec.pairs, -1 - self.moment * board.idle, dtype=np.int64)
        state.writes = np.full(spec.pairs, state.segment, dtype=np.int64)
        each, cycles = spec.columns // spec.dacs, self.program.sequencer.issue_cycles(spec)
        loaded = [row * each + k for row in sorted(rows) for k in range(each)]
        for turn, pair in enumerate(loaded):
            state.written[pair] = cycles * (turn - len(loaded)) - self.moment * board.idle
        for pair, start in again if self.moment else ():
            if not self._stopped(start):
                state.written[pair] = start - board.idle

    def _stopped(self, cycle: int) -> bool:
        """Whether weights are no longer written."""
        stops = self.silicon.refresh_stops
        return stops is not None and cycle >= stops

    def _refresh(self, pair: int, cycle: int) -> None:
        if not self._stopped(cycle):
            self.state.fresh.append((pair, cycle, FIRST_ORDINAL + self.state.refreshes))
        self.state.refreshes += 1

    def _settle(self, cycle: int) -> None:
        """What RFSH wrote before a cycle is read from then on."""
        for pair, written, number in [one for one in self.state.fresh if one[1] < cycle]:
            self.state.written[pair], self.state.writes[pair] = written, number
            self.state.fresh.remove((pair, written, number))

    def _charges(self, cycle: int, rows: Ints, columns: Ints) -> tuple[Ints, Ints]:
        """How old the charge of each synapse is at a cycle of the segment, and the number of the write that left it."""
        spec, state, stops, now = self.spec, self.state, self.silicon.refresh_stops, np.array(cycle)
        if spec.wide:
            lap = refresh.laps(spec, now, rows, columns, self.moment, stops)
            ages = refresh.ages(spec, now, rows, columns, self.moment, stops)
            return ages, refresh.ordinal(np.array(state.segment), lap)
        pairs = self._pair(rows, columns)
        return now - state.written[pairs], state.writes[pairs]

    def _pair(self, rows: Ints, columns: Ints) -> Ints:
        """Which pair of weights a synapse belongs to."""
        return (rows * self.spec.columns + columns) // self.spec.dacs

    def _shift(self, op: Op) -> None:
        state, spec = self.state, self.spec
        if spec.wide:
            lane = state.shift[op["register"], op["first"] : op["first"] + op["width"]]
        else:
            lane = state.shift[0]
            if op["register"] and spec.shift_from != "shifter":
                lane[:] = state.registers[op["register"] - 1]
        lane[:] = np.concatenate([lane[op.states :], state.memory[op.addresses]])

    def _store(self, op: Op) -> None:
        state, spec = self.state, self.spec
        for latch in op.members("registers" if spec.wide else "latches"):
            state.hold[latch] = state.shift[latch if spec.wide else 0]
        for register in () if spec.wide else op.members("registers"):
            state.registers[register] = state.shift[0]

    def _out(self, op: Op) -> None:
        results = self.state.untaken[0]
        self.state.memory[op.addresses] = results[: op.states]
        self.state.untaken[0] = results[op.states :]
        if self.spec.wide or not len(self.state.untaken[0]):
            self.state.untaken.popleft()

    def _calc(self, op: Op, span: Span) -> None:
        state, spec = self.state, self.spec
        calc = Calc(state.calcs, state.index, state.segment, state.page, span.start, isa.fan_in_of(spec, op), op["row"],
                    op["neurons"], np.zeros(0, np.int32))  # fmt: skip
        rows, columns = calc.synapses(spec)
        silicon = self.silicon.with_pages(np.array(calc.page))
        states = state.hold[np.array(isa.latches_of(spec, op))[rows - calc.row], columns]
        weight_codes = self._weight_codes[calc.page, rows, columns]
        ages, when = self._charges(calc.cycle, rows, columns)
        weights = silicon.weights(weight_codes, rows, columns, ages)
        charge = silicon.charge_sigma(weight_codes, rows, columns)
        if charge is not None:
            z = noise.normals(self.noise_key, self.image_id, when, noise.CHARGE, rows * spec.columns + columns)
            weights = weights + noise.steps(z, charge)
        sums = (weights * _drive(silicon, states, rows, columns)).sum(axis=1)

        adcs = np.arange(calc.neurons)
        places = (adcs, *calc.scale_places(spec))
        scale_codes = self.program.scale_codes[calc.page, places[1], places[2]].astype(np.int64)
        limits = silicon.sum_limits(*places, scale_codes)
        if limits is not None:
            sums = np.clip(sums, *limits)
        sums = self._seen(silicon, sums, (*places, scale_codes))
        sigma = silicon.thermal_sigma(*places, scale_codes, carries_weight(spec, weight_codes).sum(axis=1))
        slow = silicon.slow_sigma(*places, scale_codes)
        if slow is not None:
            sums = sums + noise.steps(self._slow_noise[adcs], slow)
        thresholds = silicon.thresholds(*places, scale_codes)
        if sigma is not None:
            steps = thermal.on_steps(thresholds, adcs, sigma)
            thresholds, grain = steps.thresholds[steps.table], steps.grain[steps.table]
            normals = thermal.normals(self.noise_key, self.image_id, calc.ordinal, adcs)
            sums = sums + thermal.amounts(normals, steps.strength, grain)
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

    def _seen(self, silicon: Silicon, sums: Ints, neurons: tuple[Ints, Ints, Ints, Ints]) -> Ints:
        """What coupled wires that have not settled show of limited sums."""
        coupled, unsettled = silicon.coupled(*neurons), silicon.unsettled(*neurons)
        carried = sums if coupled is None else coupling.coupled(sums, coupled)
        last = self.state.last[: len(sums)].copy()
        self.state.last[: len(sums)] = carried
        return carried if unsettled is None else settling.seen(carried, last, unsettled)

    @cached_property
    def _slow_noise(self) -> NDArray[np.float32]:
        """Of each ADC, for this image."""
        found: NDArray[np.float32] = slow_noise.levels(self.noise_key, [self.image_id], self.spec.neurons_at_once)[0]
        return found


def _drive(silicon: Silicon, states: Ints, rows: Ints, columns: Ints) -> Ints:
    """What state codes drive synapses with."""
    tables = silicon.state_tables()
    if tables is None:
        return silicon.numerators[states]
    return tables[silicon.state_table_of(rows, columns), states]


def interpret(program: Program, codes: NDArray[np.generic], silicon: Silicon | None = None, *, noise_seed: int = 0,
              image_id: int = 0, phase_cycles: int = 0, slot: int | None = None) -> dict[str, Ints]:  # fmt: skip
    """Run an image, given as state codes, to the end; returns the state codes of every output region and map."""
    machine = Interpreter(program, codes, silicon, noise_seed=noise_seed, image_id=image_id, phase_cycles=phase_cycles,
                          slot=slot)  # fmt: skip
    while not machine.done:
        machine.step()
    return {region.name: machine.output(region.name) for region in program.readable}
