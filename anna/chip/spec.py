"""The specification of a chip and of its sequencer: frozen records that everything else follows.

Each field carries its unit, its mark and its source (`ChipSpec.provenance`). `ANNA_1991` is the chip as `anna.chip.facts`
knows it; a chip with other bits, sizes or cycles is a changed record: `ANNA_1991.changed(weight_bits=8)`. `ANNA_WIDE` has
four shift stages and reads memory in any pattern: what this model assumed before the board paper could be read.
"""

import math
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from anna.base.errors import SpecError, nearest
from anna.chip import facts
from anna.chip.adc_curves import ADC_CURVES, AdcCurve
from anna.chip.facts import Fact, Mark
from anna.chip.refresh_orders import RefreshOrder
from anna.chip.scale_laws import SCALE_LAWS, ScaleLaw

Levels = Literal["mid-rise", "mid-tread"]
InstructionSet = Literal["published", "wide"]
ShiftFrom = Literal["either", "register", "shifter"]
Overlap = Literal["none", "shift-calc", "all"]

Model = TypeVar("Model", bound=BaseModel)

# The engine adds up weights in 32 bits and sums in 64, in accumulator units (see `anna.chip.codes`). Both limits leave room for
# the gains, finer units and noise of a real chip, which `anna.analog.electronics` proves for each die.
LARGEST_WEIGHT_SUM = 1 << 30  # of one neuron, in 2^-f weight LSB; times the largest state, below 2^47
LARGEST_THRESHOLD = 2.0**53  # doubles are exact up to there
LEAST_ADC_LSB = 1.0  # else rounding to one unit would move a threshold by more than half an LSB


def known(fact: Fact[Any], note: str, **limits: Any) -> Any:
    """A field whose default is a fact, with its unit, mark and source."""
    origin: dict[str, Any] = {"unit": fact.unit, "mark": fact.mark.value, "source": fact.source}
    return Field(default=fact.value, description=note, json_schema_extra=origin, **limits)


# Pydantic's errors in the wording used everywhere here; other kinds keep pydantic's own.
_EXPECTED = {
    "greater_than_equal": "at least {ge:.15g}", "greater_than": "more than {gt:.15g}",
    "less_than_equal": "at most {le:.15g}", "less_than": "less than {lt:.15g}",
    "int_parsing": "a whole number", "int_type": "a whole number", "int_from_float": "a whole number",
    "float_parsing": "a number", "float_type": "a number", "finite_number": "a finite number",
    "bool_parsing": "true or false", "bool_type": "true or false", "string_type": "text",
    "tuple_type": "several values", "list_type": "several values", "literal_error": "{expected}",
}  # fmt: skip


def first_sentence(error: ValidationError, model: type[BaseModel] | None = None) -> str:
    """Pydantic's first error as one sentence; given a `model`, an unknown field gets a suggestion."""
    problem = error.errors()[0]
    kind, where = problem["type"], ".".join(str(part) for part in problem["loc"])
    if kind == "extra_forbidden":
        known = model.model_fields if model is not None and len(problem["loc"]) == 1 else {}
        near = nearest(where, known) or (f"; expected one of {', '.join(known)}" if known else "")
        return f"{where} is not known{near}"
    if kind == "missing":
        return f"{where} is missing"
    what = problem["msg"].removeprefix("Value error, ").replace("Input should be", "expected", 1)
    if kind in _EXPECTED:
        what = f"expected {_EXPECTED[kind].format(**problem.get('ctx', {}))}"
    given = "" if kind == "value_error" else f", got {problem['input']!r}"
    return f"{where}: {what}{given}" if where else f"{what}{given}"


