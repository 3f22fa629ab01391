/* The vector vocabulary of AVX-512: 16 accumulators of 32 bits a register, with VNNI where the level has it. */
#include <immintrin.h>

enum { VL = 16 };
#define ANNA_WIDTH 8
#define V_SHUFFLES 1 /* whether a lookup by v_from_line is quick */
#define VBYTES 64
#include "vec_types.h"

static inline VS v_interleave_low(VS a, VS b) { return (VS)_mm512_unpacklo_epi16((__m512i)a, (__m512i)b); }
static inline VS v_interleave_high(VS a, VS b) { return (VS)_mm512_unpackhi_epi16((__m512i)a, (__m512i)b); }
static inline VS v_pack(VI low, VI high) { return (VS)_mm512_packs_epi32((__m512i)low, (__m512i)high); }

static inline VS v_saturate(VI low, VI high) { return v_pack(low, high); }

/* index, and `step` more where x reaches the edge */
static inline VS v_step(VS index, VS x, VS edge, VS step)
{
    const __mmask32 above = _mm512_cmpge_epi16_mask((__m512i)x, (__m512i)edge);
    return (VS)_mm512_mask_add_epi16((__m512i)index, above, (__m512i)index, (__m512i)step);
}

static inline VI v_madd(VI sum, VS states, VI weights)
{
#ifdef __AVX512VNNI__
    return (VI)_mm512_dpwssd_epi32((__m512i)sum, (__m512i)states, (__m512i)weights);
#else
    return sum + (VI)_mm512_madd_epi16((__m512i)states, (__m512i)weights);
#endif
}

/* Numerators from a line of eight, by states that hold the bytes 2 c and 2 c + 1. */
static inline VS v_from_line(VS index, const int16_t *line)
{
    const __m512i table = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)line));
    return (VS)_mm512_shuffle_epi8(table, (__m512i)index);
}

static inline VS v_rounded_product(VS a, VS b) { return (VS)_mm512_mulhrs_epi16((__m512i)a, (__m512i)b); }
static inline VS v_high_product(VS a, VS b) { return (VS)_mm512_mulhi_epi16((__m512i)a, (__m512i)b); }
static inline VS v_saturated_sum(VS a, VS b) { return (VS)_mm512_adds_epi16((__m512i)a, (__m512i)b); }
static inline VS v_by_turns(VS even, VS odd) { return (VS)_mm512_mask_blend_epi16(0xAAAAAAAA, (__m512i)even, (__m512i)odd); }
static inline int v_any(VS x) { return _mm512_test_epi16_mask((__m512i)x, (__m512i)x) != 0; }

/* A round of AES, on as many blocks of 128 bits at a time as the machine takes: parts of a register. */
#ifdef __VAES__
#define V_BLOCKS 1
typedef __m512i v_block;
#define v_aes _mm512_aesenc_epi128
#define v_aes_last _mm512_aesenclast_epi128
static inline void v_split(VQ x, v_block part[1]) { part[0] = (v_block)x; }
static inline VQ v_join(const v_block part[1]) { return (VQ)part[0]; }
#else
#define V_BLOCKS 4
typedef __m128i v_block;
#define v_aes _mm_aesenc_si128
#define v_aes_last _mm_aesenclast_si128
static inline void v_split(VQ x, v_block part[4])
{
    const __m512i y = (__m512i)x;
    part[0] = _mm512_extracti32x4_epi32(y, 0);
    part[1] = _mm512_extracti32x4_epi32(y, 1);
    part[2] = _mm512_extracti32x4_epi32(y, 2);
    part[3] = _mm512_extracti32x4_epi32(y, 3);
}

static inline VQ v_join(const v_block part[4])
{
    const __m256i low = _mm256_set_m128i(part[1], part[0]), high = _mm256_set_m128i(part[3], part[2]);
    return (VQ)_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}
#endif

/* The upper halves of each 128 bits. */
static inline VQ v_high_words_of(uint64_t x) { return (VQ)_mm512_bslli_epi128(_mm512_set1_epi64((int64_t)x), 8); }

/* Words of a table in a register; of a place only the low five bits count. */
typedef struct {
    VS of[2];
} v_two;
#define V_PLACES v_two

static inline v_two v_places(const VS place[2]) { return (v_two){{place[0], place[1]}}; }

static inline void v_octaves(v_two places, int power, VS found[2])
{
    const __m512i table = ((const __m512i *)body_words)[power];
    for (int v = 0; v < 2; v++)
        found[v] = (VS)_mm512_permutexvar_epi16((__m512i)places.of[v], table);
}

