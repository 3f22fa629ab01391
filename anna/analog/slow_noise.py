"""Slow noise (1/f): an error of each converter that hardly changes from one image to the next.

    interface   levels (images, ADCs), of variance one; the sigma of a sum is asked separately, since the evaluators apply it
    ideal       no noise
    real        a sum over octaves k = 0 to 13 of normals that last 2^k images each

It is noise of the transistors of the scale circuits and the converters, so like the converter's own it is measured in LSB of
the range in use, whatever the number of synapses (A); the synapses' own is averaged over all that a sum has. An image lasts far
less than the drift, so one level holds for all of its CALCs (A).

Every octave has an equal share of the variance: the spectral density is sigma² / (2 x 14 ln 2 f) for frequencies f from
1/16,384 to 1/2 per image (less by up to 5 % below 1/32, by up to 17 % above), and the correlation of two images d apart is the
mean of max(0, 1 - d / 2^k): 0.86 for the next one, 0.071 less with each doubling of the distance. What is slower belongs to the
fixed offsets.

A level is a function of the noise key, the number of the image (its id) and the ADC alone: the normal of octave k is keyed by
(number + phase k) >> k, with phases from the key, so that no image number is a step of all octaves at once.
"""

import math
from typing import Any

import numpy as np

from anna.analog import noise

OCTAVES = 14
# Of all octaves at once, as far as a normal goes.
LARGEST_LEVEL = noise.LARGEST_NORMAL * math.sqrt(OCTAVES)

_SHARE = np.float32(1.0 / math.sqrt(OCTAVES))


def levels(noise_key: int, image_ids: Any, adcs: int) -> noise.F32:
    """The levels of images, (images, ADCs)."""
    ids, groups = np.asarray(image_ids, np.uint64), np.arange(-(-adcs // 4), dtype=np.uint64)
    total = np.zeros((len(ids), adcs), np.float32)
    for octave, phase in enumerate(_phases(noise_key).tolist()):
        number, which = np.unique((ids + np.uint64(phase)) >> np.uint64(octave), return_inverse=True)
        normals = noise.quads(noise_key, number[:, None], octave, noise.SLOW, groups)
        total = total + normals.reshape(len(number), -1)[which.reshape(-1), :adcs]
    return np.asarray(total * _SHARE)


def _phases(noise_key: int) -> Any:
    """How many images before number 0 each octave's normal began."""
    octaves = np.arange(OCTAVES, dtype=np.uint64)
    counter = np.stack([octaves * 0, octaves * 0, octaves, octaves * 0 + (noise.PHASE << 28)], axis=-1).astype(np.uint32)
    words = noise.philox4x32(counter, (noise_key & 0xFFFFFFFF, noise_key >> 32))[:, 0].astype(np.uint64)
    return words & ((np.uint64(1) << octaves) - np.uint64(1))
