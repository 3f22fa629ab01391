"""What makes a program legal, as a table of rules.

`RULES` states each rule and the sentence that a user gets. The first group looks at instructions one by one
(`anna.sequencer.wellformed`); the second at what happens in time, as `anna.sequencer.walk` finds it, and is checked only if the
first group holds.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from anna.base.errors import IllegalProgram
from anna.program.file import Program
from anna.program.line import line_of
from anna.sequencer.timeline import Hazard, Timeline
from anna.sequencer.walk import walked
from anna.sequencer.wellformed import malformed


@dataclass(frozen=True)
class Rule:
    """One rule: what must hold, and the message where it does not."""

    statement: str
    sentence: str


RULES = {
    # --- each instruction by itself
    "program-shape": Rule(
        "A program begins with PAGE and ends with its only STOP; END on a wide chip.",
        "{found}; a program begins with PAGE and ends with its only {stop}",
    ),
    "page-exists": Rule(
        "A page is resident before use: PAGE names a page that the program holds.",
        "page {page} does not exist; the program holds pages 0 to {last}",
    ),
    "columns-exist": Rule(
        "A SHIFT stays within the columns of an existing register.",
        "{what} {value} does not exist; the chip has {limit} {what}s",
    ),
    "states-moved": Rule(
        "A SHIFT or OUT moves at least one state, and a SHIFT no more than its columns.",
        "moves {states} states; it can move 1 to {limit}",
    ),
    "address-exists": Rule(
        "Addresses lie inside the state memory.",
        "address {address} lies outside the memory of {limit} states",
    ),
    "neurons-fit": Rule(
        "A CALC has at least one neuron and no more than the chip computes at once.",
        "{neurons} neurons; a CALC computes 1 to {limit}",
    ),
    "rows-exist": Rule(
        "The rows of a CALC exist.",
        "needs rows {first} to {last}; the chip has rows 0 to {limit}",
    ),
    "pair-exists": Rule("An RFSH writes a pair that exists.", "pair {pair} does not exist; the chip has pairs 0 to {last}"),
    "source-given": Rule(
        "A SHIFT names the register that it shifts, on a chip that shifts nothing else.",
        "names no register; on this chip (shift_from=register) a SHIFT goes on from a register",
    ),
    "something-stored": Rule("A STORE names registers or latches.", "names neither a register nor a latch"),
    "latches-fit": Rule(
        "The latches of a CALC exist, and the first is a multiple of how many its neurons read.",
        "reads {each} latches from latch {latch} on; it can begin at {starts}",
    ),
    "words-aligned": Rule(
        "A word begins at a multiple of its size, where the sequencer reads aligned words only.",
        "reaches address {address}; words of this sequencer begin at multiples of {size}",
    ),
    "time-passes": Rule("A WAIT waits at least one cycle.", "waits 0 cycles; a WAIT waits at least 1"),
    "batch-fits": Rule(
        "The windows of a batch fit into the state memory.",
        "a batch of {batch} images needs {batch} x {window} = {need} states, but the memory holds {limit}; "
        "choose a batch of at most {fits}",
    ),
    "regions-fit": Rule(
        "Constants lie outside the regions of the image and of what the host writes.",
        "the constant at address {address} lies inside {kind} region {region}",
    ),
    "host-writes": Rule(
        "A region of kind host is written by a round of the host.",
        "no round of the host writes region {region}",
    ),
    "host-apart": Rule(
        "What the host writes before one segment has an address of its own for each state.",
        "the host writes address {address} twice before segment {segment}",
    ),
    # --- in time
    "register-held": Rule(
        "A register is not overwritten while a CALC reads it.",
        "overwrites {what} {register} in cycle {cycle}, which {reader} reads until cycle {until}; "
        "insert WAIT cycles={wait} before it",
    ),
    "defined-before-read": Rule(
        "A SHIFT reads only addresses that hold something: pixels, constants, results or what the host wrote.",
        "reads address {address}, which was never written",
    ),
    "written-before-read": Rule(
        "A state is read only after it has arrived in memory.",
        "reads address {address} in cycle {cycle}, but it is readable from cycle {ready}; insert WAIT cycles={wait} before it",
    ),
    "read-before-overwritten": Rule(
        "A state is overwritten only after earlier instructions have read it.",
        "overwrites address {address} in cycle {cycle}, but an earlier SHIFT reads it in cycle {read}; "
        "insert WAIT cycles={wait} before it",
    ),
    "rounds-read-written": Rule(
        "A round of the host reads only states that were written before its segment.",
        "the round of the host before segment {segment} reads region {region}, which was never written at {place}",
    ),
    "constants-kept": Rule(
        "Constants are not overwritten: the next image needs them.",
        "overwrites the constant at address {address}",
    ),
    "result-exists": Rule(
        "An OUT follows a CALC whose results have not been taken yet.",
        "no CALC before it has results left to take",
    ),
    "results-enough": Rule(
        "An OUT takes no more results than its CALC has neurons.",
        "takes {wanted} results, but {calc} has {neurons}",
    ),
    "results-kept": Rule(
        "Results are taken before the next CALC replaces them.",
        "its results are replaced by those of {by} before they are taken",
    ),
    "results-taken": Rule(
        "Results are taken before the page segment ends.",
        "its results are never taken",
    ),
    "state-under-weight": Rule(
        "A synapse that carries current reads a state that was stored.",
        "neuron {neuron} reads column {column} of {what} {register}, which was never stored, with a nonzero weight at "
        "page {page} row {row} column {column}",
    ),
    "outputs-written": Rule(
        "Every state of an output region is written.",
        "output region {region} is never written at {place}",
    ),
}

_INSTRUCTIONS = ("reader", "by", "calc")  # details that name an instruction


@dataclass(frozen=True)
class Violation:
    """One broken rule, with its message."""

    rule: str
    index: int | None  # instruction
    sentence: str


def violations(program: Program) -> tuple[list[Violation], Timeline | None]:
    """Every broken rule, in program order, and the timeline if the program could be walked; in a loop, its first turn's."""
    hazards = _first_turns(program, malformed(program))
    if hazards:
        return [_violation(program, hazard) for hazard in hazards], None
    timeline = walked(program)
    return [_violation(program, hazard) for hazard in _first_turns(program, timeline.hazards)], timeline


