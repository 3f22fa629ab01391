"""Waveforms (IEEE 1364 VCD) of one image, for GTKWave and the like: busy units, states on their way, results of the
interpreter."""

from collections.abc import Iterator
from dataclasses import dataclass

from anna.chip.codes import Ints
from anna.chip.spec import ChipSpec
from anna.machine.interpreter import Interpreter
from anna.machine.state import CalcRecord
from anna.program.isa import Op
from anna.sequencer.timeline import Timeline
from anna.trace.events import events, segment_starts, tracks

_FIRST, _LAST = 33, 126  # the printable characters that VCD identifiers are made of


@dataclass(frozen=True)
class _Signal:
    name: str
    bits: int
    code: str


def _codes() -> Iterator[str]:
    count = 0
    while True:
        number, code = count, ""
        while True:
            number, digit = divmod(number, _LAST - _FIRST + 1)
            code += chr(_FIRST + digit)
            if not number:
                break
        yield code
        count += 1


def vcd(machine: Interpreter, timeline: Timeline) -> str:
    """Run a fresh interpreter to its end and record every change; a time step is a picosecond of chip time."""
    spec, names = timeline.spec, _codes()
    signals = {unit: _Signal(f"{unit}_busy", 1, next(names)) for unit in tracks(spec)}
    signals["page"] = _Signal("page", 16, next(names))
    signals["calc"] = _Signal("calc", 32, next(names))
    for name in _held(spec):
        signals[name] = _Signal(name, spec.columns * spec.state_bits, next(names))
    for neuron in range(spec.neurons_at_once):
        signals[f"n{neuron}"] = _Signal(f"neuron_{neuron}", spec.state_bits, next(names))

    changes: dict[int, dict[str, int]] = {}

    def put(cycle: int, signal: str, value: int) -> None:
        changes.setdefault(cycle, {})[signal] = value

    for event in events(timeline):  # in time order for each unit: work that begins as other work ends keeps the unit busy
        put(event.first_cycle, event.unit, 1)
        put(event.first_cycle + event.cycles, event.unit, 0)
    for segment, start in zip(timeline.segments, segment_starts(timeline), strict=True):
        put(start, "page", segment.page)

    def calc(record: CalcRecord) -> None:
        put(record.cycle, "calc", record.ordinal)
        for neuron, code in enumerate(record.codes.tolist()):
            put(record.cycle + spec.calc_cycles, f"n{neuron}", code)

    machine.hooks.append(calc)
    starts = segment_starts(timeline)
    while not machine.done:
        index = machine.state.index
        op = machine.step()
        at = starts[timeline.segment_of[index]] + timeline.spans[index].end
        for name, states in _changed(machine, op).items():
            put(at, name, sum(code << (i * spec.state_bits) for i, code in enumerate(states.tolist())))
    machine.hooks.remove(calc)
    return "\n".join(_text(timeline, signals, changes)) + "\n"


def _held(spec: ChipSpec) -> list[str]:
    """What holds a row of states; of a wide chip's registers, what the array sees."""
    registers = [f"register_{register}" for register in range(spec.registers)]
    return registers if spec.wide else ["shifter", *registers, *(f"latch_{latch}" for latch in range(spec.latches))]


def _changed(machine: Interpreter, op: Op) -> dict[str, Ints]:
    """What an instruction has just set, and the state codes in it."""
    found = dict[str, Ints]()
    if op.name == "SHIFT" and not machine.spec.wide:
        found["shifter"] = machine.shifter()
    if op.name == "STORE":
        found |= {f"register_{register}": machine.register(register) for register in op.members("registers")}
        if not machine.spec.wide:
            found |= {f"latch_{latch}": machine.latch(latch) for latch in op.members("latches")}
    return found


def _text(timeline: Timeline, signals: dict[str, _Signal], changes: dict[int, dict[str, int]]) -> Iterator[str]:
    yield f"$comment program {timeline.program.name}, one image $end"
    yield "$timescale 1 ps $end"
    yield "$scope module anna $end"
    for signal in signals.values():
        yield f"$var wire {signal.bits} {signal.code} {signal.name} $end"
    yield "$upscope $end"
    yield "$enddefinitions $end"
    yield "#0"
    yield "$dumpvars"
    for signal in signals.values():
        yield f"0{signal.code}" if signal.bits == 1 else f"bx {signal.code}"
    yield "$end"
    last: dict[str, int] = {}
    picoseconds = round(timeline.spec.cycle_ns * 1e3)
    for cycle in sorted(changes):
        new = {name: value for name, value in changes[cycle].items() if last.get(name) != value}
        if new:
            yield f"#{cycle * picoseconds}"
        for name, value in new.items():
            signal = signals[name]
            yield f"{value}{signal.code}" if signal.bits == 1 else f"b{value:b} {signal.code}"
            last[name] = value
    yield f"#{timeline.run_cycles * picoseconds}"
