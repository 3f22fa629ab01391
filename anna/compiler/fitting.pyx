"""The loops of choosing weights: sums converted and counted by code, and weights moved one after the other.

Everything is added in the order of the windows or of the inputs, so that a choice is the same on every machine.
"""

from libc.math cimport rint
from libc.stdint cimport int64_t, uint8_t

include "interface.pxi"

ctypedef fused real:
    float
    double


def tally(const real[:, ::1] sums, const double[:, ::1] limits, const double[:, ::1] heavy, const uint8_t[:, ::1] care,
          const int64_t[::1] owner, double[:, ::1] counts, double[:, ::1] totals):
    """For each candidate (a row of `sums`) how often each code is found, and the sum of its targets: `heavy` are the targets
    of each owner, times `care` if that has rows."""
    cdef int64_t c, n, k, code, levels = limits.shape[1]
    cdef real limit[16]
    cdef real found
    cdef bint cares = care.shape[0] > 0
    assert levels <= 16
    with nogil:
        for c in range(sums.shape[0]):
            for k in range(levels):
                limit[k] = <real>limits[c, k]
            for n in range(sums.shape[1]):
                found, code = sums[c, n], 0
                for k in range(levels):
                    code += found >= limit[k]
                counts[c, code] += care[owner[c], n] if cares else 1.0
                totals[c, code] += heavy[owner[c], n]


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
