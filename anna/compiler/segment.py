"""A page segment that was scheduled: what the schedulers of both kinds of chip give."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anna.compiler.forms import Forms
from anna.program import isa
from anna.program.issued import Issued

WAITED = -1  # the form of a WAIT among what a compiled loop gives, where its cycles are the place

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Segment:
    """A page segment's instructions, first and last cycle of each of its scans, and the cycle in which all has ended."""

    issued: Issued
    spans: list[tuple[int, int]]
    cycles: int

    @staticmethod
    def of(forms: Forms, form: Ints, place: Ints, spans_2s: Ints, cycles: int) -> "Segment":
        """From what a compiled loop gives."""
        waits, op = np.flatnonzero(form == WAITED), isa.of(forms.spec).op
        form[waits] = [forms.number(op("WAIT", cycles=count)) for count in place[waits].tolist()]
        place[waits] = 0
        return Segment(Issued.of(forms.ops, form, place), [(first, last) for first, last in spans_2s.T.tolist()], cycles)
