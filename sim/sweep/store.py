"""The database of a sweep: one SQLite file, to which a point's rows are added together or not at all.

`results` (a row per point and chip), `misreads` (the images that each of them misreads), `spreads` and `refusals` hold only
what the seeds determine: they do not depend on interruptions, on the order of points, or on where they ran. Where, when and
with what points were computed is in `provenance`, a row per point, and `runs`, a row per start.
"""

import contextlib
import csv
import io
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import anna
from anna.analog.noise import NOISE_VERSION
from anna.base.border import SWEEP, border
from anna.base.container import Upgrades, canonical_json, upgraded
from anna.base.errors import FileError, MachineError
from sim.base.columns import values
from sim.sweep.intact import damages, guarded
from sim.sweep.rows import DERIVED, KEYS, Outcome
from sim.sweep.spec import SweepSpec, make_spec

FORMAT = 4
# Of the content that identifies the sweep. Format 2 added the table of trainings; if absent, it counts as empty. Format 3 added
# the noise version; before, there was only one. Format 4 added the table of misreads and images of
# one's own; before, `images` was their number. No sweep of a former format goes on: each came with other noise.
UPGRADES: Upgrades = {
    1: lambda content: content,
    2: lambda content: {**content, "noise_version": 1},
    3: lambda content: {**content, "spec": {**content["spec"], "images": None, "calibration": None,
                                            "count": content["spec"]["images"]}},
}  # fmt: skip
APPLICATION = 0x616E6E61  # "anna", in SQLite's application_id
NAME = "sweep.sqlite"
LOCK = "sweep.lock"
OPENING_SECONDS = 2  # to wait for a lock: a sweep holds it for the moment of a commit
WRITING_SECONDS = 60

_SCHEMA = (
    "CREATE TABLE sweep (content TEXT NOT NULL)",
    "CREATE TABLE points (point INTEGER PRIMARY KEY, content TEXT NOT NULL)",
    f"CREATE TABLE results (point INTEGER NOT NULL, {', '.join(f'{name} NUMERIC NOT NULL' for name in KEYS)}, "
    "PRIMARY KEY (point, chip)) WITHOUT ROWID",
    "CREATE TABLE misreads (point INTEGER NOT NULL, chip INTEGER NOT NULL, images BLOB NOT NULL, "
    "PRIMARY KEY (point, chip)) WITHOUT ROWID",
    "CREATE TABLE spreads (point INTEGER PRIMARY KEY, squares INTEGER NOT NULL)",
    "CREATE TABLE refusals (point INTEGER PRIMARY KEY, sentence TEXT NOT NULL)",
    "CREATE TABLE provenance (point INTEGER PRIMARY KEY, facts TEXT NOT NULL)",
    "CREATE TABLE runs (run INTEGER PRIMARY KEY, seconds REAL NOT NULL, points INTEGER NOT NULL, facts TEXT NOT NULL)",
    "CREATE TABLE trainings (name TEXT PRIMARY KEY, digest TEXT NOT NULL)",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {FORMAT}",
)


@dataclass(frozen=True)
class Identity:
    """Everything that determines the rows of a sweep: its file, what that names, and the versions of anna and its noise."""

    spec: SweepSpec
    inputs: tuple[tuple[str, str], ...]
    version: str
    noise_version: int

    @classmethod
    def of(cls, spec: SweepSpec, inputs: tuple[tuple[str, str], ...]) -> "Identity":
        """The identity under this version of anna."""
        return cls(spec, inputs, anna.__version__, NOISE_VERSION)

    @property
    def content(self) -> str:
        """Canonical text; files appear with their name in the sweep and their digest."""
        inputs = [list(pair) for pair in self.inputs]
        versions = {"anna": self.version, "noise_version": self.noise_version}
        return canonical_json({"spec": self.spec.content, "inputs": inputs, **versions})

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> "Identity":
        """The identity in a parsed content."""
        spec = make_spec({**found["spec"], "axes": dict(found["spec"]["axes"])})
        inputs = tuple((name, digest) for name, digest in found["inputs"])
        if not all(isinstance(text, str) for text in (*(text for pair in inputs for text in pair), found["anna"])):
            raise FileError("is damaged (its inputs are no names and digests)")
        return cls(spec, inputs, found["anna"], found["noise_version"])


