"""An independent count of cycles: every unit a counter, every cycle ticked one by one, no event skipped.

It knows nothing of `anna.sequencer.timing`; the two are compared on random programs.
"""

from anna.program.file import Program


def tick_cycles(program: Program) -> list[int]:
    """Cycles of each page segment."""
    segments, current = [], []
    for op in program.ops:
        if op.name in ("PAGE", "END") and current:
            segments.append(_tick(program, current))
            current = []
        if op.name not in ("PAGE", "END"):
            current.append(op)
    return segments


def _tick(program: Program, ops: list) -> int:
    spec = program.spec
    busy = {"input": 0, "array": 0, "output": 0, "store": 0}  # cycles of work left
    running: list[int] = []  # cycles left of CALCs whose results were not asked for
    cycle, at, wait, waited_until, last_busy = 0, 0, 0, 0, 0
    slots = spec.issue_width - 1  # PAGE takes one of cycle 0
    while at < len(ops) or any(busy.values()):
        while at < len(ops):
            op = ops[at]
            if op.name == "WAIT":
                if wait == 0:
                    wait = op["cycles"] + 1  # counts from the cycle in which the instruction before it started
                break
            if slots == 0 or not _free(spec, op, busy, running):
                break
            _start(spec, op, busy, running)
            slots -= 1
            at += 1
        last_busy = cycle + 1 if any(busy.values()) else last_busy
        for unit in busy:
            busy[unit] = max(0, busy[unit] - 1)
        running = [max(0, left - 1) for left in running]
        cycle += 1
        slots = spec.issue_width
        if wait:
            wait -= 1
            if wait == 1:
                wait, waited_until = 0, cycle
                at += 1
    return max(last_busy, waited_until)


def _free(spec, op, busy, running) -> bool:
    if op.name in ("SHIFT", "STORE"):
        return busy["input"] == 0
    if op.name == "CALC":
        return busy["array"] == 0 and busy["store"] == 0 and busy["output"] <= spec.calc_cycles
    return busy["output"] == 0 and running[0] == 0


def _start(spec, op, busy, running) -> None:
    if op.name == "SHIFT":
        busy["input"] = -(-op["count"] * op["blocks"] // spec.states_in_per_cycle)
    elif op.name == "STORE":
        busy["store"] = spec.store_cycles
    elif op.name == "CALC":
        busy["array"] = spec.calc_cycles
        running.append(spec.calc_cycles)
    else:
        running.pop(0)
        busy["output"] = -(-op["count"] * op["blocks"] // spec.states_out_per_cycle)
