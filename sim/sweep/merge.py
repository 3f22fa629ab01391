"""Merges the shards of a sweep; points that several shards hold must agree."""

from collections.abc import Sequence
from pathlib import Path

from anna.base.container import write_beside
from anna.base.errors import AnnaError
from sim.sweep.run import RESULTS, SweepStatus, status_of
from sim.sweep.store import Store


def merge(folders: Sequence[Path], output: Path) -> SweepStatus:
    """Copies all points of the folders into `output`, which may already hold some."""
    if not folders:
        raise AnnaError("nothing to merge; expected folders of a sweep")
    with Store(folders[0]) as first:
        named = first.identity
    with Store(output, named) as merged:
        for folder in folders:
            if folder.resolve() != output.resolve():
                with Store(folder) as part:
                    merged.merge(part)
        write_beside(output / RESULTS, merged.csv().encode())
        return status_of(merged, named.spec.all_points())
