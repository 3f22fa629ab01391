"""Loops: what REPEAT and ENDREP stand for. `anna.program.rolling` finds them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import FileError
from anna.program.isa import Op

DEPTH = 2  # loops within one another: a step for each
LONGEST = 1 << 22  # instructions of a program with its loops unrolled; MobileNet on images of 96x96 has a tenth
LOOPS = ("REPEAT", "ENDREP")
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
