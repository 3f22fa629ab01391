"""Thermal noise: for each evaluation a whole number of steps, far finer than the noise, so that sums stay integers.

The definition, in NumPy, of what the engine computes in C to the bit.

    counter     image id low, image id high, ordinal of the CALC, stream << 28 | neuron // 8    key = noise seed low, high, 0, 0
    words       ARS 4x32 (Salmon et al., SC 2011) with 5 rounds of AES: eight words of 16 bits, one for each neuron
    normal      floor(4096 z) of a word: its top bit is the sign, its other 15 bits, t, choose |z| by the quantiles of a normal;
                the low byte of the other neuron's word, of every two, says where between t and t + 1
    tail        one word in 4,096 lies beyond 3.67 standard deviations and gets 32 bits more, from the counter of the TAIL
                stream and its neuron: |z| < 7.9
    steps       normal x strength / 2^15, rounded; a step is 2^grain accumulator units

Where a silicon has thermal noise, its thresholds lie on the same steps, counted from the middle one. `on_steps` chooses them:
as fine as lets all thresholds of up to eight levels and 8 sigma of noise fit 16 bits, some 4,000 or more to an LSB.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from anna.analog.noise import F32, TAIL, THERMAL, U32
from anna.chip.codes import Ints
from anna.native.thermal_tables import BODY, FIRST, ROUNDS, TAIL_OCTAVES, mixed, sbox

A_COUNTER = 8  # normals
CELLS = 4096  # to a standard deviation
LARGEST = 8  # standard deviations: none is as large
_FIRST_EXPONENT = 127 + 16 + 3  # of these bits and 16 more as a float
_WEYL = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
_STEPS = 2**15 - 2  # on either side of the middle threshold; rounding two numbers adds one
_GRAINS = 48  # of a sum of 64 bits
_SHORT_LEVELS = 8
_NEVER = 1 << 61  # accumulator units: no sum is as large


class Steps(NamedTuple):
    """Rows of thresholds on steps of 2^grain accumulator units, which row each neuron has, and how strong its noise is."""

    thresholds: Ints  # (tables, levels - 1)
    grain: Ints  # (tables)
    table: Ints  # (neurons)
    strength: Ints  # (neurons) 1/8 of a step


# Which of a block's bytes each row of each column takes: row r from r columns on.
_SHIFTED = np.array([[4 * ((column + row) % 4) + row for row in range(4)] for column in range(4)])
_ROWS = np.arange(4)


@cache
def _tables() -> tuple[U32, U32]:
    """What a byte of each row makes of its column: in a round, and in the last one."""
    mixing, boxing = np.array(mixed(), np.uint32), np.array(sbox(), np.uint32)
    turns = [np.uint32(8 * row) for row in range(4)]
    turned = [mixing << turn | mixing >> (np.uint32(32) - turn) if turn else mixing for turn in turns]
    return np.stack(turned), np.stack([boxing << turn for turn in turns])


@cache
def _quantiles() -> tuple[Ints, Ints]:
    """Coefficients of the body and of the tail, (power, octave)."""
    return np.array(BODY, np.int64).T, np.array(TAIL_OCTAVES, np.int64).T


def aes(block: U32, keys: Sequence[Sequence[int]]) -> U32:
    """Blocks [..., 4], a column a word, by the rounds of AES: the first key is only added, and the last round mixes nothing."""
    mixing, boxing = _tables()
    state: U32 = np.ascontiguousarray(block ^ np.array(keys[0], np.uint32))
    for turn, key in enumerate(keys[1:], start=1):
        byte = state.astype("<u4", copy=False).view(np.uint8)[..., _SHIFTED]
        parts = (boxing if turn == len(keys) - 1 else mixing)[_ROWS, byte]
        state = np.ascontiguousarray(np.bitwise_xor.reduce(parts, axis=-1) ^ np.array(key, np.uint32))
    return state


def ars4x32(counter: U32, key: tuple[int, int, int, int]) -> U32:
    """Random words of counters [..., 4]: AES whose keys are a Weyl sequence, each half by itself."""
    halves = (key[0] | key[1] << 32, key[2] | key[3] << 32)
    weyl = [[(half + turn * step) % 2**64 for half, step in zip(halves, _WEYL, strict=True)] for turn in range(ROUNDS + 1)]
    return aes(counter, [[half >> shift & 0xFFFFFFFF for half in pair for shift in (0, 32)] for pair in weyl])


def _rounded_product(a: Ints, b: Ints) -> Ints:
    """a b / 2^15, halves up: one instruction on 16 bits."""
    product: Ints = (a * b + (1 << 14)) >> 15
    return product


def body(t: Ints, fine: Ints) -> Ints:
    """|normal| of a word's lower 15 bits, from the eighth on, and 16 bits below them, as a float that rounds to nearest."""
    bits = (t << 16 | fine).astype(np.float32).view(np.int32).astype(np.int64)
    fraction = bits >> 8 & 0x7FFF
    c0, c1, c2, c3, c4 = _quantiles()[0][:, np.maximum(bits >> 23, _FIRST_EXPONENT) - _FIRST_EXPONENT]
    inner = c4
    for c in (c3, c2, c1):
        inner = _rounded_product(inner, fraction) + c
    found: Ints = (c0 + (inner * fraction >> 16)) >> 2
    return found


