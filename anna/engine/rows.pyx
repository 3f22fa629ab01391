"""What each group of neurons reads, a row for each operand: several rows where a weight leaves 16 bits or where the neurons'
synapses differ in their steps. Operands that never change go into what a sum begins with."""

import numpy as np

from libc.math cimport ceil, fabs
from libc.stdint cimport INT16_MAX, INT16_MIN, int16_t, int32_t, int64_t, uint8_t

include "interface.pxi"


cdef inline int pieces(int32_t weight) noexcept nogil:
    """In how many rows a weight is entered."""
    return (weight + INT16_MAX - 1) // INT16_MAX if weight >= 0 else -(weight + 1) // -INT16_MIN + 1


cdef inline int16_t piece_of(int32_t weight, int piece) noexcept nogil:
    """What one of these rows gets: as much as 16 bits hold, the last one the rest, those behind it nothing."""
    if weight >= 0:
        return <int16_t>max(0, min(INT16_MAX, weight - piece * INT16_MAX))
    return <int16_t>min(0, max(INT16_MIN, weight - piece * INT16_MIN))


cdef inline int64_t groups_in(int64_t neurons, int width) noexcept nogil:
    return (neurons + width - 1) // width


def groups_of(const int32_t[:, ::1] summed, int width):
    """CALC and first neuron of each group of neurons of which one at least is summed: its number is not -1."""
    calcs, neurons = summed.shape[0], summed.shape[1]
    parts = groups_in(neurons, width)
    wanted = np.zeros((calcs, parts * width), bool)
    wanted[:, :neurons] = np.asarray(summed) >= 0
    calc, part = np.nonzero(wanted.reshape(calcs, parts, width).any(axis=2))
    return calc.astype(np.int64), part.astype(np.int64) * width


def useful_weights(const int64_t[::1] op_start, const int32_t[:, ::1] op_weight, const int32_t[:, ::1] out_slot):
    """How many weights are not 0, of neurons whose result is stored."""
    cdef int64_t calc, op, n, count = 0
    with nogil:
        for calc in range(out_slot.shape[0]):
            for op in range(op_start[calc], op_start[calc + 1]):
                for n in range(out_slot.shape[1]):
                    count += (op_weight[op, n] != 0) & (out_slot[calc, n] >= 0)
    return count


def largest_row_sum(const int64_t[::1] op_start, const int32_t[:, ::1] op_weight, const float[:, ::1] charge_sigma,
                    double largest_normal):
    """The largest sum of |weight|, charge noise included, over the operands of one CALC and neuron; float64 is exact far beyond
    any chip."""
    cdef int64_t calc, op, n
    cdef double largest = 0
    cdef double[::1] sums = np.empty(op_weight.shape[1])
    with nogil:
        for calc in range(op_start.shape[0] - 1):
            sums[:] = 0
            for op in range(op_start[calc], op_start[calc + 1]):
                for n in range(op_weight.shape[1]):
                    sums[n] += fabs(op_weight[op, n])
                    if charge_sigma is not None:
                        sums[n] += ceil(charge_sigma[op, n] * largest_normal) + 1
            for n in range(op_weight.shape[1]):
                largest = max(largest, sums[n])
    return largest


def simple_operands(const int32_t[:, ::1] op_weight, int power, bint lined):
    """Of operands that take one row a group, whatever else is in it: the neurons that have a weight (bit n: neuron n); -1 of
    the others, where a weight, divided by 2^power, leaves 16 bits or steps differ."""
    found = np.full(op_weight.shape[0], -1, np.int64)
    cdef int64_t[::1] neurons = found
    cdef int64_t op, n, has
    cdef int32_t w, most, least
    if lined or op_weight.shape[1] > 62:
        return found
    with nogil:
        for op in range(op_weight.shape[0]):
            has, most, least = 0, 0, 0
            for n in range(op_weight.shape[1]):
                w = op_weight[op, n]
                has |= <int64_t>(w != 0) << n
                most, least = max(most, w), min(least, w)
            if INT16_MIN <= least >> power and most >> power <= INT16_MAX:
                neurons[op] = has
    return found


cdef int64_t room_for(const int64_t[::1] simple, const int32_t[:, ::1] op_weight, int power, int width,
                      bint lined) except -1 nogil:
    """Room for the rows of all groups: no operand has more."""
    cdef int64_t rows = 0, op, n
    cdef int32_t most, least
    for op in range(op_weight.shape[0]):
        if simple[op] >= 0:
            rows += 1
            continue
        most, least = 0, 0
        for n in range(op_weight.shape[1]):
            most, least = max(most, op_weight[op, n]), min(least, op_weight[op, n])
        rows += max(pieces(most >> power), pieces(least >> power)) * (width if lined else 1)
    return rows * groups_in(op_weight.shape[1], width)


