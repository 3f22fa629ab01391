"""One self-contained page: light and dark, printable, without network; every figure says how it was made."""

from collections.abc import Mapping
from typing import Any

import anna
from anna.sequencer.timeline import Timeline
from sim.comparison.arm_table import ARMS
from sim.comparison.ledger_table import LEDGER_SHOWN, Losses
from sim.comparison.rows import CloseUp, ComparisonRows
from sim.report import plots
from sim.report.page import column_table, escaped, figure, page, table
from sim.report.text import notes

PARTS = {"input": "pins, in", "output": "pins, out"}  # of the chip, as a reader sees them


def comparison_page(found: ComparisonRows, close: CloseUp, command: str) -> str:
    """The whole page of a comparison."""
    title = f"{found.network} on the ANNA chip"
    seeds = "ideal chip" if found.drawn is None else f"chips of seeds {found.drawn.seeds[0]} to {found.drawn.seeds[-1]}"
    made = f"{found.images:,} images of {found.data}, {seeds}, noise seed {found.noise_seed}"
    parts = [f"<h1>{escaped(title)}</h1>", f'<p class="lead">{_lead(found)}</p>', *_accuracy(found, made)]
    if found.losses is not None and found.losses.entries:
        parts += _losses(found.losses)
    confusion = figure(plots.confusion(close.confusions), f"Errors by class, over all chips of the arm. {made}.")
    parts += ["<h2>Which digits</h2>", confusion]
    if close.timeline is not None:
        parts += _program(found, close.timeline, made)
    return page(title, [*parts, *_one_chip(found, close), "<h2>How this was made</h2>", _made(found, command)])


def _accuracy(found: ComparisonRows, made: str) -> list[str]:
    return [
        column_table(ARMS, found.arms),
        figure(plots.errors(found.arms), f"Error of each arm. {made}."),
        "<h2>Error against rejects</h2>",
        "<p>A reader that may refuse doubtful images errs less on the rest. Doubt is the lead of the best score over the "
        "second.</p>",
        figure(plots.rejects(found.arms), f"First chip of each arm; dashed: 1 % and 0.5 %. {made}."),
    ]


def _losses(ledger: Losses) -> list[str]:
    counted = (f"Points of error on {ledger.images:,} images and {ledger.chips} {ledger.kind}, the same for all rows "
               f"(ideal {100 * ledger.ideal_error:.2f} %, all causes {100 * ledger.full_error:.2f} %).")  # fmt: skip
    return [
        "<h2>Where it was lost</h2>",
        "<p>What each imperfection costs where it is the only one, and what is got back where only it is left out; then "
        "the layers of the dearest. The parts need not add up: they mask and reinforce each other.</p>",
        column_table(LEDGER_SHOWN, ledger.entries),
        figure(plots.ledger(ledger), counted),
    ]


def _program(found: ComparisonRows, timeline: Timeline, made: str) -> list[str]:
    return [
        "<h2>What the program does</h2>",
        "<p>A layer cannot be done in fewer cycles than its bound: the sums that the array has to make, or the states that "
        "have to pass the pins.</p>",
        _layers_table(found.report),
        figure(plots.timeline(timeline), "Which part of the chip works when: the pins through which states "
               "come in, the array, the pins through which they leave. From the schedule, the same for every image."),
        "<h2>Layer by layer</h2>",
        figure(plots.signal_to_noise(found), "Signal to noise: maps of the first chip of each kind against those in "
               f"float, on at most 200 of the images; {made}. Saturated: outputs at the lowest or the highest state, on the "
               "compiler's calibration images."),
    ]  # fmt: skip


def _one_chip(found: ComparisonRows, close: CloseUp) -> list[str]:
    drawn, parts = found.drawn, list[str]()
    shown = "the ideal chip" if drawn is None else f"the chip of seed {drawn.seeds[0]} ({drawn.name})"
    if close.maps:
        parts += ["<h2>One digit</h2>", figure(plots.feature_maps(close.maps), f"The first image, a {close.label}: maps "
                  f"in float and as states of {shown}, noise seed {found.noise_seed}. Black is the least of a layer, white the "
                  f"most; of each layer the first {plots.MAPS_SHOWN} maps.")]  # fmt: skip
    errors = close.weight_errors_lsb
    if errors is not None:
        caption = (f"All {errors.size:,} synapses of {shown}: how far each is from the largest weight, when it was given "
                   "that and has not leaked yet.")  # fmt: skip
        parts += ["<h2>A drawn chip</h2>", figure(plots.synapses(errors), caption)]
    return parts


def _lead(found: ComparisonRows) -> str:
    arm = found.drawn or found.headline
    floats, chip = 100 * found.reference.error.share, 100 * arm.error.share
    speed = f" The chip takes {found.report['chip_us_per_image']:,.0f} µs an image." if found.report else ""
    return escaped(
        f"In 32-bit floats {floats:.2f} % of the digits are misread, on the {arm.name} {chip:.2f} % "
        f"({100 * (arm.error.share - found.reference.error.share):+.2f} points).{speed}"
    )


def _layers_table(report: Mapping[str, Any]) -> str:
    rows = []
    for layer in report["layers"]:
        if layer["where"] == "chip":
            near = f"{100 * layer['bound_cycles'] / layer['cycles']:.1f} %" if layer["cycles"] else ""
            cycles, bound = f"{layer['cycles']:,.0f}", f"{layer['bound_cycles']:,.0f}"
            rows.append((layer["name"], "chip", PARTS.get(layer["binds"], layer["binds"]), cycles, bound, near))
        else:
            rows.append((layer["name"], "host", "", "" if layer["us"] is None else f"{layer['us']:,.0f} µs", "", ""))
    return table(("layer", "where", "bound by", "cycles", "bound", "bound reached"), rows)


def _made(found: ComparisonRows, command: str) -> str:
    lines = [
        f"<p>Command: <code>{escaped(command)}</code>, anna {escaped(anna.__version__)}.</p>",
        f"<p>Digits: {escaped(found.data)}, SHA-256 <code>{found.data_sha256[:16]}</code>. "
        f"Program: SHA-256 <code>{found.program_sha256[:16]}</code>. "
        "The same command gives the same figures on every machine.</p>",
        *(f'<p class="note">{escaped(note)}.</p>' for note in notes(found)),
        '<p class="note">Intervals: Wilson, over images and chips. p: McNemar, exact, the first chip against float. '
        "Rejects: smallest share of refused images that leaves at most that error.</p>",
    ]
    return "\n".join(lines)
