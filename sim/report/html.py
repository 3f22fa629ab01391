"""One self-contained page: light and dark, printable, without network; every figure says how it was made."""

from typing import TYPE_CHECKING, Any

import anna
from anna.machine.chip import Chip
from anna.sequencer.rules import verified
from sim.comparison.layers import layer_maps
from sim.comparison.ledger import Ledger
from sim.report import plots
from sim.report.page import escaped, figure, page, table
from sim.report.text import interval, notes, p_value, share

if TYPE_CHECKING:
    from sim.comparison.compare import Comparison

PARTS = {"input": "pins, in", "output": "pins, out"}  # of the chip, as a reader sees them


def comparison_page(found: "Comparison", command: str) -> str:
    """The whole page of a comparison."""
    title = f"{found.network.name} on the ANNA chip"
    seeds = "ideal chip" if found.drawn is None else f"chips of seeds {found.drawn.seeds[0]} to {found.drawn.seeds[-1]}"
    made = f"{len(found.digits):,} pictures of {found.digits.name}, {seeds}, noise seed {found.noise_seed}"
    parts = [f"<h1>{escaped(title)}</h1>", f'<p class="lead">{_lead(found)}</p>', *_accuracy(found, made)]
    if found.ledger is not None and found.ledger.entries:
        parts += _losses(found.ledger)
    parts += ["<h2>Which digits</h2>", figure(plots.confusion(found), f"Errors by class, over all chips of the arm. {made}.")]
    if found.program.report:
        parts += _program(found, dict(found.program.report), made)
    return page(title, [*parts, *_one_chip(found), "<h2>How this was made</h2>", _made(found, command)])


def _accuracy(found: "Comparison", made: str) -> list[str]:
    return [
        _arms_table(found),
        figure(plots.errors(found), f"Error of each arm. {made}."),
        "<h2>Error against rejects</h2>",
        "<p>A reader that may refuse doubtful pictures errs less on the rest. Doubt is the lead of the best score over the "
        "second.</p>",
        figure(plots.rejects(found), f"First chip of each arm; dashed: 1 % and 0.5 %. {made}."),
    ]


def _losses(ledger: Ledger) -> list[str]:
    counted = (f"Points of error on {ledger.images:,} pictures and {ledger.chips} {ledger.kind}, the same for all rows "
               f"(ideal {100 * ledger.ideal_error:.2f} %, all causes {100 * ledger.full_error:.2f} %).")  # fmt: skip
    return [
        "<h2>Where it was lost</h2>",
        "<p>What each imperfection costs where it is the only one, and what is got back where only it is left out; then "
        "the layers of the dearest. The parts need not add up: they mask and reinforce each other.</p>",
        _ledger_table(ledger),
        figure(plots.ledger(ledger), counted),
    ]


def _program(found: "Comparison", report: dict[str, Any], made: str) -> list[str]:
    return [
        "<h2>What the program does</h2>",
        "<p>A layer cannot be done in fewer cycles than its bound: the sums that the array has to make, or the states that "
        "have to pass the pins.</p>",
        _layers_table(report),
        figure(plots.timeline(verified(found.program)), "Which part of the chip works when: the pins through which states "
               "come in, the array, the pins through which they leave. From the schedule, the same for every picture."),
        "<h2>Layer by layer</h2>",
        figure(plots.signal_to_noise(found, report), "Signal to noise: maps of the first chip of each kind against those in "
               f"float, on at most 200 of the pictures; {made}. Saturated: outputs at the lowest or the highest state, on the "
               "compiler's calibration pictures."),
    ]  # fmt: skip


