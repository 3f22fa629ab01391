"""Frozen values whose fields take their final form while they are built, and never after."""

from collections.abc import Mapping
from typing import Any


class Settled:
    """The base of a frozen dataclass that is given its fields in one form and keeps them in another."""

    def __post_init__(self) -> None:
        for name, value in self._settled().items():
            object.__setattr__(self, name, value)

    def _settled(self) -> Mapping[str, Any]:
        """Refuses what cannot be; returns the fields that take another form, in that form."""
        raise NotImplementedError(f"{type(self).__name__} does not say how its fields settle")
