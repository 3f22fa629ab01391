"""What the whole board does with a compiled program: beside the chip there is a host, and the slower of the two decides."""

from typing import Any

from anna.program.file import Program

FIELDS = ("chip_multiply_adds", "host_multiply_adds", "host_us_per_image", "board", "board_images_per_s", "board_binds")


def board_facts(program: Program) -> dict[str, Any]:
    """What the compiler's report says of host and board; nothing for a program written by hand, which names no board."""
    return {} if program.report is None else {name: program.report[name] for name in FIELDS}


def host_text(facts: dict[str, Any]) -> str:
    """The host's part of an image."""
    us = facts["host_us_per_image"]
    time = "in no known time" if us is None and facts["host_multiply_adds"] else f"{us or 0:,g} us"
    return f"{facts['host_multiply_adds']:,} multiply-adds an image, {time}"


def board_text(facts: dict[str, Any]) -> str:
    """How fast the board is."""
    return f"{facts['board']}, {facts['board_images_per_s']:,.0f} images/s, bound by the {facts['board_binds']}"
