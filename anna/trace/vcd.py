"""Waveforms (IEEE 1364 VCD) of one image, for GTKWave and the like: busy units, states on their way, results of the
interpreter."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from anna.chip.codes import Ints
from anna.chip.spec import ChipSpec
from anna.machine.interpreter import Interpreter
from anna.machine.state import CalcRecord
from anna.program.isa import Op
from anna.sequencer.timeline import Timeline
from anna.trace.events import events, image_cycles, layers, page_loads, pages, segment_starts, tracks

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
    spec, names, named = timeline.spec, _codes(), list(dict.fromkeys(layer.name for layer in layers(timeline)))
    signals = {unit: _Signal(f"{unit}_busy", 1, next(names)) for unit in ("page_load", *tracks(spec))}
    signals |= {word: _Signal(word, bits, next(names)) for word, bits in (("layer", 16), ("page", 16), ("calc", 32))}
    for name in _held(spec):
        signals[name] = _Signal(name, spec.columns * spec.state_bits, next(names))
    for neuron in range(spec.neurons_at_once):
        signals[f"n{neuron}"] = _Signal(f"neuron_{neuron}", spec.state_bits, next(names))

    changes: dict[int, dict[str, int]] = {}

    def put(cycle: Fraction, signal: str, value: int) -> None:
        changes.setdefault(_picoseconds(spec, cycle), {})[signal] = value

    def busy(unit: str, start: Fraction, cycles: Fraction | int) -> None:  # in time order for each unit: work that begins as
        put(start, unit, 1)  # other work ends keeps the unit busy
        put(start + cycles, unit, 0)

    for layer in layers(timeline):
        put(layer.start, "layer", named.index(layer.name))
    for load, page, segment in zip(page_loads(timeline), pages(timeline), timeline.segments, strict=True):
        if load.cycles:
            busy("page_load", load.start, load.cycles)
        put(page.start, "page", segment.page)
    for event in events(timeline):
        busy(event.unit, event.start, event.cycles)

    starts, calcs = segment_starts(timeline), timeline.calcs

    def calc(record: CalcRecord) -> None:
        at = starts[calcs[record.ordinal].segment] + calcs[record.ordinal].cycle
        put(at, "calc", record.ordinal)
        for neuron, code in enumerate(record.codes.tolist()):
            put(at + spec.calc_cycles, f"n{neuron}", code)

    machine.hooks.append(calc)
    while not machine.done:
        index = machine.state.index
        op = machine.step()
        at = starts[timeline.segment_of[index]] + timeline.spans[index].end
        for name, states in _changed(machine, op).items():
            put(at, name, sum(code << (i * spec.state_bits) for i, code in enumerate(states.tolist())))
    machine.hooks.remove(calc)
    return "\n".join(_text(timeline, named, signals, changes)) + "\n"


def _picoseconds(spec: ChipSpec, cycle: Fraction) -> int:
    return round(cycle * Fraction(spec.cycle_ns) * 1000)


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


def _text(
    timeline: Timeline, named: list[str], signals: dict[str, _Signal], changes: dict[int, dict[str, int]]
) -> Iterator[str]:
    yield f"$comment program {timeline.program.name}, one image $end"
    if named:
        yield f"$comment layers {', '.join(f'{number}: {name}' for number, name in enumerate(named))} $end"
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
    for time in sorted(changes):
        new = {name: value for name, value in changes[time].items() if last.get(name) != value}
        if new:
            yield f"#{time}"
        for name, value in new.items():
            signal = signals[name]
            yield f"{value}{signal.code}" if signal.bits == 1 else f"b{value:b} {signal.code}"
            last[name] = value
    yield f"#{_picoseconds(timeline.spec, image_cycles(timeline))}"
