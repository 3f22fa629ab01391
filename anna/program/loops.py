"""Loops: what REPEAT and ENDREP stand for, issued one after the other."""

from collections.abc import Iterator, Sequence

from anna.base.errors import FileError
from anna.program.isa import Op

DEPTH = 2  # loops within one another: a step for each
LONGEST = 1 << 24  # instructions of a program with its loops unrolled


def unrolled(ops: Sequence[Op]) -> Iterator[Op]:
    """The instructions in the order in which they are issued, with addresses and pairs as they are then; raises if loops do
    not match or make a program too long."""
    if all(op.name != "REPEAT" for op in ops):
        if any(op.name == "ENDREP" for op in ops):
            raise FileError("ENDREP without a REPEAT before it")
        return iter(ops)
    length = _length(ops)
    if length > LONGEST:
        raise FileError(f"its loops make {length:,} instructions; expected at most {LONGEST:,}")
    return _turns(ops, 0, len(ops), ())


def _length(ops: Sequence[Op]) -> int:
    """Instructions with all loops unrolled."""
    counts, lengths = list[int](), [0]
    for index, op in enumerate(ops):
        if op.name == "REPEAT":
            if op["count"] < 1:
                raise FileError(f"word {index}: REPEAT repeats at least once, got 0")
            if len(counts) == DEPTH:
                raise FileError(f"word {index}: REPEAT stands within {DEPTH} loops; expected at most {DEPTH - 1} around it")
            counts.append(op["count"])
            lengths.append(0)
        elif op.name == "ENDREP":
            if not counts:
                raise FileError(f"word {index}: ENDREP without a REPEAT before it")
            turns, body = counts.pop(), lengths.pop()
            lengths[-1] += turns * body
        elif counts and (op.ends or op.name == "PAGE"):
            raise FileError(f"word {index}: {op.name} stands within a loop")
        else:
            lengths[-1] += 1
    if counts:
        raise FileError("REPEAT without an ENDREP after it")
    return lengths[0]


def _turns(ops: Sequence[Op], first: int, end: int, turns: tuple[int, ...]) -> Iterator[Op]:
    """Instructions first .. end - 1 in the given turns of the loops around them, innermost first."""
    at = first
    while at < end:
        op = ops[at]
        if op.name == "REPEAT":
            close = _closing(ops, at)
            for turn in range(op["count"]):
                yield from _turns(ops, at + 1, close, (turn, *turns))
            at = close + 1
            continue
        yield moved(op, turns)
        at += 1


def _closing(ops: Sequence[Op], at: int) -> int:
    depth = 0
    for index in range(at, len(ops)):
        depth += (ops[index].name == "REPEAT") - (ops[index].name == "ENDREP")
        if depth == 0:
            return index
    raise AssertionError("loops match")


def moved(op: Op, turns: tuple[int, ...]) -> Op:
    """An instruction in the given turns of the loops around it, innermost first."""
    if "step" not in op.instruction.place or not (op["step"] or op["outer_step"]):
        return op
    by = sum(step * turn for step, turn in zip((op["step"], op["outer_step"]), turns, strict=False))
    where = "pair" if op.name == "RFSH" else "address"
    return op.changed(**{where: op[where] + by, "step": 0, "outer_step": 0})
