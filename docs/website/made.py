"""Fills pages as they are read: the table of contents from the index, the manual from parsers, the reference from names."""

import re
from collections.abc import Callable

from sphinx.application import Sphinx

from website import commands, reference

# What stands in a page where something is made, and what makes it.
MADE: dict[str, Callable[[], str]] = {
    "<!-- commands -->": commands.manual,
    "<!-- names of anna -->": lambda: reference.names("anna"),
    "<!-- names of anna.lab -->": lambda: reference.names("anna.lab"),
    "<!-- names of lenet -->": lambda: reference.names("lenet"),
    "<!-- names of sim -->": lambda: reference.names("sim"),
}


def contents(index: str) -> str:
    """The site's table of contents: a part for each heading of the index, with the pages that it links to."""
    lines = []
    for section in re.split(r"^## ", index, flags=re.M)[1:]:
        pages = re.findall(r"\]\(([\w./-]+\.md)\)", section)
        lines += [
            "```{toctree}",
            ":hidden:",
            f":caption: {section.partition(chr(10))[0]}",
            "",
            *dict.fromkeys(pages),
            "```",
            "",
        ]
    return "\n".join(lines)


def _fill(app: Sphinx, docname: str, source: list[str]) -> None:
    for mark, make in MADE.items():
        if mark in source[0]:
            source[0] = source[0].replace(mark, make())
    if docname == app.config.root_doc:
        source[0] += "\n" + contents(source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", _fill)
    app.connect("autodoc-process-docstring", lambda *given: reference.as_rst(given[-1]))
    app.connect("autodoc-process-signature", reference.signature)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
