"""Noise from a counter: a sample is a function of (seed, image, what happened, which neuron), never of a stream.

The reference in NumPy of what the engine computes in C, with the same operations in the same order, so that the bits
are equal. Philox 4x32 (Salmon et al., SC 2011) with 7 rounds turns a counter of four words into four random words;
Box-Muller turns those into four standard normals.

    counter = image id low, image id high, ordinal, stream << 28 | group        key = noise seed low, high

    stream        ordinal                        group              normal 0..3 of the group
    CHARGE  1     ordinal of the refresh         synapse // 4       synapse % 4
    DIE     2     part of the chip               index // 4         index % 4    image id: chip on the board,
    FAULT   3     kind of fault                  index // 4         index % 4    key: die seed (`anna.analog.draws`)
    SLOW    5     octave                         ADC // 4           ADC % 4      image id: see `anna.analog.slow_noise`
    PHASE   6     octave                         0                               image id: 0

Thermal noise, of which there is most, has its own counter and normals (`anna.analog.thermal`): streams THERMAL 0 and TAIL 7.

The key is what `Silicon.noise_key` makes of the noise seed: for a drawn die it depends on the die too, so two chips have
independent noise even with the same noise seed.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.native.float_sums import engine

U32 = NDArray[np.uint32]
F32 = NDArray[np.float32]

# Of the bits of noisy results: raised with whatever changes one sample of a seed, here and in the engine alike, or the die or
# noise that a preset without a version stands for.
NOISE_VERSION = 4

# Box-Muller from 31 bits: the smallest u is 2^-32, so |z| <= sqrt(2 x 32 x ln 2) = 6.661, rounded up for float32.
LARGEST_NORMAL = 6.7

THERMAL = 0
CHARGE = 1
DIE = 2
FAULT = 3
KEY = 4  # of the key itself
SLOW = 5
PHASE = 6  # of the octaves of slow noise
TAIL = 7  # of thermal noise beyond 3.67 standard deviations
ROUNDS = 7

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def philox4x32(counter: U32, key: tuple[int, int], rounds: int = ROUNDS) -> U32:
    """Random words of counters [..., 4]."""
    c0, c1, c2, c3 = (np.asarray(counter[..., i], np.uint64) for i in range(4))
    for step in range(rounds):
        key0, key1 = (np.uint64((word + step * weyl) & 0xFFFFFFFF) for word, weyl in zip(key, _WEYL, strict=True))
        first, second = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1, c2, c3 = (second >> _HALF) ^ c1 ^ key0, second & _LOW, (first >> _HALF) ^ c3 ^ key1, first & _LOW
    return np.stack([c0, c1, c2, c3], axis=-1).astype(np.uint32)


def _horner(x: F32, *coefficients: float) -> F32:
    """A polynomial, highest power first, every operation rounded to float32."""
    total: F32 = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        total = total * x + np.float32(coefficient)
    return total


def _squared_radius(word: U32) -> F32:
    """-2 ln u for u = (31 bits + 1/2) / 2^31: the largest is 44.4, so no normal exceeds 6.67."""
    v = (word >> np.uint32(1)).astype(np.int32).astype(np.float32) + np.float32(0.5)
    bits = v.view(np.int32)
    exponent = (bits - np.int32(0x3F3504F3)) >> np.int32(23)  # v = 2^exponent x m, m from sqrt(1/2) to sqrt(2)
    f = (bits - (exponent << np.int32(23))).view(np.float32) - np.float32(1.0)
    p = _horner(
        f,
        -0.2379220873117447,
        0.3733570873737335,
        -0.4099265933036804,
        0.4981948733329773,
        -0.6662901639938354,
        1.000022292137146,
        -2.000001907348633,
    )
    power: F32 = (np.int32(31) - exponent).astype(np.float32) * np.float32(1.3862943649291992)
    return p * f + power


def _flip(x: F32, word: U32) -> F32:
    """x with its sign turned where the top bit of the word is set."""
    return (x.view(np.uint32) ^ (word & np.uint32(0x80000000))).view(np.float32)


def _pair(first: U32, second: U32) -> tuple[F32, F32]:
    """Two normals: an angle in the first quadrant as pi/4 + b, and a random sign for each."""
    radius = np.sqrt(_squared_radius(first))
    b = (second << np.uint32(2)).view(np.int32).astype(np.float32) * np.float32(2.0**-31)
    q = b * b
    sine = _horner(q, 0.0017225791234523058, -0.05708135664463043, 0.5553596019744873) * b
    cosine = _horner(q, -0.00022548256674781442, 0.0112075824290514, -0.21808888018131256, 0.7071067690849304)
    return _flip(radius * (cosine - sine), second), _flip(radius * (cosine + sine), second << np.uint32(1))


def box_muller(words: U32) -> F32:
    """Four standard normals of four random words [..., 4]."""
    w0, w1, w2, w3 = (np.ascontiguousarray(words[..., i]) for i in range(4))
    return np.stack([*_pair(w0, w1), *_pair(w2, w3)], axis=-1)


def quads(noise_seed: int, image_ids: Any, ordinals: Any, stream: int, groups: Any) -> F32:
    """Four standard normals for each group; image ids, ordinals and groups broadcast against each other."""
    ids, when, which = np.broadcast_arrays(
        np.asarray(image_ids, np.uint64), np.asarray(ordinals, np.uint64), np.asarray(groups, np.uint64)
    )
    counter = np.stack([ids & _LOW, ids >> _HALF, when, which | np.uint64(stream << 28)], axis=-1).astype(np.uint32)
    return box_muller(philox4x32(counter, (noise_seed & 0xFFFFFFFF, noise_seed >> 32)))


def of_die(seed: int, chip: int, part: int, count: int, simd: str | None = None) -> F32:
    """So many standard normals of one part of a die, by the engine if it is built."""
    groups, native = -(-count // 4), engine()
    if native is None:
        four = quads(seed, chip, part, DIE, np.arange(groups, dtype=np.uint64))
    else:
        four = np.empty((groups, 4), np.float32)
        native.pattern(simd or native.levels()[0], seed, chip, part, DIE << 28, four)
    return four.reshape(-1)[:count]


def normals(noise_seed: int, image_ids: Any, ordinals: Any, stream: int, numbers: Any) -> F32:
    """Standard normals; image ids, ordinals and numbers (neuron slots or synapses) broadcast against each other."""
    which = np.asarray(numbers, np.uint64)
    four = quads(noise_seed, image_ids, ordinals, stream, which >> np.uint64(2))
    one = np.broadcast_to((which & np.uint64(3)).astype(np.int64), four.shape[:-1])
    return np.take_along_axis(four, one[..., None], axis=-1)[..., 0]


def steps(z: F32, sigma: Any) -> NDArray[np.int64]:
    """Noise in integer accumulator units: rounded to nearest, ties to even."""
    return np.rint(z * np.asarray(sigma, np.float32)).astype(np.int64)
