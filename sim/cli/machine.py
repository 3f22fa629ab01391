"""Speed of a machine on a compiled program: chip, host, and both together."""

from collections.abc import Mapping
from typing import Any

from anna.program.file import Program
from anna.program.report import current, published_text, round_text

FIELDS = (
    "machine", "chip_multiply_adds", "host_multiply_adds", "host_us_per_image", "board_us_per_image", "published_us_per_image",
    "board_images_per_s", "board_binds", "connections_per_s",
)  # fmt: skip

IN_ROUNDS = ("rounds", "rounds_us_per_image")  # of a program in which the chip waits for the host


def machine_facts(program: Program) -> dict[str, Any]:
    """What the compiler's report says about the machine; empty for a program written by hand."""
    if not program.report:
        return {}
    report = current(program.report)
    return {name: report[name] for name in FIELDS} | {name: report[name] for name in IN_ROUNDS if name in report}


def host_text(facts: Mapping[str, Any]) -> str:
    """The host's work per image."""
    us = facts["host_us_per_image"]
    time = "time unknown" if us is None and facts["host_multiply_adds"] else f"{us or 0:,g} us"
    return f"{facts['host_multiply_adds']:,} multiply-adds per image, {time}"


def rounds_text(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Rows on the rounds of the host, for which the chip waits."""
    return [("host in between", round_text(one).strip()) for one in facts.get("rounds", ())]


def machine_text(facts: Mapping[str, Any]) -> str:
    """The machine's speed, what bounds it, and what was published."""
    us = facts["board_us_per_image"]
    latency = "" if us is None else f"{us:,.1f} us per image, "
    return (
        f"{facts['machine']}, {latency}{facts['board_images_per_s']:,.0f} images/s, bound by the {facts['board_binds']}"
        f"{published_text(facts)}"
    )
