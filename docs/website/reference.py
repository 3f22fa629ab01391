"""The reference as Markdown: the public names of a package, room by room, which Sphinx fills from their docstrings."""

import inspect
import re
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from pydantic import BaseModel
from sphinx.application import Sphinx


def names(package: str) -> str:
    """A section for each room with public names, in the order of the alphabet, and the names in it."""
    face = import_module(package)
    rooms: dict[str, list[str]] = defaultdict(list)
    for name in sorted(face.__all__):
        found = getattr(face, name)
        if not inspect.ismodule(found) and not name.startswith("__"):
            rooms[_room(package, name, found)].append(name)
    return "\n".join(line for room in sorted(rooms) for line in _section(package, room, rooms[room]))


def _room(package: str, name: str, found: Any) -> str:
    """The room that a public name comes from: two parts of its module's name, or the package where it is at home itself."""
    home = getattr(import_module(package), "_HOMES", {}).get(name) or getattr(found, "__module__", package)
    return ".".join(home.split(".")[:2])


def _section(package: str, room: str, members: list[str]) -> Iterator[str]:
    said = inspect.getdoc(import_module(room)) or ""
    yield from (f"## {room}", "", said.partition("\n\n")[0], "")
    for name in members:
        yield from ("```{eval-rst}", *_entry(package, name), "```", "")


def _entry(package: str, name: str) -> Iterator[str]:
    found = getattr(import_module(package), name)
    if inspect.isclass(found):
        yield from (f".. autoclass:: {package}.{name}", "   :members:")
    elif callable(found):
        yield f".. autofunction:: {package}.{name}"
    else:
        yield from (f".. py:data:: {package}.{name}", f"   :type: {type(found).__name__}")


def as_rst(lines: list[str]) -> None:
    """A docstring of the house, in place: plain text, names in single quotes, and lists of a name and what it means."""
    found = list[str]()
    for line in lines:
        plain = re.sub(r"`[^`]*`|[*|]", lambda part: part[0] if len(part[0]) > 1 else "\\" + part[0], line)
        if entry := re.fullmatch(r"([\w/]+) {2,}(\S.*)", plain):
            found += [f"`{entry[1]}`", f"    {entry[2]}"]
        else:
            found.append(re.sub(r"^ {5,}", "    ", plain))
    lines[:] = found


def signature(app: Sphinx, what: str, name: str, found: Any, options: Any, given: str, returns: str) -> tuple[str, str] | None:
    """A record takes its fields by name; their limits are no part of how it is called."""
    return ("(**fields)", "") if inspect.isclass(found) and issubclass(found, BaseModel) else None
