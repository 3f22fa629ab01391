/* Four standard normals for each lane from one counter: Philox 4x32 with 7 rounds, then Box-Muller in float32.
 * anna/analog/noise.py is the same arithmetic in NumPy, operation by operation: the bits are equal.
 *
 * The counter is (image id low, image id high, ordinal, stream << 28 | group), the key the noise seed. Philox works on
 * 32-bit words, multiplied to 64 bits; a register of 64-bit lanes carries the words in the low halves, even images in
 * one register and odd ones in another. What multiplication leaves in the high halves never reaches a low half. */

#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u
#define PHILOX_W1 0xBB67AE85u
enum { PHILOX_ROUNDS = 7 };

/* What of the counter belongs to the lanes of one vector, prepared once per block. */
typedef struct {
    VQ product[2], high[2]; /* M0 x (image id low), image id high; even lanes, odd lanes */
} noise_lanes;

static noise_lanes noise_prepare(const uint64_t *ids)
{
    noise_lanes lanes;
    for (int half = 0; half < 2; half++)
        for (int i = 0; i < VL / 2; i++) {
            uint64_t id = ids[2 * i + half];
            lanes.product[half][i] = (uint64_t)PHILOX_M0 * (uint32_t)id;
            lanes.high[half][i] = id >> 32;
        }
    return lanes;
}

/* The words after the first round; even lanes, odd lanes. */
typedef struct {
    VQ c0[2], c1[2], c2[2], c3[2];
} noise_state;

/* The rounds after the first one. */
static inline void noise_rounds(noise_state s, uint64_t seed, VI word[4])
{
    uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
    for (int round = 1; round < PHILOX_ROUNDS; round++) {
        key0 += PHILOX_W0;
        key1 += PHILOX_W1;
        VQ k0 = v_fill_q(key0), k1 = v_fill_q(key1);
        for (int half = 0; half < 2; half++) {
            VQ p0 = v_multiply_low(s.c0[half], v_fill_q(PHILOX_M0));
            VQ p1 = v_multiply_low(s.c2[half], v_fill_q(PHILOX_M1));
            s.c0[half] = v_xor3(p1 >> 32, s.c1[half], k0);
            s.c1[half] = p1;
            s.c2[half] = v_xor3(p0 >> 32, s.c3[half], k1);
            s.c3[half] = p0;
        }
    }
    word[0] = v_merge(s.c0[0], s.c0[1]);
    word[1] = v_merge(s.c1[0], s.c1[1]);
    word[2] = v_merge(s.c2[0], s.c2[1]);
    word[3] = v_merge(s.c3[0], s.c3[1]);
}

/* Of an image in each lane; half of the first round is known before. */
static inline void noise_words(const noise_lanes *lanes, uint32_t ordinal, uint32_t word3, uint64_t seed, VI word[4])
{
    const uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
    const uint64_t second = (uint64_t)PHILOX_M1 * ordinal;
    noise_state s;
    for (int half = 0; half < 2; half++) {
        s.c0[half] = lanes->high[half] ^ ((second >> 32) ^ key0);
        s.c1[half] = v_fill_q(second);
        s.c2[half] = lanes->product[half] >> 32 ^ (uint64_t)(word3 ^ key1);
        s.c3[half] = lanes->product[half];
    }
    noise_rounds(s, seed, word);
}

/* Of one image and a group in each lane, one after another from word3 on. */
static inline void noise_words_of_groups(uint64_t id, uint32_t ordinal, uint32_t word3, uint64_t seed, VI word[4])
{
    const uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
    const uint64_t first = (uint64_t)PHILOX_M0 * (uint32_t)id, second = (uint64_t)PHILOX_M1 * ordinal;
    noise_state s;
    for (int half = 0; half < 2; half++) {
        s.c0[half] = v_fill_q((second >> 32) ^ (id >> 32) ^ key0);
        s.c1[half] = v_fill_q(second);
        for (int i = 0; i < VL / 2; i++)
            s.c2[half][i] = (first >> 32) ^ (uint32_t)(word3 + (uint32_t)(2 * i + half)) ^ key1;
        s.c3[half] = v_fill_q(first);
    }
    noise_rounds(s, seed, word);
}

/* Two normals from two words: r = sqrt(-2 ln u), the angle in a quarter turn, and a random sign for each.
 * u = (31 bits + 1/2) / 2^31 is never 0, so |z| < 6.67; cos a and sin a for a in the first quadrant come from
 * b = a - pi/4 as (cos b -+ sin b) / sqrt 2, which needs no choice between two polynomials. */
static inline void noise_pair(VI first, VI second, VF *z0, VF *z1)
{
    VF v = v_to_float((first >> 1) & INT32_MAX) + 0.5f;
    VI exponent = ((VI)v - 0x3F3504F3) >> 23; /* v = 2^exponent x m, m from sqrt(1/2) to sqrt(2) */
    VF f = (VF)((VI)v - (exponent << 23)) - 1.0f;
    VF p = -0.2379220873117447f * f + 0.3733570873737335f;
    p = p * f + -0.4099265933036804f;
    p = p * f + 0.4981948733329773f;
    p = p * f + -0.6662901639938354f;
    p = p * f + 1.000022292137146f;
    p = p * f + -2.000001907348633f;
    VF square = p * f + v_to_float(31 - exponent) * 1.3862943649291992f;
    VF radius = v_sqrt(square);

    VF b = v_to_float(second << 2) * 0x1p-31f;
    VF q = b * b;
    VF sine = ((0.0017225791234523058f * q + -0.05708135664463043f) * q + 0.5553596019744873f) * b;
    VF cosine = ((-0.00022548256674781442f * q + 0.0112075824290514f) * q + -0.21808888018131256f) * q + 0.7071067690849304f;
    *z0 = v_flip(radius * (cosine - sine), second);
    *z1 = v_flip(radius * (cosine + sine), second << 1);
}

static inline void noise_normals(const VI word[4], VF z[4])
{
    noise_pair(word[0], word[1], &z[0], &z[1]);
    noise_pair(word[2], word[3], &z[2], &z[3]);
}

static inline void noise_quad(const noise_lanes *lanes, uint32_t ordinal, uint32_t word3, uint64_t seed, VF z[4])
{
    VI word[4];
    noise_words(lanes, ordinal, word3, seed, word);
    noise_normals(word, z);
}
