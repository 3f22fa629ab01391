"""Rolling a program up: loops in place of what repeats, so that it has fewer words.

Pieces are instructions at first, then also loops. What repeats is found in arrays, by loops that are compiled
(`anna.program.folding`); only instructions that are left, and loops, become objects.
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anna.native.loader import compiled
from anna.program.isa import PUBLISHED, Op
from anna.program.issued import Issued
from anna.program.loops import DEPTH, LOOPS, moving

Ints = NDArray[np.int64]


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
            if "step" in op.instruction.place:
                at = op.instruction.place[moving(op)]
                places.append(op[moving(op)])
                key.append((op.instruction.name, *op.values[:at], None, *op.values[at + 1 :]))
            else:
                key.append((op.instruction.name, *op.values))
        movable = depth < DEPTH and code[0].name != "PAGE" and not code[0].ends
        return _Piece(code, depth, tuple(key), tuple(places), movable)


@dataclass(frozen=True, eq=False)
class _Row:
    """Pieces in turn, an array for each property of them."""

    key: Ints  # equal where pieces may be turns of a loop
    place: Ints  # of one, or a hash of several
    mixed: NDArray[np.bool_]  # whether it is a hash
    size: Ints  # words
    piece: Callable[[int], _Piece]

    @staticmethod
    def of(pieces: list[_Piece]) -> "_Row":
        numbers = dict[Hashable, int]()
        key = [numbers.setdefault(one.key, len(numbers)) if one.movable else -1 - i for i, one in enumerate(pieces)]
        place = np.array([_mixed(one.places) for one in pieces], np.uint64).astype(np.int64)
        mixed, size = np.array([len(one.places) > 1 for one in pieces]), np.array([len(one.code) for one in pieces])
        return _Row(np.array(key, np.int64), place, mixed, size, pieces.__getitem__)

    @staticmethod
    def of_instructions(issued: Issued) -> "_Row":
        """A piece for each instruction, made where it is looked at; those of one form differ in their place alone."""
        of_form = [_Piece.of((form,), 0) for form in issued.forms]

        def piece(index: int) -> _Piece:
            form = of_form[issued.form[index]]
            return _Piece((issued.op(index),), 0, form.key, (int(issued.place[index]),) if form.places else (), form.movable)

        movable = np.array([form.name != "PAGE" and not form.ends for form in issued.forms], bool)
        key = np.where(movable[issued.form], issued.form, -1 - np.arange(len(issued)))
        return _Row(key, issued.place, np.zeros(len(issued), bool), np.ones(len(issued), np.int64), piece)


def rolled(ops: Iterable[Op] | Issued) -> list[Op]:
    """A program of fewer words, if there is one, that unrolls to exactly these instructions, which have no loops."""
    issued = ops if isinstance(ops, Issued) else Issued.of_ops(ops)
    assert all(form.name not in LOOPS and not form.get("step", 0) for form in issued.forms), "rolled already"
    pieces = _folded(_Row.of_instructions(issued))
    for _ in range(DEPTH):
        pieces, before = _folded(_Row.of(pieces)), len(pieces)
        if len(pieces) == before:
            break
    return [op for piece in pieces for op in (_within(piece) if piece.depth == 1 else piece.code)]


def _within(loop: _Piece) -> tuple[Op, ...]:
    """The code of a loop, with loops in its body."""
    begin, *body, end = loop.code
    folded = _folded(_Row.of([_Piece.of((op,), 0) for op in body]))
    return (begin, *(op for piece in folded for op in piece.code), end)


def _folded(row: _Row) -> list[_Piece]:
    """The pieces with repetitions as loops, chosen so that few words are left."""
    count, folding = len(row.key), compiled("anna.program.folding")
    if count < 2:
        return [row.piece(k) for k in range(count)]
    sums = np.concatenate([[0], np.cumsum(row.size)])
    periods, turns = folding.repetitions(row.key, row.place, row.mixed.view(np.uint8), sums, _likely_periods(row.key))
    begins = np.flatnonzero(folding.begun(periods, turns, sums))
    found, i = list[_Piece](), 0
    while i < count:
        at = int(np.searchsorted(begins, i))
        next_loop = int(begins[at]) if at < len(begins) else count
        found += map(row.piece, range(i, next_loop))
        if next_loop == count:
            break
        i, period = next_loop, int(periods[next_loop])
        again = _same_turns(row, i, period, int(turns[i]))
        if (again - 1) * int(sums[i + period] - sums[i]) <= 2:
            found.append(row.piece(i))
            i += 1
            continue
        found.append(_loop_of([row.piece(k) for k in range(i, i + period)],
                              [row.piece(k) for k in range(i + period, i + 2 * period)], again))  # fmt: skip
        i += again * period
    return found


def _mixed(places: tuple[int, ...]) -> int:
    """A sum of places by which equal steps show; of one place, itself."""
    return sum(place * (0x9E3779B97F4A7C15 * i + 1) for i, place in enumerate(places)) & 0xFFFFFFFFFFFFFFFF


GRAMS = (1, 3, 8, 24)  # pieces in a row by which a period is found
SHORT = 16  # periods that are always tried


def _likely_periods(key: Ints) -> Ints:
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
    return np.flatnonzero((seen * SHORT >= periods) & (seen > 1) & (periods * 2 <= len(key)))


def _same_turns(row: _Row, first: int, period: int, turns: int) -> int:
    """How many of the turns are exactly alike, and move on by the same steps, none of them backwards."""
    if not row.mixed[first : first + period].any():
        return turns  # places were compared themselves
    body, after = ([row.piece(k) for k in range(first + begin, first + begin + period)] for begin in (0, period))
    steps = [[b - a for a, b in zip(x.places, y.places, strict=True)] for x, y in zip(body, after, strict=True)]
    if any(step < 0 for part in steps for step in part):
        return 1
    for turn in range(1, turns):
        begin = first + turn * period
        for k, (piece, part) in enumerate(zip(body, steps, strict=True)):
            now = row.piece(begin + k)
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
