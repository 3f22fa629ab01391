"""The loops of choosing weights: sums converted and counted by code, and weights moved one after the other.

Everything is added in the order of the windows or of the inputs, so that a choice is the same on every machine.
"""

from libc.math cimport rint
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t

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


def gram(const int16_t[:, ::1] inputs, const int16_t[:, ::1] weighted, double total, bint single, double[:, ::1] means):
    """Means of the products of inputs with weighted ones: sums, which are symmetric and below 2^31, over `total`, as floats of
    32 bits if `single`. There are rows of zeros, so that their number is a multiple of four."""
    cdef int64_t i, j, k, rows = inputs.shape[0], n = inputs.shape[1], size = means.shape[0]
    cdef int32_t[8] sums
    with nogil:
        for i in range(0, rows, 2):
            for j in range(i // 4 * 4, rows, 4):
                products(&weighted[i, 0], &inputs[j, 0], n, sums)
                for k in range(8):
                    if i + k // 4 < size and j + k % 4 < size:
                        means[i + k // 4, j + k % 4] = <double>(<float>sums[k] / <float>total) if single else sums[k] / total
        for i in range(size):
            for j in range(i):
                means[i, j] = means[j, i]


cdef void products(const int16_t *two, const int16_t *four, int64_t n, int32_t *sums) noexcept nogil:
    """Sums of products of two rows with four, all at once: a compiler makes them side by side."""
    cdef const int16_t *a = two
    cdef const int16_t *b = two + n
    cdef const int16_t *c = four
    cdef const int16_t *d = four + n
    cdef const int16_t *e = four + 2 * n
    cdef const int16_t *f = four + 3 * n
    cdef int32_t ac = 0, ad = 0, ae = 0, af = 0, bc = 0, bd = 0, be = 0, bf = 0
    cdef int64_t k
    for k in range(n):
        ac += <int32_t>a[k] * c[k]
        ad += <int32_t>a[k] * d[k]
        ae += <int32_t>a[k] * e[k]
        af += <int32_t>a[k] * f[k]
        bc += <int32_t>b[k] * c[k]
        bd += <int32_t>b[k] * d[k]
        be += <int32_t>b[k] * e[k]
        bf += <int32_t>b[k] * f[k]
    sums[0], sums[1], sums[2], sums[3] = ac, ad, ae, af
    sums[4], sums[5], sums[6], sums[7] = bc, bd, be, bf


def descend(const double[:, ::1] gram, const double[:, ::1] goal, const double[::1] pull, const double[:, ::1] towards,
            double[:, ::1] weights, int64_t live, double[:, ::1] slope, int sweeps, double low, double high):
    """Whole-number weights (maps, inputs), of which the first are `live`, that lower |sum - goal|^2 + pull |w - towards|^2, one
    input after the other. `slope` is room for gram @ weights - goal.
    """
    cdef int64_t o, i, j, _sweep, inputs = weights.shape[1]
    cdef double gradient, wanted, step, curve
    cdef bint moved
    with nogil:
        for o in range(weights.shape[0]):
            for j in range(inputs):
                slope[o, j] = -goal[o, j]
            for i in range(inputs):
                step = weights[o, i]
                for j in range(inputs):
                    slope[o, j] += gram[i, j] * step
            for _sweep in range(sweeps):
                moved = False
                for i in range(live):
                    curve = gram[i, i] + pull[i]
                    if not curve > 0:
                        continue
                    gradient = slope[o, i] + pull[i] * (weights[o, i] - towards[o, i])
                    wanted = min(max(rint(weights[o, i] - gradient / curve), low), high)
                    step = wanted - weights[o, i]
                    if step != 0:
                        moved = True
                        for j in range(inputs):
                            slope[o, j] += gram[i, j] * step
                        weights[o, i] += step
                if not moved:
                    break
