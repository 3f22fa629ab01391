"""Shards of one sweep put together: what each has, checked where two have the same point."""

from collections.abc import Sequence
from pathlib import Path

from anna.base.container import write_beside
from anna.base.errors import AnnaError
from sim.sweep.run import RESULTS, SweepStatus, status_of
from sim.sweep.store import Store


def merge(folders: Sequence[Path], output: Path) -> SweepStatus:
    """Take all points of the folders into `output`, which may hold some already."""
    if not folders:
        raise AnnaError("there is nothing to merge; expected folders of sweeps")
    with Store(folders[0]) as first:
        named = first.identity
    with Store(output, named) as merged:
        for folder in folders:
            if folder.resolve() != output.resolve():
                with Store(folder) as part:
                    merged.merge(part)
        write_beside(output / RESULTS, merged.csv().encode())
        return status_of(merged, named.spec.all_points())
