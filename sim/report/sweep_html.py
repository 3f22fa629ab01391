"""A sweep as one self-contained page: light and dark, printable, without network; every figure says how it was made."""

import html
from typing import Any

from sim.report import sweep_plots as plots
from sim.report import sweep_text as text
from sim.report.figure import svg
from sim.report.html import STYLE
from sim.sweep.summary import SweepResult, is_number

_MORE_STYLE = """
th.why, td.why { white-space: normal; text-align: left; min-width: 18rem; } pre { overflow-x: auto; background: var(--soft);
  padding: .5rem .7rem; border-radius: 3px; font-size: .86rem; } ul.made { padding-left: 1.1rem; overflow-wrap: anywhere; }
"""


def sweep_page(found: SweepResult) -> str:
    """The whole page of a sweep."""
    spec = found.spec
    title = f"Sweep {spec.name}: {spec.network if 'network' not in spec.axes else 'networks'} on the ANNA chip"
    parts = [f"<h1>{_text(title)}</h1>", f'<p class="lead">{_text(text.lead(found))}</p>', *_figures(found)]
    if found.points:
        parts += ["<h2>Points</h2>", _table(text.point_table(found)), f'<p class="note">{text.more(len(found.points))}</p>']
    if found.refusals:
        parts += ["<h2>Refused</h2>", "<p>These points cannot be; the sentence says why.</p>"]
        parts += [_table(text.refusal_table(found), "why"), f'<p class="note">{text.more(len(found.refusals))}</p>']
    lines = "".join(f"<li>{_text(line)}</li>" for line in text.made(found))
    shown = _text("\n".join(text.commands(found)))
    parts += ["<h2>How this was made</h2>", f"<pre>{shown}</pre>", f'<ul class="made">{lines}</ul>']
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>{STYLE}{_MORE_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts) + "\n</body>\n</html>\n"
    )  # fmt: skip


def _figures(found: SweepResult) -> list[str]:
    parts: list[str] = []
    if not found.points:
        return parts
    if plots.has_map(found):
        maps = plots.combinations(found, [plots.WEIGHTS, plots.STATES])
        parts.append("<h2>What bits buy</h2>")
        for others in maps[: plots.MAPS]:
            where = f" at {text.others_text(others)}" if others else ""
            caption = f"Mean error over chips{where}; framed: the chip as it was built."
            parts.append(_figure(found, plots.bits_map(found, others), caption))
        if len(maps) > plots.MAPS:
            parts.append(f'<p class="note">{len(maps) - plots.MAPS} more maps are left out; see the table.</p>')
    drawn = False
    for axis, values in found.varying.items():
        if sum(is_number(value) for value in values) < 2 or len({point.values[axis] for point in found.points}) < 2:
            continue
        several = len(plots.combinations(found, [axis])) > plots.LINES or found.spec.design == "random"
        what = ("Mean of all points; the band goes from the best chip of any point to the worst" if several
                else "Mean over chips; the band goes from the best chip to the worst")  # fmt: skip
        parts += [f"<h2>Error against {_text(axis)}</h2>",
                  _figure(found, plots.error_against(found, axis), f"{what}; dashed: the float network.")]  # fmt: skip
        drawn = True
    if not drawn and not plots.has_map(found):
        names = ", ".join(found.varying) or "the only point"
        parts += ["<h2>Error of each point</h2>", _figure(found, plots.points(found), f"By {names}.")]
    return parts


def _figure(found: SweepResult, figure: Any, caption: str) -> str:
    made = _text(f"{caption} {text.how(found)}. Made by: ")
    command = f"<code>{_text(text.commands(found)[0])}</code>"
    return f"<figure>{svg(figure)}<figcaption>{made}{command}</figcaption></figure>"


def _table(table: text.Table, wordy: str = "") -> str:
    head, rows = table
    kinds = [f' class="{name}"' if name == wordy else "" for name in head]
    top = "".join(f"<th{kind}>{_text(cell)}</th>" for kind, cell in zip(kinds, head, strict=True))
    body = "\n".join("<tr>" + "".join(f"<td{kind}>{_text(cell)}</td>" for kind, cell in zip(kinds, row, strict=True)) + "</tr>"
                     for row in rows)  # fmt: skip
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>\n{body}\n</tbody></table></div>'


def _text(value: object) -> str:
    return html.escape(str(value))
