"""One self-contained page: light and dark, printable, without network; every figure says how it was made."""

from typing import TYPE_CHECKING

import anna
from anna.machine.chip import Chip
from anna.verify import verified
from sim.layers import layer_maps
from sim.report import plots
from sim.report.page import escaped, figure, page, table
from sim.report.text import NOTES

if TYPE_CHECKING:
    from sim.compare import Comparison

def comparison_page(found: "Comparison", command: str) -> str:
    """The whole page of a comparison."""
    report = dict(found.program.report or {})
    seeds = next((f"chips of seeds {arm.seeds[0]} to {arm.seeds[-1]}" for arm in found.arms if arm.seeds), "ideal chip")
    made = f"{len(found.digits):,} pictures of {found.digits.name}, {seeds}, noise seed {found.seed}"
    parts = [
        f"<h1>{escaped(found.network.name)} on the ANNA chip</h1>",
        f'<p class="lead">{_lead(found)}</p>',
        _arms_table(found),
        figure(plots.errors(found), f"Error of each arm. {made}."),
        "<h2>Error against rejects</h2>",
        "<p>A reader that may refuse doubtful pictures errs less on the rest. Doubt is the lead of the best score over the "
        "second.</p>",
        figure(plots.rejects(found), f"First chip of each arm; dashed: 1 % and 0.5 %. {made}."),
    ]
    if found.ledger is not None and found.ledger.entries:
        ledger = found.ledger
        parts += [
            "<h2>Where it was lost</h2>",
            _ledger_table(found),
            figure(plots.ledger(ledger), f"Points of error on {ledger.images:,} pictures and {ledger.chips} chips, the same "
                    f"for all rows (ideal {100 * ledger.ideal_error:.2f} %, all causes {100 * ledger.full_error:.2f} %)."),
        ]  # fmt: skip
    parts += ["<h2>Which digits</h2>", figure(plots.confusion(found), f"Errors by class, over all chips of the arm. {made}.")]
    if report:
        parts += [
            "<h2>What the program does</h2>",
            _layers_table(report),
            figure(plots.signal_to_noise(report), "Measured by the compiler on its calibration pictures."),
            figure(plots.timeline(verified(found.program)), "From the schedule, which is the same for every picture."),
        ]
    drawn = next((arm for arm in found.arms if arm.seeds), None)
    chip = Chip() if drawn is None else Chip(seed=drawn.seeds[0], analog=drawn.analog)
    maps = layer_maps(found.network, found.program, found.digits.images[:1], chip, found.seed)
    if maps:
        shown = "the ideal chip" if drawn is None else f"the chip of seed {drawn.seeds[0]}"
        parts += ["<h2>One digit</h2>", figure(plots.feature_maps(maps), f"Maps of the first picture: in float, and the "
                  f"states of {shown}, noise seed {found.seed}.")]  # fmt: skip
    if drawn is not None:
        die = chip.die(found.program.spec)
        caption = f"All synapses of the chip of seed {drawn.seeds[0]} at full weight."
        parts += ["<h2>A drawn chip</h2>", figure(plots.synapses(die), caption)]
    parts += ["<h2>How this was made</h2>", _made(found, command)]
    return page(f"{found.network.name} on the ANNA chip", parts)


def _lead(found: "Comparison") -> str:
    reference, last = found.error(found.reference), found.arms[-1]
    error, report = found.error(last), found.program.report or {}
    lost = 100 * (error.share - reference.share)
    speed = f" The chip takes {report['chip_us_per_image']:,.0f} µs a picture." if report else ""
    return escaped(
        f"In 32-bit floats {100 * reference.share:.2f} % of the digits are misread, on {last.name} {100 * error.share:.2f} % "
        f"({lost:+.2f} points).{speed}"
    )


def _share(value: float | None) -> str:
    return "never" if value is None else f"{100 * value:.1f} %"


def _arms_table(found: "Comparison") -> str:
    rows = []
    for arm, row in zip(found.arms, found.rows(), strict=True):
        std, p = row["error_std_over_chips"], row["p_value_against_float"]
        rows.append((
            arm.name, f"{arm.chips}", f"{100 * row['error']:.2f} %", f"{100 * row['low']:.2f} to {100 * row['high']:.2f}",
            "" if std is None else f"{100 * std:.2f}", "" if p is None else f"{100 * row['disagreement']:.2f} %",
            "" if p is None else f"{p:.3f}", _share(row["rejects_for_0.01"]), _share(row["rejects_for_0.005"]),
        ))  # fmt: skip
    head = ("", "chips", "error", "95 % interval", "sd over chips", "differs", "p", "rejects for 1 %", "0.5 %")
    return table(head, rows)


def _ledger_table(found: "Comparison") -> str:
    assert found.ledger is not None
    rows = [(entry.cause.replace("_", " "), entry.layer, f"{entry.alone_points:+.2f}",
             "" if entry.without_points is None else f"{entry.without_points:+.2f}")
            for entry in found.ledger.entries]  # fmt: skip
    return table(("cause", "layer", "alone", "got back without it"), rows)


def _layers_table(report: dict[str, object]) -> str:
    rows = []
    layers = report["layers"]
    assert isinstance(layers, list)
    for layer in layers:
        if layer["where"] == "chip":
            near = f"{100 * layer['bound_cycles'] / layer['cycles']:.1f} %" if layer["cycles"] else ""
            cycles, bound = f"{layer['cycles']:,.0f}", f"{layer['bound_cycles']:,.0f}"
            rows.append((layer["name"], "chip", layer["binds"], cycles, bound, near))
        else:
            rows.append((layer["name"], "host", "", "" if layer["us"] is None else f"{layer['us']:,.0f} µs", "", ""))
    return table(("layer", "where", "bound by", "cycles", "lower bound", "near"), rows)


def _made(found: "Comparison", command: str) -> str:
    lines = [
        f"<p>Command: <code>{escaped(command)}</code>, anna {escaped(anna.__version__)}.</p>",
        f"<p>Digits: {escaped(found.digits.name)}, SHA-256 <code>{found.digits.sha256[:16]}</code>. "
        f"Program: SHA-256 <code>{found.program.digest[:16]}</code>. "
        "The same command gives the same figures on every machine.</p>",
        *(f'<p class="note">{escaped(note)}.</p>' for note in NOTES),
        '<p class="note">Intervals: Wilson, over pictures and chips. p: McNemar, exact, the first chip against float. '
        "Rejects: smallest share of refused pictures that leaves at most that error.</p>",
    ]
    return "\n".join(lines)
