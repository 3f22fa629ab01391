"""The data of a timeline for one image on the ideal chip: CALC after CALC, in whole numbers.

It is what the engine computes for many images on any chip, without its preparation: for a program that runs once.
"""

from libc.stdint cimport int32_t, int64_t

include "interface.pxi"


def flow(const int32_t[::1] operands, const int64_t[::1] fan_in, const int64_t[::1] neurons, const int64_t[::1] first,
         const int32_t[::1] weights, const int64_t[::1] scales, const int64_t[:, ::1] thresholds, const int32_t[::1] numerators,
         int64_t columns, int64_t groups, int64_t fraction_bits, int64_t first_result, int64_t at_once, int32_t[::1] codes):
    """Fill in the codes of all results. `operands` are the values of each CALC's synapses in turn, `first` is the place of the
    first of these, `weights` are in half LSB, `scales` has the scale code of each group of columns of each row of all pages."""
    cdef int64_t calc, neuron, k, place, total, code, at = 0, levels = thresholds.shape[1], scale
    cdef int64_t unit = <int64_t>1 << fraction_bits  # a shift to the left is no product for sums below 0
    with nogil:
        for calc in range(fan_in.shape[0]):
            for neuron in range(neurons[calc]):
                place, total = first[calc] + neuron * fan_in[calc], 0
                for k in range(fan_in[calc]):
                    total += <int64_t>weights[place + k] * numerators[codes[operands[at + k]]]
                at += fan_in[calc]
                scale = scales[place // columns * groups + place % columns * groups // columns]
                total, code = total * unit, 0
                while code < levels and total >= thresholds[scale, code]:
                    code += 1
                codes[first_result + calc * at_once + neuron] = <int32_t>code
