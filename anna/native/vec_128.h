/* What all vectors of 128 bits have in common, by the extension that gcc and clang share. */
#include "vec_short.h"

#if defined(__clang__) || __GNUC__ >= 12
#define v_interleave_low(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define v_interleave_high(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define V_EVEN(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14)
#define v_zip_low(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define v_zip_high(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#define v_low_words(a, b) (VX)__builtin_shufflevector((VQ)(a), (VQ)(b), 0, 2)
#define v_high_words(a, b) (VX)__builtin_shufflevector((VQ)(a), (VQ)(b), 1, 3)
#else
#define v_interleave_low(a, b) __builtin_shuffle(a, b, (VS){0, 8, 1, 9, 2, 10, 3, 11})
#define v_interleave_high(a, b) __builtin_shuffle(a, b, (VS){4, 12, 5, 13, 6, 14, 7, 15})
#define V_EVEN(a, b) __builtin_shuffle(a, b, (VS){0, 2, 4, 6, 8, 10, 12, 14})
#define v_zip_low(a, b) __builtin_shuffle(a, b, (VX){0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23})
#define v_zip_high(a, b) __builtin_shuffle(a, b, (VX){8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31})
#define v_low_words(a, b) (VX)__builtin_shuffle((VQ)(a), (VQ)(b), (VQ){0, 2})
#define v_high_words(a, b) (VX)__builtin_shuffle((VQ)(a), (VQ)(b), (VQ){1, 3})
#endif

static inline VI v_search(VI x, const int32_t *threshold, int levels) { return v_climb(x, threshold, levels); }

/* Sixteen bytes of a row. */
static inline VX v_rows(const uint8_t *const *rows, int64_t at)
{
    VX x;
    memcpy(&x, rows[0] + at, sizeof x);
    return x;
}

/* The 64-bit words at even places, then those at odd ones: of two they lie so. */
static inline VX v_apart(VX x) { return x; }

/* A 64-bit word of each. */
static inline VX v_together(const uint8_t *even, const uint8_t *odd)
{
    VX x;
    memcpy(&x, even, 8);
    memcpy((char *)&x + 8, odd, 8);
    return x;
}

/* VL bytes as numbers. */
static inline VI v_widen(const uint8_t *x) { return (VI){x[0], x[1], x[2], x[3]}; }

/* Numbers of a table of `levels`. */
static inline VF v_choose(VI index, const float *table, int levels)
{
    (void)levels;
    return (VF){table[index[0]], table[index[1]], table[index[2]], table[index[3]]};
}
