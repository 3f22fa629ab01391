"""Packs a workload for the narrow kernel: neurons that read alike side by side, operands in pairs, equal weights once."""

import numpy as np

from anna.base.errors import MachineError
from anna.engine.arrays import record_type
from anna.engine.covers import cover_rows
from anna.engine.results import place_results
from anna.engine.rows import groups_of, take_rows
from anna.engine.tables import cold_slots, fixed_slots, short_sums, thresholds_and_numerators

from cython cimport final
from libc.stdint cimport INT64_MAX, UINT32_MAX, int64_t, uint64_t

from anna.engine.covers cimport KIND_EVERY, KIND_PART, KIND_PARTS, places_of

include "fields.pxi"
include "interface.pxi"

cdef extern from "mix.h" nogil:
    uint64_t anna_mix(uint64_t hash, uint32_t word)


def pack(dict sizes, dict arrays, int width, int stride, int64_t largest):
    """The sizes and arrays of a checked workload's packed form, for groups of `width` neurons and blocks in which a slot takes
    `stride` bytes; no sum exceeds `largest`."""
    room = sizes["slots"] + sizes["neurons"]
    if room * stride > UINT32_MAX:
        raise MachineError(f"states of {room:,} slots take {room * stride:,} bytes for the images of a block; "
                           f"expected at most {UINT32_MAX:,}, so that 32 bits say where one lies")
    fixed = fixed_slots(sizes["slots"], arrays["constant_slots"], arrays["constant_codes"], arrays["input_slots"],
                        arrays["out_slot"])
    power, middle, edge = short_sums(sizes, arrays, largest)
    summed = arrays["out_slot"]
    if arrays["coupled"] is not None or arrays["unsettled"] is not None:  # a sum that nobody stores may be part of another
        summed = np.zeros_like(summed)
    calc_of, first_of = groups_of(summed, width)
    row_start, *rows, start = take_rows(arrays, summed, calc_of, first_of, width, fixed, power, middle)
    place, row_kinds, in_kind = cover_rows(width, row_start, rows[2])
    packed = pack_rows(width, stride, row_start, rows, row_kinds, in_kind, place)
    packed["start"] = by_place(place, start)
    packed["neuron"], packed["copy"] = place_results(packed["group"], calc_of, first_of, place, sizes, arrays)
    threshold, numerator, line, numbers = thresholds_and_numerators(sizes, arrays)
    cold = cold_slots(sizes["slots"], arrays["constant_slots"], arrays["input_slots"], arrays["op_start"], arrays["op_slot"],
                      arrays["out_slot"], arrays["output_slots"])
    packed |= {"threshold": threshold, "numerator": numerator, "line": line, "edge": edge, "cold_slot": cold}
    numbers |= {
        "groups": len(calc_of), "width": width, "segments": len(packed["segment"]), "pairs": len(packed["pair_at"]),
        "weights": len(packed["weight"]), "copies": len(packed["copy"]), "room": room,
        "stride": stride, "extent": room * stride,
        "clamps": arrays["clamp_low"] is not None or arrays["clamp_high"] is not None,
        "masks": arrays["and_mask"] is not None or arrays["or_mask"] is not None, "cold": len(cold),
        "padded_macs": packed.pop("padded_macs"),
    }
    return numbers, packed


def by_place(place, of_neurons):
    """What each group's neurons have, in the order of their places."""
    found = np.empty(place.shape, of_neurons.dtype)
    np.put_along_axis(found, place, of_neurons, axis=1)
    return found


