"""SVG images become part of the page, so that they take the colours of its theme, light or dark."""

import html
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

from sim.report.colours import FAINT, INK, PAPER

# What figures are drawn in where they stand alone, and the variables of the page (website/static/site.css).
COLOURS = {INK: "var(--ink)", FAINT: "var(--faint)", PAPER: "var(--paper)"}


def part_of_page(svg: str, alt: str) -> str:
    """An SVG file as an element of a page: its colours are the page's, its width is the page's, its ids are its own."""
    text = svg[svg.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)  # holds web addresses
    for colour, variable in COLOURS.items():
        text = text.replace(colour, variable)
    own = "d" + sha256(svg.encode()).hexdigest()[:8] + "-"
    text = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{own}", text)
    text = re.sub(r'<svg ([^>]*?)height="[^"]*"', r"<svg \1", text, count=1)
    text = re.sub(r'<svg ([^>]*?)width="([\d.]+)(pt|px)?"', r'<svg \1style="max-width: \2\3"', text, count=1)
    return text.replace("<svg ", f'<svg role="img" aria-label="{html.escape(alt)}" ', 1)


def _visit(translator: Any, node: nodes.Element) -> None:
    path = Path(translator.builder.srcdir) / node["uri"]
    if path.suffix == ".svg" and path.exists():
        inner = part_of_page(path.read_text(encoding="utf-8"), node.get("alt", ""))
        translator.body.append(f'<div class="drawing">{inner}</div>')
        raise nodes.SkipNode
    HTML5Translator.visit_image(translator, node)


def _depart(translator: Any, node: nodes.Element) -> None:
    HTML5Translator.depart_image(translator, node)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_node(nodes.image, override=True, html=(_visit, _depart))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
