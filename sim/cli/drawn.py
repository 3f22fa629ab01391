"""Which chips are drawn: a seed is of chips that differ, so one for the ideal chip alone is refused."""

import argparse
from collections.abc import Iterable

from anna.analog.parameters import Analog
from anna.base.errors import UsageError


def first_seed(given: argparse.Namespace, analogs: Iterable[Analog]) -> int:
    """The seed of the first chip, 0 unless --chip-seed is given."""
    if given.chip_seed is not None and all(analog.is_ideal for analog in analogs):
        raise UsageError(
            f"--chip-seed {given.chip_seed} draws nothing, since an ideal chip is the same for every seed; leave it out, or "
            "choose another --analog"
        )
    return given.chip_seed or 0
