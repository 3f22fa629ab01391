"""Random legal programs of the published instruction set for hypothesis: loops, RFSH, any chip, any sequencer, any batch."""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import reject
from hypothesis import strategies as st

from anna.chip.adc_curves import ADC_CURVES
from anna.chip.spec import ANNA_1991, DEDICATED, DSP, ChipSpec, Sequencer
from anna.program.file import Program, Region, assemble_program
from anna.program.isa import PUBLISHED, Op, rows_of
from anna.sequencer.walk import elaborate

FAN_INS = {16: [(16,), (8, 16), (4, 16, 32)], 64: [(16, 64), (64,), (16, 64, 128), (16, 64, 128, 256), (32, 256)]}


@st.composite
def chips(draw: st.DrawFn) -> ChipSpec:
    """Any chip of one shifter."""
    columns = draw(st.sampled_from([16, 64]))
    fan_ins = draw(st.sampled_from(FAN_INS[columns]))
    return ANNA_1991.changed(
        rows=draw(st.sampled_from([8, 16, 64])),
        columns=columns,
        fan_ins=fan_ins,
        registers=draw(st.integers(1, 5)),
        latches=draw(st.integers(max(1, fan_ins[-1] // columns), 6)),
        shift_from=draw(st.sampled_from(["either", "register", "shifter"])),
        word_states=draw(st.integers(1, 7)),
        out_words=draw(st.integers(1, 3)),
        neurons_at_once=draw(st.integers(1, 12)),
        weight_bits=draw(st.sampled_from([2, 4, 6, 6, 8])),
        state_bits=draw(st.sampled_from([1, 2, 3, 3, 5, 8])),
        scale_bits=draw(st.integers(0, 4)),
        weight_levels=draw(st.sampled_from(["mid-rise", "mid-tread"])),
        state_levels=draw(st.sampled_from(["mid-rise", "mid-tread"])),
        adc_curve=draw(st.sampled_from(list(ADC_CURVES))),
        adc_full_scale=draw(st.sampled_from([0.25, 0.5, 2.0])),
        calc_cycles=draw(st.integers(1, 6)),
        store_cycles=draw(st.integers(1, 3)),
        states_in_per_cycle=draw(st.integers(1, 4)),
        states_out_per_cycle=draw(st.integers(1, 4)),
        issue_width=draw(st.integers(1, 4)),
        memory_latency_cycles=draw(st.integers(0, 3)),
        dacs=draw(st.sampled_from([1, 2, 4])),
    )


SEQUENCERS = st.one_of(
    st.sampled_from([DEDICATED, DSP]),
    st.builds(
        Sequencer,
        overlap=st.sampled_from(["none", "shift-calc", "all", "all"]),
        instructions_per_s=st.sampled_from([None, None, 5e6, 7e6, 20e6]),
        bytes_per_s=st.sampled_from([None, None, 5e6, 30e6]),
        bytes_per_word=st.integers(1, 4),
        aligned=st.booleans(),
    ),
)


@dataclass
class _Writer:
    """Keeps what may be read and what may be computed while instructions are drawn."""

    spec: ChipSpec
    aligned: bool
    draw: st.DrawFn
    pixels: int
    constants: int
    ops: list[Op] = field(default_factory=list)
    turns: list[int] = field(default_factory=list)  # of the loops around, innermost first
    untaken: list[int] = field(default_factory=list)  # results left of each CALC

    def __post_init__(self) -> None:
        self.known = set(range(self.pixels + self.constants))  # addresses that hold something
        self.first_result = self._word(self.pixels + self.constants)
        self.top = self.first_result

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def put(self, name: str, **values: int) -> None:
        self.ops.append(PUBLISHED.op(name, **values))

    def _word(self, address: int) -> int:
        """The next address at which a word may begin."""
        return -(-address // self.spec.word_states) * self.spec.word_states if self.aligned else address

    # --- the parts of a program
    def segment(self, page: int) -> None:
        self.put("PAGE", page=page)
        self.fill()
        self.block(8)

    def fill(self) -> None:
        """Every column of shifter, registers and latches holds something from the start."""
        spec = self.spec
        word = min(spec.word_states, spec.columns)
        through = 1 if spec.shift_from == "register" else 0
        self.put("REPEAT", count=-(-spec.columns // word))
        self.put("SHIFT", count=word, register=through, address=0)
        self.put("STORE", registers=1)
        self.put("ENDREP")
        self.put("STORE", registers=(1 << spec.registers) - 1, latches=(1 << spec.latches) - 1)

    def block(self, most: int) -> None:
        """Some instructions and loops, which leave no result behind."""
        for _ in range(self.number(1, most)):
            actions = [self.shift, self.shift, self.store, self.calc, self.calc, self.out, self.refresh, self.wait]
            self.draw(st.sampled_from([*actions, self.loop, self.loop] if len(self.turns) < 2 else actions))()
        while self.untaken:
            self.out()

    def loop(self) -> None:
        while self.untaken:
            self.out()
        self.turns.insert(0, self.number(1, 3))
        self.put("REPEAT", count=self.turns[0])
        self.block(4)
        self.put("ENDREP")
        self.turns.pop(0)

    # --- instructions
    def steps(self, room: int, each: int = 1) -> dict[str, int]:
        """Steps, multiples of `each`, that stay within so much room."""
        found = dict[str, int]()
        for name, turns in zip(("step", "outer_step"), self.turns, strict=False):
            step = self.number(0, min(room // max(1, turns - 1), 20) // each) * each
            room -= step * (turns - 1)
            found[name] = step
        return found

    def touched(self, count: int, address: int, steps: dict[str, int]) -> set[int]:
        """Every address that a SHIFT or OUT touches in all turns."""
        starts = {address}
        for step, turns in zip(steps.values(), self.turns, strict=False):
            starts = {start + step * turn for start in starts for turn in range(turns)}
        return {start + i for start in starts for i in range(count)}

    def shift(self) -> None:
        spec = self.spec
        count = self.number(1, min(spec.word_states, spec.columns))
        register = self.number(1 if spec.shift_from == "register" else 0, spec.registers)
        each = spec.word_states if self.aligned else 1
        address = self.number(0, (self.top - 1) // each) * each
        steps = self.steps(max(0, self.top - address - count), each)
        if not self.touched(count, address, steps) <= self.known:
            address, steps = 0, {}
        if self.touched(count, address, steps) <= self.known:
            self.put("SHIFT", count=count, register=register, address=address, **steps)

    def store(self) -> None:
        registers, latches = self.number(0, (1 << self.spec.registers) - 1), self.number(0, (1 << self.spec.latches) - 1)
        self.put("STORE", registers=registers or int(not latches), latches=latches)

    def calc(self) -> None:
        spec = self.spec
        if len(self.untaken) == self.number(1, 2):
            while self.untaken:
                self.out()
        fan_in, neurons = self.number(0, len(spec.fan_ins) - 1), self.number(1, spec.neurons_at_once)
        rows, each = rows_of(spec, spec.fan_ins[fan_in], neurons), max(1, spec.fan_ins[fan_in] // spec.columns)
        if rows <= spec.rows:
            self.put("CALC", fan_in=fan_in, row=self.number(0, spec.rows - rows), neurons=neurons,
                     latch=self.number(0, spec.latches // each - 1) * each)  # fmt: skip
            self.untaken.append(neurons)

    def out(self) -> None:
        if not self.untaken:
            return
        count = self.number(1, min(self.untaken[0], self.spec.out_words * self.spec.word_states))
        each = self.spec.word_states if self.aligned else 1
        address = self.first_result + self.number(0, (self.top - self.first_result) // each) * each
        steps = self.steps(24, each)
        self.put("OUT", count=count, address=address, **steps)
        touched = self.touched(count, address, steps)
        self.known |= touched
        self.top = max(self.top, self._word(max(touched) + 1))
        self.untaken[0] -= count
        if not self.untaken[0]:
            self.untaken.pop(0)

    def refresh(self) -> None:
        """One pair or several; mostly of the row that the last CALC begins with."""
        each = self.spec.columns // self.spec.dacs
        calcs = [op["row"] for op in self.ops if op.name == "CALC"]
        if calcs and self.number(0, 4):
            pair = calcs[-1] * each + self.number(0, each - 1)
        else:
            pair = self.number(0, self.spec.pairs - 1)
        self.put("RFSH", pair=pair, **self.steps(self.spec.pairs - 1 - pair))

    def wait(self) -> None:
        self.put("WAIT", cycles=self.number(1, 9))


WAITING = ("register-held", "written-before-read", "read-before-overwritten")


def _waiting(program: Program) -> Program | None:
    """The program with a WAIT before each instruction that comes too early; None where waiting does not help."""
    for _ in range(60):
        hazards = elaborate(program).hazards
        if not hazards:
            return program
        if hazards[0].rule not in WAITING:
            return None
        code = list(program.code)
        code.insert(int(program.issued.word[hazards[0].index]), PUBLISHED.op("WAIT", cycles=int(hazards[0].details["wait"])))
        constants = dict(zip(program.constant_addresses.tolist(), program.constant_codes.tolist(), strict=True))
        program = assemble_program(program.name, program.spec, code, program.weight_codes, program.scale_codes,
                                   program.regions, constants, program.batch, sequencer=program.sequencer)  # fmt: skip
    return None


@st.composite
def published_programs(draw: st.DrawFn, of: st.SearchStrategy[ChipSpec] | None = None) -> Program:
    """A program that the verifier lets pass, for any chip or one of these, with all its results as output."""
    spec, sequencer = draw(chips() if of is None else of), draw(SEQUENCERS)
    writer = _Writer(spec, sequencer.aligned, draw, draw(st.integers(spec.word_states, 40)), draw(st.integers(0, 3)))
    turned = draw(st.sampled_from([(0,), (0,), (0, 0), (0, 1), (1, 0, 1)]))
    for page in turned:
        writer.segment(page)
    pages = max(turned) + 1
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weights = rng.integers(0, 1 << spec.weight_bits, (pages, spec.rows, spec.columns)).astype(np.uint16)
    scales = rng.integers(0, 1 << spec.scale_bits, (pages, spec.rows, spec.groups)).astype(np.uint16)
    results = sorted(writer.known - set(range(writer.pixels + writer.constants)))
    regions = [Region(name="image", kind="input", address=0, shape=(writer.pixels,))]
    regions += [Region(name=f"result{address}", kind="output", address=address, shape=(1,)) for address in results]
    constants = {writer.pixels + i: int(rng.integers(0, 1 << spec.state_bits)) for i in range(writer.constants)}
    ops = [*writer.ops, PUBLISHED.op("STOP")]
    program = _waiting(assemble_program("random", spec, ops, weights, scales, regions, constants,
                                        batch=draw(st.integers(1, 9)), sequencer=sequencer))  # fmt: skip
    return reject() if program is None else program
