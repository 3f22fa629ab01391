"""What the model says to each row: the predicted number, the verdict and its reason."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from anna.base.errors import AnnaError, UsageError, nearest
from sim.published.misses import REASONS
from sim.published.quantities import Quantities
from sim.published.row import Row, Verdict
from sim.published.rows import ROWS

Watch = Callable[[str], None]


@dataclass(frozen=True)
class Finding:
    """A row with what the model says; `refused` is the sentence with which it was refused."""

    row: Row
    predicted: float | None
    refused: str = ""

    @property
    def verdict(self) -> Verdict:
        """Met, missed, or open where there is no prediction or no range to hold it against."""
        if self.predicted is None or self.row.expected is None:
            return "open"
        return "met" if self.row.expected.holds(self.predicted) else "missed"

    @property
    def reason(self) -> str:
        """Why the verdict is what it is."""
        if self.refused:
            return f"the model refuses: {self.refused}"
        if self.verdict == "missed":
            return REASONS.get(self.row.name, "not explained yet")
        return self.row.why or (self.row.expected.why if self.row.expected else "")

    @property
    def ratio(self) -> float | None:
        """Predicted over published; over the nearer end of a published range, and 1 within."""
        if self.predicted is None:
            return None
        low, high = ends(self.row.fact.value)
        return self.predicted / min(max(self.predicted, low), high)

    def content(self) -> dict[str, Any]:
        """The row of the JSON."""
        row, value = self.row, self.row.fact.value
        expected = None if row.expected is None else asdict(row.expected)
        return {
            "name": row.name,
            "what": row.what,
            "mark": row.fact.mark.value,
            "unit": row.fact.unit,
            "source": row.fact.source,
            "published": list(value) if isinstance(value, tuple) else value,
            "predicted": _rounded(self.predicted),
            "ratio": _rounded(self.ratio),
            "kind": row.kind,
            "expected": expected,
            "verdict": self.verdict,
            "reason": self.reason,
            "command": row.command,
        }


def ends(value: Any) -> tuple[float, float]:
    """Both ends of a published number or range."""
    return (float(value[0]), float(value[-1])) if isinstance(value, tuple) else (float(value), float(value))


def _rounded(value: float | None) -> float | None:
    """Six digits: nothing here is known better."""
    return None if value is None else float(f"{value:.6g}")


def judge(row: Row, quantities: Quantities) -> Finding:
    """What the model says to a row; what it refuses stays open, with its sentence."""
    if row.by is None:
        return Finding(row, None)
    try:
        value = quantities.value(row.by)
    except AnnaError as error:
        return Finding(row, None, str(error))
    assert math.isfinite(value), f"{row.name} is predicted as {value}"
    return Finding(row, value)


def chosen(names: Sequence[str], machine: str | None = None) -> tuple[Row, ...]:
    """The rows of these names, all if there are none; with a machine, those about it. Raises if a name is not known."""
    known = {row.name: row for row in ROWS}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no published number {name}{nearest(name, known)}; see anna published")
    rows = tuple(known[name] for name in names) or ROWS
    return tuple(row for row in rows if machine is None or (row.by is not None and row.by.of.get("machine") == machine))


def judged(rows: Iterable[Row], quantities: Quantities, say: Watch = lambda _: None) -> list[Finding]:
    """All of these rows."""
    findings = []
    for row in rows:
        say(row.name)
        findings.append(judge(row, quantities))
    return findings


def tally(findings: Iterable[Finding]) -> dict[str, dict[str, int]]:
    """How many predictions, definitions and fitted rows are met, missed and open."""
    counts = {kind: {"met": 0, "missed": 0, "open": 0} for kind in ("prediction", "definition", "fitted")}
    for finding in findings:
        counts[finding.row.kind][finding.verdict] += 1
    return counts
