"""Cutting at connected components: pieces hang together, strings that are apart come apart, and the number is kept."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp

from anna.base.errors import DataError
from lenet.datasets.digits import calibration
from lenet.datasets.registry import MNIST
from lenet.datasets.strings import INK, Writing, strings
from sim.applications.cutting import Cutting, components, framed, pieces_of


def flooded(ink):
    """Components the slow way: each pixel's ink spreads to all around it until nothing changes."""
    found, left = [], ink.copy()
    while left.any():
        piece = np.zeros_like(ink)
        piece[tuple(np.argwhere(left)[0])] = True
        while True:
            padded = np.pad(piece, 1)
            grown = ink & np.logical_or.reduce([padded[y : y + ink.shape[0], x : x + ink.shape[1]]
                                                for y in range(3) for x in range(3)])  # fmt: skip
            if (grown == piece).all():
                break
            piece = grown
        found.append(piece)
        left &= ~piece
    return found


@settings(max_examples=100, deadline=None)
@given(hnp.arrays(bool, (7, 9)))
def test_components_are_what_flooding_finds(ink):
    key = bytes
    assert sorted(key(one.tobytes()) for one in components(ink)) == sorted(key(one.tobytes()) for one in flooded(ink))


def ink_of(row, shape):
    found = np.zeros((len(row), *shape), bool)
    for place, one in zip(found, row, strict=True):
        place[one.area] = one.levels_yx >= INK
    return found


def test_digits_far_apart_come_apart_as_they_were_written():
    far = replace(Writing(), digits=4, lowest_gap=(4, 4), gap_range=2)
    found = strings(calibration(), MNIST, 25, far, (4,))
    right = 0
    for image, row in zip(found.images_nyx, found.placed, strict=True):
        truth = ink_of(row, image.shape)
        pieces = pieces_of(image, 4, Cutting())
        right += all((piece == ink).mean() > 0.999 for piece, ink in zip(pieces, truth, strict=True))
    assert right >= 23, "the rest are digits in two pieces, or slanted over one another"


def test_there_are_as_many_pieces_as_digits_and_they_share_no_ink():
    found = strings(calibration(), MNIST, 40, Writing(), (4,))
    for image in found.images_nyx:
        pieces = pieces_of(image, 5, Cutting())
        assert len(pieces) == 5 and all(piece.any() for piece in pieces)
        assert np.sum(pieces, axis=0).max() == 1
        lefts = [np.flatnonzero(piece.any(axis=0))[0] for piece in pieces]
        assert lefts == sorted(lefts)


def test_a_blank_image_is_refused():
    with pytest.raises(DataError, match="no ink to cut; expected a string of digits"):
        pieces_of(np.zeros((52, 152), np.uint8), 5, Cutting())


def test_a_piece_alone_is_framed_as_the_digit_was():
    """A digit of MNIST, whose larger side is 20 pixels and whose mass is centred, comes back as it was."""
    for digit in calibration().images[:30]:
        image = np.zeros((52, 152), np.uint8)
        image[10:38, 60:88] = digit
        frame = framed(image, image > 0, Cutting())
        rows, columns = (np.flatnonzero(digit.any(axis=axis)) for axis in (1, 0))
        if max(np.ptp(rows), np.ptp(columns)) == 19:
            shifted = [np.roll(digit, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
            assert any(np.array_equal(frame, one) for one in shifted)
