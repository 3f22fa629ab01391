"""The cycles in docs/compiler.md are those of the compiler as it is: each row is made again."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import anna
import lenet

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "compiler.md").read_text(encoding="utf-8").replace("**", "")
UNLIMITED = anna.ANNA_WIDE.changed(memory_states=None)


def report(name: str, **options: Any) -> Mapping[str, Any]:
    options = {"machine": "wide", "check_count": 0, **options}
    found = anna.compile(lenet.load(name, "mnist"), lenet.calibration(), **options).report
    assert found is not None
    return found


def us(found: Mapping[str, Any]) -> str:
    return f"{int(found['chip_us_per_image'] + 0.5):,}"


@pytest.mark.parametrize(
    ("name", "called", "note"),
    [
        ("recognizer", "recogniser (4,602 to 4,606 by weights)", " (the host's last layer binds)"),
        ("lenet1_28", "LeNet-1 at 28x28", ""),
        ("lenet1", "LeNet-1, 1989, weights for MNIST", ""),
    ],
)
def test_the_row_of_a_network_is_what_the_compiler_makes(name: str, called: str, note: str) -> None:
    found = report(name)
    row = (f"| {called} | {found['cycles_per_image']:,.0f} | {us(found)} | {found['pages']} | "
           f"{found['board_images_per_s']:,.0f}{note} |")  # fmt: skip
    assert row in TEXT, row
    assert (found["board_binds"] == "host") == ("host" in note)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("host", "called"),
    [("last", "all but the RBF units on the chip"), ("F6", "F6 and on the host"), ("C5", "C5 and on the host")],
)
def test_the_row_of_lenet5_is_what_the_compiler_makes(host: str, called: str) -> None:
    """Batches of 1 and 28 on the board of 1991, of 100 on one whose memory has no limit."""
    found = [report("lenet5", host=host, batch=1), report("lenet5", host=host, batch=28),
             report("lenet5", host=host, batch=100, chip=UNLIMITED)]  # fmt: skip
    pages = sorted({one["pages"] for one in found})
    cells = [f"{us(one)}, {one['board_images_per_s']:,.0f}" for one in found]
    row = f"| {called} | {' to '.join(map(str, [pages[0], *pages[1:][-1:]]))} | {' | '.join(cells)} |"
    assert row in TEXT, row


def test_the_page_on_machines_names_the_machines_and_the_fields_of_a_report() -> None:
    page = (DOCS / "machines.md").read_text(encoding="utf-8")
    machines, rest = page.split("## How times add")
    fields = rest.split("| field of a report | means |\n|---|---|\n")[1].split("\n\n")[0]
    assert tuple(re.findall(r"^\| `([a-z0-9-]+)` \|", machines, re.M)) == tuple(anna.MACHINES)
    named = re.findall(r"`(\w+)`", "\n".join(line.split("|")[1] for line in fields.splitlines()))
    assert len(named) == 16
    assert set(named) - {"rounds", "rounds_us_per_image"} <= set(report("linear"))  # it has no rounds