def pack_rows(int width, int stride, const int64_t[::1] row_start, rows, row_kinds, in_kind, place):
    """Groups, segments, operand pairs and weights."""
    slot, line, _, weight = rows
    groups = len(row_start) - 1
    cdef _Packing packing = _Packing(width, stride)
    packing.row_start, packing.row_slot, packing.row_line, packing.row_weight = row_start, slot, line, weight
    packing.row_kinds, packing.in_kind = row_kinds, in_kind
    packing.neuron_at = by_place(place, np.broadcast_to(np.arange(width, dtype=np.int32), place.shape))
    packing.rows_in = np.empty((KIND_PARTS(width), np.diff(row_start).max(initial=0)), np.int32)
    packing.bucket = np.full(2 * groups + 1, -1, np.int64)
    with nogil:
        packing.count()
    packed = {
        "group": np.zeros(groups, record_type("group")),
        "segment": np.empty(packing.segments, record_type("segment")),
        "pair_at": np.empty((packing.pairs, 2), np.uint32),
        "pair_line": np.zeros((packing.pairs, 2), np.int32) if len(line) else None,
        "weight": np.empty((packing.weights, 2), np.int16),
    }
    packing.group, packing.segment, packing.weight = packed["group"], packed["segment"], packed["weight"]
    packing.pair_at, packing.pair_line = packed["pair_at"], packed["pair_line"]
    with nogil:
        packing.emit()
    packed["weight"] = packed["weight"][: packing.weights]
    packed["padded_macs"] = packing.padded_macs
    return packed


