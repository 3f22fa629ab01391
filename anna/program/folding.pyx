"""The loops of rolling a program up: which repetition saves most from each piece on, and which of them to take.

`anna.program.rolling` hands in the pieces as arrays. A piece repeats another if it has the same key and its place has moved on.
"""

from libc.stdint cimport int64_t, uint8_t

import numpy as np

include "interface.pxi"

cdef extern from "mix.h" nogil:
    int64_t anna_difference(int64_t a, int64_t b)


def repetitions(const int64_t[::1] key, const int64_t[::1] place, const uint8_t[::1] mixed, const int64_t[::1] sums,
                const int64_t[::1] tried):
    """For each piece the loop that saves most words if it begins there: pieces of its body, and turns.

    `sums` are the words before each piece, `mixed` says whose place is a hash of several, `tried` are the periods to try.
    """
    periods, turns = np.ones(len(key), np.int64), np.ones(len(key), np.int64)
    cdef int64_t[::1] found_periods = periods, found_turns = turns, saved = np.zeros(len(key), np.int64)
    cdef int64_t period, i, n, step, pairs, triples, mine, saving, t
    cdef bint again, on
    with nogil:
        for t in range(tried.shape[0]):
            period = tried[t]
            n, pairs, triples = key.shape[0] - period, 0, 0
            for i in range(n - 1, -1, -1):
                if key[i] != key[i + period]:
                    pairs = triples = 0
                    continue
                step = anna_difference(place[i + period], place[i])  # of hashes it may wrap
                again = mixed[i] or step >= 0
                pairs = pairs + 1 if again else 0
                on = False
                if again and i < n - period and key[i + period] == key[i + 2 * period]:
                    on = anna_difference(place[i + 2 * period], place[i + period]) == step
                triples = triples + 1 if on else 0
                if pairs < period:
                    continue
                mine = 2 + triples // period
                saving = (mine - 1) * (sums[i + period] - sums[i]) - 2
                if saving > saved[i]:
                    found_periods[i], found_turns[i], saved[i] = period, mine, saving
    return periods, turns


def begun(const int64_t[::1] periods, const int64_t[::1] turns, const int64_t[::1] sums):
    """Where loops begin, so that the fewest words are left."""
    begins = np.zeros(len(periods), bool)
    cdef uint8_t[::1] found = begins.view(np.uint8)
    cdef int64_t[::1] left = np.zeros(len(periods) + 1, np.int64)  # words from each piece on
    cdef int64_t i, looped
    with nogil:
        for i in range(periods.shape[0] - 1, -1, -1):
            left[i] = sums[i + 1] - sums[i] + left[i + 1]
            if turns[i] > 1:
                looped = sums[i + periods[i]] - sums[i] + 2 + left[i + periods[i] * turns[i]]
                if looped < left[i]:
                    left[i], found[i] = looped, True
    return begins
