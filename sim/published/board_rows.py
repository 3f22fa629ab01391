"""The boards' published numbers: times, rates and speed-ups of whole applications, last layers on the host included.

Times are judged as in 1991: an image at a time, one position a CALC and no RFSH, whose cost stands in rows of its own
without a range.
"""

from typing import Any

from anna.chip import facts
from anna.chip.facts import D, Fact, P
from sim.published.row import (
    Range,
    Row,
    beside,
    by,
    definition,
    exactly,
    prediction,
    unanswered,
    unmodelled,
    within,
)

AS_1991: dict[str, Any] = {"positions": 1, "refresh": False, "batch": 1}
NO_RANGE = "no range was stated: published times are judged with one position a CALC and without RFSH"
AFTERWARDS = "tried after a miss was seen, to find what fails: no prediction"
BY_HAND = "the count leaves out how a row of positions begins and ends, some per cent of it"
RATES = Range(30e6, 400e6, "'30 to 400 M connections/s by application'")
SPEED_UPS = Range(10, 100, "'10 to 100 times' the DSP alone, which makes about 3 M/s on sparse networks")
NOT_HERE = "the zip-code digits of 1991 are not here: on other digits neither error nor rejects can be held against it"
NO_DSP = "of the DSP's work the model knows rates, not instructions"
APPLICATIONS = {
    "recognizer": "the recogniser",
    "convolver": "the convolver, 16 kernels of 16 x 16",
    "segmenter": "the recogniser at 31 x 6 places",
}


def _rates() -> list[Row]:
    """What the 1991 board makes of each application, and how that compares with its DSP."""
    rows = []
    for network, what in APPLICATIONS.items():
        rows.append(prediction(f"{network}-board-1991", f"connections per second of {what}, DSP as sequencer",
                               facts.BOARD_1991_CONNECTIONS_PER_S,
                               by("connections_per_s", network=network, machine="board-1991", **AS_1991), RATES))  # fmt: skip
        rows.append(prediction(f"{network}-speed-up", f"{what} on the 1991 board against its DSP alone",
                               facts.BOARD_1991_SPEEDUP,
                               by("dsp_speed_up", network=network, machine="board-1991", **AS_1991), SPEED_UPS))  # fmt: skip
        rows.append(beside(f"{network}-board-1991-refreshed", f"connections per second of {what}, optimised, with RFSH",
                           facts.BOARD_1991_CONNECTIONS_PER_S,
                           by("connections_per_s", network=network, machine="board-1991"), NO_RANGE))  # fmt: skip
    return rows


def _counts_by_hand() -> list[Row]:
    """The chip alone, at 20 MHz, by what may overlap: ANNA.md's counts with one position a CALC and with several."""
    rows = []
    for overlap, words, one, several in (
        ("all", "everything overlapped", 0.43, 0.47),
        ("shift-calc", "SHIFT beside CALC", 0.58, 0.60),
        ("none", "nothing overlapped", 0.82, 0.71),
    ):
        of = {"network": "recognizer", "machine": "sequencer", "overlap": overlap, "refresh": False}
        rows.append(prediction(
            f"recognizer-{overlap}-by-hand", f"the recogniser on the chip alone, {words}, one position a CALC",
            Fact(one, "ms", D, "instructions counted by hand"), by("chip_ms", **of, positions=1, batch=1),
            within(one, 0.1, BY_HAND)))  # fmt: skip
        rows.append(beside(
            f"recognizer-{overlap}-by-hand-several", f"the recogniser on the chip alone, {words}, several positions a CALC",
            Fact(several, "ms", D, "instructions counted by hand"), by("chip_ms", **of), NO_RANGE))  # fmt: skip
    return rows


