"""Equations as MathML, which browsers draw themselves: no script, no fonts, nothing to load."""

import html
import re
from typing import Any
from xml.etree import ElementTree

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx

MATHML = "http://www.w3.org/1998/Math/MathML"
ElementTree.register_namespace("", MATHML)


def mathml(tex: str, block: bool) -> str:
    """An equation in TeX as MathML. Under a letter with a hat docutils puts an index as if it were a limit: it goes beside."""
    text = re.sub(r"&(?!lt;|gt;|amp;)\w+;", lambda named: html.unescape(named[0]), tex2mathml(tex, as_block=block))
    root = ElementTree.fromstring(text)
    for each in root.iter(f"{{{MATHML}}}munderover"):
        base, index, above = each
        if above.text == "ˆ":
            accented = ElementTree.Element(f"{{{MATHML}}}mover", accent="true")
            accented.extend((base, above))
            each.tag, each[:] = f"{{{MATHML}}}msub", [accented, index]
    return ElementTree.tostring(root, encoding="unicode")


def _inline(translator: Any, node: nodes.Element) -> None:
    translator.body.append(mathml(node.astext(), block=False))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.Element) -> None:
    translator.body.append(f'<div class="equation">{mathml(node.astext(), block=True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
