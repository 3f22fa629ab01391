"""Rounds of the host in the walk: in which order they read and write addresses, and which values they find and leave."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from anna.program.file import Program, Region
from anna.sequencer.timeline import UNDEFINED, Exchange, Hazard, Ints

READ = -1  # in place of a value: the address is read


def host_states(program: Program) -> int:
    """States that the host writes for one image, in all rounds together."""
    return sum(region.size for _, _, region in _accesses(program, reads=False))


def steps(program: Program, segments: int, first_value: int) -> dict[str, NDArray[np.int64]]:
    """What the rounds do, address by address, for the loop of the walk: a value is written, or READ; and where the accesses of
    each segment begin."""
    address, value, count, next_value = (
        [np.zeros(0, np.int64)],
        [np.zeros(0, np.int64)],
        np.zeros(segments + 1, np.int64),
        first_value,
    )
    for number, reads, region in _accesses(program):
        address.append(region.addresses.reshape(-1))
        value.append(np.full(region.size, READ) if reads else next_value + np.arange(region.size))
        next_value += 0 if reads else region.size
        count[program.rounds[number].segment + 1] += region.size
    return {"exchange_address": np.concatenate(address), "exchange_value": np.concatenate(value),
            "exchanges_of": np.cumsum(count)}  # fmt: skip


def found(program: Program, values: NDArray[np.int32]) -> tuple[Exchange, ...]:
    """What each round found and left, from the value of each access."""
    done, at = [Exchange(one.segment, {}, {}) for one in program.rounds], 0
    for number, reads, region in _accesses(program):
        where = done[number].reads if reads else done[number].writes
        where[region.name] = values[at : at + region.size].astype(np.int64).reshape(region.shape)
        at += region.size
    return tuple(done)


def hazards(exchanges: tuple[Exchange, ...], pages: Ints) -> Iterator[Hazard]:
    """Rounds that read what was never written; `pages` are the instructions that begin the segments."""
    for one in exchanges:
        for name, values in one.reads.items():
            for place in np.argwhere(values == UNDEFINED)[:1].tolist():
                details = {"segment": one.segment, "region": name, "place": tuple(place)}
                yield Hazard("rounds-read-written", int(pages[one.segment]), details)


def _accesses(program: Program, reads: bool = True) -> Iterator[tuple[int, bool, Region]]:
    """Round, whether it reads, and region, one access after another; of all, or only those that write."""
    regions = {region.name: region for region in program.regions}
    for number, one in enumerate(program.rounds):
        if reads:
            yield from ((number, True, regions[name]) for name in dict.fromkeys(each.region for each in one.part.readings))
        yield from ((number, False, regions[each.region]) for each in one.writings)
