"""What events cost, as a user gives it: a TOML file of joules, each with its mark and source.

Nothing here has a default, since no figure of the chip's energy is known. A file has a table for each event of
`anna.sequencer.tally.EVENTS` whose cost is given; the others are counted and cost nothing.
"""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from anna.base.errors import FileError, SpecError, nearest
from anna.base.toml import read_toml
from anna.chip.facts import Mark
from anna.chip.spec import Record
from anna.sequencer.tally import EVENTS

Joules = Mapping[str, "Cost"]  # by event


class Cost(Record):
    """What one event costs, and how that is known."""

    called = "cost"

    joules: float = Field(ge=0, le=1, strict=True)  # of each event
    mark: Mark
    source: str = Field(min_length=1)


def load_joules(path: str | Path) -> Joules:
    """Reads a file of joules; raises FileError with what is wrong in it."""
    given = read_toml(path, "joules of events")
    if not given:
        raise FileError(f"{path}: gives no joules; expected a table for each of some events: {', '.join(EVENTS)}")
    found = dict[str, Cost]()
    for name, cost in given.items():
        if name not in EVENTS:
            raise FileError(f"{path}: there is no event {name}{nearest(name, EVENTS)}; events are {', '.join(EVENTS)}")
        if not isinstance(cost, dict):
            raise FileError(f"{path}: {name} is {cost!r}; expected a table with joules, mark and source")
        try:
            found[name] = Cost.of(**cost)
        except SpecError as error:
            raise FileError(f"{path}: {name}: {error}") from None
    return found
