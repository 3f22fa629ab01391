"""Programs with rounds of the host: by hand in assembly, and random ones made of random programs without."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st

import anna
from anna.board.host import HostRound, HostWork, HostWriting
from anna.board.host_part import HostPart, HostReading
from anna.network.activations import SCALED_TANH
from anna.network.layers import Combination, FullConnection
from anna.program.file import Program, Region
from anna.program.line import pairs_of

ROUND = "; round "  # a comment of a program's text that a test reads


def identity_round(segment: int, reads: Region, writes: Region) -> HostRound:
    """The states of a region go into another as they are."""
    maps = reads.shape[0]
    part = HostPart((HostReading("states", reads.name, _stack(reads), np.ones(maps), np.zeros(maps)),))
    return HostRound(segment, part, (HostWriting("states", writes.name, np.ones(maps), np.zeros(maps)),))


def _stack(region: Region) -> tuple[int, int, int]:
    maps, rows, columns = region.shape
    return maps, rows, columns


def assembled(text: str, name: str = "assembly") -> Program:
    """The program that a text describes, and for each of its comments `; round segment=1 reads=a writes=b` a round that copies
    the states of one region into another."""
    program = anna.assemble(text, name)
    regions, rounds = {region.name: region for region in program.regions}, []
    for line in text.splitlines():
        if line.startswith(ROUND):
            said = pairs_of(line.removeprefix(ROUND).split())
            rounds.append(identity_round(int(said["segment"]), regions[said["reads"]], regions[said["writes"]]))
    return replace(program, host=HostWork(None, np.ones(1), np.zeros(1), (), rounds=tuple(rounds))) if rounds else program


@st.composite
def with_rounds(draw: st.DrawFn, programs: st.SearchStrategy[Program]) -> Program:
    """A random legal program into whose memory the host writes here and there, before segments of it."""
    program, rng = draw(programs), np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    segments = sum(op.name == "PAGE" for op in program.ops)
    constants = set(program.constant_addresses.tolist())
    free = [address for address in range(program.window_states) if address not in constants]
    regions, rounds = list(program.regions), list[HostRound]()
    for number, segment in enumerate(sorted(rng.integers(0, segments, rng.integers(1, 4)).tolist())):
        stored, loaded = _stored_before(program, segment) - constants, _loaded_from(program, segment) - constants
        read, write = (free.index(int(rng.choice(sorted(some) or free))) for some in (stored, loaded))
        reads, writes = _run(free, read, rng), _run(free, write, rng)
        regions += [_region(f"read{number}", "map", free[read], reads), _region(f"host{number}", "host", free[write], writes)]
        rounds.append(_round(segment, number, reads, writes, rng))
        host = HostWork(None, np.ones(1), np.zeros(1), (), rounds=tuple(rounds))
        if anna.violations(replace(program, regions=tuple(regions), host=host))[0]:
            regions, rounds = regions[:-2], rounds[:-1]
    host = HostWork(None, np.ones(1), np.zeros(1), (), rounds=tuple(rounds))
    return replace(program, regions=tuple(regions), host=host)


def _stored_before(program: Program, segment: int) -> set[int]:
    """Addresses into which an OUT puts a result before a segment."""
    return _moved(program, "OUT", range(segment))


def _loaded_from(program: Program, segment: int) -> set[int]:
    """Addresses that a SHIFT reads from a segment on."""
    return _moved(program, "SHIFT", range(segment, len(program.ops)))


def _moved(program: Program, name: str, segments: range) -> set[int]:
    found, segment = set[int](), -1
    for op in program.ops:
        segment += op.name == "PAGE"
        if op.name == name and segment in segments:
            found |= set(op.addresses.tolist())
    return found


def _run(free: list[int], start: int, rng: np.random.Generator) -> int:
    """A number of states from there on that may be taken."""
    length, most = 1, int(rng.integers(1, 9))
    while length < most and start + length < len(free) and free[start + length] == free[start] + length:
        length += 1
    return length


def _region(name: str, kind: str, address: int, length: int) -> Region:
    return Region(name=name, kind=kind, address=address, shape=(length, 1, 1))  # type: ignore[arg-type]


def _round(segment: int, number: int, reads: int, writes: int, rng: np.random.Generator) -> HostRound:
    """Two branches of float layers and their sum."""

    def floats(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    layers = (
        FullConnection("a", floats(writes, reads), floats(writes), SCALED_TANH),
        FullConnection("b", floats(writes, reads)),
        Combination("sum", "sum"),
    )
    reading = HostReading("x", f"read{number}", (reads, 1, 1), rng.normal(size=reads), rng.normal(size=reads))
    part = HostPart((reading,), layers, {"b": ("x",), "sum": ("a", "b")})
    return HostRound(segment, part, (HostWriting("sum", f"host{number}", 0.2 + rng.random(writes), rng.normal(size=writes)),))
