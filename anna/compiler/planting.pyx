"""The loop that plants RFSH into a page segment: before which instructions which rows are written.

`anna.compiler.refreshing` says which rows are read when, and how old their charges may be. The rules of timing are those of
`anna.sequencer.timing`.
"""

from libc.stdint cimport int64_t

import numpy as np

include "interface.pxi"
include "board.pxi"


cdef class Planter(Board):
    """Issues the instructions of a segment again, with what is planted; `refresh` is the form of an RFSH."""

    cdef int64_t refresh

    # By place, before which RFSH may stand: its instruction, when each row is read last before the next place, and the first
    # place whose rows are not written with those that must be
    cdef const int64_t[::1] index, soon
    cdef const int64_t[:, ::1] read

    # By row: the RFSH that it takes, and when it was written
    cdef const int64_t[::1] pairs
    cdef int64_t[::1] written

    cdef list planted

    def __init__(self, dict chip, int64_t refresh):
        self.set_chip(chip)
        self.refresh = refresh

    def run(self, dict forms, form, place, const int64_t[::1] bare, dict rows, int64_t age):
        """(instruction, row) of what is written, in order. `bare` says when the segment's instructions start without it; of a
        WAIT the form is -1, and the place its cycles."""
        self.begin(forms, form, place, form)
        self.index, self.soon, self.read = rows["index"], rows["soon"], rows["read"]
        self.pairs, self.written, self.planted = rows["pairs"], rows["written"], []
        with nogil:
            self.go(bare, age)
        return self.planted

    cdef int go(self, const int64_t[::1] bare, int64_t age) except -1 nogil:
        cdef int64_t k, at = 0
        self.clear(1)  # PAGE starts in cycle 0
        for k in range(1, self.form.shape[0]):
            if at < self.index.shape[0] and self.index[at] == k:
                self.plant(at, age - (self.now - bare[k - 1]))
                at += 1
            if self.form[k] == NONE:
                self.wait(self.place[k])
            else:
                self.start(self.form[k])
        return 0

    cdef int plant(self, int64_t at, int64_t age) except -1 nogil:
        """Write the rows of a place if any must be, and with them those that must be soon."""
        cdef int64_t row, place, last, first, _
        if not self.late(at, age):
            return 0
        for row in range(self.read.shape[1]):
            last = NONE
            for place in range(at, max(at + 1, self.soon[at])):
                last = max(last, self.read[place, row])
            if last < 0 or last - self.written[row] <= age:
                continue
            first = self.start(self.refresh)
            for _ in range(1, self.pairs[row]):
                self.start(self.refresh)
            self.written[row] = first
            with gil:
                self.planted.append((self.index[at], row))
        return 0

    cdef bint late(self, int64_t at, int64_t age) noexcept nogil:
        """Whether a charge would be too old when it is read before the next place."""
        cdef int64_t row
        for row in range(self.read.shape[1]):
            if self.read[at, row] >= 0 and self.read[at, row] - self.written[row] > age:
                return True
        return False
