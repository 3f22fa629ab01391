"""Frozen dataclasses whose fields take their final form on construction, and never after."""

from collections.abc import Mapping
from typing import Any


class Settled:
    """Base of a frozen dataclass that takes its fields in one form and keeps them in another."""

    def __post_init__(self) -> None:
        for name, value in self._settled().items():
            object.__setattr__(self, name, value)

    def _settled(self) -> Mapping[str, Any]:
        """Raise for invalid fields; return those that change, in their final form: none, unless a class says otherwise."""
        return {}
