"""The loops of choosing weights: sums converted and counted by code, and weights moved one after the other.

Everything is added in the order of the windows or of the inputs, so that a choice is the same on every machine.
"""

from libc.math cimport rint
from libc.stdint cimport int64_t, uint8_t, uint16_t

include "interface.pxi"

ctypedef fused real:
    float
    double


def tally(const real[:, ::1] sums, const double[:, ::1] limits, const double[:, ::1] heavy, const uint8_t[:, ::1] care,
          const int64_t[::1] owner, double[:, ::1] counts, double[:, ::1] totals):
    """For each candidate (a row of `sums`) how often each code is found, and the sum of its targets: `heavy` are the targets
    of each owner, times `care` if that has rows."""
    cdef int64_t c, n, k, first, width, code, levels = limits.shape[1]
    cdef real limit
    cdef real[256] reached  # thresholds of some sums in a row: counted side by side, added one after the other
    cdef bint cares = care.shape[0] > 0
    with nogil:
        for c in range(sums.shape[0]):
            for first in range(0, sums.shape[1], 256):
                width = min(256, sums.shape[1] - first)
                for n in range(width):
                    reached[n] = 0
                for k in range(levels):
                    limit = <real>limits[c, k]
                    for n in range(width):
                        reached[n] += <real>(sums[c, first + n] >= limit)
                for n in range(width):
                    code = <int64_t>reached[n]
                    counts[c, code] += care[owner[c], first + n] if cares else 1.0
                    totals[c, code] += heavy[owner[c], first + n]


def convert(const real[:, :, ::1] sums, const double[:, ::1] limits, uint16_t[:, :, ::1] codes):
    """How many of its map's limits each sum (images, maps, positions) reaches."""
    cdef int64_t n, o, k, i, positions = sums.shape[2]
    cdef real limit
    with nogil:
        for n in range(sums.shape[0]):
            for o in range(sums.shape[1]):
                for i in range(positions):
                    codes[n, o, i] = 0
                for k in range(limits.shape[1]):
                    limit = <real>limits[o, k]
                    for i in range(positions):
                        codes[n, o, i] += sums[n, o, i] >= limit


def gather(const uint16_t[::1] codes, const double[::1] targets, const uint8_t[::1] care, double[::1] counts,
           double[::1] sums):
    """How often each code is found and the sum of its targets, times `care` if there is any; returns that of their squares."""
    cdef int64_t n
    cdef bint cares = care.shape[0] > 0
    cdef double heavy, square = 0
    with nogil:
        for n in range(codes.shape[0]):
            heavy = care[n] * targets[n] if cares else targets[n]
            counts[codes[n]] += care[n] if cares else 1.0
            sums[codes[n]] += heavy
            square += heavy * targets[n]
    return square


def descend(const double[:, :, ::1] grams, const double[:, ::1] goal, const double[:, ::1] pull, const double[:, ::1] towards,
            double[:, ::1] weights, const uint8_t[:, ::1] live, double[:, ::1] slope, int sweeps, double low, double high):
    """Whole-number weights (maps, inputs) that lower |sum - goal|^2 + pull |w - towards|^2, one input after the other.

    There is one matrix `grams` for each map, or one for all. `slope` is room for gram @ weights - goal.
    """
    cdef int64_t o, i, j, g, _sweep, inputs = weights.shape[1]
    cdef double gradient, wanted, step, curve
    cdef bint moved
    with nogil:
        for o in range(weights.shape[0]):
            g = o if grams.shape[0] > 1 else 0
            for j in range(inputs):
                slope[o, j] = -goal[o, j]
            for i in range(inputs):
                step = weights[o, i]
                for j in range(inputs):
                    slope[o, j] += grams[g, i, j] * step
            for _sweep in range(sweeps):
                moved = False
                for i in range(inputs):
                    curve = grams[g, i, i] + pull[g, i]
                    if not live[o, i] or not curve > 0:
                        continue
                    gradient = slope[o, i] + pull[g, i] * (weights[o, i] - towards[o, i])
                    wanted = min(max(rint(weights[o, i] - gradient / curve), low), high)
                    step = wanted - weights[o, i]
                    if step != 0:
                        moved = True
                        for j in range(inputs):
                            slope[o, j] += grams[g, i, j] * step
                        weights[o, i] += step
                if not moved:
                    break
