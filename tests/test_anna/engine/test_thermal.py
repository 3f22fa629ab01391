"""Thermal noise: AES by its standard, the same bits at every level, the whole law of its words, and very many draws."""

import math
import runpy
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anna.analog import thermal
from anna.engine import is_checked, simd_levels
from anna.native.loader import native
from anna.native.thermal_tables import BODY, TAIL_OCTAVES, sbox

TOOLS = Path(__file__).parents[3] / "tools"


def upper(z):
    return 0.5 * math.erfc(z / math.sqrt(2))


def test_the_s_box_is_that_of_the_standard():
    """FIPS 197, figure 7: its corners and the example of section 5.1.1."""
    box = sbox()
    assert [box[0x00], box[0x0F], box[0xF0], box[0xFF], box[0x53]] == [0x63, 0x76, 0x8C, 0x16, 0xED]
    assert sorted(box) == list(range(256))


def test_rounds_are_those_of_the_standard():
    """The cipher of FIPS 197, appendix B, by its eleven round keys."""
    words = bytes.fromhex(
        "2b7e151628aed2a6abf7158809cf4f3ca0fafe1788542cb123a339392a6c7605f2c295f27a96b9435935807a7359f67f"
        "3d80477d4716fe3e1e237e446d7a883bef44a541a8525b7fb671253bdb0bad00d4d1c6f87c839d87caf2b8bc11f915bc"
        "6d88a37a110b3efddbf98641ca0093fd4e54f70e5f5fc9f384a64fb24ea6dc4fead27321b58dbad2312bf5607f8d292f"
        "ac7766f319fadc2128d12941575c006ed014f9a8c9ee2589e13f0cc8b6630ca6"
    )
    keys = np.frombuffer(words, "<u4").reshape(11, 4).tolist()
    plain = np.frombuffer(bytes.fromhex("3243f6a8885a308d313198a2e0370734"), "<u4")
    assert thermal.aes(plain, keys).astype("<u4").tobytes().hex() == "3925841d02dc09fbdc118597196a0b32"


def test_the_tables_are_what_the_tool_computes():
    """To the last digit but one, since logarithms differ between machines."""
    made = runpy.run_path(str(TOOLS / "normal_quantiles.py"))
    assert np.abs(np.array(made["body"]()) - np.array(BODY)).max() <= 1
    assert np.abs(np.array(made["tail"]()) - np.array(TAIL_OCTAVES)).max() <= 1


@pytest.mark.parametrize("simd", simd_levels())
@pytest.mark.parametrize(
    ("seed", "first", "ordinal", "octet"),
    [(0, 0, 0, 0), (2**64 - 1, 2**32 - 500, 2**32 - 1, 1023), (0xDEADBEEFCAFEF00D, 2**64 - 500, 12345, 1)],
)
def test_the_same_bits_as_numpy(simd, seed, first, ordinal, octet):
    normal = np.zeros((1001, 8), np.int16)
    native().thermal(simd, seed, first, ordinal, octet, normal)
    ids = np.uint64(first) + np.arange(1001, dtype=np.uint64)
    expected = thermal.normals(seed, ids[:, None], ordinal, 8 * octet + np.arange(8)[None])
    np.testing.assert_array_equal(normal, expected)


@pytest.mark.parametrize("simd", simd_levels())
def test_many_more_bits(simd):
    """Half a million samples, of which more than a hundred lie in the tail."""
    rare = 0
    for ordinal in range(64):
        normal = np.zeros((1024, 8), np.int16)
        native().thermal(simd, 77, 0, ordinal, 3, normal)
        np.testing.assert_array_equal(normal, thermal.normals(77, np.arange(1024)[:, None], ordinal, 24 + np.arange(8)[None]))
        rare += int((normal > 15020).sum() + (normal < -15021).sum())
    assert rare > 60


