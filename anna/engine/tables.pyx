"""What a packed workload needs beside its operands: fixed and cold slots, thresholds, numerators."""

import numpy as np

from libc.stdint cimport INT16_MAX, INT16_MIN, INT32_MAX, INT32_MIN, int16_t, int32_t, int64_t, uint8_t, uint16_t

include "interface.pxi"

cdef enum:
    LINE_LEVELS = 8  # of states that short sums and lines are made for
    TABLE = 64  # room for the thresholds of any
    FAR = 0x40000000  # a sum below 2^31 is less once it is halved, so that taking less away leaves 32 bits


cdef inline int64_t divided_up(int64_t x, int power) noexcept nogil:
    """x / 2^power, rounded up, of negative numbers too."""
    return (x >> power) + ((x & ((<int64_t>1 << power) - 1)) != 0)


def fixed_slots(int64_t slots, const int32_t[::1] constant_slots, const uint16_t[::1] constant_codes,
                const int32_t[::1] input_slots, const int32_t[:, ::1] out_slot):
    """For each slot the code of a constant that no input and no result ever takes, or -1."""
    fixed = np.full(slots, -1, np.int16)
    cdef int16_t[::1] code = fixed
    cdef int64_t i, n
    with nogil:
        for i in range(constant_slots.shape[0]):
            code[constant_slots[i]] = <int16_t>constant_codes[i]
        for i in range(input_slots.shape[0]):
            code[input_slots[i]] = -1
        for i in range(out_slot.shape[0]):
            for n in range(out_slot.shape[1]):
                if out_slot[i, n] >= 0:
                    code[out_slot[i, n]] = -1
    return fixed


def cold_slots(int64_t slots, const int32_t[::1] constant_slots, const int32_t[::1] input_slots,
               const int64_t[::1] op_start, const int32_t[::1] op_slot, const int32_t[:, ::1] out_slot,
               const int32_t[::1] output_slots):
    """Slots that something reads before anything writes them, in the order of reading."""
    cold = np.empty(slots, np.int32)
    cdef int32_t[::1] found = cold
    cdef uint8_t[::1] warm = np.zeros(slots, np.uint8)
    cdef int64_t i, calc, count = 0
    with nogil:
        for i in range(input_slots.shape[0]):
            warm[input_slots[i]] = 1
        for i in range(constant_slots.shape[0]):
            warm[constant_slots[i]] = 1
        for calc in range(out_slot.shape[0]):
            for i in range(op_start[calc], op_start[calc + 1]):
                count += read(op_slot[i], warm, found, count)
            for i in range(out_slot.shape[1]):
                if out_slot[calc, i] >= 0:
                    warm[out_slot[calc, i]] = 1
        for i in range(output_slots.shape[0]):
            count += read(output_slots[i], warm, found, count)
    return cold[:count]


cdef inline int read(int32_t slot, uint8_t[::1] warm, int32_t[::1] found, int64_t count) except -1 nogil:
    """Whether a slot is cold until now; it is none from now on."""
    if warm[slot]:
        return 0
    found[count] = slot
    warm[slot] = 1
    return 1


def short_sums(dict sizes, dict arrays, int64_t largest):
    """The power of two that all weights share, each table's middle threshold divided by it, and how far the others lie away.

    Sums that count from the middle, in whole steps, may be cut to 16 bits: every comparison stays as it is. Without noise a
    step is 2^power: a sum that is a multiple of it reaches a threshold just if its quotient reaches the threshold's, rounded
    up. With noise a step is a table's own, thresholds and noise are numbers of steps, and both together fit 16 bits. Limits
    of the sum, shares of other sums and stuck bits leave nothing whole. (0, None, None) where sums, `largest` at most, cannot
    be kept so.
    """
    other = any(arrays[name] is not None for name in ("clamp_low", "clamp_high", "and_mask", "or_mask", "coupled", "unsettled",
                                                      "slow_sigma"))
    if other or sizes["levels"] != LINE_LEVELS:
        return 0, None, None
    thresholds, middle = arrays["thresholds"], np.empty(sizes["tables"], np.int32)
    edge = np.zeros((sizes["tables"] + 1, LINE_LEVELS), np.int16)
    steps = arrays["grain"] if arrays["strength"] is not None else None
    if steps is not None:
        if largest + np.abs(thresholds).max(initial=0) > INT32_MAX:
            return 0, None, None
        fitting = fill_edges(thresholds, np.zeros(sizes["tables"], np.int32), steps, middle, edge)
        farthest = np.abs(edge[:-1].astype(np.int32)).max(axis=1, initial=0)
        reach = (farthest[arrays["table"]] + arrays["strength"]).max(initial=0)
        if not fitting or reach > INT16_MAX or off_steps(thresholds, steps):
            return 0, None, None
        return 0, middle, edge
    bits = int(np.bitwise_or.reduce(arrays["op_weight"], axis=None))
    power = max(0, (bits & -bits).bit_length() - 1)
    none = np.zeros(sizes["tables"], np.int32)
    if power == 0 or not fill_edges(thresholds, none + power, none, middle, edge):
        return 0, None, None
    return power, middle, edge


def off_steps(thresholds, grain):
    """Whether any threshold is not a number of steps away from its middle one."""
    apart = thresholds - thresholds[:, LINE_LEVELS // 2 - 1, None]
    return bool((apart & ((np.int64(1) << grain.astype(np.int64)) - 1)[:, None]).any())


cdef bint fill_edges(const int64_t[:, ::1] thresholds, const int32_t[::1] power, const int32_t[::1] grain,
                     int32_t[::1] middle, int16_t[:, ::1] edge) except -1 nogil:
    """Middles of thresholds divided by 2^power, and how many steps of 2^grain the others are away; whether all of them fit."""
    cdef int64_t table, i, half, away
    for table in range(thresholds.shape[0]):
        half = divided_up(thresholds[table, LINE_LEVELS // 2 - 1], power[table])
        if not -FAR < half < FAR:
            return False
        middle[table] = <int32_t>half
        for i in range(thresholds.shape[1]):
            away = divided_up(divided_up(thresholds[table, i], power[table]) - half, grain[table])
            if not INT16_MIN < away <= INT16_MAX:
                return False
            edge[table, i] = <int16_t>away
    return True


def thresholds_and_numerators(dict sizes, dict arrays):
    """The thresholds in 32 bits, filled up; each code's numerator; the numerators of lines; and scale, offset and whether
    numerator = scale x code + offset for all codes."""
    levels, lined = sizes["levels"], arrays["op_levels"] is not None
    threshold = np.full((sizes["tables"], TABLE), INT32_MAX, np.int32)
    threshold[:, : levels - 1] = np.clip(arrays["thresholds"], INT32_MIN, INT32_MAX)
    numerator, line = np.zeros(TABLE, np.int16), None
    if lined:  # a state is kept as the pair of bytes that picks a numerator from a line
        offset, scale = 0x0100, 0x0202
        numerator[:levels] = offset + scale * np.arange(levels)
        line = np.zeros((sizes["lines"], LINE_LEVELS), np.int16)
        line[:, :levels] = arrays["numerator_tables"]
    else:
        numerator[:levels] = arrays["numerators"]
        offset, scale = int(numerator[0]), int(numerator[1]) - int(numerator[0]) if levels > 1 else 0
    affine = np.array_equal(numerator[:levels], offset + scale * np.arange(levels))
    return threshold, numerator, line, {"affine": int(affine), "scale": scale, "offset": offset}
