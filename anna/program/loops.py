"""Loops: what REPEAT and ENDREP stand for, and back."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import FileError
from anna.program.isa import PUBLISHED, Op

DEPTH = 2  # loops within one another: a step for each
LONGEST = 1 << 24  # instructions of a program with its loops unrolled
STEPS = ("step", "outer_step")  # by depth, innermost first


class LoopError(FileError):
    """Loops that do not match, and the instruction at fault."""

    def __init__(self, index: int, sentence: str) -> None:
        super().__init__(f"word {index}: {sentence}")
        self.index, self.sentence = index, sentence


@dataclass(frozen=True)
class Loop:
    """Instructions, by their index, that are issued `count` times."""

    index: int
    count: int
    body: tuple["int | Loop", ...]


def tree(ops: Sequence[Op]) -> tuple[int | Loop, ...]:
    """The instructions by their index, those of each loop together; raises if loops do not match."""
    begun, bodies = list[int](), [list[int | Loop]()]
    for index, op in enumerate(ops):
        if op.name == "REPEAT":
            if op["count"] < 1:
                raise LoopError(index, "REPEAT repeats at least once, got 0")
            if len(begun) == DEPTH:
                raise LoopError(index, f"REPEAT stands within {DEPTH} loops; expected at most {DEPTH - 1} around it")
            begun.append(index)
            bodies.append([])
        elif op.name == "ENDREP":
            if not begun:
                raise LoopError(index, "ENDREP without a REPEAT before it")
            first, body = begun.pop(), bodies.pop()
            bodies[-1].append(Loop(first, ops[first]["count"], tuple(body)))
        else:
            if begun and (op.ends or op.name == "PAGE"):
                raise LoopError(index, f"{op.name} stands within a loop")
            for name in STEPS[len(begun) :]:
                if op.get(name, 0):
                    raise LoopError(index, f"{op.name} has {name} {op[name]}, but stands within {len(begun)} loops")
            bodies[-1].append(index)
    if begun:
        raise LoopError(begun[-1], "REPEAT without an ENDREP after it")
    return tuple(bodies[0])


def order(ops: Sequence[Op]) -> NDArray[np.int64]:
    """The instructions as they are issued: in the first row the index of each, then the turns of the loops around it, innermost
    first. Raises if loops do not match or make a program too long."""
    items = tree(ops)
    length = _length(items)
    if length > LONGEST:
        raise FileError(f"its loops make {length:,} instructions; expected at most {LONGEST:,}")
    return _turns(items)[:-1]


def unrolled(ops: Sequence[Op]) -> Iterator[Op]:
    """The instructions in the order in which they are issued, with addresses and pairs as they are then; raises as `order`."""
    return (moved(ops[index], turns) for index, *turns in order(ops).T.tolist())


def _length(items: Sequence[int | Loop]) -> int:
    """Instructions with all loops unrolled."""
    return sum(item.count * _length(item.body) if isinstance(item, Loop) else 1 for item in items)


def _turns(items: Sequence[int | Loop]) -> NDArray[np.int64]:
    """For each instruction that is issued: its index, the turns of the loops around it, and how many they are so far."""
    found = [np.zeros((DEPTH + 2, 0), np.int64)]
    for loops, run in groupby(items, key=lambda item: isinstance(item, Loop)):
        if not loops:
            indexes = list(run)
            found.append(np.array([indexes, *[[0] * len(indexes)] * (DEPTH + 1)], np.int64))
            continue
        for loop in run:
            assert isinstance(loop, Loop)
            body = _turns(loop.body)
            every, turn = np.tile(body, loop.count), np.repeat(np.arange(loop.count), body.shape[1])
            every[1 + every[-1], np.arange(every.shape[1])] = turn
            every[-1] += 1
            found.append(every)
    return np.concatenate(found, axis=1)


def moved(op: Op, turns: Sequence[int]) -> Op:
    """An instruction in the given turns of the loops around it, innermost first."""
    if "step" not in op.instruction.place or not (op["step"] or op["outer_step"]):
        return op
    by = sum(op[name] * turn for name, turn in zip(STEPS, turns, strict=False))
    place = moving(op)
    return op.changed(**{place: op[place] + by, "step": 0, "outer_step": 0})


def moving(op: Op) -> str:
    """The field that steps are added to."""
    return "pair" if op.name == "RFSH" else "address"


# --- and back --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Piece:
    """An instruction, or a loop that was found: what a loop around it repeats."""

    code: tuple[Op, ...]
    depth: int  # loops in it
    key: Hashable  # what must be the same in every turn
    places: tuple[int, ...]  # addresses and pairs, which may move on by the same step from turn to turn
    movable: bool = True

    @staticmethod
    def of(code: tuple[Op, ...], depth: int) -> "_Piece":
        key, places = list[Hashable](), list[int]()
        for op in code:
            values = list[object](op.values)
            if "step" in op.instruction.place:
                at = op.instruction.place[moving(op)]
                places.append(op[moving(op)])
                values[at] = None
            key.append((op.name, *values))
        movable = depth < DEPTH and code[0].name != "PAGE" and not code[0].ends
        return _Piece(code, depth, tuple(key), tuple(places), movable)


def rolled(ops: Sequence[Op]) -> list[Op]:
    """A program of fewer words, if there is one, that unrolls to exactly these instructions, which have no loops."""
    assert all(op.name not in ("REPEAT", "ENDREP") and not op.get("step", 0) for op in ops), "rolled already"
    pieces = [_Piece.of((op,), 0) for op in ops]
    for _ in range(DEPTH + 1):
        pieces, before = _folded(pieces), len(pieces)
        if len(pieces) == before:
            break
    return [op for piece in pieces for op in (_within(piece) if piece.depth == 1 else piece.code)]


def _within(loop: _Piece) -> tuple[Op, ...]:
    """The code of a loop, with loops in its body."""
    begin, *body, end = loop.code
    folded = _folded([_Piece.of((op,), 0) for op in body])
    return (begin, *(op for piece in folded for op in piece.code), end)


def _folded(pieces: list[_Piece]) -> list[_Piece]:
    """The pieces with repetitions as loops, chosen so that few words are left."""
    if len(pieces) < 2:
        return pieces
    periods, turns = _repetitions(pieces)
    # The fewest words from each piece on, if it begins the loop that saves most there, or none.
    sizes, left, begins = [len(piece.code) for piece in pieces], [0] * (len(pieces) + 1), [False] * len(pieces)
    ends = (np.arange(len(pieces)) + periods * turns).tolist()
    sums = np.concatenate([[0], np.cumsum(sizes)])
    bodies = (sums[np.arange(len(pieces)) + periods] - sums[:-1]).tolist()
    for i in range(len(pieces) - 1, -1, -1):
        left[i] = sizes[i] + left[i + 1]
        if turns[i] > 1 and bodies[i] + 2 + left[ends[i]] < left[i]:
            left[i], begins[i] = bodies[i] + 2 + left[ends[i]], True
    found, i = list[_Piece](), 0
    while i < len(pieces):
        period = int(periods[i])
        count = _same_turns(pieces, i, period, int(turns[i])) if begins[i] else 1
        if (count - 1) * bodies[i] <= 2 or not begins[i]:
            found.append(pieces[i])
            i += 1
            continue
        found.append(_loop_of(pieces[i : i + period], pieces[i + period : i + 2 * period], count))
        i += count * period
    return found


def _repetitions(pieces: list[_Piece]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each piece the loop that saves most words if it begins there: pieces of its body, and turns.

    What a piece of several places moves by is compared by a hash: the turns are an upper bound.
    """
    numbers = dict[Hashable, int]()
    key = np.array([numbers.setdefault(one.key, len(numbers)) if one.movable else -1 - i for i, one in enumerate(pieces)])
    place = np.array([_mixed(one.places) for one in pieces], np.uint64).astype(np.int64)
    mixed = np.array([len(one.places) > 1 for one in pieces])
    size = np.array([len(one.code) for one in pieces])
    sums, count = np.concatenate([[0], np.cumsum(size)]), len(pieces)
    periods, turns, saved = np.ones(count, np.int64), np.ones(count, np.int64), np.zeros(count, np.int64)
    for period in _likely_periods(key):
        n = count - period
        step = place[period:] - place[:n]
        again = (key[:n] == key[period:]) & (mixed[:n] | (step >= 0))
        on = again[: n - period] & again[period:] & (step[: n - period] == step[period:])
        pairs, triples = _run_lengths(again), _run_lengths(on)
        mine = np.where(pairs >= period, 2, 1)
        mine[: n - period] = np.where(pairs[: n - period] >= period, 2 + triples // period, 1)
        saving = (mine - 1) * (sums[period:count] - sums[:n]) - 2
        better = np.flatnonzero(saving > saved[:n])
        periods[better], turns[better], saved[better] = period, mine[better], saving[better]
    return periods, turns


def _mixed(places: tuple[int, ...]) -> int:
    """A sum of places by which equal steps show; of one place, itself."""
    return sum(place * (0x9E3779B97F4A7C15 * i + 1) for i, place in enumerate(places)) & 0xFFFFFFFFFFFFFFFF


GRAMS = (1, 3, 8, 24)  # pieces in a row by which a period is found
SHORT = 16  # periods that are always tried


def _likely_periods(key: NDArray[np.int64]) -> list[int]:
    """Distances from some pieces in a row to the next of the same, if there are enough for a loop of that period."""
    seen = np.zeros(len(key) + 1, np.int64)
    seen[1 : SHORT + 1] = len(key)
    for gram in GRAMS:
        mixed = np.zeros(max(0, len(key) - gram + 1), np.uint64)
        for i in range(gram):
            mixed = mixed * np.uint64(0x100000001B3) + key[i : len(mixed) + i].astype(np.uint64)
        order = np.argsort(mixed, kind="stable")
        same = mixed[order[1:]] == mixed[order[:-1]]
        seen += np.bincount((order[1:] - order[:-1])[same], minlength=len(seen))
    periods = np.arange(len(seen))
    return np.flatnonzero((seen * SHORT >= periods) & (seen > 1) & (periods * 2 <= len(key))).tolist()


def _run_lengths(true: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For each place how many are true in a row from there on."""
    places = np.arange(len(true))
    stops = np.where(true, len(true), places)
    return np.minimum.accumulate(stops[::-1])[::-1] - places


def _same_turns(pieces: list[_Piece], first: int, period: int, turns: int) -> int:
    """How many of the turns are exactly alike, and move on by the same steps, none of them backwards."""
    body, after = pieces[first : first + period], pieces[first + period : first + 2 * period]
    steps = [[b - a for a, b in zip(x.places, y.places, strict=True)] for x, y in zip(body, after, strict=True)]
    if any(step < 0 for part in steps for step in part):
        return 1
    for turn in range(1, turns):
        begin = first + turn * period
        for piece, part, now in zip(body, steps, pieces[begin : begin + period], strict=True):
            if now.key != piece.key or any(b != a + turn * s for a, s, b in zip(piece.places, part, now.places, strict=True)):
                return turn
    return turns


def _loop_of(body: list[_Piece], after: list[_Piece], count: int) -> _Piece:
    """A loop around pieces; the next turn's tell by how much each place moves on."""
    code = list[Op]()
    for piece, later in zip(body, after, strict=True):
        for op, next_op in zip(piece.code, later.code, strict=True):
            if "step" not in op.instruction.place:
                code.append(op)
                continue
            step = next_op[moving(op)] - op[moving(op)]
            code.append(op.changed(outer_step=step) if piece.depth else op.changed(step=step, outer_step=op["step"]))
    repeat, end = PUBLISHED.op("REPEAT", count=count), PUBLISHED.op("ENDREP")
    return _Piece.of((repeat, *code, end), 1 + max(piece.depth for piece in body))
