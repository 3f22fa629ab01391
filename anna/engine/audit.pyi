"""Types of the compiled audit."""

from typing import Any

INTERFACE: str

def wrong_group(sizes: dict[str, int], packed: dict[str, Any]) -> int | None: ...