def _first_turns(program: Program, hazards: Iterable[Hazard]) -> list[Hazard]:
    """What is wrong, once for each instruction as it is written: not again in each turn of its loop."""
    first, found = dict[tuple[str, int], int](), dict[tuple[str, int, str], Hazard]()
    for hazard in hazards:
        place = int(program.issued.word[hazard.index]) if hazard.index >= 0 else -1
        if first.setdefault((hazard.rule, place), hazard.index) == hazard.index:
            found.setdefault((hazard.rule, hazard.index, str(hazard.details)), hazard)
    return list(found.values())


@lru_cache(maxsize=16)
def verified(program: Program) -> Timeline:
    """The timeline of a legal program; raises IllegalProgram with everything that is wrong.

    A timeline does not depend on the chip's imperfections, so the last few are cached: many chips run one program.
    """
    found, timeline = violations(program)
    if found or timeline is None:
        raise IllegalProgram([violation.sentence for violation in found])
    return timeline


def _violation(program: Program, hazard: Hazard) -> Violation:
    details = {key: _name(program, value) if key in _INSTRUCTIONS else value for key, value in hazard.details.items()}
    what = RULES[hazard.rule].sentence.format(**details)
    if hazard.index < 0:
        return Violation(hazard.rule, None, f"program {program.name}: {what}")
    return Violation(hazard.rule, hazard.index, f"{_name(program, hazard.index)}: {what}")


def _name(program: Program, index: int) -> str:
    return f"instruction {index} ({line_of(program.spec, program.issued.op(index))})"
