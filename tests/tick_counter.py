"""An independent count of cycles: every unit a counter, every cycle ticked one by one, no event skipped.

It knows nothing of `anna.sequencer.timing`; the two are compared on random programs.
"""

from fractions import Fraction
from math import ceil

from anna.program.file import Program

UNITS = {"RFSH": "weights", "SHIFT": "input", "STORE": "store", "CALC": "array", "OUT": "output"}


def tick_cycles(program: Program) -> list[int]:
    """Cycles of each page segment."""
    segments, current = [], []
    for op in program.ops:
        if op.name in ("PAGE", "END", "STOP") and current:
            segments.append(_Units(program).run(current))
            current = []
        if op.name not in ("PAGE", "END", "STOP"):
            current.append(op)
    return segments


class _Units:
    """Cycles of work that each unit has left; the sequencer is one of them."""

    def __init__(self, program: Program) -> None:
        self.spec, self.sequencer = program.spec, program.sequencer
        self.left = dict.fromkeys([*UNITS.values(), "sequencer"], 0)
        self.calcs: list[list[int]] = []  # cycles left and results left of each CALC that has some

    def run(self, ops: list) -> int:
        cycle, at, wait, waited_until, last_busy = 0, 0, 0, 0, 0
        slots = self.spec.issue_width - 1  # PAGE takes one of cycle 0
        while at < len(ops) or any(self.left.values()):
            while at < len(ops):
                op = ops[at]
                if op.name == "WAIT":
                    if wait == 0:
                        wait = op["cycles"] + 1  # counts from the cycle in which the instruction before it started
                    break
                if slots == 0 or not self.may_start(op):
                    break
                self.start(op)
                slots -= 1
                at += 1
            last_busy = cycle + 1 if any(self.left.values()) else last_busy
            self.left = {unit: max(0, left - 1) for unit, left in self.left.items()}
            for calc in self.calcs:
                calc[0] = max(0, calc[0] - 1)
            cycle += 1
            slots = self.spec.issue_width
            if wait:
                wait -= 1
                if wait == 1:
                    wait, waited_until = 0, cycle
                    at += 1
        return max(last_busy, waited_until)

    def may_start(self, op) -> bool:
        left = self.left
        if left["sequencer"]:
            return False
        running = {unit for unit in UNITS.values() if left[unit]}
        beside = {
            "none": set(),
            "shift-calc": {"SHIFT": {"array"}, "CALC": {"input"}}.get(op.name, set()),
            "all": running,
        }[self.sequencer.overlap]
        if running - beside:
            return False
        if op.name == "RFSH":
            return not left["weights"]
        if op.name == "SHIFT":
            return not left["input"] and (self.spec.instruction_set == "wide" or not left["store"])
        if op.name == "STORE":
            return not left["input"]
        if op.name == "CALC":
            return not left["array"] and not left["store"] and left["output"] <= self.spec.calc_cycles
        return not left["output"] and self.calcs[0][0] == 0

    def start(self, op) -> None:
        spec, wide = self.spec, self.spec.instruction_set == "wide"
        states = op["count"] * (op["blocks"] if wide else 1) if op.name in ("SHIFT", "OUT") else 0
        words = -(-states // spec.word_states)
        rate = spec.states_in_per_cycle if op.name == "SHIFT" else spec.states_out_per_cycle
        moving = -(-states // rate) if wide else words * -(-spec.word_states // rate)
        busy = {"RFSH": 1, "STORE": spec.store_cycles, "CALC": spec.calc_cycles}.get(op.name, moving)
        self.left[UNITS[op.name]] = busy
        if op.name == "CALC":
            self.calcs.append([spec.calc_cycles, op["neurons"]])
        if op.name == "OUT":
            self.calcs[0][1] -= states
            if wide or self.calcs[0][1] <= 0:
                self.calcs.pop(0)
        each, per_byte = self.sequencer.instructions_per_s, self.sequencer.bytes_per_s
        if each or per_byte:
            instruction = ceil(Fraction(spec.clock_hz) / Fraction(each)) if each else 1
            word = ceil(Fraction(spec.clock_hz * self.sequencer.bytes_per_word) / Fraction(per_byte)) if per_byte else 1
            self.left["sequencer"] = max(1, instruction, words * word)
