"""Speed of the board on a compiled program: the slower of chip and host sets it."""

from typing import Any

from anna.program.file import Program

FIELDS = ("chip_multiply_adds", "host_multiply_adds", "host_us_per_image", "board", "board_images_per_s", "board_binds")


def board_facts(program: Program) -> dict[str, Any]:
    """What the compiler's report says about host and board; empty for a program written by hand."""
    return {} if program.report is None else {name: program.report[name] for name in FIELDS}


def host_text(facts: dict[str, Any]) -> str:
    """The host's work per image."""
    us = facts["host_us_per_image"]
    time = "time unknown" if us is None and facts["host_multiply_adds"] else f"{us or 0:,g} us"
    return f"{facts['host_multiply_adds']:,} multiply-adds per image, {time}"


def board_text(facts: dict[str, Any]) -> str:
    """The board's speed, and what bounds it."""
    return f"{facts['board']}, {facts['board_images_per_s']:,.0f} images/s, bound by the {facts['board_binds']}"
