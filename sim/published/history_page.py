"""What ANNA was and what came of it, as text for a terminal and as a page of the docs."""

from anna.chip import facts
from sim.published.history import (
    ASSUMED,
    CANDIDATES,
    CHARACTERS,
    DAYS,
    HOURS,
    MACHINE,
    SHARE,
    History,
    characters_per_s,
    marked,
    us_of,
)  # fmt: skip
from sim.published.page import columns, markdown

INTRODUCTION = """\
# 1991, before and after

What ANNA was and was not, how its networks grew, what a later one would have taken on it, and how many boards would have read
checks. Marks: **P** published, **R** recalled, **D** derived, **A** assumed. Numbers without a mark are this model's. This page
was written by

    anna published --history -o docs/history.md

"""
WAS = """\
## What it was

- **A coprocessor for convolutions.** 4,096 synapses store weights as charge on capacitors and multiply them by digital states;
  products are added as currents on a wire, and an ADC of 3 bits reads each sum. Outside it is digital: 12 pins for states in,
  12 for states out, 12 for weights, 37 for the instruction (P, the board paper of 1991). Inside, 2,048 products are made at a
  time (R; "over 2000", P). [The chip](chip.md) has all facts.
- **Of low precision on purpose.** Weights of 6 bits, states of 3 (P). The recogniser's last layer, 3,000 of its 136,000
  connections (R), ran in floats on the board's DSP32C.
- **For experiments.** Chip and board were made at AT&T Bell Labs by Bernhard Boser, Eduard Säckinger and others; the papers of
  1991 to 1996 report what ran on them (P): a convolver for the slant of text blocks, a recogniser of handwritten digits at over
  1,000 characters a second, the same network replicated over ZIP codes, and on a later board of two chips text location, noise
  removal and cellular networks.
"""
NOT = (
    ("ANNA is LeCun's chip",
     "He is an author of its papers and its networks are his; the circuits are Boser's and Säckinger's, with Bromley, Jackel "
     "and others (P: authors and texts of the papers of 1991 and 1992)."),
    ("ANNA read checks in the banks of the 1990s",
     "Those readers ran on DSP32C cards in personal computers (LeCun's own account of 2014)."),
    ("LeNet-5 ran on ANNA",
     "LeNet-5 is of 1998. What ran was the recogniser of 1990, a LeNet-1 on 32 x 32 pixels. Here LeNet-5 does run, from "
     "{pages} pages of weights."),
    ("it was an analog computer",
     "Only the sums and the stored weights are analog. Weights, states, instructions and results are digital at the pins."),
    ("it learned",
     "It has no means to change a weight but to have it written again. Training took floats and days: three of a SPARCstation "
     "for 30 passes (P)."),
    ("it made 4,096 products at once", "It has so many synapses; a CALC reads half of them."),
    ("f(a) = 1.7159 tanh(2a/3) saturates at 1", "It is 1 where a is 1, and saturates at 1.7159 (P, the paper of 1998)."),
)  # fmt: skip
LINE = """\
## The line in numbers

Units, connections (biases included, as the papers count them) and parameters; for those of this project counted from their
definitions. *On ANNA* is one image on one chip with a dedicated sequencer, page loads and the host's layers included, as
`anna plan` has it from shapes alone.

"""
AFTER_LINE = """
The neocognitron (R) has the plan that all of them share, maps of features and maps that blur them in turn, but learned
without labels. LeNet-1 learned by the gradient of its errors, and ran on a DSP. Both networks of 1990 and 1991 fit ANNA's 4,096
synapses as they are; everything after them outgrew the chip.
"""
LARGE = """\
## AlexNet on ANNA

AlexNet has {parameters} parameters and takes {multiply_adds} multiply-adds for an image. Planned on one chip
(machine `{machine}`; shapes alone, maxima on the chip, its normalisation over maps left out):

- **{pages} pages of weights**, streamed from memory for every batch of {batch}; a board is assumed to hold 256 (A). The weights
  alone would fill the array {ratio} times.
- **{seconds} s an image**, {host} s of it for the last layer on the host. {share} % of the chip's time goes to loading weights,
  most of the rest to windows loaded again for each map, since a long sum goes in parts and a window leaves room for the partial
  sums of few maps beside it. A better placement may take less.
- **{chips} chips for one image a second** if they share the work evenly, each with its sequencer, or {pairs} boards of 1996.

{layers}

Nothing is claimed of its accuracy: neither its images nor its weights are here. At the chip's peak of 10.24 G connections/s (D)
an image would take {peak} s.
"""
READ = """\
## How many boards a tenth of the checks would have taken

LeCun tells that in the late 1990s readers with these networks read 10 to 20 % of all checks in the United States; the paper of
1998 says several million a day. Had ANNA read the lower of these shares:

{assumed}

That is {characters} characters a second while banks read them: {working}.

{readers}

Rates are those of the recogniser with refresh and several positions a CALC ([published numbers](published.md)); of the DSP
alone, 3 M connections/s (P). Not counted: finding the amount on the check, choosing the best path through the candidates, and
spare boards, since banks are many and none is busy all night. The answer says no more than that a room of boards would do.

## How to extend

The numbers of this page are in `sim/published/history.py`: a network of the line is one `Step`, an assumption one `Fact`. A
network that is only planned, as AlexNet of `lenet/networks/alexnet.py`, needs no trained weights.
"""


