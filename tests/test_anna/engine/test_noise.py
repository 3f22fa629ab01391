"""The noise: known answers of Philox, the same bits in C and NumPy, and the statistics of very many draws."""

import math

import numpy as np
import pytest

from anna.analog import noise
from anna.engine import is_checked, simd_levels
from anna.native.loader import native

# Random123's known-answer vectors, kat_vectors: rounds, counter, key, result.
KNOWN = [
    (7, (0, 0, 0, 0), (0, 0), (0x5F6FB709, 0x0D893F64, 0x4F121F81, 0x4F730A48)),
    (7, (0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x5207DDC2, 0x45165E59, 0x4D8EE751, 0x8C52F662)),
    (
        7,
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0x4DFCCABA, 0x190A87F0, 0xC47362BA, 0xB6B5242A),
    ),
    (10, (0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    (10, (0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        10,
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("rounds", "counter", "key", "words"), KNOWN)
def test_philox_known_answers(rounds, counter, key, words):
    assert tuple(noise.philox4x32(np.array(counter, np.uint32), key, rounds).tolist()) == words


def drawn(simd, seed, first, ordinal, word3, count):
    z = np.zeros((count, 4), np.float32)
    native().normals(simd, seed, first, ordinal, word3, z)
    return z


@pytest.mark.parametrize("simd", simd_levels())
@pytest.mark.parametrize(
    ("seed", "first", "ordinal", "word3"),
    [(0, 0, 0, 0), (2**64 - 1, 2**32 - 500, 2**32 - 1, 2**28 | 1023), (0xDEADBEEFCAFEF00D, 2**64 - 500, 12345, 1)],
)
def test_the_same_bits_as_numpy(simd, seed, first, ordinal, word3):
    z = drawn(simd, seed, first, ordinal, word3, 1001)
    ids = np.uint64(first) + np.arange(1001, dtype=np.uint64)
    slots = 4 * (word3 & 0xFFFFFFF) + np.arange(4)
    expected = noise.normals(seed, ids[:, None], ordinal, word3 >> 28, slots[None])
    np.testing.assert_array_equal(z.view(np.uint32), expected.view(np.uint32))


@pytest.mark.parametrize("simd", simd_levels())
@pytest.mark.parametrize("count", [1, 4, 37, 4096])
@pytest.mark.parametrize(("seed", "chip", "part"), [(0, 0, 0), (2**64 - 1, 2**32 - 1, 13), (0xDEADBEEFCAFEF00D, 1, 5)])
def test_the_pattern_of_a_die_has_the_same_bits_as_numpy(simd, seed, chip, part, count):
    expected = noise.normals(seed, chip, part, noise.DIE, np.arange(count))
    np.testing.assert_array_equal(noise.of_die(seed, chip, part, count, simd).view(np.uint32), expected.view(np.uint32))


@pytest.mark.parametrize("simd", simd_levels())
def test_many_more_bits(simd):
    """Every branchless path of the logarithm and the angle, a quarter of a million samples."""
    for ordinal in range(64):
        z = drawn(simd, 77, 0, ordinal, 3, 1024)
        expected = noise.normals(77, np.arange(1024)[:, None], ordinal, 0, np.arange(12, 16)[None])
        np.testing.assert_array_equal(z.view(np.uint32), expected.view(np.uint32))


def test_the_ends_of_the_uniform():
    """No word gives an infinite or undefined sample; the largest is below the engine's margin."""
    from anna.engine.bounds import LARGEST_NORMAL

    words = np.array([0, 1, 2, 3, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1, 0x1FFFFFFF, 0x20000000], np.uint32)
    grid = np.stack(np.meshgrid(words, words, words, words), axis=-1).reshape(-1, 4)
    z = noise.box_muller(grid)
    assert np.isfinite(z).all()
    assert 6.6 < np.abs(z).max() < LARGEST_NORMAL


def test_box_muller_against_float64():
    words = np.random.default_rng(0).integers(0, 2**32, (100_000, 4), dtype=np.uint32)
    u = ((words[:, 0] >> 1) + 0.5) / 2**31
    second = words[:, 1].astype(np.int64)
    b = (((second << 2) + 2**31) % 2**32 - 2**31) / 2**31 * math.pi / 4
    radius = np.sqrt(-2 * np.log(u))
    sign0, sign1 = 1 - 2 * (second >> 31 & 1), 1 - 2 * (second >> 30 & 1)
    exact = np.stack([sign0 * radius * np.cos(b + math.pi / 4), sign1 * radius * np.sin(b + math.pi / 4)], axis=-1)
    assert np.abs(noise.box_muller(words)[:, :2] - exact).max() < 8e-6


def test_steps_round_half_to_even():
    assert noise.steps(np.array([0.5, 1.5, -0.5, -2.5], np.float32), 1.0).tolist() == [0, 2, 0, -2]


def two_sided(edge):
    return math.erfc(edge / math.sqrt(2))


# The best level is fast enough for tails at 10^9 draws; the bits of the others are the same (above).
DRAWS = 2**26 if is_checked() or simd_levels()[0] == "plain" else 2**30


def test_tails_and_moments_of_very_many_draws():
    edges = np.arange(0.5, 6.51, 0.5, dtype=np.float32)
    beyond, moments = np.zeros(len(edges), np.int64), np.zeros(5)
    native().census(simd_levels()[0], 2024, 0, DRAWS // 1024, 256, edges, beyond, moments)
    for edge, count in zip(edges.tolist(), beyond.tolist(), strict=True):
        expected = DRAWS * two_sided(edge)
        assert abs(count - expected) < 5 * math.sqrt(expected) + 5, f"|z| > {edge}: {count}, expected {expected:.1f}"
    powers = [(0.0, 1.0), (1.0, 2.0), (0.0, 15.0), (3.0, 96.0)]
    for k, (mean, variance) in enumerate(powers):
        found = moments[k] / DRAWS
        assert abs(found - mean) < 5 * math.sqrt(variance / DRAWS) + 1e-6, f"moment {k + 1}: {found}"
    assert moments[4] < 6.7


def test_the_whole_curve():
    """4 M samples in 256 cells of equal probability."""
    z = np.concatenate([drawn(simd_levels()[0], 3, 0, ordinal, 0, 2**15).reshape(-1) for ordinal in range(32)])
    probability = np.array([0.5 * (1 + math.erf(x / math.sqrt(2))) for x in np.linspace(-6, 6, 20_001)])
    cells = np.interp(np.arange(1, 256) / 256, probability, np.linspace(-6, 6, 20_001))
    counts = np.bincount(np.searchsorted(cells, z), minlength=256)
    chi_squared = ((counts - z.size / 256) ** 2 / (z.size / 256)).sum()
    assert abs(chi_squared - 255) < 5 * math.sqrt(2 * 255)


@pytest.mark.parametrize("axis", ["image", "ordinal", "slot", "seed"])
def test_neighbouring_counters_are_independent(axis):
    """Correlation of samples and of their squares between neighbours along each part of the key."""
    images, ordinals = np.arange(2000)[:, None, None], np.arange(20)[None, :, None]
    slots = np.arange(8)[None, None]
    z = np.stack([noise.normals(seed, images, ordinals, 0, slots) for seed in (5, 6)], axis=0)
    where = {"seed": 0, "image": 1, "ordinal": 2, "slot": 3}[axis]
    left = np.take(z, np.arange(z.shape[where] - 1), axis=where).reshape(-1)
    right = np.take(z, np.arange(1, z.shape[where]), axis=where).reshape(-1)
    for a, b in ((left, right), (left**2 - 1, right**2 - 1)):
        correlation = float((a * b).mean() / (a.std() * b.std()))
        assert abs(correlation) < 5 / math.sqrt(len(a))
