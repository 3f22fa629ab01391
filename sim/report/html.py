"""A comparison as one self-contained page: light and dark, printable, offline; every figure says how it was made."""

from collections.abc import Mapping
from typing import Any

import anna
from anna.program.report import latency_text, published_text
from anna.sequencer.timeline import Timeline
from sim.comparison.arm_table import arm_columns
from sim.comparison.ledger_table import LEDGER_WITH_MEANINGS, Losses
from sim.comparison.rows import CloseUp, ComparisonRows
from sim.report import plots
from sim.report.page import column_table, escaped, figure, page, table
from sim.report.text import notes, pair_text, yields

PARTS = {"input": "pins, in", "output": "pins, out"}  # of the chip, as readers see them


def comparison_page(found: ComparisonRows, close: CloseUp, command: str) -> str:
    """The page of a comparison."""
    title = f"{found.network} on the ANNA chip"
    seeds = "ideal chip" if found.drawn is None else f"chip seeds {found.drawn.seeds[0]} to {found.drawn.seeds[-1]}"
    made = f"{found.images:,} images of {found.data}, {seeds}, noise seed {found.noise_seed}"
    parts = [f"<h1>{escaped(title)}</h1>", f'<p class="lead">{_lead(found)}</p>', *_accuracy(found, made)]
    if found.losses is not None and found.losses.entries:
        parts += _losses(found.losses)
    confusion = figure(plots.confusion(close.confusions), f"Over all chips of the arm. {made}.")
    parts += ["<h2>Errors by class</h2>", confusion]
    if close.timeline is not None:
        parts += _program(found, close.timeline, made)
    return page(title, [*parts, *_one_chip(found, close), "<h2>How this was made</h2>", _made(found, command)])


def _accuracy(found: ComparisonRows, made: str) -> list[str]:
    return [
        column_table(arm_columns(found.limit), found.arms),
        *(f'<p class="note">{escaped(sentence)}.</p>' for sentence in yields(found)),
        figure(plots.errors(found.arms), f"Error of each arm. {made}."),
        "<h2>Chip by chip, and error against rejects</h2>",
        "<p>How many chips are good depends on how many errors a good chip may make. And a classifier that may reject doubtful "
        "images makes fewer errors on the rest: an image is more doubtful the less its best score leads the second.</p>",
        figure(
            plots.chips_and_rejects(found),
            "Left: the share of drawn chips at or below an error"
            f"{'' if found.limit is None else '; dashed: the limit'}. Right: mean over the chips of each arm, and a band from "
            f"the best to the worst; dashed: 1 % and 0.5 %. {made}.",
        ),
    ]


def _losses(ledger: Losses) -> list[str]:
    counted = (f"Points of error on {ledger.images:,} images and {ledger.chips} {ledger.kind}, the same for all rows "
               f"(ideal {100 * ledger.ideal_error:.2f} %, all causes {100 * ledger.full_error:.2f} %).")  # fmt: skip
    return [
        "<h2>Where it was lost</h2>",
        "<p>Imperfections mask and reinforce each other, so what each costs alone does not add up. Its share does: what it "
        "adds on the average over orders in which imperfections are switched on; = where it may be as large as the one above. "
        "Below, all of them together, layer by layer.</p>",
        column_table(LEDGER_WITH_MEANINGS, ledger.entries),
        *(f'<p class="note">{escaped(pair_text(pair))}.</p>' for pair in ledger.pairs),
        figure(plots.ledger(ledger), counted),
    ]


def _program(found: ComparisonRows, timeline: Timeline, made: str) -> list[str]:
    return [
        "<h2>What the program does</h2>",
        "<p>No layer can take fewer cycles than its bound: the sums the array has to compute, or the states that have to pass "
        "the pins.</p>",
        _layers_table(found.report),
        figure(plots.timeline(timeline), "When each part of the chip is busy: the pins that states come in "
               "through, the array, and the pins they leave through. From the timeline, the same for every image."),
        "<h2>Layer by layer</h2>",
        figure(plots.signal_to_noise(found), "Signal-to-noise ratio: maps of the first chip of each kind against "
               f"float, on at most 200 of the images; {made}. Saturated: outputs at the lowest or highest state, on the "
               "compiler's calibration images."),
    ]  # fmt: skip


def _one_chip(found: ComparisonRows, close: CloseUp) -> list[str]:
    drawn, parts = found.drawn, list[str]()
    shown = "the ideal chip" if drawn is None else f"the chip with seed {drawn.seeds[0]} ({drawn.name})"
    if close.maps:
        parts += ["<h2>One digit</h2>", figure(plots.feature_maps(close.maps), f"The first image, a {close.label}: maps "
                  f"in float and as states of {shown}, noise seed {found.noise_seed}. Black is a layer's lowest value, white "
                  f"its highest; at most {plots.MAPS_SHOWN} maps of each layer.")]  # fmt: skip
    errors = close.weight_errors_lsb
    if errors is not None:
        caption = (f"All {errors.size:,} synapses of {shown}: the error of each when just written with the largest "
                   "weight.")  # fmt: skip
        parts += ["<h2>A drawn chip</h2>", figure(plots.synapses(errors), caption)]
    return parts


def _lead(found: ComparisonRows) -> str:
    arm = found.drawn or found.headline
    floats, chip = 100 * found.reference.error.share, 100 * arm.error.share
    worst = "" if arm.worst is None else f", {100 * arm.worst:.2f} % on the worst of {arm.chips}"
    speed = ""
    if found.report:
        us, machine = found.report["chip_us_per_image"], found.report["machine"]
        beside = latency_text(found.report, "µs") + published_text(found.report, "µs")
        speed = f" The chip takes {us:,.0f} µs per image on machine {machine}{beside}."
    return escaped(
        f"The network misreads {floats:.2f} % of the digits in 32-bit floats and {chip:.2f} % on the {arm.name} "
        f"({100 * (arm.error.share - found.reference.error.share):+.2f} points{worst}).{speed}"
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
        "The same command gives the same numbers on every machine.</p>",
        *(f'<p class="note">{escaped(note)}.</p>' for note in notes(found)),
        '<p class="note">Intervals: Wilson, over images and chips. p: paired test against float, over images and chips. '
        "Rejects: smallest share of rejected images that leaves at most that error.</p>",
    ]
    return "\n".join(lines)
