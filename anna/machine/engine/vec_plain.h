/* The vector vocabulary of plain C: 4 accumulators of 32 bits, whatever the machine; the compiler picks its registers. */
enum { VL = 4, WIDTH = 4 };
#define VBYTES 16
#include "vec_types.h"

#define v_interleave_low(a, b) __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define v_interleave_high(a, b) __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15)

static inline VS v_pack(VI low, VI high)
{
    return __builtin_shufflevector((VS)low, (VS)high, 0, 2, 4, 6, 8, 10, 12, 14);
}

static inline VI v_madd(VI sum, VS states, VI weights)
{
    VI product;
    VS w = (VS)weights;
    for (int i = 0; i < VL; i++)
        product[i] = (int32_t)states[2 * i] * w[2 * i] + (int32_t)states[2 * i + 1] * w[2 * i + 1];
    return sum + product;
}

static inline VI v_min(VI a, VI b) { return ((a < b) & a) | (~(a < b) & b); }
static inline VI v_max(VI a, VI b) { return ((a > b) & a) | (~(a > b) & b); }
static inline VF v_to_float(VI x) { return __builtin_convertvector(x, VF); }

/* Round to nearest even: adding 1.5 x 2^23 does it below 2^22, and from 2^23 on a float is whole already. */
static inline VI v_round(VF x)
{
    VF big = (VF)(((VI)x & INT32_MIN) | (VI)(0x1p23f - (VF){0}));
    VI small = (VF)((VI)x & INT32_MAX) < 0x1p23f;
    VF whole = (VF)((small & (VI)((x + big) - big)) | (~small & (VI)x));
    return __builtin_convertvector(whole, VI);
}

static inline VF v_sqrt(VF x)
{
    for (int i = 0; i < VL; i++)
        x[i] = __builtin_sqrtf(x[i]);
    return x;
}

static inline VQ v_multiply_low(VQ a, VQ b) { return (a & 0xFFFFFFFF) * (b & 0xFFFFFFFF); }
static inline VQ v_xor3(VQ a, VQ b, VQ c) { return a ^ b ^ c; }
static inline VF v_flip(VF x, VI bits) { return (VF)((VI)x ^ (bits & INT32_MIN)); }

static inline VI v_merge(VQ even, VQ odd)
{
    return (VI)((even & 0xFFFFFFFF) | odd << 32); /* little-endian, as all machines this is built on */
}

static inline VI v_search(VI x, const int32_t *threshold, int levels)
{
    VI code = {0};
    for (int i = 0; i < levels - 1; i++)
        code += 1 + (VI)(threshold[i] > x);
    return code;
}

static inline VS v_lookup(VS code, const int16_t *table)
{
    VS value;
    for (int i = 0; i < 2 * VL; i++)
        value[i] = table[code[i]];
    return value;
}