class Store:
    """An open database, a context manager. With an identity it is opened for writing, by one process per folder at a time;
    without, for reading."""

    def __init__(self, folder: Path, named: Identity | None = None) -> None:
        self.path = folder / NAME
        self._lock: io.TextIOWrapper | None = None
        if named is None and not self.path.exists():
            raise FileError(f"{folder}: holds no {NAME}; expected the folder of a sweep")
        try:
            if named is not None:
                folder.mkdir(parents=True, exist_ok=True)
                self._lock = _locked(folder / LOCK)
        except OSError as error:
            raise FileError(f"{folder}: cannot be written ({error.strerror or error})") from None
        try:
            with border(self.path, SWEEP):
                if self.path.exists():
                    SWEEP.expect_size(self.path, self.path.stat().st_size)
                self.identity = self._opened(named)
        except BaseException:
            self.close()
            raise

    def _opened(self, named: Identity | None) -> Identity:
        try:
            self._db = sqlite3.connect(self.path, isolation_level=None, timeout=OPENING_SECONDS)
            guarded(self._db)
            identity = self._prepared(named)
            for damage in damages(self._db, tuple(identity.spec.axes)):
                raise FileError(f"{self.path}: {damage}")
            self._db.execute(f"PRAGMA busy_timeout = {1000 * WRITING_SECONDS}")
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise FileError(f"{self.path}: is locked by another process; try again when that has ended") from None
            raise FileError(f"{self.path}: is not a sweep database, or cannot be opened ({error})") from None
        return identity

    def _prepared(self, named: Identity | None) -> Identity:
        self._db.execute("PRAGMA synchronous = FULL")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        application = self._db.execute("PRAGMA application_id").fetchone()[0]
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not tables and not version and not application:
            if named is None:
                raise FileError(f"{self.path}: is empty; the sweep was stopped before it began")
            with self._transaction():
                for statement in _SCHEMA:
                    self._db.execute(statement)
                self._db.execute("INSERT INTO sweep VALUES (?)", (named.content,))
                points = ((point.number, point.key) for point in named.spec.all_points())
                self._db.executemany("INSERT INTO points VALUES (?, ?)", points)
            return named
        if application != APPLICATION:
            raise FileError(f"{self.path}: is a database, but not a sweep's")
        if version > FORMAT:  # refused before any table is read: a newer format may have other tables
            upgraded(self.path, "sweep", {"format": version}, FORMAT, UPGRADES)
        (content,) = self._db.execute("SELECT content FROM sweep").fetchone() or ("",)
        content = json.loads(content)
        stored = Identity.read(upgraded(self.path, "sweep", {**content, "format": version}, FORMAT, UPGRADES))
        if named is not None and stored.content != named.content:
            raise FileError(f"{self.path}: {_difference(stored, named)}")
        return stored

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
            raise

    def close(self) -> None:
        """Closes the database and releases the folder."""
        if hasattr(self, "_db"):
            self._db.close()
        if self._lock is not None:
            self._lock.close()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def done(self) -> set[int]:
        """Points that need no further run."""
        return {row[0] for row in self._db.execute("SELECT point FROM spreads UNION SELECT point FROM refusals")}

    @property
    def trainings(self) -> dict[str, str]:
        """Digests of the networks that the sweep has trained, with their images."""
        if not self._has("trainings"):  # none in format 1
            return {}
        return dict(self._db.execute("SELECT name, digest FROM trainings ORDER BY name"))

    def _has(self, table: str) -> bool:
        return bool(self._db.execute("SELECT count(*) FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0])

    def expect_weights(self, digests: Mapping[str, str]) -> None:
        """Records the trained networks; raises if their weights differ from those recorded before."""
        if not digests:
            return
        known = self.trainings
        for name, digest in digests.items():
            if known.get(name, digest) != digest:
                raise FileError(f"{self.path}: holds rows computed with other weights from the {name}; weights trained on "
                                "another machine or with other versions differ: share one folder, or start over")  # fmt: skip
        with self._writing():
            self._db.executemany("INSERT OR IGNORE INTO trainings VALUES (?, ?)", sorted(digests.items()))

    def begin_run(self, facts: Mapping[str, Any]) -> int:
        """Records the start of a run and returns its number."""
        facts = {"id": secrets.token_hex(8), **facts}  # two runs of the same second and length are still two when merged
        with self._writing():
            found = self._db.execute("INSERT INTO runs (seconds, points, facts) VALUES (0, 0, ?)", (json.dumps(facts),))
        return int(found.lastrowid or 0)

    def add(self, outcome: Outcome, run: int, seconds: float) -> None:
        """Adds a finished or refused point in one transaction; `seconds` is how long the run has lasted."""
        with self._writing():
            if outcome.refusal is None:
                rows = [tuple(row[name] for name in KEYS) for row in outcome.rows]
                misread = [(row["chip"], bits) for row, bits in zip(outcome.rows, outcome.misread, strict=True)]
                self._insert(outcome.point, rows, outcome.squares, misread)
            else:
                self._db.execute("INSERT INTO refusals VALUES (?, ?)", (outcome.point, outcome.refusal))
            facts = json.dumps({"run": run, **outcome.facts})
            self._db.execute("INSERT INTO provenance VALUES (?, ?)", (outcome.point, facts))
            self._db.execute("UPDATE runs SET seconds = ?, points = points + 1 WHERE run = ?", (seconds, run))

    def _insert(self, point: int, rows: list[tuple[Any, ...]], squares: int, misread: list[tuple[int, bytes]]) -> None:
        marks = ", ".join("?" * (1 + len(KEYS)))
        self._db.executemany(f"INSERT INTO results VALUES ({marks})", [(point, *row) for row in rows])
        self._db.executemany("INSERT INTO misreads VALUES (?, ?, ?)", [(point, *one) for one in misread])
        self._db.execute("INSERT INTO spreads VALUES (?, ?)", (point, squares))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with self._transaction():
                yield
        except sqlite3.Error as error:
            raise FileError(
                f"{self.path}: cannot be written ({error}); finished points are kept, run again to continue"
            ) from None

    def merge(self, other: "Store") -> int:
        """Copies the points of another database of the same sweep and returns how many are new. Points that both hold must
        agree."""
        if other.identity.content != self.identity.content:
            raise FileError(f"{other.path}: {_difference(other.identity, self.identity)}")
        self.expect_weights(other.trainings)
        mine, new = self.done, 0
        with self._writing():
            runs = dict[int, int]()
            for run, *rest in other._db.execute("SELECT run, seconds, points, facts FROM runs ORDER BY run").fetchall():
                found = self._db.execute("SELECT run FROM runs WHERE (seconds, points, facts) = (?, ?, ?)", rest).fetchone()
                runs[run] = found[0] if found else int(self._db.execute(
                    "INSERT INTO runs (seconds, points, facts) VALUES (?, ?, ?)", rest).lastrowid or 0)  # fmt: skip
            for point in sorted(other.done):
                if point in mine:
                    if self._determined(point) != other._determined(point):
                        raise FileError(f"{other.path}: point {point} differs from that in {self.path}")
                    continue
                rows, squares, refusal = other._determined(point)
                if refusal is None:
                    self._insert(point, rows, squares[0], other._misread(point))
                else:
                    self._db.execute("INSERT INTO refusals VALUES (?, ?)", (point, *refusal))
                facts = json.loads(other._db.execute("SELECT facts FROM provenance WHERE point = ?", (point,)).fetchone()[0])
                facts["run"] = runs.get(facts["run"], 0)
                self._db.execute("INSERT INTO provenance VALUES (?, ?)", (point, json.dumps(facts)))
                new += 1
        return new

    def _determined(self, point: int) -> tuple[list[tuple[Any, ...]], Any, Any]:
        rows = self._db.execute(f"SELECT {', '.join(KEYS)} FROM results WHERE point = ? ORDER BY chip", (point,)).fetchall()
        squares = self._db.execute("SELECT squares FROM spreads WHERE point = ?", (point,)).fetchone()
        return rows, squares, self._db.execute("SELECT sentence FROM refusals WHERE point = ?", (point,)).fetchone()

    def _misread(self, point: int) -> list[tuple[int, bytes]]:
        if not self._has("misreads"):  # before format 4
            return []
        return self._db.execute("SELECT chip, images FROM misreads WHERE point = ? ORDER BY chip", (point,)).fetchall()

    def misreads(self) -> dict[int, dict[int, NDArray[np.bool_]]]:
        """For each point and the seed of each of its chips: which images it misreads. Points of sweeps begun before format 4
        are missing."""
        if not self._has("misreads"):
            return {}
        found: dict[int, dict[int, NDArray[np.bool_]]] = {}
        rows = self._db.execute("SELECT point, chip_seed, r.images, m.images FROM results r JOIN misreads m "
                                "USING (point, chip) ORDER BY point, chip")  # fmt: skip
        for point, seed, count, bits in rows:
            found.setdefault(point, {})[seed] = np.unpackbits(np.frombuffer(bits, np.uint8), count=count).astype(np.bool_)
        return found

    @property
    def row_count(self) -> int:
        """Number of result rows."""
        return int(self._db.execute("SELECT count(*) FROM results").fetchone()[0])

    def rows(self) -> list[dict[str, Any]]:
        """The results in canonical order: point, values of its axes, then the columns of each chip."""
        axes, out = list(self.identity.spec.axes), []
        names = ", ".join(f"r.{name}" for name in KEYS)
        found = self._db.execute(f"SELECT r.point, p.content, {names} FROM results r JOIN points p USING (point) "
                                 "ORDER BY r.point, r.chip")  # fmt: skip
        for point, content, *row in found:
            at, stored = json.loads(content), dict(zip(KEYS, row, strict=True))
            out.append({"point": point, **{name: at[name] for name in axes}, **stored, **values(DERIVED, stored)})
        return out

    def spreads(self) -> dict[int, int]:
        """For each point: the sum over images of the squared number of chips that misread it."""
        return dict(self._db.execute("SELECT point, squares FROM spreads ORDER BY point").fetchall())

    def refusals(self) -> list[tuple[int, str]]:
        """Refused points, and why."""
        return list(self._db.execute("SELECT point, sentence FROM refusals ORDER BY point"))

    def points(self) -> dict[int, dict[str, Any]]:
        """The axis values of all points."""
        axes = list(self.identity.spec.axes)
        found = ((point, json.loads(content)) for point, content in self._db.execute("SELECT point, content FROM points"))
        return {point: {name: values[name] for name in axes} for point, values in found}

    def runs(self) -> list[dict[str, Any]]:
        """Every run: how long it lasted, how many points it did, and where it ran."""
        found = self._db.execute("SELECT run, seconds, points, facts FROM runs ORDER BY run")
        return [{"run": run, "seconds": seconds, "points": points, **json.loads(facts)}
                for run, seconds, points, facts in found]  # fmt: skip

    def provenance(self) -> dict[int, dict[str, Any]]:
        """For each point: when, where, with which versions, and how long."""
        return {point: json.loads(facts) for point, facts in self._db.execute("SELECT point, facts FROM provenance")}

    def csv(self) -> str:
        """The result table as CSV, byte for byte the same for the same sweep."""
        rows, out = self.rows(), io.StringIO()
        names = ["point", *self.identity.spec.axes, *KEYS, *(column.key for column in DERIVED)]
        writer = csv.DictWriter(out, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, **{k: " ".join(map(str, v)) for k, v in row.items() if isinstance(v, list)}} for row in rows)
        return out.getvalue()


def _difference(stored: Identity, named: Identity) -> str:
    """Why two identities differ."""
    if stored.spec.content != named.spec.content:
        theirs, ours = stored.spec.content, named.spec.content
        where = next(name for name in ours if ours[name] != theirs[name])
        return f"holds another sweep ({where} differs); give each sweep its own folder"
    if stored.version != named.version:
        return (
            f"was started by anna {stored.version}, and this is {named.version}; "
            "finish it there, or give this sweep a new folder"
        )
    if stored.noise_version != named.noise_version:
        return (
            f"was started with noise version {stored.noise_version}, and this is {named.noise_version}; finish it with the "
            "anna that began it, or give this sweep a new folder: typical-v1 and worst-v1 are the chips of version 1, "
            "typical-v2 and worst-v2 those of version 2"
        )
    before, now = dict(stored.inputs), dict(named.inputs)
    where = next((name for name in now if now[name] != before.get(name)), "what it names")
    return f"was started with other weights, images or parameters ({where}); give this sweep a new folder"


def _locked(path: Path) -> io.TextIOWrapper:
    """The lock file, held until it is closed or the process dies."""
    file = path.open("a")
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except ImportError:  # a system without flock: no lock; SQLite still keeps each transaction atomic
        return file
    except BlockingIOError:
        file.close()
        raise MachineError(f"{path.parent}: another sweep is running in this folder") from None
    with contextlib.suppress(OSError):  # only for information
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
    return file
