/* The vector vocabulary of ARM's NEON: 4 sums of 32 bits a register; 32 registers, so eight neurons at a time. */
#include <arm_neon.h>

enum { VL = 4 };
#define ANNA_WIDTH 8
#define V_SHUFFLES 1 /* whether a lookup by v_from_line is quick */
#define VBYTES 16
#include "vec_types.h"
#include "vec_128.h"

/* Two operands as the multiply-add takes them: apart, since it widens products by itself. */
#define V_OPERANDS
typedef struct {
    VS low, high;
} v_operands;

static inline v_operands v_meet(VS a, VS b) { return (v_operands){a, b}; }

/* Adds both operands, each times its half of `weights`. */
static inline void v_multiply_add(VI sum[2], v_operands x, VI weights)
{
    const int16x4_t low = vget_low_s16((int16x8_t)x.low), high = vget_low_s16((int16x8_t)x.high);
    const int16x8_t w = (int16x8_t)weights;
    sum[0] = (VI)vmlal_laneq_s16(vmlal_laneq_s16((int32x4_t)sum[0], low, w, 0), high, w, 1);
    sum[1] = (VI)vmlal_high_laneq_s16(vmlal_high_laneq_s16((int32x4_t)sum[1], (int16x8_t)x.low, w, 0), (int16x8_t)x.high, w, 1);
}

static inline VS v_pack(VI low, VI high) { return (VS)vuzp1q_s16((int16x8_t)low, (int16x8_t)high); }

static inline VS v_saturate(VI low, VI high)
{
    return (VS)vqmovn_high_s32(vqmovn_s32((int32x4_t)low), (int32x4_t)high);
}

/* index, and `step` more where x reaches the edge */
static inline VS v_step(VS index, VS x, VS edge, VS step) { return index + ((VS)(x >= edge) & step); }

/* Numerators from a line of eight, by states that hold the bytes 2 c and 2 c + 1. */
static inline VS v_from_line(VS index, const int16_t *line)
{
    return (VS)vqtbl1q_u8(vld1q_u8((const uint8_t *)line), (uint8x16_t)index);
}

/* Neither factor of these two is ever -2^15, the one number whose square they would have to limit. */
static inline VS v_rounded_product(VS a, VS b) { return (VS)vqrdmulhq_s16((int16x8_t)a, (int16x8_t)b); }
static inline VS v_high_product(VS a, VS b) { return (VS)vqdmulhq_s16((int16x8_t)a, (int16x8_t)b) >> 1; }

static inline VS v_saturated_sum(VS a, VS b) { return (VS)vqaddq_s16((int16x8_t)a, (int16x8_t)b); }
static inline VS v_by_turns(VS even, VS odd) { return (VS)(((VI)even & 0xFFFF) | ((VI)odd & ~0xFFFF)); }
static inline int v_any(VS x) { return vmaxvq_u32((uint32x4_t)x) != 0; }

#ifdef __ARM_FEATURE_AES
/* A round of AES; its key, which x86 adds at the end and ARM at the beginning, is added here as x86 does. */
#define V_BLOCKS 1
typedef uint8x16_t v_block;
static inline v_block v_aes_last(v_block x, v_block key) { return vaeseq_u8(x, (v_block){0}) ^ key; }
static inline v_block v_aes(v_block x, v_block key) { return vaesmcq_u8(vaeseq_u8(x, (v_block){0})) ^ key; }
static inline void v_split(VQ x, v_block part[1]) { part[0] = (v_block)x; }
static inline VQ v_join(const v_block part[1]) { return (VQ)part[0]; }
static inline VQ v_high_words_of(uint64_t x) { return (VQ){0, x}; }
#endif

/* Eight words are looked up a byte at a time, those of two vectors together. */
#define V_PLACES VX

static inline VX v_places(const VS place[2]) { return (VX)vuzp1q_u8((uint8x16_t)place[0], (uint8x16_t)place[1]) & 0x0F; }

static inline void v_octaves(VX places, int power, VS found[2])
{
    const VX low = (VX)vqtbl1q_u8(vld1q_u8(body_low + 16 * power), (uint8x16_t)places);
    const VX high = (VX)vqtbl1q_u8(vld1q_u8(body_high + 16 * power), (uint8x16_t)places);
    found[0] = (VS)v_zip_low(low, high);
    found[1] = (VS)v_zip_high(low, high);
}

static inline VI v_min(VI a, VI b) { return (VI)vminq_s32((int32x4_t)a, (int32x4_t)b); }
static inline VI v_max(VI a, VI b) { return (VI)vmaxq_s32((int32x4_t)a, (int32x4_t)b); }
static inline VI v_round(VF x) { return (VI)vcvtnq_s32_f32((float32x4_t)x); }
static inline VF v_to_float(VI x) { return (VF)vcvtq_f32_s32((int32x4_t)x); }
static inline VF v_sqrt(VF x) { return (VF)vsqrtq_f32((float32x4_t)x); }
static inline VI v_merge(VQ even, VQ odd) { return (VI)vsliq_n_u64((uint64x2_t)even, (uint64x2_t)odd, 32); }

static inline VQ v_multiply_low(VQ a, VQ b)
{
    return (VQ)vmull_u32(vmovn_u64((uint64x2_t)a), vmovn_u64((uint64x2_t)b));
}
