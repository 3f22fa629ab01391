"""One self-contained page: light and dark, printable, without network; every figure says how it was made."""

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import anna
from anna.machine.chip import Chip
from anna.verify import verified
from sim.layers import layer_maps
from sim.report import plots
from sim.report.figure import svg
from sim.report.text import NOTES

if TYPE_CHECKING:
    from sim.compare import Comparison

STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1c2024; --faint: #c9ced4; --soft: #f3f5f7; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --ink: #e3e6e9; --faint: #454c54; --soft: #1d2125; } }
@media print { :root { --paper: #ffffff; --ink: #000000; --faint: #bbbbbb; --soft: #ffffff; }
  figure { break-inside: avoid; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 52rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2.6rem 0 .4rem; }
p.lead { font-size: 1.08rem; margin-top: 0; } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .86rem; width: 100%; }
th, td { padding: .3rem .45rem; text-align: right; border-bottom: 1px solid var(--faint); white-space: nowrap; }
th { font-weight: 600; } th:first-child, td:first-child { text-align: left; padding-left: 0; }
figure { margin: 1rem 0; } figure svg { display: block; width: 100%; height: auto; }
figcaption, .note { font-size: .82rem; opacity: .8; }
code { background: var(--soft); padding: .1rem .3rem; border-radius: 3px; }
"""


def comparison_page(found: "Comparison", command: str) -> str:
    """The whole page of a comparison."""
    report = dict(found.program.report or {})
    seeds = next((f"chips of seeds {arm.seeds[0]} to {arm.seeds[-1]}" for arm in found.arms if arm.seeds), "ideal chip")
    made = f"{len(found.digits):,} pictures of {found.digits.name}, {seeds}, noise seed {found.seed}"
    parts = [
        f"<h1>{_text(found.network.name)} on the ANNA chip</h1>",
        f'<p class="lead">{_lead(found)}</p>',
        _arms_table(found),
        _figure(plots.errors(found), f"Error of each arm. {made}."),
        "<h2>Error against rejects</h2>",
        "<p>A reader that may refuse doubtful pictures errs less on the rest. Doubt is the lead of the best score over the "
        "second.</p>",
        _figure(plots.rejects(found), f"First chip of each arm; dashed: 1 % and 0.5 %. {made}."),
    ]
    if found.ledger is not None and found.ledger.entries:
        ledger = found.ledger
        parts += [
            "<h2>Where it was lost</h2>",
            _ledger_table(found),
            _figure(plots.ledger(ledger), f"Points of error on {ledger.images:,} pictures and {ledger.chips} chips, the same "
                    f"for all rows (ideal {100 * ledger.ideal_error:.2f} %, all causes {100 * ledger.full_error:.2f} %)."),
        ]  # fmt: skip
    parts += ["<h2>Which digits</h2>", _figure(plots.confusion(found), f"Errors by class, over all chips of the arm. {made}.")]
    if report:
        parts += [
            "<h2>What the program does</h2>",
            _layers_table(report),
            _figure(plots.signal_to_noise(report), "Measured by the compiler on its calibration pictures."),
            _figure(plots.timeline(verified(found.program)), "From the schedule, which is the same for every picture."),
        ]
    drawn = next((arm for arm in found.arms if arm.seeds), None)
    chip = Chip() if drawn is None else Chip(seed=drawn.seeds[0], analog=drawn.analog)
    maps = layer_maps(found.network, found.program, found.digits.images[:1], chip, found.seed)
    if maps:
        shown = "the ideal chip" if drawn is None else f"the chip of seed {drawn.seeds[0]}"
        parts += ["<h2>One digit</h2>", _figure(plots.feature_maps(maps), f"Maps of the first picture: in float, and the "
                  f"states of {shown}, noise seed {found.seed}.")]  # fmt: skip
    if drawn is not None:
        die = chip.die(found.program.spec)
        caption = f"All synapses of the chip of seed {drawn.seeds[0]} at full weight."
        parts += ["<h2>A drawn chip</h2>", _figure(plots.synapses(die), caption)]
    parts += ["<h2>How this was made</h2>", _made(found, command)]
    title = _text(f"{found.network.name} on the ANNA chip")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def _text(value: object) -> str:
    return html.escape(str(value))


def _lead(found: "Comparison") -> str:
    reference, last = found.error(found.reference), found.arms[-1]
    error, report = found.error(last), found.program.report or {}
    lost = 100 * (error.share - reference.share)
    speed = f" The chip takes {report['chip_us_per_image']:,.0f} µs a picture." if report else ""
    return _text(
        f"In 32-bit floats {100 * reference.share:.2f} % of the digits are misread, on {last.name} {100 * error.share:.2f} % "
        f"({lost:+.2f} points).{speed}"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{_text(cell)}</th>" for cell in head)
    body = "\n".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>\n{body}\n</tbody></table></div>'


def _figure(figure: object, caption: str) -> str:
    return f"<figure>{svg(figure)}<figcaption>{_text(caption)}</figcaption></figure>"


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
    return _table(head, rows)


def _ledger_table(found: "Comparison") -> str:
    assert found.ledger is not None
    rows = [(entry.cause.replace("_", " "), entry.layer, f"{entry.alone_points:+.2f}",
             "" if entry.without_points is None else f"{entry.without_points:+.2f}")
            for entry in found.ledger.entries]  # fmt: skip
    return _table(("cause", "layer", "alone", "got back without it"), rows)


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
    return _table(("layer", "where", "bound by", "cycles", "lower bound", "near"), rows)


def _made(found: "Comparison", command: str) -> str:
    lines = [
        f"<p>Command: <code>{_text(command)}</code>, anna {_text(anna.__version__)}.</p>",
        f"<p>Digits: {_text(found.digits.name)}, SHA-256 <code>{found.digits.sha256[:16]}</code>. "
        f"Program: SHA-256 <code>{found.program.digest[:16]}</code>. "
        "The same command gives the same figures on every machine.</p>",
        *(f'<p class="note">{_text(note)}.</p>' for note in NOTES),
        '<p class="note">Intervals: Wilson, over pictures and chips. p: McNemar, exact, the first chip against float. '
        "Rejects: smallest share of refused pictures that leaves at most that error.</p>",
    ]
    return "\n".join(lines)
