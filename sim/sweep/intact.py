"""What must hold of a sweep's database before anything is made of it: its tables, and the type and range of every value.

A database may come from anybody. Tables alone are read, no views or triggers, so that nothing in it decides what runs.
"""

import json
import math
import sqlite3
from collections import Counter
from collections.abc import Iterator
from typing import Any

from sim.sweep.rows import KEYS

TABLES = ("sweep", "points", "results", "misreads", "spreads", "refusals", "provenance", "runs", "trainings")
LATER = ("misreads", "trainings")  # which former formats lack
LONGEST_VALUE = 1 << 26  # bytes of one text or blob
WORDS = ("host", "cpu", "cores", "anna", "python", "numpy", "simd", "commit")  # of where a point was computed
COUNTS = ("wrong", "disagreement", "float_wrong")  # of images


def guarded(db: sqlite3.Connection) -> None:
    """Limits that hold before the first table is read."""
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute("PRAGMA cell_size_check = ON")


def damages(db: sqlite3.Connection, axes: tuple[str, ...]) -> Iterator[str]:
    """Everything that is wrong with it, in words that follow its path; a damaged file may raise sqlite3.Error instead."""
    yield from _foreign(db)
    found = [str(text) for (text,) in db.execute("PRAGMA quick_check(1)")]
    yield from (f"is damaged ({text.splitlines()[-1]})" for text in found if text != "ok")
    known = set[int]()
    for point, content in db.execute("SELECT point, content FROM points"):
        if not _object(content).keys() >= set(axes):
            yield f"is damaged (the values of point {point})"
        known.add(point)
    if not known:
        yield "is damaged (it has no points)"
    images = dict[tuple[int, int], int]()
    for point, *values in db.execute(f"SELECT point, {', '.join(KEYS)} FROM results"):
        row = dict(zip(KEYS, values, strict=True))
        if point not in known or not _is_row(row):
            yield f"is damaged (results of point {point!r:.20} are no numbers of images)"
        else:
            images[point, row["chip"]] = row["images"]
    spread = {point for point, squares in db.execute("SELECT point, squares FROM spreads") if _is_count(squares)}
    refused = {point for point, text in db.execute("SELECT point, sentence FROM refusals") if isinstance(text, str)}
    chips = Counter(point for point, _ in images)
    gaps = {point for point, chip in images if chip >= chips[point]}  # chips are numbered from 0
    if wrong := (set(chips) ^ spread) | gaps | (refused - known) | (refused & spread):
        yield f"is damaged (point {min(wrong)} is not complete)"
    if _has(db, "misreads"):  # of all chips of a point, or of none: those of former formats have none
        told = set[tuple[int, int]]()
        for point, chip, bits in db.execute("SELECT point, chip, images FROM misreads"):
            if not isinstance(bits, bytes) or 8 * len(bits) < images.get((point, chip), 0):
                yield f"is damaged (the images that a chip of point {point!r:.20} misreads)"
            told.add((point, chip))
        if unsaid := {point for point, _ in images.keys() - told} & {point for point, _ in told}:
            yield f"is damaged (which images the chips of point {min(unsaid)} misread)"
    placed = {point for (point,) in db.execute("SELECT point FROM provenance")}
    if nowhere := (spread | refused) - placed:
        yield f"is damaged (nothing says where point {min(nowhere)} was computed)"
    for point, facts in db.execute("SELECT point, facts FROM provenance"):
        of_point = _object(facts)
        words = all(isinstance(of_point.get(key), str | int | None) for key in WORDS)
        if not (words and _is_count(of_point.get("run")) and _is_number(of_point.get("seconds", 0))):
            yield f"is damaged (where point {point} was computed)"
    for run, seconds, points, facts in db.execute("SELECT run, seconds, points, facts FROM runs"):
        command = _object(facts).get("command", "")
        if not (_is_number(seconds) and _is_count(points) and _object(facts) and isinstance(command, str | None)):
            yield f"is damaged (run {run})"
    if _has(db, "trainings"):
        trainings = db.execute("SELECT name, digest FROM trainings")
        yield from ("is damaged (its trainings)" for row in trainings if not all(isinstance(text, str) for text in row))


def _foreign(db: sqlite3.Connection) -> Iterator[str]:
    for kind, name, sql in db.execute("SELECT type, name, sql FROM sqlite_master"):
        if kind == "index" and str(name).startswith("sqlite_autoindex_"):
            continue
        if kind != "table" or name not in TABLES or not str(sql).upper().startswith("CREATE TABLE"):
            yield f"holds {name!r:.40}, a {kind:.20} that no sweep has"
    missing = [name for name in TABLES if name not in LATER and not _has(db, name)]
    yield from (f"is damaged (it has no table {name})" for name in missing)


def _has(db: sqlite3.Connection, table: str) -> bool:
    return bool(db.execute("SELECT count(*) FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0])


def _object(text: Any) -> dict[str, Any]:
    """The JSON object in a text; an empty one if it is none."""
    try:
        found = json.loads(text) if isinstance(text, str) else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value) and value >= 0


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and value >= 0


def _is_row(row: dict[str, Any]) -> bool:
    counts = [row[name] for name in COUNTS]
    return (
        _is_count(row["chip"])
        and _is_number(row["chip_seed"])
        and _is_count(row["images"])
        and row["images"] > 0
        and all(_is_count(count) and count <= row["images"] for count in counts)
        and _is_number(row["cycles_per_image"])
    )
