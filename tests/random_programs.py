"""Random legal programs for hypothesis: any chip, any instruction, made legal by waiting where the verifier says so."""

from copy import copy
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from anna.analog.silicon import IdealSilicon, Silicon
from anna.chip.adc_curves import ADC_CURVES
from anna.chip.codes import Ints, state_converter
from anna.chip.refresh_orders import REFRESH_ORDERS
from anna.chip.spec import ANNA_WIDE, ChipSpec
from anna.program.file import Program, Region, assemble_program
from anna.program.isa import WIDE, Op, rows_of
from anna.sequencer.walk import elaborate

CHIPS = st.one_of(
    st.just(ANNA_WIDE),
    st.builds(
        lambda **fields: ANNA_WIDE.changed(**fields),
        rows=st.sampled_from([8, 16, 64]),
        columns=st.sampled_from([16, 64]),
        registers=st.integers(2, 5),
        fan_ins=st.sampled_from([(16,), (8, 16), (4, 16, 32)]).map(tuple),
        neurons_at_once=st.integers(1, 16),
        weight_bits=st.sampled_from([2, 4, 6, 8, 16]),
        state_bits=st.sampled_from([1, 2, 3, 5, 8, 12]),
        scale_bits=st.integers(0, 4),
        weight_levels=st.sampled_from(["mid-rise", "mid-tread"]),
        state_levels=st.sampled_from(["mid-rise", "mid-tread"]),
        adc_curve=st.sampled_from(list(ADC_CURVES)),
        adc_full_scale=st.sampled_from([0.05, 0.5, 2.0]),
        scale_law=st.sampled_from(["geometric", "linear"]),
        calc_cycles=st.integers(1, 6),
        states_in_per_cycle=st.integers(1, 4),
        states_out_per_cycle=st.integers(1, 4),
        issue_width=st.integers(1, 4),
        memory_latency_cycles=st.integers(0, 3),
        refresh_order=st.sampled_from(list(REFRESH_ORDERS)),
    ),
)


