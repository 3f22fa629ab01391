"""Loops: what REPEAT and ENDREP stand for, and back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from anna.base.errors import FileError
from anna.program.isa import Op

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


def unrolled(ops: Sequence[Op]) -> Iterator[Op]:
    """The instructions in the order in which they are issued, with addresses and pairs as they are then; raises if loops do
    not match or make a program too long."""
    items = tree(ops)
    length = _length(items)
    if length > LONGEST:
        raise FileError(f"its loops make {length:,} instructions; expected at most {LONGEST:,}")
    return _turns(ops, items, ())


def issued(ops: Sequence[Op]) -> Iterator[int]:
    """The index of each instruction, in the order in which they are issued."""
    return _order(tree(ops))


def _order(items: Sequence[int | Loop]) -> Iterator[int]:
    for item in items:
        if isinstance(item, Loop):
            yield from list(_order(item.body)) * item.count
        else:
            yield item


def _length(items: Sequence[int | Loop]) -> int:
    """Instructions with all loops unrolled."""
    return sum(item.count * _length(item.body) if isinstance(item, Loop) else 1 for item in items)


def _turns(ops: Sequence[Op], items: Sequence[int | Loop], turns: tuple[int, ...]) -> Iterator[Op]:
    """Instructions in the given turns of the loops around them, innermost first."""
    for item in items:
        if isinstance(item, Loop):
            for turn in range(item.count):
                yield from _turns(ops, item.body, (turn, *turns))
        else:
            yield moved(ops[item], turns)


def moved(op: Op, turns: tuple[int, ...]) -> Op:
    """An instruction in the given turns of the loops around it, innermost first."""
    if "step" not in op.instruction.place or not (op["step"] or op["outer_step"]):
        return op
    by = sum(op[name] * turn for name, turn in zip(STEPS, turns, strict=False))
    place = moving(op)
    return op.changed(**{place: op[place] + by, "step": 0, "outer_step": 0})


def moving(op: Op) -> str:
    """The field that steps are added to."""
    return "pair" if op.name == "RFSH" else "address"
