"""Puts the page together: its files, in the order in which they need each other, and the data, in one document."""

import html
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from anna.program.file import Program
from anna.trace.recording import Recording
from anna.trace.watched import chip_data, program_data

FIRST = "main.js"  # the module that needs all others
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w.]+)";\n', re.M)


def watch_page(program: Program, recordings: Mapping[str, Recording], title: str, facts: str) -> str:
    """One image on one or two chips, named in `recordings`, as a page that needs no network."""
    chips = [{"title": name, **chip_data(program, recording)} for name, recording in recordings.items()]
    data = json.dumps({"facts": facts, "program": program_data(program), "chips": chips}, separators=(",", ":"))
    parts = {
        "title": html.escape(title),
        "style": _text("style.css").strip(),
        "script": "\n".join(_module(name) for name in in_order(FIRST)).strip(),
        "data": data.replace("</", "<\\/"),  # a name in it ends no script
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _text("page.html"))


def in_order(first: str) -> Sequence[str]:
    """A module and those that it imports, each after those that it needs itself."""
    found = dict[str, None]()

    def visit(name: str) -> None:
        for needed in _IMPORT.findall(_text(name)):
            if needed not in found:
                visit(needed)
        found[name] = None

    visit(first)
    return tuple(found)


def _module(name: str) -> str:
    """A module's text without imports and exports: on the page all stand in one."""
    return re.sub(r"^export ", "", _IMPORT.sub("", _text(name)), flags=re.M)


@cache
def _text(name: str) -> str:
    return (files("sim.watch") / name).read_text(encoding="utf-8")