@dataclass
class _Writer:
    """Keeps what may be read and what may be computed while instructions are drawn."""

    spec: ChipSpec
    draw: st.DrawFn
    pixels: int
    constants: int

    def __post_init__(self) -> None:
        self.ops: list[Op] = []
        self.known = list(range(self.pixels + self.constants))  # addresses that hold something
        self.top = self.pixels + self.constants
        self.untaken: list[int] = []  # neurons of each CALC that waits to be taken out

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def segment(self, page: int) -> None:
        spec = self.spec
        self.ops.append(WIDE.op("PAGE", page=page))
        self.registers = sorted({self.number(0, spec.registers - 1) for _ in range(2)})
        for register in self.registers:  # every column holds something from the start
            self.ops.append(WIDE.op("SHIFT", register=register, width=spec.columns, address=self.number(0, self.top - 1),
                               count=spec.columns, stride=0))  # fmt: skip
        self.ops.append(WIDE.op("STORE", registers=sum(1 << register for register in self.registers)))
        for _ in range(self.number(1, 12)):
            self.draw(st.sampled_from([self.shift, self.shift, self.store, self.calc, self.calc, self.out, self.wait]))()
        while self.untaken:
            self.out()

    def shift(self) -> None:
        width = self.number(1, self.spec.columns)
        first = self.number(0, self.spec.columns - width)
        count, blocks = self.number(1, min(width, 12)), 1
        if count * 2 <= width:
            blocks = self.number(1, min(3, width // count))
        address = self.known[self.number(0, len(self.known) - 1)]
        room = max(self.known) - address
        stride = self.number(0, room // max(1, count - 1)) if count > 1 else 1
        room -= stride * (count - 1)
        block_stride = self.number(0, room // (blocks - 1)) if blocks > 1 else 0
        shift = WIDE.op("SHIFT", register=self.registers[self.number(0, len(self.registers) - 1)], first=first, width=width,
                   address=address, count=count, stride=stride, blocks=blocks, block_stride=block_stride)  # fmt: skip
        if set(shift.addresses.tolist()) <= set(self.known):
            self.ops.append(shift)

    def store(self) -> None:
        self.ops.append(WIDE.op("STORE", registers=1 << self.registers[self.number(0, len(self.registers) - 1)]))

    def calc(self) -> None:
        spec = self.spec
        if len(self.untaken) == 2:
            self.out()
        fan_in, neurons = self.number(0, len(spec.fan_ins) - 1), self.number(1, spec.neurons_at_once)
        rows = rows_of(spec, spec.fan_ins[fan_in], neurons)
        if rows <= spec.rows:
            named = tuple(self.registers[self.number(0, len(self.registers) - 1)] for _ in range(rows))
            self.ops.append(WIDE.op("CALC", fan_in=fan_in, row=self.number(0, spec.rows - rows), neurons=neurons,
                               registers=named))  # fmt: skip
            self.untaken.append(neurons)

    def out(self) -> None:
        if not self.untaken:
            return
        neurons = self.untaken.pop(0)
        count = self.number(1, neurons)
        blocks = self.number(1, neurons // count)
        base = self.number(self.pixels + self.constants, self.top)  # over old results, or beyond them
        out = WIDE.op("OUT", address=base, count=count, blocks=blocks, block_stride=self.number(0, count + 2))
        self.ops.append(out)
        self.known = sorted({*self.known, *out.addresses.tolist()})
        self.top = max(self.known) + 1

    def wait(self) -> None:
        self.ops.append(WIDE.op("WAIT", cycles=self.number(1, 9)))


def _waiting(program: Program) -> Program | None:
    """The program with a WAIT before each instruction that comes too early; None where waiting does not help."""
    for _ in range(60):
        hazards = elaborate(program).hazards
        if not hazards:
            return program
        waits = [hazard for hazard in hazards if "wait" in hazard.details]
        if not waits or hazards[0].rule not in ("register-held", "written-before-read", "read-before-overwritten"):
            return None
        at, ops = waits[0].index, list(program.ops)
        ops.insert(at, WIDE.op("WAIT", cycles=int(waits[0].details["wait"])))
        program = assemble_program(program.name, program.spec, ops, program.weight_codes, program.scale_codes,
                                   program.regions, _constants(program))  # fmt: skip
    return None


def _constants(program: Program) -> dict[int, int]:
    return dict(zip(program.constant_addresses.tolist(), program.constant_codes.tolist(), strict=True))


@st.composite
def legal_programs(draw: st.DrawFn) -> Program:
    """A program that the verifier lets pass, with all its results as output."""
    spec = draw(CHIPS)
    writer = _Writer(spec, draw, pixels=draw(st.integers(1, 40)), constants=draw(st.integers(0, 3)))
    pages = draw(st.integers(1, 2))
    for page in range(pages):
        writer.segment(page)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    weights = rng.integers(0, 1 << spec.weight_bits, (pages, spec.rows, spec.columns)).astype(np.uint16)
    scales = rng.integers(0, 1 << spec.scale_bits, (pages, spec.rows, spec.groups)).astype(np.uint16)
    results = [address for address in writer.known if address >= writer.pixels + writer.constants]
    regions = [Region(name="image", kind="input", address=0, shape=(writer.pixels,))]
    regions += [Region(name=f"result{address}", kind="output", address=address, shape=(1,)) for address in results]
    constants = {writer.pixels + i: int(rng.integers(0, 1 << spec.state_bits)) for i in range(writer.constants)}
    program = _waiting(assemble_program("random", spec, [*writer.ops, WIDE.op("END")], weights, scales, regions, constants))
    if program is None:
        draw(st.nothing())  # nothing can be done about it: draw another
    assert program is not None
    return program


class CrookedSilicon(IdealSilicon):
    """Electronics with every imperfection that the border knows, drawn from a seed: for tests of the evaluators alone."""

    def __init__(self, spec: ChipSpec, seed: int, parts: frozenset[str]) -> None:
        super().__init__(spec)
        self._rng, self._parts = np.random.default_rng(seed), parts
        shape, one = (spec.rows, spec.columns), 1 << spec.weight_fraction_bits
        self._error = self._rng.integers(-one // 8, one // 8 + 1, shape)
        levels = 1 << spec.state_bits
        self._lsb = int(max(2, np.abs(np.diff(self._thresholds[0])).min(initial=64)))
        self._offsets = self._rng.integers(-self._lsb, self._lsb + 1, (spec.neurons_at_once, levels - 1))
        self.refresh_stops = int(self._rng.integers(0, 60)) if "stops" in parts else None
        self._tables = self.numerators + self._rng.integers(-1, 2, (3, levels))
        self._pages = np.array(0)

    def with_pages(self, pages: Ints) -> Silicon:
        turned = copy(self)
        turned._pages = pages if "pages" in self._parts else self._pages
        return turned

    def weights(self, weight_codes: Ints, rows: Ints, columns: Ints, ages_cycles: Ints) -> Ints:
        exact = super().weights(weight_codes, rows, columns, ages_cycles)
        if "weights" in self._parts:
            exact = np.where(exact == 0, 0, exact + self._error[(rows + self._pages) % self.spec.rows, columns])
        return exact - exact * ages_cycles // 10_000 if "droop" in self._parts else exact

    def thresholds(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> Ints:
        exact = super().thresholds(adcs, rows, groups, scale_codes)
        moved = np.sort(exact + self._offsets[(adcs + self._pages) % len(self._offsets)], axis=-1)
        return moved if "thresholds" in self._parts else exact

    def thermal_sigma(  # type: ignore[override]
        self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints, synapses: Ints
    ) -> np.ndarray | None:
        sigma = self._lsb * ((adcs + 1 + self._pages) / 7 + synapses / 64)
        return sigma.astype(np.float32) if "thermal" in self._parts else None

    def sum_limits(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> tuple[Ints, Ints] | None:  # type: ignore[override]
        return (-2 * self._lsb - adcs - self._pages, self._lsb + adcs) if "limits" in self._parts else None

    def coupled(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> Ints | None:  # type: ignore[override]
        return (adcs * 7000 + rows + self._pages) % 2**16 if "coupled" in self._parts else None

    def unsettled(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> Ints | None:  # type: ignore[override]
        return (adcs * 9000 + 5000 * rows + self._pages) % 2**16 if "unsettled" in self._parts else None

    def slow_sigma(self, adcs: Ints, rows: Ints, groups: Ints, scale_codes: Ints) -> np.ndarray | None:  # type: ignore[override]
        return (self._lsb * (adcs + 1 + self._pages) / 9).astype(np.float32) if "slow" in self._parts else None

    def code_masks(self, adcs: Ints) -> tuple[Ints, Ints] | None:  # type: ignore[override]
        masks = np.where(adcs + self._pages == 1, 0xFFFE, 0xFFFF), np.where(adcs == 2, 1, 0)
        return masks if "masks" in self._parts else None

    def charge_sigma(self, weight_codes: Ints, rows: Ints, columns: Ints) -> np.ndarray | None:  # type: ignore[override]
        if "charge" not in self._parts:
            return None
        carrying = (self._weights[weight_codes] != 0) & (self._pages + rows != 1)
        return np.where(carrying, (1 << self.spec.weight_fraction_bits) / 5.0, 0.0).astype(np.float32)

    def state_tables(self) -> Ints | None:  # type: ignore[override]
        return self._tables if "states" in self._parts else None

    def state_table_of(self, rows: Ints, columns: Ints) -> Ints:
        return (rows + columns + self._pages) % 3


PARTS = ("weights", "droop", "thresholds", "thermal", "limits", "masks", "charge", "states", "pages", "stops",
         "coupled", "unsettled", "slow")  # fmt: skip


def random_codes(program: Program, images: int, seed: int) -> np.ndarray:
    """Pictures of random states."""
    levels = state_converter(program.spec).size
    return np.random.default_rng(seed).integers(0, levels, (images, *program.input.shape)).astype(np.uint16)
