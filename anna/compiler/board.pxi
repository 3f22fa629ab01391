# The chip's units within one page segment, and the instructions issued to them: what the schedulers of both kinds share with
# what plants RFSH.
# The rules of timing are those of `anna.sequencer.timing`.

from libc.stdint cimport int64_t, uint64_t

import numpy as np

cdef enum:
    RFSH, SHIFT, STORE, CALC, OUT  # the units, as in anna.sequencer.timing

cdef enum:
    RESULTS = 5  # in `ends` and `waits`, after the units
    NONE = -1  # also the form of a WAIT among what is issued, where its cycles are the place

cdef int64_t NEVER = 1 << 60


cdef class Board:
    """Instructions have a *form* and a *place* (an address)."""

    cdef int64_t issue_width, calc_cycles
    cdef const int64_t[:, ::1] waits

    # What the forms are: unit, states, cycles that they keep it and the sequencer busy, neurons, registers or latches as bits
    cdef const int64_t[::1] kind, states, cycles, held, neurons
    cdef const uint64_t[::1] latches

    # The segment's instructions, and the scan that each belongs to
    cdef const int64_t[::1] form, place, scan

    cdef int64_t now, started_now, ready
    cdef int64_t ends[6]
    cdef int64_t pending[3]
    cdef int64_t left[3]
    cdef int waiting

    # What is issued
    cdef int64_t[::1] said_form, said_place
    cdef int64_t said

    cdef set_chip(self, dict chip):
        self.issue_width, self.calc_cycles, self.waits = chip["issue_width"], chip["calc_cycles"], chip["waits"]

    cdef begin(self, dict forms, form, place, scan):
        """A segment; gives the arrays of what will be issued."""
        self.kind, self.states, self.cycles, self.held = forms["kind"], forms["states"], forms["cycles"], forms["held"]
        self.neurons, self.latches = forms["neurons"], forms["latches"]
        self.form, self.place, self.scan = form, place, scan
        said = np.empty((2, 2 * len(form)), np.int64)
        self.said_form, self.said_place = said[0], said[1]
        return said

    cdef void clear(self, int64_t started_now) noexcept nogil:
        """As it is in cycle 0, in which so many instructions have started."""
        cdef int k
        self.said = self.now = self.ready = self.waiting = 0
        self.started_now = started_now
        for k in range(RESULTS + 1):
            self.ends[k] = 0

    cdef int64_t idle(self) noexcept nogil:
        cdef int64_t found = max(self.now, self.ready)
        cdef int k
        for k in range(RESULTS + 1):
            found = max(found, self.ends[k])
        return found

    cdef int64_t natural(self, int64_t kind) noexcept nogil:
        """When an instruction starts if nothing but the interlocks holds it."""
        cdef int64_t start = max(self.now, self.ready)
        cdef int k
        for k in range(RESULTS + 1):
            start = max(start, self.ends[k] + self.waits[kind, k])
        return start + 1 if start == self.now and self.started_now >= self.issue_width else start

    cdef int64_t issue(self, int64_t index, int64_t when) except -1 nogil:
        """Start an instruction, after a WAIT where the interlocks would not wait."""
        cdef int64_t form = self.form[index]
        if self.natural(self.kind[form]) < when:
            self.say(NONE, when - self.now)
            self.wait(when - self.now)
        self.say(form, self.place[index])
        return self.start(form)

    cdef void wait(self, int64_t cycles) noexcept nogil:
        self.now, self.started_now = self.now + cycles, 0

    cdef int64_t start(self, int64_t form) noexcept nogil:
        """Start an instruction of this form as soon as the interlocks let it."""
        cdef int64_t kind = self.kind[form], start = self.natural(kind)
        cdef int k
        self.started_now = self.started_now + 1 if start == self.now else 1
        self.now = start
        self.ready = max(self.ready, start + self.held[form])
        self.ends[kind] = start + self.cycles[form]
        if kind == CALC:
            self.pending[self.waiting], self.left[self.waiting] = self.ends[CALC], self.neurons[form]
            self.waiting = self.waiting + 1
        elif kind == OUT and self.waiting:
            self.left[0] = self.left[0] - self.states[form]
            if self.left[0] <= 0:
                self.waiting = self.waiting - 1
                for k in range(self.waiting):
                    self.pending[k], self.left[k] = self.pending[k + 1], self.left[k + 1]
        self.ends[RESULTS] = self.pending[0] if self.waiting else 0
        return start

    cdef int say(self, int64_t form, int64_t place) except -1 nogil:
        self.said_form[self.said], self.said_place[self.said] = form, place
        self.said = self.said + 1
        return 0
