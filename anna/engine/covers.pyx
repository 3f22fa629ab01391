"""Which neurons of a group share which operands: the best order of neurons, and the kinds that each operand enters."""

from functools import cache

import numpy as np

from cython cimport final
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t

include "interface.pxi"


cdef inline int cost_of(int places) noexcept nogil:
    """Work of a row that enters a kind: two multiply-adds a neuron, and its share of loading and interleaving."""
    return 2 * places + 3


@cache
def cheapest_covers(int width):
    """For each set of places: the kinds of least cost, bit by bit, that reach them all together, and that cost."""
    kinds, costs = np.zeros(1 << width, np.uint16), np.zeros(1 << width, np.int32)
    fill_covers(width, np.zeros(KIND_PARTS(width), np.uint16), np.zeros(KIND_PARTS(width), np.int32), kinds, costs)
    kinds.setflags(write=False)
    costs.setflags(write=False)
    return kinds, costs


cdef int fill_covers(int width, uint16_t[::1] best, int32_t[::1] cost, uint16_t[::1] kinds,
                     int32_t[::1] costs) except -1 nogil:
    """From single places up: a part is reached by its own kind or, if that costs less, as its halves are."""
    cdef int readers, kind, places
    for readers in range(1 << width):
        for kind in range(KIND_PARTS(width) - 1, -1, -1):
            places = places_of(width, kind)
            best[kind], cost[kind] = 0, 0
            if readers & (((1 << places) - 1) << first_place(width, kind)):
                best[kind], cost[kind] = 1 << kind, cost_of(places)
                if places > 1 and cost[2 * kind + 1] + cost[2 * kind + 2] < cost[kind]:
                    best[kind], cost[kind] = best[2 * kind + 1] | best[2 * kind + 2], cost[2 * kind + 1] + cost[2 * kind + 2]
        kinds[readers], costs[readers] = best[0], cost[0]
    return 0


def cover_rows(int width, const int64_t[::1] row_start, const uint8_t[::1] row_readers):
    """The place of each group's neurons, the kinds that each row enters, and how many rows of a group enter each kind."""
    groups = len(row_start) - 1
    cdef _Covering covering = _Covering(width)
    covering.row_start, covering.row_readers = row_start, row_readers
    place, row_kinds = np.empty((groups, width), np.int32), np.empty(len(row_readers), np.uint16)
    in_kind = np.zeros((groups, KIND_PARTS(width)), np.int32)
    covering.place, covering.row_kinds, covering.in_kind = place, row_kinds, in_kind
    with nogil:
        covering.cover_all()
    return place, row_kinds, in_kind


@final
cdef class _Covering:
    """Goes from group to group; `seen` are the different sets of readers of the present one, `rows_with` counts their rows."""

    cdef int width, sets
    cdef const uint16_t[::1] kinds
    cdef const int32_t[::1] costs
    cdef const int64_t[::1] row_start
    cdef const uint8_t[::1] row_readers
    cdef int32_t[::1] seen, rows_with
    cdef uint16_t[::1] kinds_of  # each set's, at the places chosen
    cdef int32_t[:, ::1] common
    cdef int32_t[:, ::1] place, in_kind
    cdef uint16_t[::1] row_kinds

    def __init__(self, int width):
        self.width = width
        self.kinds, self.costs = cheapest_covers(width)
        self.seen, self.rows_with = np.zeros(1 << width, np.int32), np.zeros(1 << width, np.int32)
        self.kinds_of = np.zeros(1 << width, np.uint16)
        self.common = np.zeros((width, width), np.int32)

    cdef int cover_all(self) except -1 nogil:
        cdef int64_t group, row
        cdef int kind, kinds, i
        for group in range(self.place.shape[0]):
            self.tally(group)
            self.choose_places(group)
            for i in range(self.sets):
                kinds = self.kinds[self.moved(self.seen[i], group)]
                self.kinds_of[self.seen[i]] = kinds
                for kind in range(self.in_kind.shape[1]):
                    self.in_kind[group, kind] += (kinds >> kind & 1) * self.rows_with[self.seen[i]]
            for row in range(self.row_start[group], self.row_start[group + 1]):
                self.row_kinds[row] = self.kinds_of[self.row_readers[row]]
        return 0

    cdef int tally(self, int64_t group) except -1 nogil:
        """The different sets of readers among a group's rows, and how many rows have each."""
        cdef int64_t row
        cdef int i, readers
        for i in range(self.sets):
            self.rows_with[self.seen[i]] = 0
        self.sets = 0
        for row in range(self.row_start[group], self.row_start[group + 1]):
            readers = self.row_readers[row]
            if self.rows_with[readers] == 0:
                self.seen[self.sets] = readers
                self.sets = self.sets + 1
            self.rows_with[readers] += 1
        return 0

    cdef int choose_places(self, int64_t group) except -1 nogil:
        """Neurons that have most operands in common become neighbours, if that saves work."""
        cdef int n, i
        cdef int64_t saved = 0
        self.chain(group)
        for i in range(self.sets):
            n = self.seen[i]
            saved += self.rows_with[n] * <int64_t>(self.costs[n] - self.costs[self.moved(n, group)])
        if saved <= 0:
            for n in range(self.width):
                self.place[group, n] = n
        return 0

    cdef int chain(self, int64_t group) except -1 nogil:
        """From neuron 0 on, each is followed by the one that is left and reads most like it."""
        cdef int a, b, i, at, best, readers, last = 0, used = 1
        self.common[:, :] = 0
        for i in range(self.sets):
            readers = self.seen[i]
            for a in range(self.width):
                for b in range(a):
                    if (readers >> a ^ readers >> b) & 1 == 0:
                        self.common[a, b] += self.rows_with[readers]
                        self.common[b, a] += self.rows_with[readers]
        self.place[group, 0] = 0
        for at in range(1, self.width):
            best = -1
            for b in range(self.width):
                if not used >> b & 1 and (best < 0 or self.common[last, b] > self.common[last, best]):
                    best = b
            self.place[group, best] = at
            used |= 1 << best
            last = best
        return 0

    cdef int moved(self, int readers, int64_t group) except -1 nogil:
        """A set of neurons as the set of their places."""
        cdef int n, places = 0
        for n in range(self.width):
            places |= (readers >> n & 1) << self.place[group, n]
        return places
