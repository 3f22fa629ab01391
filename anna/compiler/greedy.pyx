"""The loop of the scheduler of a chip of one shifter: what can start earliest goes next.

`anna.compiler.latch_schedule` hands in the instructions of a page segment as arrays, each with its *form* and its *place* (an
address), and says what the chip and the sequencer are like. The rules of timing are those of `anna.sequencer.timing`.
"""

from libc.stdint cimport int8_t, int64_t, uint64_t

import numpy as np

include "interface.pxi"
include "board.pxi"

cdef enum:
    INPUT = 0, COMPUTE = 1, RESULT = 2  # what an order of preference names


cdef class Greedy(Board):
    """Schedules segments, one after the other; `work` counts the instructions that were considered."""

    # The chip and its sequencer
    cdef int64_t states_in, states_out, latency, store_cycles, latch_count
    cdef bint alone  # whether results leave before the next CALC

    # What the forms are beside: cycles that they keep a sequencer at least, and the latches of a CALC that matter
    cdef const int64_t[::1] issue_cycles
    cdef const uint64_t[::1] needs

    # By address: the last OUT of this segment that writes it, and from when on a SHIFT may read that
    cdef int64_t[::1] writer, readable
    cdef int64_t[::1] held_until  # by latch: from when on a STORE may replace what is held

    # Which of the segment's instructions are inputs, CALCs and OUTs
    cdef int64_t[::1] inputs, works, outs
    cdef int64_t[::1] after, work_of  # what each instruction waits for (NONE: nothing); the CALC of each OUT
    cdef int64_t input_count, work_count, out_count
    cdef int64_t i, c, o  # which of them is next

    cdef readonly int64_t work

    def __init__(self, dict chip, int64_t memory):
        self.set_chip(chip)
        self.states_in, self.states_out, self.latency = chip["states_in"], chip["states_out"], chip["latency"]
        self.store_cycles, self.alone, self.latch_count = chip["store_cycles"], chip["alone"], chip["latches"]
        self.writer, self.readable = np.full(memory, NONE, np.int64), np.zeros(memory, np.int64)
        self.held_until = np.zeros(self.latch_count, np.int64)
        self.work = 0

    def run(self, dict forms, form, place, scan, const int8_t[:, ::1] orders):
        """The forms and places of the segment's instructions in turn, first and last cycle of each scan, and the cycle in
        which all has ended. A scan has an order of preference."""
        cdef int64_t count = len(form)
        said = self.begin(forms, form, place, scan)
        self.issue_cycles, self.needs = forms["issue_cycles"], forms["needs"]
        self.inputs, self.works, self.outs, self.after, self.work_of = (np.empty(count, np.int64) for _ in range(5))
        spans = np.zeros((2, orders.shape[0]), np.int64)
        spans[0] = NEVER
        cdef int64_t[:, ::1] span = spans
        with nogil:
            self.link()
            self.schedule(orders, span)
            self.forget()
        self.work = self.work + self.said
        return said[0, :self.said], said[1, :self.said], spans, self.idle()

    # --- what waits for what
    cdef int link(self) except -1 nogil:
        """Part the instructions by unit, and find what each waits for."""
        cdef int64_t index, form, kind, address, latest, latch
        cdef int64_t filled[64]
        cdef int64_t reader[64]
        for latch in range(self.latch_count):
            filled[latch] = reader[latch] = NONE
            self.held_until[latch] = 0
        self.input_count = self.work_count = self.out_count = 0
        for index in range(self.form.shape[0]):
            form, latest = self.form[index], NONE
            kind = self.kind[form]
            if kind == SHIFT:
                for address in range(self.place[index], self.place[index] + self.states[form]):
                    latest = max(latest, self.writer[address])
            elif kind == STORE:
                for latch in range(self.latch_count):
                    if self.latches[form] >> <uint64_t>latch & 1:
                        latest = max(latest, reader[latch])
                        filled[latch] = self.input_count
            elif kind == CALC:
                for latch in range(self.latch_count):
                    if self.needs[form] >> <uint64_t>latch & 1:
                        latest = max(latest, filled[latch])
                    if self.latches[form] >> <uint64_t>latch & 1:
                        reader[latch] = self.work_count
            else:
                for address in range(self.place[index], self.place[index] + self.states[form]):
                    self.writer[address] = self.out_count
            self.after[index] = latest
            if kind == CALC:
                self.works[self.work_count] = index
                self.work_count = self.work_count + 1
            elif kind == OUT:
                self.work_of[self.out_count] = self.work_count - 1
                self.outs[self.out_count] = index
                self.out_count = self.out_count + 1
            else:
                self.inputs[self.input_count] = index
                self.input_count = self.input_count + 1
        return 0

    cdef int forget(self) except -1 nogil:
        """Leave the memory as it was for the next segment."""
        cdef int64_t k, index, address
        for k in range(self.out_count):
            index = self.outs[k]
            for address in range(self.place[index], self.place[index] + self.states[self.form[index]]):
                self.writer[address], self.readable[address] = NONE, 0
        return 0

    # --- what starts next
    cdef int schedule(self, const int8_t[:, ::1] orders, int64_t[:, ::1] span) except -1 nogil:
        cdef int64_t times[3]
        cdef int64_t number, when, index
        cdef int k, what
        self.i = self.c = self.o = 0
        self.clear(1)  # PAGE starts in cycle 0
        while self.i < self.input_count or self.o < self.out_count:
            times[INPUT], times[COMPUTE], times[RESULT] = self.input_time(), self.calc_time(), self.out_time()
            number = self.scan[self.works[min(self.c, self.work_count - 1)]] if self.work_count else 0
            what = orders[number, 0]
            for k in range(1, 3):
                if times[orders[number, k]] < times[what]:
                    what = orders[number, k]
            when = times[what]
            if when >= NEVER:
                with gil:
                    raise AssertionError("nothing can start")
            if what == INPUT:
                index = self.inputs[self.i]
                self.issue(index, when)
                span[0, self.scan[index]] = min(span[0, self.scan[index]], when)
                self.i = self.i + 1
            elif what == COMPUTE:
                self.begin_calc(self.works[self.c], when)
                self.c = self.c + 1
            else:
                index = self.outs[self.o]
                self.begin_out(index, when)
                span[1, self.scan[index]] = self.ends[OUT]
                self.o = self.o + 1
        return 0

    cdef int begin_calc(self, int64_t index, int64_t when) except -1 nogil:
        cdef int64_t latch, start = self.issue(index, when)
        for latch in range(self.latch_count):
            if self.latches[self.form[index]] >> <uint64_t>latch & 1:
                self.held_until[latch] = start + self.calc_cycles - self.store_cycles
        return 0

    cdef int begin_out(self, int64_t index, int64_t when) except -1 nogil:
        cdef int64_t k, first = self.issue(index, when) + 1 + self.latency
        for k in range(self.states[self.form[index]]):
            self.readable[self.place[index] + k] = first + k // self.states_out
        return 0

    cdef int64_t input_time(self) except -1 nogil:
        cdef int64_t index, form, start, k, latch
        if self.i == self.input_count:
            return NEVER
        index = self.inputs[self.i]
        form = self.form[index]
        start = self.natural(self.kind[form])
        if self.kind[form] == SHIFT:
            if self.after[index] >= self.o:
                return NEVER
            for k in range(self.states[form]):
                start = max(start, self.readable[self.place[index] + k] - k // self.states_in)
        else:
            if self.after[index] >= self.c:
                return NEVER
            for latch in range(self.latch_count):
                if self.latches[form] >> <uint64_t>latch & 1:
                    start = max(start, self.held_until[latch])
        return start if self.untaken() < 2 else NEVER

    cdef int64_t untaken(self) noexcept nogil:
        """CALCs whose results are not all out."""
        return self.c - self.work_of[self.o] if self.o < self.out_count else 0

    cdef int64_t calc_time(self) except -1 nogil:
        cdef int64_t index, untaken, start, taking = 0, at, form, begins
        if self.c == self.work_count:
            return NEVER
        index, untaken = self.works[self.c], self.untaken()
        if self.after[index] >= self.i or untaken > (0 if self.alone else 1):
            return NEVER
        start = self.natural(CALC)
        if untaken:  # the results still in the latch must be out before these arrive
            at = self.o
            while at < self.out_count and self.work_of[at] == self.work_of[self.o]:
                form = self.form[self.outs[at]]
                taking += max(self.cycles[form], self.issue_cycles[form])
                at += 1
            begins = max(start + 1, self.pending[0], self.ends[OUT])
            start = max(start, begins + taking - self.calc_cycles)
            if max(start + 1, self.pending[0], self.ends[OUT]) + taking > start + self.calc_cycles:
                return NEVER
        return start

    cdef int64_t out_time(self) except -1 nogil:
        if self.o == self.out_count or self.work_of[self.o] >= self.c:
            return NEVER
        return self.natural(OUT)
