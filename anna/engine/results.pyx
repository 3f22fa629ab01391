"""Where the sum of each neuron of a group goes, by place, and what is done to it on the way."""

import numpy as np

from anna.engine.arrays import record_type

from libc.stdint cimport INT32_MAX, INT32_MIN, UINT16_MAX, int16_t

include "fields.pxi"
include "interface.pxi"


cdef inline int32_t limited(int64_t x) noexcept nogil:
    return <int32_t>max(<int64_t>INT32_MIN, min(<int64_t>INT32_MAX, x))


def place_results(group, const int64_t[::1] calc_of, const int64_t[::1] first_of, const int32_t[:, ::1] place,
                  dict sizes, dict arrays):
    """The neurons of all groups, whose CALCs and noise are filled in, and the moves after them."""
    neuron = np.zeros((place.shape[0], place.shape[1]), record_type("neuron"))
    copy = np.empty((neuron.size, 2), np.int32)
    describe_neurons(group, neuron, calc_of, first_of, place, arrays["out_slot"], arrays["table"], arrays["strength"],
                     arrays["grain"], arrays["clamp_low"], arrays["clamp_high"], arrays["and_mask"], arrays["or_mask"])
    copies = defer_writes(group, neuron, copy, sizes["slots"], arrays["op_start"], arrays["op_slot"], arrays["out_slot"])
    return neuron, copy[:copies]


cdef int describe_neurons(
    anna_group[::1] group, anna_neuron[:, ::1] neuron, const int64_t[::1] calc_of, const int64_t[::1] first_of,
    const int32_t[:, ::1] place, const int32_t[:, ::1] out_slot, const int32_t[:, ::1] table, const int32_t[:, ::1] strength,
    const int32_t[::1] grain, const int64_t[:, ::1] clamp_low, const int64_t[:, ::1] clamp_high,
    const uint16_t[:, ::1] and_mask, const uint16_t[:, ::1] or_mask,
) except -1 nogil:
    cdef int64_t g, calc, first, at, end
    cdef int n, where, width = <int>place.shape[1]
    for g in range(group.shape[0]):
        calc, first = calc_of[g], first_of[g]
        end = min(first + width, out_slot.shape[1])
        group[g].calc, group[g].first_quad = calc, <int32_t>(first // 4)
        for n in range(width):
            where, at = place[g, n], first + n
            neuron[g, where].out_slot, neuron[g, where].number = -1, n
            neuron[g, where].clamp_low, neuron[g, where].clamp_high = INT32_MIN, INT32_MAX
            neuron[g, where].and_mask = UINT16_MAX
            if at >= end or out_slot[calc, at] < 0 or written_later(out_slot, calc, at, end):
                continue
            neuron[g, where].out_slot, neuron[g, where].table = out_slot[calc, at], table[calc, at]
            if grain is not None:
                neuron[g, where].grain = <int16_t>grain[table[calc, at]]
            if strength is not None and strength[calc, at] != 0:
                neuron[g, where].strength = <int16_t>strength[calc, at]
                group[g].noisy = 1
            if clamp_low is not None:
                neuron[g, where].clamp_low = limited(clamp_low[calc, at])
            if clamp_high is not None:
                neuron[g, where].clamp_high = limited(clamp_high[calc, at])
            if and_mask is not None:
                neuron[g, where].and_mask = and_mask[calc, at]
            if or_mask is not None:
                neuron[g, where].or_mask = or_mask[calc, at]
    return 0


cdef inline bint written_later(const int32_t[:, ::1] out_slot, int64_t calc, int64_t at, int64_t end) except -1 nogil:
    """Of results that go to one slot the last stays; neurons lie by place, so the others are not stored at all."""
    cdef int64_t other
    for other in range(at + 1, end):
        if out_slot[calc, other] == out_slot[calc, at]:
            return True
    return False


cdef int64_t defer_writes(
    anna_group[::1] group, anna_neuron[:, ::1] neuron, int32_t[:, ::1] copy, int64_t slots, const int64_t[::1] op_start,
    const int32_t[::1] op_slot, const int32_t[:, ::1] out_slot,
) except -1 nogil:
    """A CALC reads before it writes. Where an earlier group would overwrite what a later one reads, all its results go to
    scratch slots and move after the last group. Returns the number of moves."""
    cdef int64_t first = 0, end, last, g, scratch, copies = 0
    cdef int n
    while first < group.shape[0]:
        end = first + 1
        while end < group.shape[0] and group[end].calc == group[first].calc:
            end += 1
        last = end - 1
        if last > first and overwrites(group[first].calc, op_start, op_slot, out_slot):
            group[last].copy, scratch = copies, slots
            for g in range(first, end):
                for n in range(neuron.shape[1]):
                    if neuron[g, n].out_slot >= 0:
                        copy[copies, 0], copy[copies, 1] = <int32_t>scratch, neuron[g, n].out_slot
                        neuron[g, n].out_slot = <int32_t>scratch
                        scratch += 1
                        copies += 1
            group[last].copies = copies - group[last].copy
        first = end
    return copies


cdef bint overwrites(int64_t calc, const int64_t[::1] op_start, const int32_t[::1] op_slot,
                     const int32_t[:, ::1] out_slot) except -1 nogil:
    """Whether a CALC writes a slot that it reads."""
    cdef int64_t op, n
    for op in range(op_start[calc], op_start[calc + 1]):
        for n in range(out_slot.shape[1]):
            if op_slot[op] == out_slot[calc, n]:
                return True
    return False
