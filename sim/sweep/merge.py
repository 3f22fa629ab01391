"""Shards of one sweep put together: what each has, checked where two have the same point."""

from collections.abc import Sequence
from pathlib import Path

from anna.base.container import write_beside
from anna.base.errors import AnnaError
from sim.sweep.run import RESULTS, Swept, progress_of
from sim.sweep.store import Store


def merge(folders: Sequence[Path], output: Path) -> Swept:
    """Take all points of the folders into `output`, which may hold some already."""
    if not folders:
        raise AnnaError("there is nothing to merge; expected folders of sweeps")
    with Store(folders[0]) as first:
        named = first.identity
    with Store(output, named) as whole:
        for folder in folders:
            if folder.resolve() != output.resolve():
                with Store(folder) as part:
                    whole.merge(part)
        write_beside(output / RESULTS, whole.csv().encode())
        return progress_of(whole, named.spec.all_points())
