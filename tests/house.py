"""Reads who imports whom from the sources of the three packages: rooms (folders), floors, arrows, circles."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

PACKAGES = ("anna", "lenet", "sim")

# Each package's rooms, lowest floor first; rooms of one floor know nothing of each other. The package itself, its public
# face, stands on top of its rooms, and `__main__`, the door, on top of everything.
FLOORS: dict[str, tuple[tuple[str, ...], ...]] = {
    "anna": (
        ("base",),
        ("native",),
        ("chip",),
        ("network", "analog"),
        ("board", "importers"),
        ("program",),
        ("sequencer",),
        ("engine",),
        ("machine",),
        ("compiler", "trace"),
        ("lab", "exporters", "torch"),
    ),
    "lenet": (("base",), ("datasets",), ("networks", "classical"), ("training",)),
    "sim": (
        ("base",),
        ("inputs",),
        ("comparison", "bench", "sweep"),
        ("report",),
        ("results", "published", "applications"),
        ("cli",),
    ),
}

CYTHON_IMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+c?import\s+(.+)|cimport\s+([\w.]+))", re.M)


def modules(root: Path) -> dict[str, Path]:
    """Every module of the packages below `root` by its dotted name, compiled ones included."""
    found = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*")):
            if path.suffix in (".py", ".pyx", ".pxd"):
                parts = path.relative_to(root).with_suffix("").parts
                found.setdefault(".".join(parts[:-1] if parts[-1] == "__init__" else parts), path)
    return found


def named(path: Path) -> set[tuple[str, str]]:
    """What a source file imports as (module, name): at the top, in a function, or for the type checker only."""
    return _named(path.read_text(encoding="utf-8"), path.suffix)


@cache
def _named(text: str, suffix: str) -> set[tuple[str, str]]:
    found = set[tuple[str, str]]()
    if suffix != ".py":
        for module, names, direct in CYTHON_IMPORT.findall(text):
            found |= {(direct, "")} if direct else {(module, name.split(" as ")[0].strip("() ")) for name in names.split(",")}
        return found
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {(node.module, alias.name) for alias in node.names}
    return found


def imports(root: Path) -> dict[str, set[str]]:
    """Which module imports which: `from room import thing` means the module `room.thing` where there is one, else the room."""
    known = modules(root)
    return {
        module: ({f"{a}.{b}" if f"{a}.{b}" in known else a for a, b in named(path)} & set(known)) - {module}
        for module, path in known.items()
    }


def room_of(module: str) -> str:
    """The room a module stands in: `anna.chip` of `anna.chip.spec`; a package's own face is a room as well."""
    return ".".join(module.split(".")[:2])


def room_arrows(arrows: Mapping[str, Iterable[str]]) -> dict[tuple[str, str], tuple[str, str]]:
    """The arrows between rooms, each with one import that makes it."""
    return {
        (room_of(module), room_of(other)): (module, other)
        for module, others in arrows.items()
        for other in others
        if room_of(module) != room_of(other)
    }


def floor_of(room: str) -> tuple[int, int]:
    """Package and floor, both counted from below; a room that the table does not know is an error."""
    package, _, name = room.partition(".")
    if name == "__main__":
        return len(PACKAGES), 0
    at = PACKAGES.index(package)
    if not name:
        return at, len(FLOORS[package])
    for floor, rooms in enumerate(FLOORS[package]):
        if name in rooms:
            return at, floor
    raise LookupError(f"{room} is on no floor: add it to FLOORS")


def arrows_up(root: Path) -> list[str]:
    """Each arrow that does not run down, as a sentence."""
    return sorted(
        f"{module} imports {other}: {above} is not above {below}"
        for (above, below), (module, other) in room_arrows(imports(root)).items()
        if floor_of(above) <= floor_of(below)
    )


def circles(arrows: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Modules that import each other, directly or in a ring (strongly connected ones, by Tarjan's method)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        order[module] = low[module] = len(order)
        stack.append(module)
        for other in arrows.get(module, ()):
            if other not in order:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], order[other])
        if low[module] == order[module]:
            ring = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(ring) > 1:
                found.append(sorted(ring))

    for module in sorted(arrows):
        if module not in order:
            visit(module)
    return sorted(found)


def picture(root: Path) -> str:
    """The house as text: a line a floor from the top, then how much there is of everything."""
    rooms: dict[str, set[str]] = defaultdict(set)
    for above, below in room_arrows(imports(root)):
        rooms[above].add(below)
    lines = []
    for package in reversed(PACKAGES):
        lines += [f"{package:6} {'  '.join(floor)}" for floor in reversed(FLOORS[package])]
    count = sum(len(floor) for floors in FLOORS.values() for floor in floors)
    arrows = sum(len(below) for below in rooms.values())
    return "\n".join([*lines, f"{count} rooms, {arrows} arrows, {len(arrows_up(root))} of them up"])


if __name__ == "__main__":
    print(picture(Path(__file__).parents[1]))