def every_size():
    """|normal| of every 15 bits of a word from the first of the body on, with each byte between them: rising probabilities."""
    t, fine = np.divmod(np.arange(thermal.FIRST << 8, 2**23), 2**8)
    return thermal.body(t, fine << 8)


def test_the_law_of_all_words_is_the_normal():
    """At every cell the distribution is right to 3 in 10^5, and to 1 in 1,000 of itself; moments are to 5 in 10^5."""
    size, every = every_size(), 2**24
    assert np.diff(size).max() <= 1
    beyond = np.cumsum(np.bincount(size)[::-1])[::-1] + (thermal.FIRST << 8)
    exact = np.array([upper(k / thermal.CELLS) for k in range(len(beyond))])
    inside = exact > 1.01 * thermal.FIRST / 2**16
    assert np.abs(beyond / every - exact)[inside].max() < 3e-5
    assert np.abs(beyond / every / exact - 1)[inside].max() < 1e-3
    z = (size + 0.5) / thermal.CELLS
    edge = NormalDist().inv_cdf(1 - thermal.FIRST / 2**16)
    density = math.exp(-edge * edge / 2) / math.sqrt(2 * math.pi)
    for power, first, whole in ((2, edge, 1.0), (4, edge**3 + 3 * edge, 3.0)):  # beyond: first x density + whole x upper(edge)
        found = 2 * (float((z**power).sum()) / every + first * density + whole * upper(edge))
        assert found == pytest.approx(whole, abs=5e-5 * whole)


def test_the_tail_goes_on_where_the_body_ends():
    """Its quantiles lie within a cell of the exact ones; the largest is below 8 sigma."""
    t = np.repeat(np.arange(8), 4)
    word = np.tile(np.array([0, 1, 2**31, 2**32 - 1]), 8)
    exact = [
        -NormalDist().inv_cdf(((high << 32 | low) + 0.5) / 2**48) for high, low in zip(t.tolist(), word.tolist(), strict=True)
    ]
    found = thermal.tail(t, word)
    assert np.abs(found + 0.5 - np.array(exact) * thermal.CELLS).max() < 1.2
    assert found.max() < thermal.LARGEST * thermal.CELLS
    assert found.min() >= every_size()[0] - 1


# The best level is fast enough for tails at 10^9 draws; the bits of the others are the same (above).
DRAWS = 2**24 if is_checked() or simd_levels()[0] == "plain" else 2**30


