"""Types of the compiled loop of the walk."""

from typing import Any

INTERFACE: str
KINDS: tuple[str, ...]

class Walk:
    def __init__(self, chip: dict[str, Any], program: dict[str, Any], state: dict[str, Any], found: dict[str, Any]) -> None: ...
    def run(self) -> list[tuple[str, int, dict[str, Any]]]: ...