def tail(t: Ints, word: Ints) -> Ints:
    """|normal| of t below 8 and 32 bits more."""
    upper = 2 * (t << 32 | word) + 1  # the tail's probability x 2^49: odd, hence never 0
    octave = np.frexp(upper.astype(np.float64))[1].astype(np.int64) - 1  # 37 bits are exact
    fraction = (upper << (36 - octave) & (1 << 36) - 1) >> 4
    c0, c1, c2, c3, c4 = _quantiles()[1][:, octave]
    inner = c4
    for c in (c3, c2, c1):
        inner = (inner * fraction >> 32) + c
    found: Ints = (c0 + (inner * fraction >> 32)) >> 12
    return found


def _counters(image_ids: Any, ordinals: Any, stream: int, groups: Any) -> U32:
    ids, when, which = np.broadcast_arrays(
        np.asarray(image_ids, np.uint64), np.asarray(ordinals, np.uint64), np.asarray(groups, np.uint64)
    )
    low = np.uint64(0xFFFFFFFF)
    return np.stack([ids & low, ids >> np.uint64(32), when, which | np.uint64(stream << 28)], axis=-1).astype(np.uint32)


def normals(noise_seed: int, image_ids: Any, ordinals: Any, neurons: Any) -> Ints:
    """Floor(4096 z) of image ids, ordinals and neurons, which broadcast against each other."""
    key = (noise_seed & 0xFFFFFFFF, noise_seed >> 32, 0, 0)
    which = np.asarray(neurons, np.int64)
    four = ars4x32(_counters(image_ids, ordinals, THERMAL, which // A_COUNTER), key)
    place = np.broadcast_to(which % A_COUNTER, four.shape[:-1])
    pair = np.take_along_axis(four, (place // 2)[..., None], axis=-1)[..., 0].astype(np.int64)
    word, other = pair >> 16 * (place % 2) & 0xFFFF, pair >> 16 * (1 - place % 2) & 0xFFFF
    t = word & 0x7FFF
    size = body(t, other << 8 & 0xFF00)
    rare = t < FIRST
    if rare.any():
        more = ars4x32(_counters(image_ids, ordinals, TAIL, which), key)[..., 0].astype(np.int64)
        size = np.where(rare, tail(np.where(rare, t, 0), more), size)
    found: Ints = np.where(word >> 15 != 0, ~size, size)
    return found


def on_steps(thresholds: Ints, table: Ints, sigma: F32) -> Steps:
    """Rows of thresholds, of which each neuron has one, and its noise, in accumulator units, as whole steps.

    Thresholds that no sum can pass, or every sum passes, stay as they are. With more than eight levels a step depends on the
    noise alone: it must not be coarse beside an LSB, and such sums are not compared in 16 bits.
    """
    within = np.abs(thresholds) < _NEVER
    middle = np.zeros((len(thresholds), 1), np.int64)
    if thresholds.shape[1]:
        half = thresholds.shape[1] // 2
        middle = np.where(within, thresholds, 0)[:, half, None]
    apart = np.where(within, thresholds - middle, 0)
    away = np.abs(apart).max(axis=1, initial=0) * (thresholds.shape[1] < _SHORT_LEVELS)
    largest = LARGEST * sigma.astype(np.float64)
    grain = np.searchsorted(_STEPS << np.arange(_GRAINS), away[table] + np.ceil(largest).astype(np.int64))
    used = np.zeros(len(thresholds) * _GRAINS, bool)
    used[table * _GRAINS + grain] = True
    row, power = np.divmod(np.flatnonzero(used), _GRAINS)
    whole = (apart[row] + (np.int64(1) << power[:, None] >> 1)) >> power[:, None] << power[:, None]
    kept = np.where(within[row], middle[row] + whole, thresholds[row])
    place = (np.cumsum(used) - 1)[table * _GRAINS + grain]
    return Steps(kept, power, place, np.rint(np.ldexp(largest, -grain)).astype(np.int64))


def amounts(normal: Ints, strength: Ints, grain: Ints) -> Ints:
    """Noise in accumulator units; half a cell is added, since a normal is rounded down."""
    found: Ints = (_rounded_product(normal, strength) << grain) + half_a_cell(strength, grain)
    return found


def half_a_cell(strength: Ints, grain: Ints) -> Ints:
    """What rounding down has taken from every normal, in accumulator units."""
    found: Ints = strength << grain >> 16
    return found