def text(found: History) -> str:
    """For a terminal."""
    large = (f"AlexNet on one chip: {found.alexnet.pages:,} pages of weights, {found.alexnet_seconds:.1f} s an image; "
             f"{found.alexnet_chips} chips for one image a second")  # fmt: skip
    checks = f"{marked(SHARE)}: {characters_per_s():,.0f} characters a second"
    return "\n\n".join([columns([LINE_HEADS, *line(found)]), large, checks, columns([READ_HEADS, *readers(found)])])


def page(found: History) -> str:
    """The page in Markdown."""
    told = [(said, true.format(pages=found.plans["LeNet-5"].pages)) for said, true in NOT]
    return "\n".join([
        INTRODUCTION + WAS,
        "## What it was not\n",
        markdown(("often told", "what the sources say"), told),
        LINE + markdown(LINE_HEADS, line(found)) + AFTER_LINE,
        _large(found),
        _checks(found),
    ])  # fmt: skip


def _large(found: History) -> str:
    """What AlexNet would take."""
    plan, parameters = found.alexnet, found.line[-1].parameters or 0
    host, clock_hz = (plan.times.host_us or 0.0) / 1e6, plan.machine.chip.clock_hz
    multiply_adds = plan.chip_multiply_adds + plan.host_multiply_adds
    layers = []
    for one in plan.layers:
        taken = (f"{one.pages:,}", f"{one.cycles / clock_hz:.2f}") if one.where == "chip" else ("host", f"{host:.2f}")
        layers.append((one.name, f"{one.multiply_adds:,}", *taken))
    return LARGE.format(
        parameters=f"{parameters:,}",
        multiply_adds=f"{multiply_adds:,}",
        machine=MACHINE,
        pages=f"{plan.pages:,}",
        batch="one image" if plan.batch == 1 else f"{plan.batch} images",
        ratio=f"{parameters / facts.SYNAPSES.value:,.0f}",
        seconds=f"{found.alexnet_seconds:.1f}",
        host=f"{host:.2f}",
        share=f"{100 * plan.load_cycles / plan.batch / plan.cycles_per_image:.0f}",
        chips=found.alexnet_chips,
        pairs=-(-found.alexnet_chips // 2),
        layers=markdown(("layer", "multiply-adds", "pages", "s"), layers),
        peak=f"{multiply_adds / facts.PEAK_CONNECTIONS_PER_S.value:.2f}",
    )


def _checks(found: History) -> str:
    """How many boards would have read them."""
    working = (f"a tenth of a year's checks x {CHARACTERS.value} characters x {CANDIDATES.value} candidates / "
               f"({DAYS.value} days x {HOURS.value} hours)")  # fmt: skip
    return READ.format(
        assumed=markdown(("assumed", "source"), [(marked(one), one.source) for one in ASSUMED]),
        characters=f"{characters_per_s():,.0f}",
        working=working,
        readers=markdown(READ_HEADS, readers(found)),
    )


NAMES = {
    "sequencer": "a chip with a dedicated sequencer",
    "board-1991": "the board of 1991",
    "board-1996": "the board of 1996, two chips",
}
READ_HEADS = ("what reads", "characters/s", "needed")
LINE_HEADS = ("year", "network", "units", "connections", "parameters", "examples", "error", "counts", "pages", "on ANNA, ms")


def line(found: History) -> list[tuple[str, ...]]:
    """The networks, one a row."""
    rows = []
    for one in found.line:
        plan = found.plans.get(one.name)
        taken = ("", "") if plan is None else (f"{plan.pages:,}", f"{us_of(plan) / 1e3:,.2f}")
        counts = (one.units, one.connections, one.parameters, one.examples)
        rows.append((str(one.year), one.name, *("" if n is None else f"{n:,}" for n in counts), one.error, one.source, *taken))
    return rows


def readers(found: History) -> list[tuple[str, ...]]:
    """What would have read the checks."""
    return [(NAMES.get(one.machine, one.machine), f"{one.characters_per_s:,.0f}", f"{one.boards:,}") for one in found.readers]