def _one_chip(found: "Comparison") -> list[str]:
    drawn, parts = found.drawn, list[str]()
    chip = Chip() if drawn is None else Chip(seed=drawn.seeds[0], analog=drawn.analog)
    shown = "the ideal chip" if drawn is None else f"the chip of seed {drawn.seeds[0]} ({drawn.name})"
    maps = layer_maps(found.network, found.program, found.digits.images[:1], chip, found.noise_seed)
    if maps:
        parts += ["<h2>One digit</h2>", figure(plots.feature_maps(maps), f"The first picture, a {found.digits.labels[0]}: maps "
                  f"in float and as states of {shown}, noise seed {found.noise_seed}. Black is the least of a layer, white the "
                  "most; "
                  f"of each layer the first {plots.MAPS_SHOWN} maps.")]  # fmt: skip
    if drawn is not None:
        die = chip.die(found.program.spec)
        caption = (f"All {die.spec.synapses:,} synapses of {shown}: how far each is from the largest weight, when it was given "
                   "that and has not leaked yet.")  # fmt: skip
        parts += ["<h2>A drawn chip</h2>", figure(plots.synapses(die), caption)]
    return parts


def _lead(found: "Comparison") -> str:
    reference, arm = found.error(found.reference), found.drawn or found.headline
    error, report = found.error(arm), found.program.report or {}
    lost, floats = 100 * (error.share - reference.share), 100 * reference.share
    speed = f" The chip takes {report['chip_us_per_image']:,.0f} µs a picture." if report else ""
    return escaped(
        f"In 32-bit floats {floats:.2f} % of the digits are misread, on the {arm.name} {100 * error.share:.2f} % "
        f"({lost:+.2f} points).{speed}"
    )


def _arms_table(found: "Comparison") -> str:
    rows = []
    for arm, row in zip(found.arms, found.rows(), strict=True):
        std, p = row["error_std_over_chips"], row["p_value_against_float"]
        rows.append((
            arm.name, f"{arm.chips}", f"{100 * row['error']:.2f} %", interval(row["low"], row["high"]),
            "" if std is None else f"{100 * std:.2f}", "" if p is None else f"{100 * row['disagreement']:.2f} %",
            p_value(p), share(row["rejects_for_0.01"]), share(row["rejects_for_0.005"]),
        ))  # fmt: skip
    head = ("", "chips", "error", "95 % interval", "sd over chips", "differs from float", "p",
            "rejects for 1\u00a0%", "rejects for 0.5\u00a0%")  # fmt: skip
    return table(head, rows)


def _ledger_table(ledger: Ledger) -> str:
    rows = [(entry.cause.replace("_", " "), entry.layer, f"{entry.alone_points:+.2f}",
             "" if entry.without_points is None else f"{entry.without_points:+.2f}", entry.meaning)
            for entry in ledger.entries]  # fmt: skip
    return table(("cause", "layer", "alone, points", "got back without it, points", "what it is"), rows, ("what it is",))


def _layers_table(report: dict[str, Any]) -> str:
    rows = []
    for layer in report["layers"]:
        if layer["where"] == "chip":
            near = f"{100 * layer['bound_cycles'] / layer['cycles']:.1f} %" if layer["cycles"] else ""
            cycles, bound = f"{layer['cycles']:,.0f}", f"{layer['bound_cycles']:,.0f}"
            rows.append((layer["name"], "chip", PARTS.get(layer["binds"], layer["binds"]), cycles, bound, near))
        else:
            rows.append((layer["name"], "host", "", "" if layer["us"] is None else f"{layer['us']:,.0f} µs", "", ""))
    return table(("layer", "where", "bound by", "cycles", "bound", "bound reached"), rows)


def _made(found: "Comparison", command: str) -> str:
    lines = [
        f"<p>Command: <code>{escaped(command)}</code>, anna {escaped(anna.__version__)}.</p>",
        f"<p>Digits: {escaped(found.digits.name)}, SHA-256 <code>{found.digits.sha256[:16]}</code>. "
        f"Program: SHA-256 <code>{found.program.digest[:16]}</code>. "
        "The same command gives the same figures on every machine.</p>",
        *(f'<p class="note">{escaped(note)}.</p>' for note in notes(found)),
        '<p class="note">Intervals: Wilson, over pictures and chips. p: McNemar, exact, the first chip against float. '
        "Rejects: smallest share of refused pictures that leaves at most that error.</p>",
    ]
    return "\n".join(lines)