ROWS: tuple[Row, ...] = (
    # --- a dedicated sequencer
    prediction(
        "recognizer-time", "a character on a dedicated sequencer, last layer on the DSP", facts.RECOGNIZER_MS,
        by("latency_ms", network="recognizer", machine="sequencer", **AS_1991),
        Range(0.67, 1.06, "counted by hand: 0.43 ms if all units overlap to 0.82 ms if none do, and 0.24 ms for the DSP"),
    ),
    beside("recognizer-time-optimised", "the same with several positions a CALC", facts.RECOGNIZER_MS,
           by("latency_ms", network="recognizer", machine="sequencer", refresh=False), NO_RANGE),
    beside("recognizer-time-refreshed", "the same with several positions a CALC and RFSH", facts.RECOGNIZER_MS,
           by("latency_ms", network="recognizer", machine="sequencer"), NO_RANGE),
    prediction(
        "recognizer-rate", "characters per second on a dedicated sequencer, chip and DSP side by side",
        Fact(1000, "characters/s", P, "1, 2: over 1000 classifications/s"),
        by("images_per_s", network="recognizer", machine="sequencer", **AS_1991),
        Range(1000, 2000, "'over 1000': of twice as many, 'over 2000' would have been said"),
    ),
    prediction(
        "host-time", "the recogniser's last layer on the DSP", Fact(0.24, "ms", D, "3,000 multiply-adds at 12.5 M/s"),
        by("host_ms", network="recognizer", machine="sequencer", **AS_1991),
        within(0.24, 0.02, "arithmetic, to the digits shown"),
    ),
    *_counts_by_hand(),
    beside("recognizer-two-at-once", "the recogniser on the chip alone, everything overlapped, two instructions in a cycle",
           Fact(0.43, "ms", D, "instructions counted by hand"),
           by("chip_ms", network="recognizer", machine="sequencer", overlap="all", issue_width=2, **AS_1991), AFTERWARDS),
    prediction(
        "sequencer-speed-up", "what a dedicated sequencer gains over the DSP, in the application that gains most",
        facts.SEQUENCER_SPEEDUP, by("sequencer_speed_up", networks=tuple(APPLICATIONS), **AS_1991),
        Range(5, 10, "'up to ten times': ten is the most, and of less than half of it nobody would say so"),
    ),
    # --- the 1991 board
    *_rates(),
    prediction(
        "recognizer-board-by-hand", "the recogniser on the 1991 board",
        Fact((29e6, 53e6), "connections/s", D, "counted by hand at 5 MIPS and 5 MByte/s"),
        by("connections_per_s", network="recognizer", machine="board-1991", **AS_1991),
        Range(29e6, 53e6, "counted by hand: every instruction in turn, to all units overlapped"),
    ),
    prediction(
        "convolver-board-by-hand", "the convolver on the 1991 board",
        Fact((238e6, 445e6), "connections/s", D, "counted by hand at 5 MIPS and 5 MByte/s"),
        by("connections_per_s", network="convolver", machine="board-1991", **AS_1991),
        Range(238e6, 445e6, "counted by hand: every instruction in turn, to all units overlapped"),
    ),
    prediction(
        "convolver-configuration", "synapses of the convolver on one weight page",
        Fact(4096, "synapses", D, "16 neurons of 256 synapses each (P, 3)"), by("synapses_of_one_page", network="convolver"),
        exactly(4096, "16 kernels of 16 x 16 without bias fill the array once"),
    ),
    prediction(
        "dsp-alone-1990", "the network of 1990 on the DSP alone",
        Fact(30, "classifications/s", P, "NIPS 2: over 30 on the DSP"), by("dsp_images_per_s", network="lenet1_28"),
        Range(30, 36, "'over 30' is less than 36; the DSP alone makes about 3 M connections/s on sparse networks (P, 3)"),
    ),
    # --- the 1996 board
    prediction(
        "recognizer-board-1996", "characters per second of two chips, whole chain counted", facts.BOARD_1996_CHARACTERS_PER_S,
        by("images_per_s", network="recognizer", machine="board-1996", **AS_1991),
        Range(500, 2000, "a factor of two: what the chain was beyond the network is not published"),
    ),
    prediction(
        "convolver-board-1996", "connections per second of two chips on a convolution", facts.BOARD_1996_CONNECTIONS_PER_S,
        by("connections_per_s", network="convolver", machine="board-1996", **AS_1991),
        Range(1e9, 2.5e9, "'sustained, up to 2 G': a round figure for the best case, within a quarter; not below half of it"),
    ),
    beside("convolver-board-1996-refreshed", "the same, optimised, with RFSH", facts.BOARD_1996_CONNECTIONS_PER_S,
           by("connections_per_s", network="convolver", machine="board-1996"), NO_RANGE),
    beside("recognizer-board-1996-slow-memory", "characters per second, each chip's states moved at 5 MByte/s as in 1991",
           facts.BOARD_1996_CHARACTERS_PER_S,
           by("images_per_s", network="recognizer", machine="board-1996", bytes_per_s=5e6, **AS_1991), AFTERWARDS),
    beside("convolver-board-1996-slow-memory", "connections per second of a convolution, likewise",
           facts.BOARD_1996_CONNECTIONS_PER_S,
           by("connections_per_s", network="convolver", machine="board-1996", bytes_per_s=5e6, **AS_1991), AFTERWARDS),
    # --- what the chip costs in error
    prediction(
        "error-cost", "what typical chips cost against floats",
        Fact(0.4, "points", D, "3, table 1: 5.3 +- 0.2 % against 4.9 %"),
        by("error_cost_points"), Range(0.2, 0.6, "table 1's own +- 0.2 points; easier digits lose less"),
    ),
    prediction(
        "error-ratio", "the error of typical chips over that of floats", Fact(1.08, "ratio", D, "3, table 1: 5.3 / 4.9"),
        by("error_cost_ratio"), Range(1.04, 1.12, "table 1's own +- 0.2 points in 4.9"),
    ),
    unanswered("error-float", "error in floats", facts.RECOGNIZER_ERROR_FLOAT, NOT_HERE),
    unanswered("error-chip", "error on ANNA and DSP, +- 0.2", facts.RECOGNIZER_ERROR_CHIP, NOT_HERE),
    unanswered("error-retrained", "the same, last layer trained again, +- 0.2", facts.RECOGNIZER_ERROR_RETRAINED, NOT_HERE),
    unanswered("rejects-float", "rejects for 1 % error in floats", facts.RECOGNIZER_REJECTS_FLOAT, NOT_HERE),
    unanswered("rejects-chip", "rejects for 1 % error on ANNA and DSP, +- 0.8", facts.RECOGNIZER_REJECTS_CHIP, NOT_HERE),
    unanswered("rejects-retrained", "the same, last layer trained again, +- 0.8", facts.RECOGNIZER_REJECTS_RETRAINED, NOT_HERE),
    unanswered("dsp-end-to-end-1990", "digits per second of the whole chain of 1990",
               Fact((10, 12), "digits/s", P, "NIPS 2"), "the chain before the network, which finds digits, is not modelled"),
    # --- contained in the model
    definition("board-chips", "chips of the 1991 board", facts.BOARD_1991_CHIPS, by("board_chips", machine="board-1991")),
    definition("board-1996-chips", "chips of the 1996 board", facts.BOARD_1996_CHIPS, by("board_chips", machine="board-1996")),
    definition("board-memory", "static RAM of the 1991 board", facts.BOARD_1991_MEMORY_BYTES,
               by("memory_bytes", machine="board-1991")),
    definition("board-instructions", "instructions that the DSP issues", facts.BOARD_1991_INSTRUCTIONS_PER_S,
               by("sequencer_field", machine="board-1991", field="instructions_per_s")),
    definition("board-bytes", "bytes of states that the DSP moves", facts.BOARD_1991_BYTES_PER_S,
               by("sequencer_field", machine="board-1991", field="bytes_per_s")),
    definition("dsp-peak", "multiply-adds of the DSP at its peak", facts.DSP_MULTIPLY_ADDS_PER_S,
               by("host_multiply_adds_per_s", machine="board-1991")),
    unmodelled("dsp-alone", "the DSP alone on sparse networks", facts.DSP_CONNECTIONS_PER_S,
               "the yardstick of the speed-ups: the DSP's own programs are not modelled"),
    unmodelled("dsp-clock", "clock of the DSP", facts.DSP_CLOCK_HZ, NO_DSP),
    unmodelled("dsp-instruction", "an instruction of the DSP", facts.DSP_INSTRUCTION_NS, NO_DSP),
)  # fmt: skip
