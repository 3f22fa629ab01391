"""The loops of gathering: which value meets which synapse, which synapses share an operand, in which slot a value lies.

A synapse's *place* is its number in the weight RAM, page after page and row after row. Indexes are the caller's to get right:
only the checked build checks them.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t

import numpy as np

include "interface.pxi"


def synapses(const uint8_t[::1] conducts, const int64_t[::1] first, const int64_t[::1] neurons, const int64_t[::1] fan_in,
             const int32_t[::1] values):
    """CALC, neuron, place and value of every synapse that conducts, CALC after CALC and neuron after neuron.

    `conducts` tells which places do; a CALC's synapses lie one after another from its `first` place on, and `values` are what
    drives them.
    """
    cdef int64_t count
    cdef int64_t[:, ::1] found
    with nogil:
        count = _count(conducts, first, neurons, fan_in)
    table = np.empty((4, count), np.int64)
    found = table
    with nogil:
        _fill(conducts, first, neurons, fan_in, values, found)
    return table


cdef int64_t _count(const uint8_t[::1] conducts, const int64_t[::1] first, const int64_t[::1] neurons,
                    const int64_t[::1] fan_in) except -1 nogil:
    cdef int64_t calc, place, count = 0
    for calc in range(first.shape[0]):
        for place in range(first[calc], first[calc] + neurons[calc] * fan_in[calc]):
            count += conducts[place] != 0
    return count


cdef int _fill(const uint8_t[::1] conducts, const int64_t[::1] first, const int64_t[::1] neurons, const int64_t[::1] fan_in,
               const int32_t[::1] values, int64_t[:, ::1] found) except -1 nogil:
    cdef int64_t calc, neuron, place, begin, at = 0, read = 0
    for calc in range(first.shape[0]):
        begin = first[calc]
        for neuron in range(neurons[calc]):
            for place in range(begin, begin + fan_in[calc]):
                if conducts[place]:
                    found[0, at] = calc
                    found[1, at] = neuron
                    found[2, at] = place
                    found[3, at] = values[read]
                    at += 1
                read += 1
            begin += fan_in[calc]
    return 0


def needed(const int64_t[::1] calc, const int64_t[::1] neuron, const int64_t[::1] value, const int64_t[::1] wanted,
           int64_t fixed, int64_t neurons, int64_t values):
    """Whether what is `wanted` of all values depends on each synapse; they come as `synapses` gives them."""
    reached, kept = np.zeros(values, np.uint8), np.zeros(calc.shape[0], np.uint8)
    reached[np.asarray(wanted)] = 1
    cdef uint8_t[::1] marks = reached, keeps = kept
    with nogil:
        _reach(calc, neuron, value, fixed, neurons, marks, keeps)
    return kept.view(np.bool_)


def needed_in_wires(const int64_t[::1] calc, const int64_t[::1] neuron, const int64_t[::1] value, const int64_t[::1] wanted,
                    int64_t fixed, int64_t neurons, int64_t values, bint coupled, const int64_t[::1] segment,
                    const int64_t[::1] used):
    """The same where a sum depends on other sums: on those of its neighbours if wires are `coupled`, and, given the `segment`
    of each CALC, on its last one there. `used` are the neurons of each CALC."""
    reached, kept = np.zeros(values, np.uint8), np.zeros(calc.shape[0], np.uint8)
    reached[np.asarray(wanted)] = 1
    cdef uint8_t[::1] marks = reached, keeps = kept
    cdef uint8_t[:, ::1] carried = np.zeros((used.shape[0], neurons), np.uint8)
    with nogil:
        _reach_in_wires(calc, neuron, value, fixed, coupled, segment, used, marks, carried, keeps)
    return kept.view(np.bool_)


cdef int _reach_in_wires(const int64_t[::1] calc, const int64_t[::1] neuron, const int64_t[::1] value, int64_t fixed,
                         bint coupled, const int64_t[::1] segment, const int64_t[::1] used, uint8_t[::1] reached,
                         uint8_t[:, ::1] carried, uint8_t[::1] kept) except -1 nogil:
    """From the last CALC back; `carried` tells which wires matter, what they take of their neighbours included."""
    cdef int64_t c, n, before, i = calc.shape[0] - 1, neurons = carried.shape[1]
    for c in range(used.shape[0] - 1, -1, -1):
        for n in range(used[c]):
            if not reached[fixed + c * neurons + n]:
                continue
            carried[c, n] = 1
            if segment is None:
                continue
            before = c - 1
            while before >= 0 and segment[before] == segment[c] and used[before] <= n:
                before -= 1
            if before >= 0 and segment[before] == segment[c]:
                carried[before, n] = 1
        while i >= 0 and calc[i] == c:
            n = neuron[i]
            if carried[c, n] or coupled and (n > 0 and carried[c, n - 1] or n + 1 < neurons and carried[c, n + 1]):
                kept[i] = 1
                reached[value[i]] = 1
            i -= 1
    return 0


cdef int _reach(const int64_t[::1] calc, const int64_t[::1] neuron, const int64_t[::1] value, int64_t fixed, int64_t neurons,
                uint8_t[::1] reached, uint8_t[::1] kept) except -1 nogil:
    """From the last synapse back: a CALC reads only what was there before it."""
    cdef int64_t i
    for i in range(calc.shape[0] - 1, -1, -1):
        if reached[fixed + calc[i] * neurons + neuron[i]]:
            kept[i] = 1
            reached[value[i]] = 1
    return 0


def merge(const int64_t[::1] calc, const int64_t[::1] neuron, const int64_t[::1] value, int64_t calcs, int64_t values,
          bint apart):
    """The operand that each synapse adds to, and the CALC and the value of every operand.

    Synapses of a CALC that read one value share an operand; with `apart`, only those of different neurons do. They come as
    `synapses` gives them; operands are numbered by CALC, then by value.
    """
    cdef int64_t count
    cdef int64_t[::1] numbers
    order = _sorted(calc, _sorted(value, np.arange(calc.shape[0]), values), calcs)
    operand = np.empty(calc.shape[0], np.int64)
    cdef const int64_t[::1] by_value = order
    numbers = operand
    with nogil:
        count = _number(by_value, calc, neuron, value, apart, numbers)
    calc_of, value_of = np.empty(count, np.int64), np.empty(count, np.int64)
    calc_of[operand], value_of[operand] = calc, value
    return operand, calc_of, value_of


cdef int64_t _number(const int64_t[::1] order, const int64_t[::1] calc, const int64_t[::1] neuron, const int64_t[::1] value,
                     bint apart, int64_t[::1] operand) except -1 nogil:
    """Number the operands; returns how many there are."""
    cdef int64_t i, at, before = 0, turn = 0, begin = 0, end = 0
    for i in range(order.shape[0]):
        at = order[i]
        if i == 0 or calc[at] != calc[before] or value[at] != value[before]:
            begin = end
            turn = 0
        elif apart and neuron[at] == neuron[before]:
            turn += 1
        else:
            turn = 0
        operand[at] = begin + turn
        end = max(end, begin + turn + 1)
        before = at
    return end


def allocate(const int64_t[::1] last_use, int64_t fixed, int64_t neurons, int64_t calcs):
    """The slot of each value, -1 for a result that nobody reads, and how many slots there are.

    `last_use` is the CALC that reads a value last, -1 if none does, `calcs` for a value that is kept to the end. The `fixed`
    values exist from the start; every CALC then adds `neurons`.
    """
    cdef int64_t slots
    cdef int32_t[::1] slot_of, unused
    uses = np.asarray(last_use)
    dying = _sorted(uses + 1, np.arange(uses.size), calcs + 2)[np.count_nonzero(uses < 0):]
    slot = np.full(uses.size, -1, np.int32)
    slot[:fixed] = np.arange(fixed)
    cdef const int64_t[::1] dies = dying
    slot_of, unused = slot, np.empty(uses.size, np.int32)
    with nogil:
        slots = _allocate(last_use, dies, fixed, neurons, calcs, unused, slot_of)
    return slot, slots


cdef int64_t _allocate(const int64_t[::1] last_use, const int64_t[::1] dying, int64_t fixed, int64_t neurons, int64_t calcs,
                       int32_t[::1] unused, int32_t[::1] slot) except -1 nogil:
    """Fill the slots of results; returns how many slots there are. `unused` is scratch space for free slots."""
    cdef int64_t calc, value, slots = fixed, left = 0, dead = 0
    for calc in range(calcs):
        for value in range(fixed + calc * neurons, fixed + (calc + 1) * neurons):
            if last_use[value] <= calc:
                continue
            if left:
                left -= 1
                slot[value] = unused[left]
            else:
                slot[value] = <int32_t>slots
                slots += 1
        # Only now: a result in the slot of an operand of its own CALC would have to wait for every reader of that operand.
        while dead < dying.shape[0] and last_use[dying[dead]] == calc:
            unused[left] = slot[dying[dead]]
            left += 1
            dead += 1
    return slots


def add_up(const int64_t[::1] cell, const int64_t[::1] weight, int32_t[::1] sums):
    """Add each weight to its cell of the sums."""
    with nogil:
        _add_up(cell, weight, sums)


cdef int _add_up(const int64_t[::1] cell, const int64_t[::1] weight, int32_t[::1] sums) except -1 nogil:
    cdef int64_t i
    for i in range(cell.shape[0]):
        sums[cell[i]] = <int32_t>(sums[cell[i]] + weight[i])
    return 0


cdef object _sorted(const int64_t[::1] key, const int64_t[::1] order, int64_t keys):
    """`order`, a list of entries, stably sorted by key (0 .. keys - 1)."""
    cdef int64_t[::1] begin = np.zeros(keys + 1, np.int64)
    found = np.empty(order.shape[0], np.int64)
    cdef int64_t[::1] out = found
    with nogil:
        _counting_sort(key, order, begin, out)
    return found


cdef int _counting_sort(const int64_t[::1] key, const int64_t[::1] order, int64_t[::1] begin,
                        int64_t[::1] out) except -1 nogil:
    cdef int64_t i, at
    for i in range(order.shape[0]):
        begin[key[order[i]] + 1] += 1
    for i in range(1, begin.shape[0]):
        begin[i] += begin[i - 1]
    for i in range(order.shape[0]):
        at = order[i]
        out[begin[key[at]]] = at
        begin[key[at]] += 1
    return 0
