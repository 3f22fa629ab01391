"""Published against obtained: the table of docs/training.md, made from the records of the shipped weights.

`python -m lenet.results` prints it. Published figures carry their mark; a goal is what this project asked of itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from lenet.catalogue import WEIGHTS, shipped


@dataclass(frozen=True)
class Published:
    """An error of the literature and the goal set for the shipped weights."""

    error: str  # with its mark and paper, for print
    goal_percent: float | None  # at most this


PUBLISHED = {
    "lenet1-usps": Published("5.0 (P, 7)", 5.5),
    "recognizer-usps": Published("4.9 (R, 4)", 5.0),
    "linear-mnist": Published("12.0 (P, 8)", 12.0),
    "mlp300-mnist": Published("4.7 (P, 8)", 4.7),
    "mlp1000-mnist": Published("4.5 (P, 8)", 4.5),
    "lenet1_28-mnist": Published("1.7 (P, 8)", 1.7),
    "lenet4-mnist": Published("1.1 (P, 8)", 1.1),
    "lenet5-mnist": Published("0.95 (P, 8)", 0.95),
    "lenet5-mnist-distorted": Published("0.8 (P, 8)", 0.8),
    "boosted_lenet4-mnist": Published("0.7 (P, 8)", 0.7),
}
NOT_PUBLISHED = Published("none", None)
HEADINGS = (
    "weights",
    "published %",
    "obtained % on test",
    "95 % interval",
    "goal %",
    "met",
    "% on the 4,500 built in",
    "command",
)


def published(stem: str) -> Published:
    """The figure for weights of this stem, whatever the seed."""
    words = [word for word in stem.split("-") if not word.startswith("seed")]
    return PUBLISHED.get("-".join(words), NOT_PUBLISHED)


def row(stem: str, record: dict[str, Any]) -> tuple[str, ...]:
    """One line of the table."""
    test, *others = record["results"]
    figure = published(stem)
    goal = figure.goal_percent
    met = "" if goal is None else "yes" if test["error_percent"] <= goal else "no"
    built_in = f"{others[0]['error_percent']:.2f}" if others else ""
    interval = f"{test['low_percent']:.2f} to {test['high_percent']:.2f}"
    goal_text = "" if goal is None else f"at most {goal:g}"
    error = f"{test['error_percent']:.2f}"
    return stem, figure.error, error, interval, goal_text, met, built_in, f"`{record['command']}`"


def table() -> str:
    """The whole table in Markdown."""
    rows = [row(stem, json.loads((WEIGHTS / f"{stem}.json").read_text(encoding="utf-8"))) for stem in shipped()]
    lines = [HEADINGS, tuple("---" for _ in HEADINGS), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    print(table())
