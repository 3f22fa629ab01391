"""Walks a packed workload as the narrow kernel will, and names the first group that would leave an array."""

from anna.engine.covers cimport KIND_EVERY, KIND_PARTS, places_of

include "fields.pxi"
include "interface.pxi"


cdef inline bint outside(int64_t first, int64_t count, int64_t end) noexcept nogil:
    return first < 0 or count < 0 or first > end or count > end - first


cdef inline bint is_kind(int width, int kind) noexcept nogil:
    cdef int level = 0
    while 1 << level < width:
        level += 1
    return 0 <= kind <= KIND_EVERY(width, level)


def wrong_group(dict sizes, dict packed):
    """The number of the first group whose segments, pairs, weights, moves or neurons lie outside their arrays, or None."""
    cdef int64_t found
    cdef anna_group[::1] group = packed["group"]
    cdef anna_segment[::1] segment = packed["segment"]
    cdef anna_neuron[:, ::1] neuron = packed["neuron"]
    cdef int64_t pairs = sizes["pairs"], weights = sizes["weights"], copies = sizes["copies"]
    with nogil:
        found = first_wrong(group, segment, neuron, pairs, weights, copies)
    return None if found < 0 else found


cdef int64_t first_wrong(anna_group[::1] group, anna_segment[::1] segment, anna_neuron[:, ::1] neuron,
                         int64_t pairs, int64_t weights, int64_t copies) except -2 nogil:
    cdef int64_t g
    for g in range(group.shape[0]):
        if (outside(group[g].segment, group[g].segments, segment.shape[0]) or outside(group[g].copy, group[g].copies, copies)
                or walks_out(group[g], segment, <int>neuron.shape[1], pairs, weights) or not all_there(neuron, g)):
            return g
    return -1


cdef bint walks_out(anna_group group, anna_segment[::1] segment, int width, int64_t pairs, int64_t weights) except -1 nogil:
    """Whether the segments of a group take pairs or weights that are not there."""
    cdef int64_t s, pair = group.pair, weight = group.weight, rounds
    cdef int kind
    for s in range(group.segment, group.segment + group.segments):
        kind, rounds = segment[s].kind, segment[s].pairs
        if rounds < 0 or not is_kind(width, kind):
            return True
        if kind < KIND_PARTS(width):
            pair, weight = pair + rounds, weight + rounds * places_of(width, kind)
        else:
            pair, weight = pair + (rounds << kind - KIND_EVERY(width, 0)), weight + rounds * width
    return outside(group.pair, pair - group.pair, pairs) or outside(group.weight, weight - group.weight, weights)


cdef bint all_there(anna_neuron[:, ::1] neuron, int64_t group) except -1 nogil:
    """Whether the group has each of its neurons once."""
    cdef int64_t place
    cdef int numbers = 0
    for place in range(neuron.shape[1]):
        numbers |= 1 << neuron[group, place].number
    return numbers == (1 << neuron.shape[1]) - 1
