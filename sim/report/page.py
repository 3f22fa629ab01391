"""The parts of all pages: one style for light, dark and paper; tables; figures with captions. No scripts, no network."""

import html
from collections.abc import Collection, Iterable, Sequence

from sim.base.columns import Column, Row, cells, on_page
from sim.report.drawing import Drawing
from sim.report.svg import svg_element

STYLE = """
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1c2024; --faint: #c9ced4; --soft: #f3f5f7; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --ink: #e3e6e9; --faint: #454c54; --soft: #1d2125; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 60rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2.6rem 0 .4rem; }
p.lead { font-size: 1.08rem; margin-top: 0; } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .86rem; min-width: 60%; }
th, td { padding: .3rem .4rem; text-align: right; border-bottom: 1px solid var(--faint); white-space: nowrap; }
th { font-weight: 600; white-space: normal; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
figure { margin: 1rem 0; } figure svg { display: block; width: 100%; min-width: 28rem; max-width: 52rem; height: auto; }
figcaption, .note { font-size: .82rem; opacity: .8; }
code { background: var(--soft); padding: .1rem .3rem; border-radius: 3px; }
th.why, td.why { white-space: normal; text-align: left; min-width: 18rem; } pre { overflow-x: auto; background: var(--soft);
  padding: .5rem .7rem; border-radius: 3px; font-size: .86rem; } ul.made { padding-left: 1.1rem; overflow-wrap: anywhere; }
@media print { :root { color-scheme: light; --paper: #ffffff; --ink: #000000; --faint: #bbbbbb; --soft: #ffffff; }
  html { font-size: 12px; } body { max-width: none; padding: 0; font-size: 1rem; } .wide { overflow: visible; }
  figure svg { min-width: 0; max-width: 46rem; } tr, figure { break-inside: avoid; } h2, h2 + p { break-after: avoid; } }
"""


def page(title: str, parts: Iterable[str]) -> str:
    """A complete page."""
    head = (
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped(title)}</title>\n<style>{STYLE}</style>"
    )
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'


def escaped(value: object) -> str:
    """Text escaped for HTML."""
    return html.escape(str(value))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], wordy: Collection[str] = ()) -> str:
    """A table of numbers; columns named in `wordy` hold sentences."""
    kinds = [' class="why"' if name in wordy else "" for name in head]

    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}{k}>{escaped(c)}</{tag}>" for k, c in zip(kinds, cells, strict=True)) + "</tr>"

    body = "\n".join(line(row, "td") for row in rows)
    return f'<div class="wide"><table><thead>{line(head, "th")}</thead><tbody>\n{body}\n</tbody></table></div>'


def column_table(columns: Sequence[Column[Row]], rows: Sequence[Row]) -> str:
    """A table of those columns that a page shows."""
    views = on_page(columns)
    return table(*cells(views, rows), [view.heading for view in views if view.sentences])


def figure(drawn: Drawing, caption: str, command: str = "") -> str:
    """A figure with a caption that says what it shows and how it was made."""
    made = f" Made by: <code>{escaped(command)}</code>" if command else ""
    return f'<figure><div class="wide">{svg_element(drawn)}</div><figcaption>{escaped(caption)}{made}</figcaption></figure>'