def take_rows(dict arrays, const int32_t[:, ::1] summed, const int64_t[::1] calc_of, const int64_t[::1] first_of, int width,
              const int16_t[::1] fixed, int power, const int32_t[::1] middle):
    """Rows of all groups, for their neurons that are `summed`: where each group's begin, their slots, lines, readers (bit n:
    neuron n) and weights by neuron, the last row of weights being nothing; and what each sum begins with. Weights are divided
    by 2^power; with `middle`, sums count from their middle threshold, and half a cell of their noise is in it."""
    groups, lined = calc_of.shape[0], arrays["op_levels"] is not None
    simple = simple_operands(arrays["op_weight"], power, lined)
    room = room_for(simple, arrays["op_weight"], power, width, lined)
    row_start, start = np.zeros(groups + 1, np.int64), np.zeros((groups, width), np.int32)
    slot, line = np.empty(room, np.int32), np.zeros(room if lined else 0, np.int32)
    readers, weight = np.empty(room, np.uint8), np.empty((room + 1, width), np.int16)
    rows = fill_rows(simple, arrays["op_start"], arrays["op_slot"], arrays["op_weight"], summed, arrays["table"],
                     arrays["op_levels"], arrays["numerators"], arrays["numerator_tables"], arrays["strength"],
                     arrays["grain"], calc_of, first_of, fixed, power, middle, row_start, start, slot, line, readers, weight)
    weight[rows] = 0
    return row_start, slot[:rows], line[:rows], readers[:rows], weight[: rows + 1], start


cdef int64_t fill_rows(
    const int64_t[::1] simple, const int64_t[::1] op_start, const int32_t[::1] op_slot, const int32_t[:, ::1] op_weight,
    const int32_t[:, ::1] summed,
    const int32_t[:, ::1] table, const int32_t[:, ::1] op_levels, const int32_t[::1] numerators,
    const int32_t[:, ::1] numerator_tables, const int32_t[:, ::1] strength, const int32_t[::1] grain,
    const int64_t[::1] calc_of, const int64_t[::1] first_of, const int16_t[::1] fixed, int power,
    const int32_t[::1] middle, int64_t[::1] row_start, int32_t[:, ::1] start,
    int32_t[::1] slot, int32_t[::1] line, uint8_t[::1] readers, int16_t[:, ::1] weight,
) except -1 nogil:
    cdef int64_t group, calc, first, op, row = 0
    cdef int n, here, wanted, left, alike, piece, parts, width = <int>weight.shape[1]
    cdef int32_t w, number, most, least
    cdef bint lined = op_levels is not None
    for group in range(calc_of.shape[0]):
        calc, first = calc_of[group], first_of[group]
        here = <int>min(width, summed.shape[1] - first)
        wanted = 0
        for n in range(here):
            if summed[calc, first + n] >= 0:
                wanted |= 1 << n
                if middle is not None:
                    number = table[calc, first + n]
                    start[group, n] = -middle[number]
                    if strength is not None:  # normals were rounded down, by half a cell
                        start[group, n] += <int32_t>((<int64_t>strength[calc, first + n] << grain[number]) >> 16)
        for op in range(op_start[calc], op_start[calc + 1]):
            if fixed[op_slot[op]] >= 0:
                for n in range(here):
                    w = op_weight[op, first + n] >> power
                    if wanted >> n & 1 and w:
                        start[group, n] += w * (numerator_tables[op_levels[op, first + n], fixed[op_slot[op]]] if lined
                                                else numerators[fixed[op_slot[op]]])
                continue
            if simple[op] >= 0:
                alike = <int>(simple[op] >> first) & wanted
                if alike:
                    slot[row], readers[row] = op_slot[op], alike
                    for n in range(here):
                        weight[row, n] = <int16_t>(op_weight[op, first + n] >> power) if alike >> n & 1 else 0
                    for n in range(here, width):
                        weight[row, n] = 0
                    row += 1
                continue
            left = wanted
            while left:  # neurons whose synapses have the same steps, together
                alike, number, most, least = 0, 0, 0, 0
                for n in range(width):
                    w = op_weight[op, first + n] >> power if left >> n & 1 else 0
                    weight[row, n] = 0
                    if w == 0:
                        left &= ~(1 << n)
                    elif not lined or not alike or op_levels[op, first + n] == number:
                        if lined:
                            number = op_levels[op, first + n]
                        alike |= 1 << n
                        most, least = max(most, w), min(least, w)
                        weight[row, n] = <int16_t>w
                left &= ~alike
                parts = max(pieces(most), pieces(least))
                for piece in range(parts):
                    slot[row], readers[row] = op_slot[op], alike
                    if lined:
                        line[row] = number
                    if parts > 1:
                        readers[row] = 0
                        for n in range(width):
                            weight[row, n] = piece_of(op_weight[op, first + n] >> power, piece) if alike >> n & 1 else 0
                            readers[row] |= (weight[row, n] != 0) << n
                    row += 1
        row_start[group + 1] = row
    return row
