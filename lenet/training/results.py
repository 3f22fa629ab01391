"""Published and obtained errors: the tables of docs/training.md, made from the records of the shipped weights.

`python -m lenet.training.results` prints them. Published figures carry their mark; goals are this project's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lenet.networks.catalogue import WEIGHTS, shipped
from lenet.networks.record import read_record


@dataclass(frozen=True)
class Published:
    """A published error, and the goal for the shipped weights."""

    error: str  # with mark and paper, for display
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
    """The published figure for weights with this stem, for any seed."""
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
    return stem, figure.error, error, interval, goal_text, met, built_in, f"`{in_new_options(record['command'])}`"


def in_new_options(command: str) -> str:
    """A record's command with today's options: version 0.1.0 had --seed and --digits."""
    return command.replace(" --seed ", " --train-seed ").replace(" --digits ", " --count ")


def table() -> str:
    """The table in Markdown."""
    rows = [row(stem, read_record(WEIGHTS / f"{stem}.json")) for stem in shipped()]
    lines = [HEADINGS, tuple("---" for _ in HEADINGS), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


CHIP_HEADINGS = (
    "weights",
    "digits",
    "chips",
    "float: ordinary",
    "for the chip",
    "ideal chip: ordinary",
    "for the chip",
    "mean of the chips: ordinary",
    "for the chip",
    "worst: ordinary",
    "for the chip",
    "chips better",
)


def chip_rows(stem: str) -> list[tuple[str, ...]]:
    """One line per set of digits: errors in per cent of weights trained for the chip, beside those they continue from."""
    record, before = (read_record(WEIGHTS / f"{one}.json") for one in (stem, stem[: -len("-chip")]))
    rows = []
    for float_before, float_now, chips in zip(before["results"], record["results"], record["for_chip"]["on_chip"], strict=True):
        sides, images = (chips["ordinary"], chips["trained"]), chips["images"]
        ideal = [f"{100 * side['ideal_wrong'] / images:.2f}" for side in sides]
        seeds = chips.get("chip_seeds", range(8))  # records of noise version 1 name neither seeds nor preset
        drawn = f"{chips.get('analog', 'typical-v1')}, {seeds[0]} to {seeds[-1]}"
        mean = [f"{100 * sum(side['typical_wrong']) / len(side['typical_wrong']) / images:.2f}" for side in sides]
        worst = [f"{100 * max(side['typical_wrong']) / images:.2f}" for side in sides]
        pairs = list(zip(*(side["typical_wrong"] for side in sides), strict=True))
        floats = [f"{one['error_percent']:.2f}" for one in (float_before, float_now)]
        better = f"{sum(now < then for then, now in pairs)} of {len(pairs)}"
        rows.append((stem, chips["digits"], drawn, *floats, *ideal, *mean, *worst, better))
    return rows


def chip_table() -> str:
    """All weights trained for the chip, in Markdown."""
    rows = [row for stem in shipped() if stem.endswith("-chip") for row in chip_rows(stem)]
    lines = [CHIP_HEADINGS, tuple("---" for _ in CHIP_HEADINGS), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    print(table(), chip_table(), sep="\n\n")