def test_tails_and_moments_of_very_many_draws():
    counts = np.zeros(2**16, np.int64)
    native().thermal_counts(simd_levels()[0], 2024, 0, DRAWS // 2048, 256, counts)
    assert counts.sum() == DRAWS
    z = (np.arange(-(2**15), 2**15) + 0.5) / thermal.CELLS
    for edge in np.arange(0.5, 6.51, 0.5).tolist():
        found, expected = int(counts[np.abs(z) > edge].sum()), DRAWS * 2 * upper(edge)
        assert abs(found - expected) < 5 * math.sqrt(expected) + 5, f"|z| > {edge}: {found}, expected {expected:.1f}"
    for power, (mean, variance) in enumerate([(0.0, 1.0), (1.0, 2.0), (0.0, 15.0), (3.0, 96.0)], start=1):
        found = float((counts * z**power).sum()) / DRAWS
        assert abs(found - mean) < 5 * math.sqrt(variance / DRAWS), f"moment {power}: {found}"


@pytest.mark.parametrize("axis", ["image", "ordinal", "neuron", "seed"])
def test_neighbouring_counters_are_independent(axis):
    """Correlation of samples and of their squares between neighbours along each part of the key."""
    images, ordinals, neurons = np.arange(500)[:, None, None], np.arange(20)[None, :, None], np.arange(16)[None, None]
    z = np.stack([thermal.normals(seed, images, ordinals, neurons) + 0.5 for seed in (5, 6)], axis=0) / thermal.CELLS
    where = {"seed": 0, "image": 1, "ordinal": 2, "neuron": 3}[axis]
    left = np.take(z, np.arange(z.shape[where] - 1), axis=where).reshape(-1)
    right = np.take(z, np.arange(1, z.shape[where]), axis=where).reshape(-1)
    for a, b in ((left, right), (left**2 - 1, right**2 - 1)):
        assert abs(float((a * b).mean() / (a.std() * b.std()))) < 5 / math.sqrt(len(a))


@given(bit=st.integers(0, 95), seed=st.integers(0, 2**64 - 1))
def test_each_bit_of_a_counter_changes_half_the_bits_of_its_words(bit, seed):
    """Over 256 counters: 128 bits each, of which 64 should turn, give or take 5 sigma."""
    base = np.random.default_rng(bit).integers(0, 2**32, (256, 4), dtype=np.uint32)
    other = base.copy()
    other[:, bit // 32] ^= np.uint32(1 << bit % 32)
    key = (seed & 0xFFFFFFFF, seed >> 32, 0, 0)
    turned = np.unpackbits((thermal.ars4x32(base, key) ^ thermal.ars4x32(other, key)).view(np.uint8)).sum()
    assert abs(int(turned) - 256 * 64) < 5 * math.sqrt(256 * 128) / 2


@given(
    middle=st.integers(-(2**40), 2**40),
    apart=st.lists(st.integers(0, 2**30), min_size=6, max_size=6),
    sigma=st.floats(0, 2.0**30, width=32),
)
def test_thresholds_and_noise_fit_sixteen_bits(middle, apart, sigma):
    """On steps as fine as that allows: half of them would not do, and no threshold moves by more than half a step."""
    row = middle + np.concatenate([-np.cumsum(apart[:3])[::-1], [0], np.cumsum(apart[3:])]).astype(np.int64)[None]
    steps = thermal.on_steps(row, np.zeros(1, np.int64), np.array([sigma], np.float32))
    grain, strength = int(steps.grain[0]), int(steps.strength[0])
    edges = steps.thresholds[0] - middle
    assert steps.thresholds[0, 3] == middle
    assert (edges % (1 << grain) == 0).all()
    assert np.abs(edges).max() // (1 << grain) + strength <= 2**15 - 1
    assert np.abs(steps.thresholds - row).max() <= 1 << grain >> 1
    if grain:
        assert np.abs(row - middle).max() + thermal.LARGEST * sigma + 1 > (2**15 - 2) << (grain - 1)


def test_many_levels_keep_their_thresholds():
    """A step is a small part of the noise, however far the outer thresholds lie; without noise they do not move."""
    row = np.arange(-(2**11), 2**11 - 1)[None] * 1_000_003
    steps = thermal.on_steps(row, np.array([0, 0]), np.array([0.0, 500_000.0], np.float32))
    quiet, noisy = steps.table
    np.testing.assert_array_equal(steps.thresholds[quiet], row[0])
    assert 0 < np.abs(steps.thresholds[noisy] - row[0]).max() < 500_000 / 4_000


def test_a_threshold_that_is_never_passed_makes_no_step_coarse():
    row = np.array([[-(2**62), -3_000_001, -1_000_000, 0, 1_000_000, 3_000_001, 2**62]])
    steps = thermal.on_steps(row, np.zeros(1, np.int64), np.array([1000.0], np.float32))
    assert steps.thresholds[0, [0, 6]].tolist() == [-(2**62), 2**62]
    assert np.abs(steps.thresholds - row).max() <= 64


def test_noise_is_neither_pulled_up_nor_down():
    """The mean over all words is nothing, though each is rounded down."""
    size = every_size()[::16]
    both = np.concatenate([size, ~size])
    for strength in (100, 3094, 32767):
        amounts = thermal.amounts(both, np.int64(strength), np.int64(10)) / 2**10
        assert abs(amounts.mean()) < 1e-3
        exact = (both + 0.5) / thermal.CELLS * strength / thermal.LARGEST
        assert np.abs(amounts - exact).max() <= 1