@final
cdef class _Packing:
    """Turns rows into pairs, group by group; the numbers say how many segments, pairs and weights there are until now."""

    cdef int width, stride, levels
    cdef int64_t segments, pairs, weights, padded_macs
    cdef const int64_t[::1] row_start
    cdef const int32_t[::1] row_slot, row_line
    cdef const int16_t[:, ::1] row_weight
    cdef const uint16_t[::1] row_kinds
    cdef const int32_t[:, ::1] in_kind, neuron_at
    cdef int32_t[:, ::1] rows_in  # the group's rows that enter each kind
    cdef int64_t[::1] bucket  # hash of a group's weights -> group
    cdef anna_group[::1] group
    cdef anna_segment[::1] segment
    cdef uint32_t[:, ::1] pair_at
    cdef int32_t[:, ::1] pair_line
    cdef int16_t[:, ::1] weight

    def __init__(self, int width, int stride):
        self.width, self.stride, self.levels = width, stride, (<object>width).bit_length()

    cdef int64_t pairs_in(self, int64_t group, int kind) except -1 nogil:
        return (self.in_kind[group, kind] + 1) // 2

    cdef int64_t rounds_of(self, int64_t group, int level) except -1 nogil:
        """How many pairs of every part of a level are worth computing in turn: as far as the parts have about equally many,
        since each change of kind costs a mispredicted jump."""
        cdef int64_t least = INT64_MAX, most = 0, total = 0, pairs
        cdef int kind
        if level == 0:
            return 0
        for kind in range(KIND_PART(level, 0), KIND_PART(level + 1, 0)):
            pairs = self.pairs_in(group, kind)
            least, most, total = min(least, pairs), max(most, pairs), total + pairs
        return most if 4 * (most << level) <= 5 * total else least

    cdef int count(self) except -1 nogil:
        """Room for all groups, as if none shared its weights."""
        cdef int64_t group, rounds, alone, segments = 0, pairs = 0, weights = 0
        cdef int level, kind
        for group in range(self.in_kind.shape[0]):
            for level in range(self.levels):
                rounds = self.rounds_of(group, level)
                segments += rounds > 0
                pairs += rounds << level
                weights += rounds * self.width
                for kind in range(KIND_PART(level, 0), KIND_PART(level + 1, 0)):
                    alone = max(0, self.pairs_in(group, kind) - rounds)
                    segments += alone > 0
                    pairs += alone
                    weights += alone * places_of(self.width, kind)
        self.segments, self.pairs, self.weights = segments, pairs, weights
        return 0

    cdef int emit(self) except -1 nogil:
        cdef int64_t group
        cdef int level
        self.segments, self.pairs, self.weights, self.padded_macs = 0, 0, 0, 0
        for group in range(self.group.shape[0]):
            self.group[group].segment, self.group[group].pair = self.segments, self.pairs
            self.group[group].weight = self.weights
            self.sort_rows(group)
            for level in range(self.levels):
                self.emit_level(group, level)
            self.group[group].segments = self.segments - self.group[group].segment
            self.share_weights(group)
        return 0

    cdef int sort_rows(self, int64_t group) except -1 nogil:
        """The rows of each kind, in their order."""
        cdef int64_t row, count
        cdef int kind
        for kind in range(self.in_kind.shape[1]):
            if self.in_kind[group, kind] == 0:
                continue
            count = 0
            for row in range(self.row_start[group], self.row_start[group + 1]):
                if self.row_kinds[row] >> kind & 1:
                    self.rows_in[kind, count] = <int32_t>row
                    count += 1
        return 0

    cdef int emit_level(self, int64_t group, int level) except -1 nogil:
        """Pairs of all parts in turn, as far as that pays, and the rest part by part."""
        cdef int64_t at, pairs, rounds = self.rounds_of(group, level)
        cdef int kind, part, places = self.width >> level
        for at in range(rounds):
            for part in range(1 << level):
                self.emit_pair(group, KIND_PART(level, part), part * places, places, at)
        self.emit_segment(KIND_EVERY(self.width, level), rounds)
        for part in range(1 << level):
            kind = KIND_PART(level, part)
            pairs = self.pairs_in(group, kind)
            for at in range(rounds, pairs):
                self.emit_pair(group, kind, part * places, places, at)
            self.emit_segment(kind, pairs - rounds)
        return 0

    cdef int emit_segment(self, int kind, int64_t pairs) except -1 nogil:
        if pairs > 0:
            self.segment[self.segments].kind, self.segment[self.segments].pairs = kind, <int32_t>pairs
            self.segments = self.segments + 1
        return 0

    cdef int emit_pair(self, int64_t group, int kind, int begin, int places, int64_t at) except -1 nogil:
        """Pair number `at` of a kind: two of its rows, or one and nothing, or nothing twice where a part has fewer."""
        cdef int64_t rows = self.in_kind[group, kind], nothing = self.row_slot.shape[0]
        cdef int64_t first = self.rows_in[kind, 2 * at] if 2 * at < rows else nothing
        cdef int64_t second = self.rows_in[kind, 2 * at + 1] if 2 * at + 1 < rows else nothing
        cdef int64_t at_weight = self.weights
        cdef int place, neuron
        self.pair_at[self.pairs, 0] = self.place(first if first != nothing else self.row_start[group])
        self.pair_at[self.pairs, 1] = self.place(second) if second != nothing else self.pair_at[self.pairs, 0]
        if self.pair_line is not None:
            self.pair_line[self.pairs, 0] = self.row_line[first] if first != nothing else 0
            self.pair_line[self.pairs, 1] = self.row_line[second] if second != nothing else 0
        for place in range(begin, begin + places):
            neuron = self.neuron_at[group, place]
            self.weight[at_weight, 0] = self.row_weight[first, neuron]
            self.weight[at_weight, 1] = self.row_weight[second, neuron]
            at_weight += 1
        self.weights = at_weight
        self.pairs = self.pairs + 1
        self.padded_macs = self.padded_macs + 2 * places
        return 0

    cdef uint32_t place(self, int64_t row) except? 0 nogil:
        """Where a row's value lies in a block, in bytes: the kernel then has an address without a shift."""
        return <uint32_t>(<int64_t>self.row_slot[row] * self.stride)

    cdef int share_weights(self, int64_t group) except -1 nogil:
        """Weights equal to those of an earlier group are kept once: a convolution uses its kernel again."""
        cdef int64_t mine = self.group[group].weight, count = self.weights - mine, other
        cdef uint64_t at = self.hash_of(mine) % <uint64_t>self.bucket.shape[0]
        while self.bucket[at] >= 0:
            other = self.group[self.bucket[at]].weight
            if other + count <= mine and self.equal(other, mine, count):
                self.group[group].weight, self.weights = other, mine
                return 0
            at = (at + 1) % <uint64_t>self.bucket.shape[0]
        self.bucket[at] = group
        return 0

    cdef uint64_t hash_of(self, int64_t mine) except? 0 nogil:
        """Of the weights from `mine` on."""
        cdef int64_t i
        cdef uint64_t hash = <uint64_t>(4 * (self.weights - mine))
        for i in range(mine, self.weights):
            hash = anna_mix(hash, <uint32_t><uint16_t>self.weight[i, 0] | <uint32_t><uint16_t>self.weight[i, 1] << 16)
        return hash

    cdef bint equal(self, int64_t other, int64_t mine, int64_t count) except -1 nogil:
        cdef int64_t i
        for i in range(count):
            if self.weight[other + i, 0] != self.weight[mine + i, 0] or self.weight[other + i, 1] != self.weight[mine + i, 1]:
                return False
        return True
