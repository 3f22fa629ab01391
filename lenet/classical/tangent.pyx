"""The loop of tangent distance: squared distances between the planes that two images' small deformations span.

The two-sided distance is what is left of the difference of two images after the best mixture of both images' tangents is taken
off (P. Simard, Y. LeCun, J. Denker, NIPS 5, 1993). All of it follows from the products of sixteen vectors, the two images
and their seven tangents each, so these are added up first, pixel after pixel: sums have a fixed order, whatever the threads.
"""

from libc.math cimport sqrt
from libc.stdint cimport int64_t

import numpy as np

cdef enum:
    TANGENTS = 7
    ITSELF = 7  # the place of the image after its tangents
    VECTORS = 8
    BOTH = 14  # tangents of two images

# Of a tangent of length 1, the square of what the ones before it leave: less is rounding, and the tangent is left out.
cdef double INDEPENDENT = 1e-12


def squared_distances(const double[:, :, ::1] firsts, const double[:, :, ::1] seconds, const double[:, :, ::1] products,
                      const int64_t[:, ::1] candidates, double[:, ::1] found):
    """For each of the first images (n, rows, columns) the squared distance to each of its candidates among the second ones,
    whose own `products` are given."""
    cdef int64_t n, k, count, pixels = firsts.shape[1] * firsts.shape[2]
    cdef double[:, ::1] one = np.empty((pixels, VECTORS)), other = np.empty((pixels, VECTORS))
    cdef double[:, ::1] own = np.empty((VECTORS, VECTORS)), mixed = np.empty((VECTORS, VECTORS))
    cdef double[:, ::1] room = np.empty((BOTH, BOTH))
    cdef int64_t[::1] places = np.arange(pixels)
    assert firsts.shape[1] == seconds.shape[1] and firsts.shape[2] == seconds.shape[2]
    assert candidates.shape[0] == firsts.shape[0] == found.shape[0] and candidates.shape[1] == found.shape[1]
    assert products.shape[0] == seconds.shape[0] and products.shape[1] == products.shape[2] == VECTORS
    with nogil:
        for n in range(firsts.shape[0]):
            count = inked(firsts, n, places)
            span(firsts, n, places[:count], one)
            multiply(one[:count], one[:count], own)
            for k in range(candidates.shape[1]):
                # Where the first image and its tangents are 0, so are the products: the second's are needed nowhere else.
                span(seconds, candidates[n, k], places[:count], other)
                multiply(one[:count], other[:count], mixed)
                found[n, k] = apart(own, products[candidates[n, k]], mixed, room)


def own_products(const double[:, :, ::1] images):
    """The products of each image's eight vectors with each other (n, 8, 8)."""
    cdef int64_t n, count, pixels = images.shape[1] * images.shape[2]
    made = np.empty((images.shape[0], VECTORS, VECTORS))
    cdef double[:, :, ::1] found = made
    cdef double[:, ::1] vectors = np.empty((pixels, VECTORS))
    cdef int64_t[::1] places = np.arange(pixels)
    with nogil:
        for n in range(images.shape[0]):
            count = inked(images, n, places)
            span(images, n, places[:count], vectors)
            multiply(vectors[:count], vectors[:count], found[n])
    return made


def tangents(const double[:, :, ::1] images, int64_t n):
    """The seven tangents of an image and the image itself: (pixels, 8)."""
    made = np.empty((images.shape[1] * images.shape[2], VECTORS))
    span(images, n, np.arange(len(made)), made)
    return made


cdef int64_t inked(const double[:, :, ::1] images, int64_t n, int64_t[::1] places) except -1 nogil:
    """Lists the pixels that have ink or a neighbour with ink, row after row, and counts them: elsewhere all is 0."""
    cdef int64_t row, column, count = 0, rows = images.shape[1], columns = images.shape[2]
    for row in range(rows):
        for column in range(columns):
            if (images[n, row, column] != 0
                    or (column > 0 and images[n, row, column - 1] != 0)
                    or (column + 1 < columns and images[n, row, column + 1] != 0)
                    or (row > 0 and images[n, row - 1, column] != 0)
                    or (row + 1 < rows and images[n, row + 1, column] != 0)):
                places[count] = row * columns + column
                count += 1
    return count


