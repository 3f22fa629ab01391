"""A training's checkpoint: which run it belongs to, the curve so far, and the numbers of weights and optimiser."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.border import CHECKPOINT, border
from anna.base.container import expect_checksum, pack, unpack, write_beside
from anna.base.errors import AnnaError, DataError

KEY, WHAT = "anna_checkpoint", "checkpoint"


@dataclass(frozen=True)
class Pass:
    """The outcome of one pass over the digits."""

    number: int
    loss: float
    error_percent: float  # on the training digits, while the weights moved
    validation_error_percent: float | None


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a training needs to go on."""

    fingerprint: str  # of everything that determines the weights
    curve: tuple[Pass, ...]  # a row for each finished pass
    numbers: Mapping[str, NDArray[np.float32]]

    def save(self, path: Path) -> None:
        """Write it; the former one stays until this one is complete."""
        content = {"fingerprint": self.fingerprint, "curve": [asdict(one) for one in self.curve]}
        write_beside(path, pack(KEY, content, self.numbers))

    @classmethod
    def load(cls, path: Path) -> "Checkpoint":
        """Read what `save` wrote; raises for anything else, and for a file that was cut or changed since."""
        try:
            with border(path, CHECKPOINT):
                content, tensors = unpack(path, KEY, WHAT, CHECKPOINT)
                expect_checksum(path, content, tensors, WHAT)
                curve = tuple(Pass(**row) for row in content["curve"])
                if not isinstance(content["fingerprint"], str) or not all(map(_follows, curve, range(1, len(curve) + 1))):
                    raise DataError(f"{path}: has no curve of passes 1, 2, 3 ...; expected a training's checkpoint")
                if strange := sorted(name for name, array in tensors.items() if array.dtype != np.float32):
                    raise DataError(f"{path}: {strange[0]} is {tensors[strange[0]].dtype}; expected float32")
                return cls(content["fingerprint"], curve, tensors)
        except AnnaError as error:
            raise DataError(f"{error}; remove it to start over") from error.__cause__


def _follows(row: Pass, number: int) -> bool:
    return row.number == number and all(map(_is_number, (row.loss, row.error_percent, row.validation_error_percent or 0.0)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
