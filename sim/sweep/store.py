"""The database of a sweep: one SQLite file; a point's rows go in together or not at all.

`results` holds only what the seeds determine, a row per (point, chip), and its export is the same bytes however often a
sweep was interrupted, in whatever order and wherever its points ran. Where, when and by what they were computed lies in
`provenance`.
"""

import contextlib
import csv
import io
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from anna.errors import FileError, MachineError

FORMAT = 1
NAME = "sweep.sqlite"
LOCK = "sweep.lock"

COLUMNS = ("point", "chip", "chip_seed", "images", "wrong", "disagreement", "float_wrong", "cycles_per_image")
_SCHEMA = f"""
CREATE TABLE sweep (format INTEGER NOT NULL, spec TEXT NOT NULL);
CREATE TABLE points (point INTEGER PRIMARY KEY, key TEXT NOT NULL);
CREATE TABLE results ({", ".join(f"{name} NUMERIC NOT NULL" for name in COLUMNS)}, PRIMARY KEY (point, chip)) WITHOUT ROWID;
CREATE TABLE refusals (point INTEGER PRIMARY KEY, sentence TEXT NOT NULL);
CREATE TABLE provenance (point INTEGER PRIMARY KEY, facts TEXT NOT NULL);
"""


class Store:
    """An open database. Use as a context; only one process at a time holds a folder."""

    def __init__(self, folder: Path, spec_key: str, points: Iterable[tuple[int, str]]) -> None:
        self.path = folder / NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(folder / LOCK)
        except OSError as error:
            raise FileError(f"{folder}: cannot be written ({error.strerror or error})") from None
        try:
            self._db = sqlite3.connect(self.path, isolation_level=None)
            self._prepare(spec_key, points)
        except sqlite3.Error as error:
            self._lock.close()
            raise FileError(f"{self.path}: is no database of a sweep, or cannot be written ({error})") from None
        except BaseException:
            self._lock.close()
            raise

    def _prepare(self, spec_key: str, points: Iterable[tuple[int, str]]) -> None:
        self._db.execute("PRAGMA synchronous = FULL")
        tables = {row[0] for row in self._db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            with self._transaction():
                for statement in _SCHEMA.strip().split(";\n"):
                    self._db.execute(statement.rstrip(";"))
                self._db.execute("INSERT INTO sweep VALUES (?, ?)", (FORMAT, spec_key))
                self._db.executemany("INSERT INTO points VALUES (?, ?)", points)
            return
        if "sweep" not in tables:
            raise FileError(f"{self.path}: is a database, but not of a sweep")
        found, stored = self._db.execute("SELECT format, spec FROM sweep").fetchone()
        if found > FORMAT:
            raise FileError(f"{self.path}: has format {found}; this version of anna reads up to {FORMAT}: update anna")
        if stored != spec_key:
            raise FileError(f"{self.path}: holds another sweep; give each sweep a folder of its own")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()
        self._lock.close()

    @property
    def done(self) -> set[int]:
        """Points that need not run again."""
        return {row[0] for row in self._db.execute("SELECT point FROM results UNION SELECT point FROM refusals")}

    def add(self, point: int, rows: Iterable[Mapping[str, Any]], facts: Mapping[str, Any]) -> None:
        """A finished point, all its rows at once."""
        marks = ", ".join("?" for _ in COLUMNS)
        values = [tuple(row[name] for name in COLUMNS) for row in rows]
        self._write(point, f"INSERT INTO results VALUES ({marks})", values, facts)

    def refuse(self, point: int, sentence: str, facts: Mapping[str, Any]) -> None:
        """A point that cannot be: the compiler or the chip refused it."""
        self._write(point, "INSERT INTO refusals VALUES (?, ?)", [(point, sentence)], facts)

    def _write(self, point: int, statement: str, rows: list[tuple[Any, ...]], facts: Mapping[str, Any]) -> None:
        try:
            with self._transaction():
                self._db.executemany(statement, rows)
                self._db.execute("INSERT OR REPLACE INTO provenance VALUES (?, ?)", (point, json.dumps(facts)))
        except sqlite3.OperationalError as error:
            raise FileError(f"{self.path}: cannot be written ({error}); finished points are kept, run again to go on") from None

    def rows(self) -> list[dict[str, Any]]:
        """The results in their canonical order, with the values of each point."""
        names = ", ".join(f"r.{name}" for name in COLUMNS)
        found = self._db.execute(f"SELECT {names}, p.key FROM results r JOIN points p USING (point) ORDER BY r.point, r.chip")
        return [{**dict(zip(COLUMNS, row[:-1], strict=True)), **json.loads(row[-1])} for row in found]

    def refusals(self) -> list[tuple[int, str]]:
        """Points that were refused, and why."""
        return list(self._db.execute("SELECT point, sentence FROM refusals ORDER BY point"))

    def csv(self) -> str:
        """The result table as text, byte for byte the same for the same sweep."""
        rows, out = self.rows(), io.StringIO()
        if rows:
            writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        return out.getvalue()


def _locked(path: Path) -> io.TextIOWrapper:
    """The lock file, held by this process until it is closed or the process dies."""
    file = path.open("w")
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:  # a system without flock: nothing to hold; SQLite still keeps each transaction whole
        pass
    except BlockingIOError:
        file.close()
        raise MachineError(f"{path.parent}: another sweep is running in this folder") from None
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file
