"""The named alternatives of every assumption, one at a time: what else a paper's silence allows, and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

from anna.analog.parameters import STRENGTHS, Analog

Part = Literal["chip", "sequencer", "machine", "compiler", "analog"]


def value_text(value: Any) -> str:
    """A value as tables and plots show it."""
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 1000 else f"{value:.6g}"
    return str(value).lower() if isinstance(value, bool | None) else str(value)


PARTS: tuple[Part, ...] = get_args(Part)


@dataclass(frozen=True)
class Alternative:
    """Another value of one assumption."""

    part: Part
    field: str
    value: Any
    why: str

    @property
    def name(self) -> str:
        """How tables and plots call it."""
        return f"{self.field} = {value_text(self.value)}"


CHIP = (
    ("shift_from", "register", "the example of paper 3 always names a register"),
    ("shift_from", "shifter", "'shifts the barrel shifter to the left': what it holds, whatever R0 means"),
    ("out_words", 2, "one OUT for all eight results of a CALC"),
    ("registers", 2, "enough for a window and the next"),
    ("registers", 8, "paper 3 shows R0 alone and does not say how many there are"),
    ("latches", 8, "paper 3 shows L2 alone; eight would hold two windows of 256 states"),
    ("weight_levels", "mid-rise", "a sign and a magnitude that is never zero"),
    ("state_levels", "mid-tread", "a state of exactly zero"),
    ("adc_curve", "squash", "CALC 'squashes': thresholds that follow the tanh"),
    ("adc_full_scale", 2.0, "the range of version 0.1"),
    ("adc_full_scale", 0.5, "ranges half a step of the former higher"),
    ("scale_law", "linear", "sixteen equal steps, as a row of equal current sources gives them"),
    ("scale_step", 1.25, "finer ranges that reach less far"),
    ("scale_step", 2.0, "powers of two, the simplest divider"),
    ("store_cycles", 2, "a STORE to storage and latches in turn"),
    ("issue_width", 2, "two instructions in one word: 37 pins would carry them"),
    ("memory_latency_cycles", 0, "results can be read in the cycle after they arrive"),
    ("memory_latency_cycles", 4, "a slow memory controller"),
    ("max_pages", 16, "less room for weights"),
    ("reset_state_code", 4, "registers start above zero"),
)
SEQUENCER = (
    ("overlap", "none", "every instruction in turn"),
    ("overlap", "all", "all units side by side, each with its own pins"),
    ("instructions_per_s", 5e6, "as slow as the DSP of 1991"),
    ("bytes_per_s", 5e6, "as slow a memory as the DSP's"),
    ("bytes_per_word", 4, "a state in each byte: matters where bytes are counted"),
    ("aligned", True, "words begin where their size divides the address, as on a DSP"),
)
MACHINE = (("host_issues", True, "the DSP waits while it issues, as in 1991"),)
COMPILER = (
    ("max_charge_lost", 0.001, "ten times as careful"),
    ("max_charge_lost", 0.1, "ten times as careless"),
)
# What is off in `typical`, at a strength that would be noticed; and the conditions.
ANALOG = (
    ("dac_dnl_lsb", 0.25, "steps as uneven as the bow is deep"),
    ("synapse_zero_lsb", 0.25, "weights that are not differential"),
    ("state_step_lsb", 0.05, "uneven states, a column alike"),
    ("synapse_step_lsb", 0.05, "uneven states, each synapse by itself"),
    ("leak_mismatch", 0.5, "leaks as different as junctions are"),
    ("storage_capacitance_ff", 100.0, "a small capacitor: kT/C noise"),
    ("injection_noise_lsb", 0.25, "a noisy switch"),
    ("sum_limit", 16.0, "a wire that carries a quarter of a full row"),
    ("thermal_noise_lsb", 0.25, "noise that follows the range, as in version 1"),
    ("adc_gain_mismatch", 0.02, "converters that differ"),
    ("adc_offset_lsb", 0.15, "converters that are off"),
    ("temperature_k", 340.0, "a warm board"),
    ("reference_temperature_k", 340.0, "strengths that were stated for a warm die"),
    ("leak_doubling_k", 5.0, "a steeper leak: nothing at the reference temperature"),
    ("charge_lost_after_us", 110.0, "a charge that lasts no longer than a full refresh"),
    ("charge_lost_after_us", 50_000.0, "a charge that lasts ten times as long"),
    ("weight_lsb_mv", 10.0, "a smaller swing: matters with kT/C noise alone"),
)
# Assumed fields that have no alternative of their own.
WITHOUT = {
    "refresh_order": "RFSH writes neighbouring columns, one by each DAC: only a wide chip has another order",
    "name": "names a machine and nothing else",
    "sequencer": "each of its fields is varied by itself",
    "chip": "each of its fields is varied by itself",
}


def alternatives() -> tuple[Alternative, ...]:
    """All alternatives, in the order of the page."""
    parts: tuple[tuple[Part, Any], ...] = (
        ("chip", CHIP), ("sequencer", SEQUENCER), ("machine", MACHINE), ("compiler", COMPILER),
        ("analog", (*_presets(), *ANALOG)),
    )  # fmt: skip
    return tuple(Alternative(part, *entry) for part, entries in parts for entry in entries)


def _presets() -> Iterator[tuple[str, Any, str]]:
    """Every strength of `typical` without and as in `worst`, where that is another."""
    ideal, typical, worst = Analog.ideal(), Analog.typical(), Analog.worst()
    for field in STRENGTHS:
        now = getattr(typical, field)
        for other, why in ((ideal, "without it"), (worst, "as on a chip just good enough to keep")):
            if getattr(other, field) != now:
                yield field, getattr(other, field), why
