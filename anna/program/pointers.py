"""Addresses that a text leaves out: a SHIFT or OUT goes on where the last one before it ended, as a DSP's pointer does.

Within a loop a pointer moves on in each turn, by the same step: the address is that of the first turn, the step is what each
turn of the loop around it adds, the outer step what each turn of the loop around that adds. The first SHIFT begins at the
input region, the first OUT at the first output region.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from anna.base.errors import AssemblyError
from anna.program.isa import Op
from anna.program.loops import Loop, tree

MOVING = ("SHIFT", "OUT")


class AddressError(AssemblyError):
    """An address that cannot be left out, and its instruction."""

    def __init__(self, index: int, sentence: str) -> None:
        super().__init__(sentence)
        self.index, self.sentence = index, sentence


def addressed(ops: Sequence[Op], left_open: set[int], starts: Mapping[str, int]) -> list[Op]:
    """The instructions with every address; `starts` says where the first SHIFT and the first OUT begin."""
    found = list(ops)
    for name in MOVING:
        mine = {index for index in left_open if ops[index].name == name}
        if mine:
            start = _Pointer(starts[name]) if name in starts else None
            walk = _Walk(name, found, mine)
            walk.block(tree(ops), start)
            for index in sorted(walk.faults.values()):
                raise AddressError(
                    index,
                    f"{name} needs address=: left out, it would go on from the {name} before its loop in the first turn, and "
                    "from the last one within the loop in the others",
                )
    return found


@dataclass(frozen=True)
class _Pointer:
    """Where the next state lies: the address in the first turns of the loops around it, and what each of their turns adds."""

    address: int
    step: int = 0
    outer_step: int = 0

    def within(self, step: int) -> "_Pointer":
        """The same seen from within a loop, in each turn of which it moves on by so much."""
        return _Pointer(self.address, step, self.step)

    def in_turn(self, turn: int) -> "_Pointer":
        """The same in that turn of the loop around it, seen from outside of the loop."""
        return _Pointer(self.address + turn * self.step, self.outer_step)


@dataclass
class _Walk:
    """One pointer on its way through a program; `found` is filled in."""

    name: str
    found: list[Op]
    left_open: set[int]
    faults: dict[int, int] = field(default_factory=dict)  # by loop: what cannot go on in it

    def block(self, items: Sequence[int | Loop], pointer: _Pointer | None) -> _Pointer | None:
        """Where the pointer stands after these instructions and loops."""
        for item in items:
            pointer = self._loop(item, pointer) if isinstance(item, Loop) else self._op(item, pointer)
        return pointer

    def _op(self, index: int, pointer: _Pointer | None) -> _Pointer | None:
        op = self.found[index]
        if op.name != self.name:
            return pointer
        if index in self.left_open:
            if pointer is None:
                raise AddressError(index, f"{op.name} needs address=: no region says where the first one begins")
            op = op.changed(address=pointer.address, step=pointer.step, outer_step=pointer.outer_step)
            self.found[index] = op
        return _Pointer(op["address"] + op.states, op["step"], op["outer_step"])

    def _loop(self, loop: Loop, pointer: _Pointer | None) -> _Pointer | None:
        mine = self._mine(loop.body)
        if not mine:
            return pointer
        after = self.block(loop.body, pointer and pointer.within(0))
        if mine[0] in self.left_open:
            assert pointer is not None and after is not None
            self.faults.pop(loop.index, None)
            if all(index in self.left_open for index in mine):
                step = after.address - pointer.address
            else:  # from the second turn on, it goes on where a given address led to
                step = after.step
                if loop.count > 1 and (after.address - step, after.outer_step) != (pointer.address, pointer.step):
                    self.faults[loop.index] = mine[0]
            after = self.block(loop.body, pointer.within(step))
        assert after is not None
        return after.in_turn(loop.count - 1)

    def _mine(self, items: Sequence[int | Loop]) -> list[int]:
        """The instructions of this pointer, in order."""
        found = list[int]()
        for item in items:
            if isinstance(item, Loop):
                found += self._mine(item.body)
            elif self.found[item].name == self.name:
                found.append(item)
        return found