static inline VI v_min(VI a, VI b) { return (VI)_mm512_min_epi32((__m512i)a, (__m512i)b); }
static inline VI v_max(VI a, VI b) { return (VI)_mm512_max_epi32((__m512i)a, (__m512i)b); }
static inline VI v_round(VF x) { return (VI)_mm512_cvtps_epi32((__m512)x); }
static inline VF v_to_float(VI x) { return (VF)_mm512_cvtepi32_ps((__m512i)x); }
static inline VF v_sqrt(VF x) { return (VF)_mm512_sqrt_ps((__m512)x); }
static inline VQ v_multiply_low(VQ a, VQ b) { return (VQ)_mm512_mul_epu32((__m512i)a, (__m512i)b); }

static inline VQ v_xor3(VQ a, VQ b, VQ c)
{
    return (VQ)_mm512_ternarylogic_epi64((__m512i)a, (__m512i)b, (__m512i)c, 0x96);
}

/* x with its sign turned where the top bit of `bits` is set */
static inline VF v_flip(VF x, VI bits)
{
    return (VF)_mm512_ternarylogic_epi32((__m512i)x, (__m512i)bits, _mm512_set1_epi32(INT32_MIN), 0x78);
}

static inline VI v_merge(VQ even, VQ odd)
{
    return (VI)_mm512_mask_blend_epi32(0xAAAA, (__m512i)even, _mm512_slli_epi64((__m512i)odd, 32));
}

static inline VI v_search_step(VI x, VI code, const int32_t *threshold, int step)
{
    __m512i edge = _mm512_permutexvar_epi32((__m512i)code, _mm512_loadu_si512(threshold + step - 1));
    __mmask16 above = _mm512_cmpge_epi32_mask((__m512i)x, edge);
    return (VI)_mm512_mask_add_epi32((__m512i)code, above, (__m512i)code, _mm512_set1_epi32(step));
}

/* How many of the ascending thresholds are <= x: a binary search in one register for up to 16 levels. */
static inline VI v_search(VI x, const int32_t *threshold, int levels)
{
    VI code = {0};
    if (levels == 8) {
        const __mmask16 above = _mm512_cmpge_epi32_mask((__m512i)x, _mm512_set1_epi32(threshold[3]));
        code = (VI)_mm512_maskz_set1_epi32(above, 4);
        code = v_search_step(x, code, threshold, 2);
        return v_search_step(x, code, threshold, 1);
    }
    if (levels <= 16) {
        for (int step = 8; step; step >>= 1)
            code = v_search_step(x, code, threshold, step);
        return code;
    }
    for (int i = 0; i < levels - 1; i++) {
        __mmask16 above = _mm512_cmpge_epi32_mask((__m512i)x, _mm512_set1_epi32(threshold[i]));
        code = (VI)_mm512_mask_add_epi32((__m512i)code, above, (__m512i)code, _mm512_set1_epi32(1));
    }
    return code;
}

static inline VS v_lookup(VS code, const int16_t *table)
{
    return (VS)_mm512_permutex2var_epi16(_mm512_loadu_si512(table), (__m512i)code, _mm512_loadu_si512(table + 32));
}

static inline VX v_zip_low(VX a, VX b) { return (VX)_mm512_unpacklo_epi8((__m512i)a, (__m512i)b); }
static inline VX v_zip_high(VX a, VX b) { return (VX)_mm512_unpackhi_epi8((__m512i)a, (__m512i)b); }
static inline VX v_low_words(VX a, VX b) { return (VX)_mm512_unpacklo_epi64((__m512i)a, (__m512i)b); }
static inline VX v_high_words(VX a, VX b) { return (VX)_mm512_unpackhi_epi64((__m512i)a, (__m512i)b); }

/* Sixteen bytes of every eighth row. */
static inline VX v_rows(const uint8_t *const *rows, int64_t at)
{
    const __m128i *const from[4] = {(const __m128i *)(rows[0] + at), (const __m128i *)(rows[8] + at),
                                    (const __m128i *)(rows[16] + at), (const __m128i *)(rows[24] + at)};
    const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(from[0])), _mm_loadu_si128(from[1]), 1);
    const __m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(from[2])), _mm_loadu_si128(from[3]), 1);
    return (VX)_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/* The 64-bit words at even places, then those at odd ones. */
static inline VX v_apart(VX x)
{
    return (VX)_mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), (__m512i)x);
}

/* 64-bit words of half a vector each, by turns. */
static inline VX v_together(const uint8_t *even, const uint8_t *odd)
{
    const __m256i a = _mm256_loadu_si256((const __m256i *)even), b = _mm256_loadu_si256((const __m256i *)odd);
    const __m512i both = _mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1);
    return (VX)_mm512_permutexvar_epi64(_mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7), both);
}

/* VL bytes as numbers. */
static inline VI v_widen(const uint8_t *x) { return (VI)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)x)); }

/* Numbers of a table of `levels`, a power of two. */
static inline VF v_choose(VI index, const float *table, int levels)
{
    if (levels <= VL)
        return (VF)_mm512_permutexvar_ps((__m512i)index, _mm512_maskz_loadu_ps((__mmask16)((1u << levels) - 1), table));
    return (VF)_mm512_i32gather_ps((__m512i)index, table, sizeof *table);
}
