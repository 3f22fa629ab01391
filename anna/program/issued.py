"""A program as its instructions are issued, in numbers: for whoever goes through many of them.

Most instructions differ from others only in their *place*, an address or a pair of weights. What is left, with the place at 0,
is a *form*; a program has few.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import FileError
from anna.chip.spec import ChipSpec
from anna.program import isa
from anna.program.isa import Op, Words
from anna.program.loops import LOOPS, STEPS, order

Ints = NDArray[np.int64]

PLACES = ("address", "pair")


@dataclass(frozen=True, eq=False)
class Issued:
    """The instructions in the order in which they are issued, loops unrolled."""

    forms: tuple[Op, ...]
    form: Ints  # which of them each instruction is
    place: Ints  # its address or pair; 0 if it has none
    word: Ints  # the word that it is written as

    def __len__(self) -> int:
        return len(self.form)

    @staticmethod
    def of(forms: Sequence[Op], form: Ints, place: Ints) -> "Issued":
        """Instructions without loops, given as forms that need not be all in use, nor all different."""
        used, mine = np.unique(form, return_inverse=True)
        numbers = dict[Op, int]()
        among = np.array([numbers.setdefault(forms[k], len(numbers)) for k in used.tolist()], np.int64)
        return Issued(tuple(numbers), among[mine], place, np.arange(len(form)))

    @staticmethod
    def of_ops(ops: Iterable[Op]) -> "Issued":
        """Instructions without loops."""
        numbers, form, place = dict[Op, int](), list[int](), list[int]()
        for op in ops:
            at = place_of(op)
            form.append(numbers.setdefault(op if at is None else op.changed(**{at: 0}), len(numbers)))
            place.append(0 if at is None else op[at])
        return Issued(tuple(numbers), np.array(form, np.int64), np.array(place, np.int64), np.arange(len(form)))

    @staticmethod
    def joined(parts: Sequence["Issued"]) -> "Issued":
        """One after the other; their instructions have no loops."""
        forms = [form for part in parts for form in part.forms]
        first = np.cumsum([0, *(len(part.forms) for part in parts[:-1])])
        form = np.concatenate([part.form + begin for part, begin in zip(parts, first, strict=True)])
        return Issued.of(forms, form, np.concatenate([part.place for part in parts]))

    def op(self, index: int) -> Op:
        """One of the instructions, with its place."""
        form = self.forms[int(self.form[index])]
        at = place_of(form)
        return form if at is None else form.changed(**{at: int(self.place[index])})

    @cached_property
    def ops(self) -> tuple[Op, ...]:
        """The instructions one by one."""
        return tuple(self.op(index) for index in range(len(self)))

    def encoded(self, spec: ChipSpec) -> Words:
        """Words of the instructions as they are issued, without loops; raises as `isa.encode`."""
        words = isa.encode(spec, self.forms)[self.form]
        for number, form in enumerate(self.forms):
            at = place_of(form)
            if at is None:
                continue
            (shift, bits), mine = isa.slot(spec, form.name, at), np.flatnonzero(self.form == number)
            places = self.place[mine]
            if len(places) and not 0 <= int(places.min()) <= int(places.max()) < 1 << bits:
                isa.encode(spec, [form.changed(**{at: place}) for place in places.tolist()])  # which says which
            isa.put(words, mine, shift, bits, places)
        return words

    def of_form(self, numbers: list[int]) -> Ints:
        """For each instruction the number of its form."""
        return np.array(numbers, np.int64)[self.form]

    def named(self, *names: str) -> NDArray[np.bool_]:
        """Which instructions have one of these names."""
        return np.array([form.name in names for form in self.forms], bool)[self.form]

    @cached_property
    def end(self) -> int:
        """One beyond the highest address that is touched; 0 if none is."""
        reach = self.of_form([form.last_address + 1 if moves(form) else 0 for form in self.forms])
        return int(np.where(reach, self.place + reach, 0).max(initial=0))


def place_of(op: Op) -> str | None:
    """The field that holds an instruction's place; None if it has none."""
    return next((name for name in PLACES if name in op.instruction.place), None)


def moves(op: Op) -> bool:
    """Whether an instruction moves states to or from memory."""
    return op.name in ("SHIFT", "OUT") and op.states > 0


def issued(spec: ChipSpec, words: Words) -> Issued:
    """What these words issue; raises for words that are none of the chip's, and for loops that do not match."""
    if words.ndim != 2 or words.shape[1] != isa.limbs(spec):
        isa.decode(spec, words)
    form_words, places, steps = _taken_apart(spec, words)
    by_value = np.lexsort(form_words.T)
    first = np.ones(len(words), bool)
    first[1:] = (form_words[by_value[1:]] != form_words[by_value[:-1]]).any(axis=1)
    form = np.empty(len(words), np.int64)
    form[by_value] = np.cumsum(first) - 1
    try:
        forms = tuple(isa.decode(spec, form_words[by_value[first]]))
    except FileError:
        isa.decode(spec, words)  # which says which word it is
        raise
    if not steps.any() and all(one.name not in LOOPS for one in forms):
        return Issued(forms, form, places, np.arange(len(words)))
    word, *turns = order(isa.decode(spec, words))
    used, form = np.unique(form[word], return_inverse=True)  # REPEAT and ENDREP are not issued themselves
    return Issued(tuple(forms[k] for k in used), form, places[word] + (steps[:, word] * turns).sum(axis=0), word)


def _taken_apart(spec: ChipSpec, words: Words) -> tuple[Words, Ints, Ints]:
    """The words of the forms, and from what was taken out of them, places and (depth, words) steps."""
    kind, forms = isa.kinds(spec, words), words.copy()
    places, steps = np.zeros(len(words), np.int64), np.zeros((len(STEPS), len(words)), np.int64)
    for number, instruction in enumerate(isa.of(spec).table):
        mine = np.flatnonzero(kind == number)
        for name, shift, bits in isa.slots(spec, instruction.name):
            if name in PLACES:
                places[mine] = isa.number(words[mine], shift, bits)
            elif name in STEPS:
                steps[STEPS.index(name), mine] = isa.number(words[mine], shift, bits)
            else:
                continue
            for limb in range(shift // isa.LIMB_BITS, (shift + bits - 1) // isa.LIMB_BITS + 1):
                kept = ~(((1 << bits) - 1) << shift >> limb * isa.LIMB_BITS)
                forms[mine, limb] &= np.uint64(kept & (1 << isa.LIMB_BITS) - 1)
    return forms, places, steps
