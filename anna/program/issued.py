"""A program as its instructions are issued, in numbers: for whoever goes through many of them.

Most instructions differ from others only in their *place*, an address or a pair of weights. What is left, with the place at 0,
is a *form*; a program has few.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from anna.base.errors import FileError
from anna.chip.spec import ChipSpec
from anna.program import isa
from anna.program.isa import Op, Words
from anna.program.loops import STEPS, order

Ints = NDArray[np.int64]

PLACES = ("address", "pair")
LOOPS = ("REPEAT", "ENDREP")


@dataclass(frozen=True, eq=False)
class Issued:
    """The instructions in the order in which they are issued, loops unrolled."""

    forms: tuple[Op, ...]
    form: Ints  # which of them each instruction is
    place: Ints  # its address or pair; 0 if it has none
    word: Ints  # the word that it is written as

    def __len__(self) -> int:
        return len(self.form)

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
