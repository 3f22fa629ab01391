"""The loop of the scheduler of a wide chip: what can start earliest goes next, input before CALC before OUT.

`anna.compiler.register_schedule` hands in the instructions of a page segment as arrays, each with its *form* and its *place*
(an address), and what each form touches. The rules of timing are those of `anna.sequencer.timing`; a sequencer that is always
ready holds nothing.
"""

from libc.stdint cimport int64_t, uint64_t

import numpy as np

include "interface.pxi"
include "board.pxi"


cdef class Windows(Board):
    """Schedules segments, one after the other."""

    # The chip
    cdef int64_t states_in, states_out, latency, store_cycles, register_count

    # Where in `offsets` the addresses of each form, counted from its place, begin
    cdef const int64_t[::1] first, offsets

    # By address: the last OUT of this segment that writes it, and from when on a SHIFT may read that
    cdef int64_t[::1] writer, readable

    # Which of the segment's instructions are SHIFTs and STOREs, CALCs, OUTs
    cdef int64_t[::1] inputs, works, outs
    cdef int64_t[::1] after  # the OUT that each SHIFT waits for (NONE: nothing)
    cdef int64_t[::1] window  # that a STORE makes readable or a CALC reads
    cdef int64_t[::1] calcs_left  # of each window, still to come
    cdef int64_t input_count, work_count
    cdef int64_t i, c, o  # which of them is next

    # By register: from when on a STORE may replace what is held, and the window that is
    cdef int64_t held_until[64]
    cdef int64_t window_of[64]
    cdef int64_t last_stored

    def __init__(self, dict chip, int64_t memory):
        self.set_chip(chip)
        self.states_in, self.states_out, self.latency = chip["states_in"], chip["states_out"], chip["latency"]
        self.store_cycles, self.register_count = chip["store_cycles"], chip["registers"]
        self.writer, self.readable = np.full(memory, NONE, np.int64), np.zeros(memory, np.int64)

    def run(self, dict forms, form, place, scan, int64_t scans):
        """The forms and places of the segment's instructions in turn, first and last cycle of each scan, and the cycle in
        which all has ended. Each OUT follows its CALC."""
        cdef int64_t count = len(form)
        said = self.begin(forms, form, place, scan)
        self.first, self.offsets = forms["first"], forms["offsets"]
        self.inputs, self.works, self.outs, self.after, self.window = (np.empty(count, np.int64) for _ in range(5))
        self.calcs_left = np.zeros(count + 1, np.int64)
        spans = np.zeros((2, scans), np.int64)
        spans[0] = NEVER
        cdef int64_t[:, ::1] span = spans
        with nogil:
            self.link()
            self.schedule(span)
            self.forget()
        return said[0, :self.said], said[1, :self.said], spans, self.idle()

    # --- what waits for what
    cdef int link(self) except -1 nogil:
        """Part the instructions by unit, and find what each waits for."""
        cdef int64_t index, form, kind, at, latest, stored = NONE
        self.input_count = self.work_count = 0
        for index in range(self.form.shape[0]):
            form = self.form[index]
            kind = self.kind[form]
            if kind == CALC:
                self.works[self.work_count], self.window[index] = index, stored
                self.calcs_left[stored + 1] += 1
            elif kind == OUT:
                self.outs[self.work_count] = index
                for at in range(self.first[form], self.first[form + 1]):
                    self.writer[self.place[index] + self.offsets[at]] = self.work_count
                self.work_count = self.work_count + 1
            else:
                latest = NONE
                if kind == STORE:
                    stored += 1
                    self.window[index] = stored
                for at in range(self.first[form], self.first[form + 1]):
                    latest = max(latest, self.writer[self.place[index] + self.offsets[at]])
                self.after[index] = latest
                self.inputs[self.input_count] = index
                self.input_count = self.input_count + 1
        return 0

    cdef int forget(self) except -1 nogil:
        """Leave the memory as it was for the next segment."""
        cdef int64_t k, form, at, address
        for k in range(self.work_count):
            form = self.form[self.outs[k]]
            for at in range(self.first[form], self.first[form + 1]):
                address = self.place[self.outs[k]] + self.offsets[at]
                self.writer[address], self.readable[address] = NONE, 0
        return 0

    # --- what starts next
    cdef int schedule(self, int64_t[:, ::1] span) except -1 nogil:
        cdef int64_t input_time, calc_time, out_time, when, index, scan
        cdef int k
        self.i = self.c = self.o = 0
        self.last_stored = NONE
        self.clear(0)
        for k in range(self.register_count):
            self.held_until[k], self.window_of[k] = 0, NONE
        while self.i < self.input_count or self.o < self.work_count:
            input_time, calc_time, out_time = self.input_time(), self.calc_time(), self.out_time()
            when = min(input_time, calc_time, out_time)
            if when >= NEVER:
                with gil:
                    raise AssertionError("nothing can start")
            if input_time == when:
                index = self.inputs[self.i]
                scan = self.scan[index]
                self.begin_input(index, when)
                span[0, scan] = min(span[0, scan], when)
                self.i = self.i + 1
            elif calc_time == when:
                self.begin_calc(self.works[self.c], when)
                self.c = self.c + 1
            else:
                index = self.outs[self.o]
                self.begin_out(index, when)
                span[1, self.scan[index]] = self.ends[OUT]
                self.o = self.o + 1
        return 0

    cdef int begin_input(self, int64_t index, int64_t when) except -1 nogil:
        cdef int64_t register
        self.issue(index, when)
        if self.kind[self.form[index]] == STORE:
            self.last_stored = self.window[index]
            for register in range(self.register_count):
                if self.latches[self.form[index]] >> <uint64_t>register & 1:
                    self.window_of[register] = self.last_stored
        return 0

    cdef int begin_calc(self, int64_t index, int64_t when) except -1 nogil:
        cdef int64_t register
        self.issue(index, when)
        for register in range(self.register_count):
            if self.latches[self.form[index]] >> <uint64_t>register & 1:
                self.held_until[register] = when + self.calc_cycles - self.store_cycles
        self.calcs_left[self.window[index] + 1] -= 1
        return 0

    cdef int begin_out(self, int64_t index, int64_t when) except -1 nogil:
        cdef int64_t k, form = self.form[index], arrives = self.issue(index, when) + 1 + self.latency
        for k in range(self.states[form]):
            self.readable[self.place[index] + self.offsets[self.first[form] + k]] = arrives + k // self.states_out
        return 0

    cdef int64_t input_time(self) except -1 nogil:
        cdef int64_t index, form, start, k, register, window
        if self.i == self.input_count:
            return NEVER
        index = self.inputs[self.i]
        form = self.form[index]
        if self.after[index] >= self.o:
            return NEVER
        start = self.natural(SHIFT)
        if self.kind[form] == SHIFT:
            for k in range(self.states[form]):
                start = max(start, self.readable[self.place[index] + self.offsets[self.first[form] + k]] - k // self.states_in)
        else:
            for register in range(self.register_count):
                if self.latches[form] >> <uint64_t>register & 1:
                    window = self.window_of[register]
                    if window >= 0 and self.calcs_left[window + 1]:
                        return NEVER
                    start = max(start, self.held_until[register])
        # With two results untaken, the array replaces the older ones when it ends: nothing may delay their OUT beyond that.
        if self.c - self.o == 2 and self.next_start(start) + self.taking() > self.pending[1]:
            return NEVER
        return start

    cdef int64_t calc_time(self) except -1 nogil:
        cdef int64_t start, taking, spare
        if self.c == self.work_count or self.window[self.works[self.c]] > self.last_stored or self.c - self.o > 1:
            return NEVER
        start = self.natural(CALC)
        if self.c - self.o == 1:  # the results still in the latch must be out before these arrive
            taking = self.taking()
            start = max(start, max(self.ends[OUT], self.pending[0]) + taking - self.calc_cycles)
            spare = self.calc_cycles - taking
            if self.next_start(start) - start > spare:
                start += 1  # in a cycle of its own
            if self.next_start(start) - start > spare:
                return NEVER  # before they are
        return start

    cdef int64_t out_time(self) except -1 nogil:
        return self.natural(OUT) if self.o < self.c else NEVER

    cdef int64_t taking(self) except -1 nogil:
        """Cycles of the next OUT."""
        return self.cycles[self.form[self.outs[self.o]]]

    cdef int64_t next_start(self, int64_t start) noexcept nogil:
        """When the instruction after one that starts then can start at the earliest: later only if the cycle is full."""
        cdef int64_t before = self.started_now if start == self.now else 0
        return start + 1 if before + 1 >= self.issue_width else start