class Record(BaseModel):
    """A frozen record that refuses unknown fields, infinities and NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)
    called: ClassVar[str] = ""  # its name in messages; the class name if empty

    @classmethod
    def of(cls, **values: Any) -> Self:
        """A validated record; raises SpecError with one sentence."""
        try:
            return cls(**values)
        except ValidationError as error:
            raise SpecError(f"{cls.called or cls.__name__}: {first_sentence(error, cls)}") from None

    def changed(self, **values: Any) -> Self:
        """The same record with some fields changed, validated again."""
        return self.of(**{**self.model_dump(), **values})

    @classmethod
    def provenance(cls) -> dict[str, dict[str, str]]:
        """For every field: note, unit, mark and source."""
        table = {}
        for name, field in cls.model_fields.items():
            extra = field.json_schema_extra
            assert isinstance(extra, dict), f"{cls.__name__}.{name} has no provenance"
            table[name] = {"note": field.description or "", **{key: str(value) for key, value in extra.items()}}
        return table


class ChipSpec(Record):
    """What one chip is. Bits, sizes, clock, cycles and refresh are all parameters."""

    called = "chip"

    # --- instructions
    instruction_set: InstructionSet = known(
        facts.INSTRUCTION_SET, "published: one shifter, words of states, RFSH; wide: a shift stage for each register"
    )
    shift_from: ShiftFrom = known(
        facts.SHIFT_FROM, "what SHIFT shifts: a register's states, what the shifter holds, or either as it says"
    )
    word_states: int = known(facts.STATES_PER_WORD, "states of a word, which a SHIFT loads at most", ge=1, le=4096)
    out_words: int = known(facts.OUT_WORDS, "words that an OUT moves at most", ge=1, le=256)

    # --- array
    rows: int = known(facts.ROWS, "rows of synapses", ge=1, le=4096)
    columns: int = known(facts.COLUMNS, "synapses of a row = states of a register", ge=1, le=4096)
    registers: int = known(facts.REGISTERS, "registers of the state storage; wide: each with a shift stage", ge=1, le=64)
    latches: int = known(facts.LATCHES, "latches that the array reads; wide: one for each register", ge=1, le=64)
    neurons_at_once: int = known(facts.NEURONS_AT_ONCE, "neurons that one CALC computes = ADCs", ge=1, le=256)
    fan_ins: tuple[int, ...] = known(facts.FAN_INS, "inputs that a neuron may have", min_length=1, max_length=16)

    # --- codes
    weight_bits: int = known(facts.WEIGHT_BITS, "bits of a weight code", ge=2, le=16)
    state_bits: int = known(facts.STATE_BITS, "bits of a state code, in and out", ge=1, le=16)
    scale_bits: int = known(facts.SCALE_BITS, "bits of a neuron's scale code", ge=0, le=8)
    weight_levels: Levels = known(facts.WEIGHT_LEVELS, "where the levels of a weight lie")
    state_levels: Levels = known(facts.STATE_LEVELS, "where the levels of a state lie")
    adc_curve: AdcCurve = known(facts.ADC_CURVE, "where the thresholds of the ADC lie")
    adc_full_scale: float = known(facts.ADC_FULL_SCALE, "range of the ADC at scale code 0", gt=0, le=4096)
    scale_law: ScaleLaw = known(facts.SCALE_LAW, "how the range grows with the scale code")
    scale_step: float = known(facts.SCALE_STEP, "ratio of two ranges (geometric) or first range (linear)", gt=1, le=4)

    # --- time
    clock_hz: int = known(facts.CLOCK_HZ, "clock", ge=1, le=10**12)
    calc_cycles: int = known(facts.CALC_CYCLES, "cycles of a CALC", ge=1, le=1024)
    store_cycles: int = known(facts.STORE_CYCLES, "cycles of a STORE", ge=1, le=1024)
    states_in_per_cycle: int = known(facts.STATES_IN_PER_CYCLE, "states that SHIFT brings in a cycle", ge=1, le=1024)
    states_out_per_cycle: int = known(facts.STATES_OUT_PER_CYCLE, "states that OUT takes out a cycle", ge=1, le=1024)
    issue_width: int = known(facts.ISSUE_WIDTH, "instructions that may start in one cycle", ge=1, le=64)

    # --- refresh
    dacs: int = known(facts.DACS, "DACs that write weights, one synapse a cycle each", ge=1, le=64)
    refresh_order: RefreshOrder = known(facts.REFRESH_ORDER, "which DAC writes which synapse, in which order")
    refresh_overhead_cycles: int = known(
        facts.REFRESH_OVERHEAD_CYCLES, "cycles of a refresh period beyond its writes", ge=0, le=10**9
    )

    # --- state memory of the board, as the chip's program sees it
    memory_states: int | None = known(facts.MEMORY_STATES, "states that the memory holds; None: unlimited", ge=1)
    memory_latency_cycles: int = known(facts.MEMORY_LATENCY_CYCLES, "from write until read", ge=0, le=1024)
    max_pages: int = known(facts.MAX_PAGES, "weight pages that the memory holds", ge=1, le=65_536)
    reset_state_code: int = known(facts.RESET_STATE_CODE, "state code of a register never stored", ge=0)

    @model_validator(mode="before")
    @classmethod
    def _one_latch_for_each(cls, given: Any) -> Any:
        """The hold stages of a wide chip are its latches."""
        if isinstance(given, dict) and given.get("instruction_set") == "wide":
            return {**given, "latches": given.get("registers", facts.REGISTERS.value)}
        return given

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.synapses % self.dacs or self.columns % self.dacs:
            raise ValueError(f"{self.columns} columns cannot be shared evenly by {self.dacs} DACs")
        if list(self.fan_ins) != sorted(set(self.fan_ins)) or min(self.fan_ins) < 1:
            raise ValueError(f"fan_ins must rise and be positive, got {self.fan_ins}")
        for fan_in in self.fan_ins:
            if fan_in < self.columns and self.columns % fan_in:
                raise ValueError(f"a fan-in of {fan_in} does not divide a row of {self.columns} synapses")
            if fan_in > self.columns and fan_in % self.columns:
                raise ValueError(f"a fan-in of {fan_in} is not a whole number of rows of {self.columns} synapses")
        if self.wide and self.latches != self.registers:
            raise ValueError(
                f"a wide chip has a latch for each register; got {self.latches} latches, {self.registers} registers"
            )
        if self.max_inputs > self.latches * self.columns:
            what = "registers" if self.wide else "latches"
            raise ValueError(f"a fan-in of {self.max_inputs} needs more than {self.latches} {what} of {self.columns} states")
        if self.max_inputs > self.rows * self.columns:
            raise ValueError(f"a fan-in of {self.max_inputs} exceeds the {self.synapses} synapses of the array")
        if not self.wide and self.refresh_order != "interleaved":
            raise ValueError(
                f"refresh_order {self.refresh_order}: RFSH writes neighbouring columns, one by each DAC; choose interleaved "
                "or instruction_set wide"
            )
        if self.reset_state_code >= 1 << self.state_bits:
            raise ValueError(f"reset_state_code {self.reset_state_code} does not fit {self.state_bits} bits")
        return self

    @model_validator(mode="after")
    def _sums_fit(self) -> Self:
        """However large its weights and states are, the sum of a neuron fits its integer types."""
        largest = self.max_inputs << (self.weight_bits - 1 + self.weight_fraction_bits)
        if largest > LARGEST_WEIGHT_SUM:
            fits = LARGEST_WEIGHT_SUM >> (self.weight_bits - 1 + self.weight_fraction_bits)
            raise ValueError(
                f"a fan-in of {self.max_inputs} weights of weight_bits {self.weight_bits} is beyond what a sum can hold; "
                f"choose fan_ins of at most {fits}"
            )
        return self

    @model_validator(mode="after")
    def _thresholds_fit(self) -> Self:
        """Every threshold of every range is an exact whole number of accumulator units, and an LSB at least one of them."""
        # A range of one synapse at full drive, in accumulator units, as `anna.chip.codes` measures it.
        drive = 2.0 ** (self.weight_bits - 1 + self.state_bits - 1 + 1 + self.weight_fraction_bits)
        ranges = SCALE_LAWS[self.scale_law](self.adc_full_scale * drive, self.scale_step, 1 << self.scale_bits)
        least = ranges[0] / (1 << self.state_bits)
        if least < LEAST_ADC_LSB:
            raise ValueError(
                f"adc_full_scale {self.adc_full_scale:g} makes an LSB of the ADC {least:.3g} accumulator units, less than 1; "
                f"choose an adc_full_scale of at least {self.adc_full_scale * LEAST_ADC_LSB / least:.6g}"
            )
        largest = ranges[-1] / (1 << self.state_bits) * ADC_CURVES[self.adc_curve].reach(self.state_bits)
        if largest > LARGEST_THRESHOLD:
            step, ways = "", "fewer scale_bits"
            if self.scale_law == "geometric":
                step, ways = f" and scale_step {self.scale_step:g}", "fewer scale_bits, a smaller scale_step"
            raise ValueError(
                f"scale_bits {self.scale_bits}{step} give the ADC thresholds of up to {largest:.3g} accumulator units, more "
                f"than {LARGEST_THRESHOLD:.3g}; choose {ways} or a smaller adc_full_scale"
            )
        return self

    # --- what follows by arithmetic
    @property
    def wide(self) -> bool:
        """Whether each register has a shift stage of its own."""
        return self.instruction_set == "wide"

    @property
    def shifters(self) -> int:
        """Shift stages."""
        return self.registers if self.wide else 1

    @property
    def synapses(self) -> int:
        """Physical synapses of the array."""
        return self.rows * self.columns

    @property
    def max_inputs(self) -> int:
        """Largest fan-in of a neuron."""
        return self.fan_ins[-1]

    @property
    def groups(self) -> int:
        """Neurons of the smallest fan-in that share a row: four of 16 in a row of 64."""
        return max(1, self.columns // self.fan_ins[0])

    @property
    def max_rows_per_neuron(self) -> int:
        """Rows of a neuron of the largest fan-in."""
        return max(1, self.max_inputs // self.columns)

    @property
    def pairs(self) -> int:
        """Groups of weights, one for each DAC, that are written together; numbered row by row."""
        return self.synapses // self.dacs

    def cycles_in(self, states: int) -> int:
        """Cycles of bringing states in: one by one if wide, else in words that take their time whether full or not."""
        return self._transfer(states, self.states_in_per_cycle)

    def cycles_out(self, states: int) -> int:
        """Cycles of taking states out, likewise."""
        return self._transfer(states, self.states_out_per_cycle)

    def words(self, states: int) -> int:
        """Words that carry this many states."""
        return -(-states // self.word_states)

    def _transfer(self, states: int, per_cycle: int) -> int:
        if self.wide:
            return -(-states // per_cycle)
        return self.words(states) * -(-self.word_states // per_cycle)

    @property
    def cycle_ns(self) -> float:
        """Length of a clock cycle."""
        return 1e9 / self.clock_hz

    @property
    def refresh_write_cycles(self) -> int:
        """Cycles the DACs need to write all weights once."""
        return self.synapses // self.dacs

    @property
    def refresh_period_cycles(self) -> int:
        """Cycles from one write of a weight to the next: writes and overhead."""
        return self.refresh_write_cycles + self.refresh_overhead_cycles

    @property
    def peak_connections_per_s(self) -> float:
        """Multiply-adds per second with every CALC full, at the largest fan-in."""
        return self.neurons_at_once * self.max_inputs * self.clock_hz / self.calc_cycles

    @property
    def state_rate_per_s(self) -> int:
        """States per second that the input takes."""
        return self.states_in_per_cycle * self.clock_hz

    @property
    def weight_fraction_bits(self) -> int:
        """Fractional bits of an effective weight: 16 bits in all for 6-bit weights, at least one for half levels."""
        return max(1, 16 - self.weight_bits)


class Sequencer(Record):
    """What issues a chip's instructions, and how fast: a sequencer of its own, or the host's processor.

    The clock of a chip under a processor is made for each instruction; here it still ticks, and an instruction takes as many
    ticks as the processor needs for it (A).
    """

    called = "sequencer"

    overlap: Overlap = known(facts.OVERLAP, "which instructions run side by side")
    instructions_per_s: float | None = known(
        facts.INSTRUCTIONS_PER_S, "instructions issued in a second; None: one in each cycle", ge=1, le=1e12
    )
    bytes_per_s: float | None = known(
        facts.BYTES_PER_S, "bytes of states moved in a second; None: as fast as the pins", ge=100, le=1e12
    )
    bytes_per_word: int = known(facts.BYTES_PER_WORD, "bytes that a word of states takes to move", ge=1, le=64)
    aligned: bool = known(facts.ALIGNED, "whether words of states begin only where their size divides the address")

    def issue_cycles(self, spec: ChipSpec) -> int:
        """Cycles from one instruction to the next."""
        return 1 if self.instructions_per_s is None else _ticks(spec.clock_hz / self.instructions_per_s)

    def word_cycles(self, spec: ChipSpec) -> int:
        """Cycles that moving a word takes the sequencer."""
        return 1 if self.bytes_per_s is None else _ticks(spec.clock_hz * self.bytes_per_word / self.bytes_per_s)


def _ticks(cycles: float) -> int:
    """Cycles rounded up, but for what rounding made of a whole number."""
    return max(1, math.ceil(cycles - 1e-9))


ANNA_1991 = ChipSpec()
ANNA_WIDE = ANNA_1991.changed(
    instruction_set="wide",
    issue_width=facts.WIDE_ISSUE_WIDTH.value,
    memory_states=facts.WIDE_MEMORY_STATES.value,
    adc_full_scale=facts.WIDE_ADC_FULL_SCALE.value,
)

DEDICATED = Sequencer()
DSP = Sequencer(
    overlap="none",
    instructions_per_s=facts.BOARD_1991_INSTRUCTIONS_PER_S.value,
    bytes_per_s=facts.BOARD_1991_BYTES_PER_S.value,
    aligned=True,
)
ALL_AT_ONCE = Sequencer(overlap="all")  # the wide chip's

# Fields that came with the published instruction set: a specification without them is of a wide chip.
NEW_FIELDS = ("instruction_set", "shift_from", "word_states", "out_words", "latches")


def made_wide(described: Mapping[str, Any]) -> dict[str, Any]:
    """A chip as files described it before there was more than one instruction set."""
    return {"instruction_set": "wide", **described}


CHIPS = {"anna-1991": ANNA_1991, "anna-wide": ANNA_WIDE}

__all__ = [
    "ALL_AT_ONCE", "ANNA_1991", "ANNA_WIDE", "CHIPS", "DEDICATED", "DSP", "NEW_FIELDS", "ChipSpec", "Mark", "Overlap", "Record",
    "Sequencer", "made_wide",
]  # fmt: skip
