"""What became of inputs: a word for each, and the table of figures that a run adds to."""

import json
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anna.base.container import write_beside
from anna.base.errors import AnnaError

REFUSED = "refused"  # by an AnnaError that the reader raised itself
BORDER = "by the border"  # by one that another exception was turned into
ACCEPTED = "accepted"  # and too large to be run
RUN = "run"  # accepted, and run: two evaluators agree
FOREIGN = "foreign"  # an exception that is no AnnaError, from the reader or from what it accepted
CRASHED = "crashed"  # the process died
OVER = "over budget"  # memory or time
OUTCOMES = (REFUSED, BORDER, ACCEPTED, RUN, FOREIGN, CRASHED, OVER)
BAD = (FOREIGN, CRASHED, OVER)


def outcome(read: Callable[[], Any], judge: Callable[[Any], bool]) -> tuple[str, str]:
    """The word for one input, and what to remember of it."""
    try:
        found = read()
    except AnnaError as error:
        cause = error.__cause__
        if isinstance(cause, MemoryError):
            return OVER, f"memory: {error}"
        return (REFUSED, "") if cause is None else (BORDER, f"{type(cause).__name__} {_place(cause)}")
    except MemoryError as error:
        return OVER, f"memory {_place(error)}"
    except Exception as error:
        return FOREIGN, f"reading: {type(error).__name__}: {error!s:.100} {_place(error)}"
    try:
        return (RUN if judge(found) else ACCEPTED), ""
    except MemoryError as error:
        return OVER, f"memory when run {_place(error)}"
    except Exception as error:
        return FOREIGN, f"running: {type(error).__name__}: {error!s:.100} {_place(error)}"


def _place(error: BaseException) -> str:
    """The innermost line of ours, in the traceback of an error."""
    frames = [one for one in traceback.extract_tb(error.__traceback__) if "fuzzing" not in one.filename]
    ours = [one for one in frames if any(f"/{name}/" in one.filename for name in ("anna", "lenet", "sim"))] or frames
    return f"({Path(ours[-1].filename).name}:{ours[-1].lineno})" if ours else ""


@dataclass
class Figures:
    """Of one reader and seed: how many inputs are done, and what became of them."""

    reader: str
    seed: int
    done: int = 0
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    remembered: dict[str, list[int]] = field(default_factory=dict)  # inputs, by what was remembered of them: the first three

    def add(self, number: int, word: str, note: str) -> None:
        self.counts[word] += 1
        if note:
            numbers = self.remembered.setdefault(f"{word}: {note}", [])
            if len(numbers) < 3:
                numbers.append(number)

    @property
    def bad(self) -> dict[str, list[int]]:
        """Everything that must not be."""
        return {note: numbers for note, numbers in self.remembered.items() if note.startswith(BAD)}


def load(path: Path) -> dict[str, Figures]:
    """The figures of former runs, by reader and seed."""
    rows = json.loads(path.read_text()) if path.exists() else []
    return {f"{row['reader']} {row['seed']}": Figures(**{**row, "counts": Counter(row["counts"])}) for row in rows}


def save(path: Path, figures: Iterable[Figures]) -> None:
    """Write them, all or nothing."""
    write_beside(path, json.dumps([vars(one) for one in figures], indent=1).encode())


def table(figures: Iterable[Figures]) -> str:
    """Markdown, a row for each reader and one for all."""
    rows = dict[str, list[Figures]]()
    for one in figures:
        rows.setdefault(one.reader, []).append(one)
    lines = ["| reader | inputs | " + " | ".join(OUTCOMES) + " | a second |", "|---" * (len(OUTCOMES) + 3) + "|"]
    for name, ones in [*rows.items(), ("all", [one for mine in rows.values() for one in mine])]:
        counts, done = sum((one.counts for one in ones), Counter[str]()), sum(one.done for one in ones)
        rate = done / max(sum(one.seconds for one in ones), 1e-9)
        lines.append(f"| {name} | {done:,} | " + " | ".join(f"{counts[word]:,}" for word in OUTCOMES) + f" | {rate:,.0f} |")
    return "\n".join(lines)
