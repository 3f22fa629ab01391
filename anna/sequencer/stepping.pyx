"""The loop of the walk: one instruction after another, moving cycles and the numbers of values.

`anna.sequencer.walk` hands in the program, its forms and the rules of timing as arrays, and takes what the loop leaves in
others. Indexes are the caller's to get right (`anna.sequencer.wellformed`): only the checked build checks them.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

include "interface.pxi"

KINDS = ("RFSH", "SHIFT", "STORE", "CALC", "OUT", "WAIT", "PAGE", "STOP")  # the units' own first, as in anna.sequencer.timing

cdef enum:
    RFSH, SHIFT, STORE, CALC, OUT, WAIT, PAGE, STOP

cdef enum:
    RESULTS = 5  # in `ends` and `waits`, after the units
    UNDEFINED = -1  # as in anna.sequencer.timeline
    NEVER = -1
    MOST_HAZARDS = 524_288  # some 200 MB of them


cdef class Walk:
    """The state of the walk; `run` goes to the end and returns the hazards: rule, instruction and details of each."""

    # The chip
    cdef bint wide
    cdef int64_t issue_width, states_in, states_out, latency, rows, columns, neurons_at_once
    cdef int64_t reset, first_result_of_all  # values
    cdef object what  # what messages call a latch
    cdef const int64_t[:, ::1] waits  # (kind, end): from how many cycles after that end on a kind may start

    # The program: the forms of its instructions, and of each instruction the form and the place
    cdef const int64_t[::1] form, place
    cdef const int64_t[::1] kind, amount, cycles, held, states, first, width, shifter, source, fan_in, row, neurons
    cdef const uint64_t[::1] registers, latches
    cdef const int64_t[::1] offset, offsets_of, read, reads_of  # of a form on: addresses from its place; the latch of each row
    cdef const int64_t[::1] calc_index
    cdef const uint8_t[::1] live, constant  # weights that carry current; addresses of constants
    cdef const int64_t[::1] exchange_address, exchange_value, exchanges_of  # rounds of the host, see anna.sequencer.exchanges

    # What is where
    cdef int32_t[::1] memory  # value at each address
    cdef int64_t[::1] readable  # cycle from which that value can be read
    cdef int64_t[::1] last_read  # last cycle in which a SHIFT reads the address
    cdef int32_t[:, ::1] shift, stored, hold  # values in shifters, in registers of the state storage, and in latches
    cdef int64_t[::1] hold_read_until, hold_reader  # last cycle in which a CALC reads each latch, and which

    # The scoreboard
    cdef int64_t now, started_now, ready, late
    cdef int64_t[::1] ends
    cdef int64_t[::1] untaken  # CALCs, oldest first, whose results have not all been taken
    cdef int waiting  # how many these are
    cdef int64_t taken  # results of the oldest that are out

    # What is found
    cdef int64_t[::1] start, end, stall, segment_cycles, first_result
    cdef int32_t[::1] operands, exchanged
    cdef int64_t segment, page, calc, operand
    cdef list hazards

    def __init__(self, dict chip, dict program, dict state, dict found):
        self.wide, self.issue_width = chip["wide"], chip["issue_width"]
        self.states_in, self.states_out = chip["states_in"], chip["states_out"]
        self.latency, self.neurons_at_once = chip["latency"], chip["neurons_at_once"]
        self.rows, self.columns = chip["rows"], chip["columns"]
        self.reset, self.first_result_of_all = chip["reset"], chip["first_result"]
        self.what, self.waits = "register" if self.wide else "latch", chip["waits"]
        self.form, self.place, self.kind, self.amount = program["form"], program["place"], program["kind"], program["amount"]
        self.cycles, self.held, self.states = program["cycles"], program["held"], program["states"]
        self.first, self.width, self.shifter = program["first"], program["width"], program["shifter"]
        self.source, self.fan_in, self.row = program["source"], program["fan_in"], program["row"]
        self.neurons, self.registers, self.latches = program["neurons"], program["registers"], program["latches"]
        self.offset, self.offsets_of = program["offset"], program["offsets_of"]
        self.read, self.reads_of = program["read"], program["reads_of"]
        self.calc_index, self.live, self.constant = program["calc_index"], program["live"], program["constant"]
        self.exchange_address, self.exchange_value = program["exchange_address"], program["exchange_value"]
        self.exchanges_of, self.exchanged = program["exchanges_of"], found["exchanged"]
        self.memory, self.readable, self.last_read = state["memory"], state["readable"], state["last_read"]
        self.shift, self.stored, self.hold = state["shift"], state["stored"], state["hold"]
        self.hold_read_until, self.hold_reader = state["hold_read_until"], state["hold_reader"]
        self.ends, self.untaken = state["ends"], state["untaken"]
        self.start, self.end, self.stall = found["start"], found["end"], found["stall"]
        self.segment_cycles, self.first_result = found["segment_cycles"], found["first_result"]
        self.operands, self.hazards = found["operands"], []
        self.segment, self.page, self.calc, self.operand = -1, 0, -1, 0

    cdef int record(self, tuple hazard) except -1:
        """Keep what is wrong; in a loop it may be so in millions of turns."""
        if len(self.hazards) < MOST_HAZARDS:
            self.hazards.append(hazard)
        return 0

    def run(self):
        with nogil:
            self.go()
        return self.hazards

    cdef int go(self) except -1 nogil:
        cdef int64_t index
        for index in range(self.form.shape[0]):
            self.step(index)
        return 0

    cdef int step(self, int64_t index) except -1 nogil:
        cdef int64_t form = self.form[index], kind = self.kind[form], before
        if kind == PAGE:
            self.end_segment(index)
            self.begin_segment(form)
        if kind == OUT and not self.waiting:
            with gil:
                self.record(("result-exists", index, {}))
        before = self.now
        self.issue(index, form, kind)
        self.late = self.start[index] - before  # cycles of waiting that a WAIT before it has to cover first
        if kind == SHIFT:
            self.move_in(index, form)
        elif kind == STORE:
            self.store(index, form)
        elif kind == CALC:
            self.compute(index, form)
        elif kind == OUT and self.waiting:
            self.move_out(index, form)
        elif kind == STOP:
            self.end_segment(index)
        return 0

    # --- time
    cdef int issue(self, int64_t index, int64_t form, int64_t kind) except -1 nogil:
        """Start the next instruction: see anna.sequencer.timing."""
        cdef int64_t free = 0, start = self.now, other
        if kind == WAIT:
            self.now, self.started_now = self.now + self.amount[form], 0
            self.start[index] = self.end[index] = self.now
            return 0
        if kind <= OUT:
            free = self.ready
            for other in range(RESULTS + 1):
                free = max(free, self.ends[other] + self.waits[kind, other])
        start = max(self.now, free)
        if start == self.now and self.started_now >= self.issue_width:
            start += 1
        self.started_now = self.started_now + 1 if start == self.now else 1
        self.stall[index], self.now = max(0, free - self.now), start
        self.start[index], self.end[index] = start, start + self.cycles[form]
        if kind <= OUT:
            self.ready = max(self.ready, start + self.held[form])
            self.ends[kind] = self.end[index]
        return 0

    cdef int begin_segment(self, int64_t form) except -1 nogil:
        self.segment, self.page = self.segment + 1, self.amount[form]
        self.readable[:] = 0
        self.last_read[:] = NEVER
        self.shift[:, :] = <int32_t>self.reset
        self.stored[:, :] = <int32_t>self.reset
        self.hold[:, :] = <int32_t>self.reset
        self.hold_read_until[:] = NEVER
        self.now, self.started_now, self.ready = 0, 0, 0
        self.ends[:] = 0
        self.exchange()
        return 0

    cdef int exchange(self) except -1 nogil:
        """The host's rounds before a segment: every access in turn."""
        cdef int64_t k
        for k in range(self.exchanges_of[self.segment], self.exchanges_of[self.segment + 1]):
            if self.exchange_value[k] >= 0:
                self.memory[self.exchange_address[k]] = <int32_t>self.exchange_value[k]
            self.exchanged[k] = self.memory[self.exchange_address[k]]
        return 0

    cdef int end_segment(self, int64_t index) except -1 nogil:
        cdef int64_t idle = max(self.now, self.ready), k
        if self.segment < 0:
            return 0
        for k in range(self.waiting):
            with gil:
                self.record(("results-taken", self.calc_index[self.untaken[k]], {"by": index}))
        self.waiting, self.taken = 0, 0
        for k in range(RESULTS + 1):
            idle = max(idle, self.ends[k])
        self.segment_cycles[self.segment] = idle
        return 0

    cdef int forget_oldest(self) except -1 nogil:
        """Take the oldest CALC from those whose results are not all out."""
        cdef int k
        self.waiting, self.taken = self.waiting - 1, 0
        for k in range(self.waiting):
            self.untaken[k] = self.untaken[k + 1]
        self.note_oldest()
        return 0

    cdef int note_oldest(self) except -1 nogil:
        self.ends[RESULTS] = self.end[self.calc_index[self.untaken[0]]] if self.waiting else 0
        return 0

    # --- data
    cdef int move_in(self, int64_t index, int64_t form) except -1 nogil:
        """SHIFT: states leave at the lower end of a shifter, or of what a register holds; others enter at the upper one."""
        cdef int64_t j, address, cycle, early = 0, at = 0, undefined = -1
        cdef int64_t place = self.place[index], offsets = self.offsets_of[form], count = self.states[form]
        cdef int64_t shifter = self.shifter[form], first = self.first[form], source = self.source[form]
        cdef int64_t staying = self.width[form] - count
        for j in range(staying):
            if source >= 0:
                self.shift[shifter, first + j] = self.stored[source, first + j + count]
            else:
                self.shift[shifter, first + j] = self.shift[shifter, first + j + count]
        for j in range(count):
            address, cycle = place + self.offset[offsets + j], self.start[index] + j // self.states_in
            if self.memory[address] == UNDEFINED and undefined < 0:
                undefined = address
            if self.readable[address] - cycle > early:
                early, at = self.readable[address] - cycle, j
            self.last_read[address] = max(self.last_read[address], cycle)
            self.shift[shifter, first + staying + j] = (
                self.memory[address] if self.memory[address] != UNDEFINED else <int32_t>self.reset)
        if undefined >= 0:
            with gil:
                self.record(("defined-before-read", index, {"address": undefined}))
        if early > 0:
            address, cycle = place + self.offset[offsets + at], self.start[index] + at // self.states_in
            with gil:
                self.record(("written-before-read", index, {"address": address, "cycle": cycle,
                                                            "ready": self.readable[address], "wait": early + self.late}))
        return 0

    cdef int store(self, int64_t index, int64_t form) except -1 nogil:
        """STORE: a shifter's states into latches and registers."""
        cdef int64_t latch, register, deficit, effect = self.end[index] - 1  # the last cycle in which the old can be read
        for latch in range(self.hold.shape[0]):
            if not self.latches[form] >> <uint64_t>latch & 1:
                continue
            deficit = self.hold_read_until[latch] - effect
            if deficit > 0:
                with gil:
                    self.record(("register-held", index, {
                        "what": self.what, "register": latch, "cycle": self.start[index], "wait": deficit + self.late,
                        "reader": self.hold_reader[latch], "until": self.hold_read_until[latch]}))
            self.hold[latch, :] = self.shift[latch if self.wide else 0, :]
        for register in range(self.stored.shape[0]):
            if self.registers[form] >> <uint64_t>register & 1:
                self.stored[register, :] = self.shift[0, :]
        return 0

    cdef int compute(self, int64_t index, int64_t form) except -1 nogil:
        """CALC: which values meet which synapses."""
        cdef int64_t k, latch, unset = -1, fan_in = self.fan_in[form], row = self.row[form], columns = self.columns
        cdef int64_t reads = self.reads_of[form], count = fan_in * self.neurons[form]
        cdef int64_t place = (self.page * self.rows + row) * columns
        if self.waiting == 2:
            with gil:
                self.record(("results-kept", self.calc_index[self.untaken[0]], {"by": index}))
            self.forget_oldest()
        self.calc = self.calc + 1
        for k in range(count):
            latch = self.read[reads + k // columns]
            self.operands[self.operand + k] = self.hold[latch, k % columns]
            if unset < 0 and self.hold[latch, k % columns] == self.reset and self.live[place + k]:
                unset = k
        self.operand = self.operand + count
        if unset >= 0:
            with gil:
                self.record(("state-under-weight", index, {
                    "neuron": unset // fan_in, "row": row + unset // columns, "column": unset % columns, "what": self.what,
                    "register": self.read[reads + unset // columns], "page": self.page}))
        for k in range((count + columns - 1) // columns):
            latch = self.read[reads + k]
            self.hold_read_until[latch], self.hold_reader[latch] = self.end[index] - 1, index
        self.untaken[self.waiting] = self.calc
        self.waiting = self.waiting + 1
        self.note_oldest()
        return 0

    cdef int move_out(self, int64_t index, int64_t form) except -1 nogil:
        """OUT: the next results of the oldest CALC that has any left into memory."""
        cdef int64_t calc = self.untaken[0], taken = self.taken, count = self.states[form], by, late, after
        cdef int64_t neurons = self.neurons[self.form[self.calc_index[calc]]], place = self.place[index]
        cdef int64_t j, address, cycle, over = 0, at = 0, kept = -1, offsets = self.offsets_of[form], value
        cdef bint done = self.wide or taken + count >= neurons
        if done:
            self.forget_oldest()
        else:
            self.taken = self.taken + count
        if self.waiting > (0 if done else 1):
            by = self.calc_index[self.untaken[self.waiting - 1]]
            late = self.end[index] - self.end[by]
            if late > 0:
                with gil:
                    self.record(("results-kept", self.calc_index[calc], {"by": by, "late": late}))
        if taken + count > neurons:
            with gil:
                self.record(("results-enough", index, {"wanted": count, "neurons": neurons - taken,
                                                       "calc": self.calc_index[calc]}))
            return 0
        value = self.first_result_of_all + calc * self.neurons_at_once + taken
        self.first_result[index] = value
        after = 1 + self.latency
        for j in range(count):
            address, cycle = place + self.offset[offsets + j], self.start[index] + j // self.states_out
            if self.constant[address] and kept < 0:
                kept = address
            if self.last_read[address] - cycle > over:
                over, at = self.last_read[address] - cycle, j
            self.memory[address], self.readable[address] = <int32_t>(value + j), cycle + after
        if kept >= 0:
            with gil:
                self.record(("constants-kept", index, {"address": kept}))
        if over > 0:
            address, cycle = place + self.offset[offsets + at], self.start[index] + at // self.states_out
            with gil:
                self.record(("read-before-overwritten", index, {"address": address, "cycle": cycle,
                                                                "read": self.last_read[address], "wait": over + self.late}))
        return 0