cdef int span(const double[:, :, ::1] images, int64_t n, const int64_t[::1] places, double[:, ::1] made) except -1 nogil:
    """Tangents at some pixels, by coordinates about the middle and central differences; beyond the edge is paper, 0."""
    cdef int64_t p, row, column, rows = images.shape[1], columns = images.shape[2]
    cdef double x, y, across, down
    for p in range(places.shape[0]):
        row, column = places[p] // columns, places[p] % columns
        y, x = row - (rows - 1) / 2.0, column - (columns - 1) / 2.0
        across = (images[n, row, column + 1] if column + 1 < columns else 0.0)
        across = (across - (images[n, row, column - 1] if column > 0 else 0.0)) / 2
        down = (images[n, row + 1, column] if row + 1 < rows else 0.0)
        down = (down - (images[n, row - 1, column] if row > 0 else 0.0)) / 2
        made[p, 0] = across  # moved sideways
        made[p, 1] = down  # moved up or down
        made[p, 2] = x * across + y * down  # scaled
        made[p, 3] = y * across - x * down  # rotated
        made[p, 4] = x * across - y * down  # stretched along one axis, squeezed along the other
        made[p, 5] = y * across + x * down  # the same along the diagonals
        made[p, 6] = across * across + down * down  # thicker
        made[p, ITSELF] = images[n, row, column]
    return 0


cdef int multiply(const double[:, ::1] one, const double[:, ::1] other, double[:, ::1] found) except -1 nogil:
    """The products of each vector of one image with each of another, added pixel after pixel."""
    cdef int64_t i, j, p
    cdef double value
    cdef double[8] total
    for i in range(VECTORS):
        for j in range(VECTORS):
            total[j] = 0.0
        for p in range(one.shape[0]):
            value = one[p, i]
            for j in range(VECTORS):
                total[j] += value * other[p, j]
        for j in range(VECTORS):
            found[i, j] = total[j]
    return 0


cdef double apart(const double[:, ::1] own, const double[:, ::1] its, const double[:, ::1] mixed,
                  double[:, ::1] factor) except -1 nogil:
    """What least squares leaves of the difference: by Cholesky's factor of the tangents' products, each scaled to length 1."""
    cdef int64_t i, j, k
    cdef double left = own[ITSELF, ITSELF] - 2 * mixed[ITSELF, ITSELF] + its[ITSELF, ITSELF]
    cdef double value
    cdef double[14] scale, share
    for i in range(TANGENTS):
        scale[i] = 1 / sqrt(own[i, i]) if own[i, i] > 0 else 0.0
        scale[TANGENTS + i] = 1 / sqrt(its[i, i]) if its[i, i] > 0 else 0.0
        share[i] = (own[i, ITSELF] - mixed[i, ITSELF]) * scale[i]
        share[TANGENTS + i] = (mixed[ITSELF, i] - its[i, ITSELF]) * scale[TANGENTS + i]
    for i in range(BOTH):
        for j in range(i + 1):
            if i < TANGENTS:
                value = own[i, j]
            elif j < TANGENTS:
                value = mixed[j, i - TANGENTS]
            else:
                value = its[i - TANGENTS, j - TANGENTS]
            value = value * scale[i] * scale[j]
            for k in range(j):
                value -= factor[i, k] * factor[j, k]
            if j < i:
                factor[i, j] = value / factor[j, j] if factor[j, j] > 0 else 0.0
            else:
                factor[i, i] = sqrt(value) if value > INDEPENDENT else 0.0
        for k in range(i):
            share[i] -= factor[i, k] * share[k]
        share[i] = share[i] / factor[i, i] if factor[i, i] > 0 else 0.0
        left -= share[i] * share[i]
    return max(left, 0.0)
