/* The vector vocabulary of AVX2: 8 accumulators of 32 bits a register; 16 registers, so four neurons at a time. */
#include <immintrin.h>

enum { VL = 8 };
#define ANNA_WIDTH 4
#define V_SHUFFLES 1 /* whether a lookup by v_from_line is quick */
#define VBYTES 32
#include "vec_types.h"
#include "vec_short.h"

static inline VS v_interleave_low(VS a, VS b) { return (VS)_mm256_unpacklo_epi16((__m256i)a, (__m256i)b); }
static inline VS v_interleave_high(VS a, VS b) { return (VS)_mm256_unpackhi_epi16((__m256i)a, (__m256i)b); }
static inline VS v_pack(VI low, VI high) { return (VS)_mm256_packs_epi32((__m256i)low, (__m256i)high); }

static inline VS v_saturate(VI low, VI high) { return v_pack(low, high); }

/* index, and `step` more where x reaches the edge */
static inline VS v_step(VS index, VS x, VS edge, VS step) { return index + (~(VS)(edge > x) & step); }

static inline VI v_madd(VI sum, VS states, VI weights)
{
    return sum + (VI)_mm256_madd_epi16((__m256i)states, (__m256i)weights);
}

/* Numerators from a line of eight, by states that hold the bytes 2 c and 2 c + 1. */
static inline VS v_from_line(VS index, const int16_t *line)
{
    const __m256i table = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)line));
    return (VS)_mm256_shuffle_epi8(table, (__m256i)index);
}

static inline VS v_rounded_product(VS a, VS b) { return (VS)_mm256_mulhrs_epi16((__m256i)a, (__m256i)b); }
static inline VS v_high_product(VS a, VS b) { return (VS)_mm256_mulhi_epi16((__m256i)a, (__m256i)b); }
static inline VS v_saturated_sum(VS a, VS b) { return (VS)_mm256_adds_epi16((__m256i)a, (__m256i)b); }
static inline VS v_by_turns(VS even, VS odd) { return (VS)_mm256_blend_epi16((__m256i)even, (__m256i)odd, 0xAA); }
static inline int v_any(VS x) { return !_mm256_testz_si256((__m256i)x, (__m256i)x); }

/* A round of AES, on as many blocks of 128 bits at a time as the machine takes: parts of a register. */
#ifdef __VAES__
#define V_BLOCKS 1
typedef __m256i v_block;
#define v_aes _mm256_aesenc_epi128
#define v_aes_last _mm256_aesenclast_epi128
static inline void v_split(VQ x, v_block part[1]) { part[0] = (v_block)x; }
static inline VQ v_join(const v_block part[1]) { return (VQ)part[0]; }
#else
#define V_BLOCKS 2
typedef __m128i v_block;
#define v_aes _mm_aesenc_si128
#define v_aes_last _mm_aesenclast_si128
static inline void v_split(VQ x, v_block part[2])
{
    part[0] = _mm256_castsi256_si128((__m256i)x);
    part[1] = _mm256_extracti128_si256((__m256i)x, 1);
}

static inline VQ v_join(const v_block part[2]) { return (VQ)_mm256_set_m128i(part[1], part[0]); }
#endif

/* The upper halves of each 128 bits. */
static inline VQ v_high_words_of(uint64_t x) { return (VQ)_mm256_slli_si256(_mm256_set1_epi64x((int64_t)x), 8); }

/* Sixteen words are looked up a byte at a time, those of two vectors together. */
#define V_PLACES VX

static inline VX v_places(const VS place[2])
{
    return (VX)_mm256_packus_epi16((__m256i)place[0], (__m256i)place[1]) & 0x0F;
}

static inline void v_octaves(VX places, int power, VS found[2])
{
    const __m128i *low = (const __m128i *)body_low + power, *high = (const __m128i *)body_high + power;
    const __m256i a = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(*low), (__m256i)places);
    const __m256i b = _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(*high), (__m256i)places);
    found[0] = (VS)_mm256_unpacklo_epi8(a, b);
    found[1] = (VS)_mm256_unpackhi_epi8(a, b);
}

static inline VI v_min(VI a, VI b) { return (VI)_mm256_min_epi32((__m256i)a, (__m256i)b); }
static inline VI v_max(VI a, VI b) { return (VI)_mm256_max_epi32((__m256i)a, (__m256i)b); }
static inline VI v_round(VF x) { return (VI)_mm256_cvtps_epi32((__m256)x); }
static inline VF v_to_float(VI x) { return (VF)_mm256_cvtepi32_ps((__m256i)x); }
static inline VF v_sqrt(VF x) { return (VF)_mm256_sqrt_ps((__m256)x); }
static inline VQ v_multiply_low(VQ a, VQ b) { return (VQ)_mm256_mul_epu32((__m256i)a, (__m256i)b); }

static inline VI v_merge(VQ even, VQ odd)
{
    return (VI)_mm256_blend_epi32((__m256i)even, _mm256_slli_epi64((__m256i)odd, 32), 0xAA);
}

static inline VI v_search_step(VI x, VI code, const int32_t *threshold, int step)
{
    __m256i table = _mm256_loadu_si256((const __m256i *)(threshold + step - 1));
    VI edge = (VI)_mm256_permutevar8x32_epi32(table, (__m256i)code);
    return code + (~(VI)(edge > x) & step);
}

/* How many of the ascending thresholds are <= x: a binary search in one register for up to 8 levels. */
static inline VI v_search(VI x, const int32_t *threshold, int levels)
{
    if (levels > 8)
        return v_climb(x, threshold, levels);
    const VI code = v_search_step(x, ~(VI)(threshold[3] > x) & 4, threshold, 2);
    return v_search_step(x, code, threshold, 1);
}

static inline VX v_zip_low(VX a, VX b) { return (VX)_mm256_unpacklo_epi8((__m256i)a, (__m256i)b); }
static inline VX v_zip_high(VX a, VX b) { return (VX)_mm256_unpackhi_epi8((__m256i)a, (__m256i)b); }
static inline VX v_low_words(VX a, VX b) { return (VX)_mm256_unpacklo_epi64((__m256i)a, (__m256i)b); }
static inline VX v_high_words(VX a, VX b) { return (VX)_mm256_unpackhi_epi64((__m256i)a, (__m256i)b); }

static inline __m256i v_pair(const uint8_t *low, const uint8_t *high)
{
    return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)low)),
                                   _mm_loadu_si128((const __m128i *)high), 1);
}

/* Sixteen bytes of every eighth row. */
static inline VX v_rows(const uint8_t *const *rows, int64_t at) { return (VX)v_pair(rows[0] + at, rows[8] + at); }

/* The 64-bit words at even places, then those at odd ones. */
static inline VX v_apart(VX x) { return (VX)_mm256_permute4x64_epi64((__m256i)x, 0xD8); }

/* 64-bit words of half a vector each, by turns. */
static inline VX v_together(const uint8_t *even, const uint8_t *odd)
{
    return (VX)_mm256_permute4x64_epi64(v_pair(even, odd), 0xD8);
}

/* VL bytes as numbers. */
static inline VI v_widen(const uint8_t *x) { return (VI)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)x)); }

/* Numbers of a table of `levels`, a power of two. */
static inline VF v_choose(VI index, const float *table, int levels)
{
    if (levels == VL)
        return (VF)_mm256_permutevar8x32_ps(_mm256_loadu_ps(table), (__m256i)index);
    return (VF)_mm256_i32gather_ps(table, (__m256i)index, sizeof *table);
}
