/* The vector vocabulary that every machine has: 4 sums of 32 bits, in plain C or in the SSE2 of every x86-64. */
enum { VL = 4 };
#define ANNA_WIDTH 4
#define V_SHUFFLES 0 /* whether a lookup by v_from_line is quick */
#define VBYTES 16
#include "vec_types.h"
#include "vec_128.h"

/* Numerators from a line of eight, by states that hold the bytes 2 c and 2 c + 1: differences added up (modulo 2^16). */
static inline VS v_from_line(VS index, const int16_t *line)
{
    VS value = line[0] - (VS){0};
    for (int c = 1; c < 8; c++)
        value += (VS)(index >= (int16_t)(0x0202 * c)) & (int16_t)(line[c] - line[c - 1]);
    return value;
}

static inline VI v_min(VI a, VI b) { return ((a < b) & a) | (~(a < b) & b); }
static inline VI v_max(VI a, VI b) { return ((a > b) & a) | (~(a > b) & b); }
static inline VF v_to_float(VI x) { return __builtin_convertvector(x, VF); }
static inline VI v_merge(VQ even, VQ odd) { return (VI)((even & 0xFFFFFFFF) | odd << 32); } /* little-endian */

static inline int v_any(VS x) { return (((VQ)x)[0] | ((VQ)x)[1]) != 0; }

/* a + b, kept within 16 bits: where both have the sign that the sum has lost, the limit on their side. */
static inline VS v_saturated_sum(VS a, VS b)
{
    const VS sum = (VS)((VW)a + (VW)b), lost = ((a ^ sum) & (b ^ sum)) >> 15;
    return (sum & ~lost) | (((a >> 15) ^ 0x7FFF) & lost);
}

#if defined(__SSE2__) && !ANNA_PLAIN_C /* a build for tests runs the plain C below */
#include <emmintrin.h>

static inline VI v_madd(VI sum, VS states, VI weights)
{
    return sum + (VI)_mm_madd_epi16((__m128i)states, (__m128i)weights);
}

static inline VS v_pack(VI low, VI high) { return (VS)_mm_packs_epi32((__m128i)low, (__m128i)high); }
static inline VS v_saturate(VI low, VI high) { return v_pack(low, high); }
static inline VI v_round(VF x) { return (VI)_mm_cvtps_epi32((__m128)x); }
static inline VF v_sqrt(VF x) { return (VF)_mm_sqrt_ps((__m128)x); }
static inline VQ v_multiply_low(VQ a, VQ b) { return (VQ)_mm_mul_epu32((__m128i)a, (__m128i)b); }

#else

static inline VI v_madd(VI sum, VS states, VI weights)
{
    const VI s = (VI)states;
    return sum + (s << 16 >> 16) * (weights << 16 >> 16) + (s >> 16) * (weights >> 16);
}

static inline VS v_pack(VI low, VI high) { return V_EVEN((VS)low, (VS)high); }

static inline VS v_saturate(VI low, VI high)
{
    const VI least = v_fill(INT16_MIN), most = v_fill(INT16_MAX);
    return v_pack(v_min(v_max(low, least), most), v_min(v_max(high, least), most));
}

/* Round to nearest even: adding and taking away 2^23 does it below 2^23, and above a float is whole already. */
static inline VI v_round(VF x)
{
    const VF big = (VF)(((VI)x & INT32_MIN) | (VI)(0x1p23f - (VF){0}));
    const VI small = (VF)((VI)x & INT32_MAX) < 0x1p23f;
    const VF whole = (VF)((small & (VI)((x + big) - big)) | (~small & (VI)x));
    return __builtin_convertvector(whole, VI);
}

static inline VF v_sqrt(VF x)
{
    for (int i = 0; i < VL; i++)
        x[i] = __builtin_sqrtf(x[i]);
    return x;
}

static inline VQ v_multiply_low(VQ a, VQ b) { return (a & 0xFFFFFFFF) * (b & 0xFFFFFFFF); }

#endif

/* a b / 2^15, halves up. */
static inline VS v_rounded_product(VS a, VS b)
{
    const VS zero = {0};
    const VI half = v_fill(0x4000), low = v_madd(half, v_interleave_low(a, zero), (VI)v_interleave_low(b, zero)),
             high = v_madd(half, v_interleave_high(a, zero), (VI)v_interleave_high(b, zero));
    return v_pack(low >> 15, high >> 15);
}
