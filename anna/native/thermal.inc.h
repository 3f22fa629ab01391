/* Thermal noise of a block of images: floor(4096 z) in 16 bits, for eight neurons at once.
 * anna/analog/thermal.py is the definition, in NumPy: the bits are equal.
 *
 * A counter of 128 bits becomes eight words of one image, so registers hold words image by image, and are turned once so
 * that each holds those of one neuron. Image 8 l + i of the block lies in 128-bit lane l of register i, hence turned in lane
 * 8 l + i of words: the order in which codes are packed. */

enum { THERMAL_NORMALS = 8, QUADS = VBYTES / 16 };

#define WEYL_LOW 0x9E3779B97F4A7C15u
#define WEYL_HIGH 0xBB67AE8584CAA73Bu

/* Each round's key, in every 128 bits, and its halves. */
typedef struct {
    VQ wide[AES_ROUNDS + 1];
    uint64_t half[AES_ROUNDS + 1][2];
} thermal_key;

/* What of the counters belongs to the images of a block, and its normals of the CALC in hand. */
typedef struct {
    VQ id[8];
    VS normal[THERMAL_NORMALS];
} thermal_block;

static inline VQ thermal_fill(uint64_t low, uint64_t high)
{
    VQ x = v_fill_q(low);
    const VQ other = v_fill_q(high);
    for (int i = 1; i < 2 * QUADS; i += 2)
        x[i] = other[i];
    return x;
}

static thermal_key thermal_prepare(uint64_t seed)
{
    thermal_key key;
    for (int turn = 0; turn <= AES_ROUNDS; turn++) {
        key.half[turn][0] = (turn ? key.half[turn - 1][0] : seed) + (turn ? WEYL_LOW : 0);
        key.half[turn][1] = (turn ? key.half[turn - 1][1] : 0) + (turn ? WEYL_HIGH : 0);
        key.wide[turn] = thermal_fill(key.half[turn][0], key.half[turn][1]);
    }
    return key;
}

static void thermal_begin(const uint64_t ids[BLOCK], thermal_block *block)
{
    for (int i = 0; i < 8; i++)
        for (int lane = 0; lane < QUADS; lane++) {
            block->id[i][2 * lane] = ids[8 * lane + i];
            block->id[i][2 * lane + 1] = 0;
        }
}

static inline uint32_t aes_turned(uint32_t x, int bits) { return x << bits | x >> (32 - bits); }

/* The same in plain C, for single counters and for machines without instructions of AES. */
static void aes_words(uint32_t column[4], const thermal_key *key)
{
    for (int turn = 0; turn <= AES_ROUNDS; turn++) {
        uint32_t next[4];
        for (int i = 0; i < 4; i++) {
            const uint32_t a = column[i] & 0xFF, b = column[(i + 1) & 3] >> 8 & 0xFF, c = column[(i + 2) & 3] >> 16 & 0xFF,
                           d = column[(i + 3) & 3] >> 24;
            if (turn == 0)
                next[i] = column[i];
            else if (turn < AES_ROUNDS)
                next[i] = aes_mixed[a] ^ aes_turned(aes_mixed[b], 8) ^ aes_turned(aes_mixed[c], 16) ^
                          aes_turned(aes_mixed[d], 24);
            else
                next[i] = aes_sbox[a] | (uint32_t)aes_sbox[b] << 8 | (uint32_t)aes_sbox[c] << 16 |
                          (uint32_t)aes_sbox[d] << 24;
        }
        for (int i = 0; i < 4; i++)
            column[i] = next[i] ^ (uint32_t)(key->half[turn][i / 2] >> 32 * (i % 2));
    }
}

#ifdef V_BLOCKS
/* The rounds of AES on each 128 bits, as many of them at a time as the machine takes. */
static inline VQ aes_blocks(VQ x, const VQ key[AES_ROUNDS + 1])
{
    v_block part[V_BLOCKS];
    v_split(x, part);
    for (int i = 0; i < V_BLOCKS; i++) {
        for (int turn = 1; turn < AES_ROUNDS; turn++)
            part[i] = v_aes(part[i], *(const v_block *)&key[turn]);
        part[i] = v_aes_last(part[i], *(const v_block *)&key[AES_ROUNDS]);
    }
    return v_join(part);
}
#endif

/* [image of eight][neuron] to [neuron][image of eight], in each 128 bits. */
static inline void thermal_turn(VS word[8])
{
    for (int round = 0; round < 3; round++) {
        VS next[8];
        for (int i = 0; i < 4; i++) {
            next[2 * i] = v_interleave_low(word[i], word[i + 4]);
            next[2 * i + 1] = v_interleave_high(word[i], word[i + 4]);
        }
        memcpy(word, next, sizeof next);
    }
}

static int16_t thermal_tail(uint64_t image, uint32_t ordinal, uint32_t neuron, const thermal_key *key, uint32_t t)
{
    uint32_t word[4] = {(uint32_t)image, (uint32_t)(image >> 32), ordinal, (uint32_t)ANNA_TAIL << 28 | neuron};
    aes_words(word, key);
    const uint64_t upper = 2 * ((uint64_t)t << 32 | word[0]) + 1;
    const int octave = 63 - __builtin_clzll(upper);
    const int64_t fraction = (int64_t)((upper << (36 - octave) & (((uint64_t)1 << 36) - 1)) >> 4);
    const int32_t *c = tail_octaves + 5 * octave;
    int64_t inner = c[4];
    for (int i = 3; i >= 0; i--)
        inner = (inner * fraction >> 32) + c[i];
    return (int16_t)(inner >> 12);
}

/* |normal| of words without their signs, t, from FIRST_OF_BODY on, two vectors; what lies between two words is chosen by eight
 * bits of another neuron's. */
#if V_SHUFFLES
static inline __attribute__((always_inline)) void thermal_sizes(const VS t[2], const VS fine[2], VS size[2])
{
    VS fraction[2], place[2], coefficient[2], inner[2];
    for (int v = 0; v < 2; v++) { /* as floats: their exponents and the 15 bits below their first are what is wanted */
        const VI even = (VI)v_to_float((VI)v_by_turns(fine[v], (VS)((VI)t[v] << 16)));
        const VI odd = (VI)v_to_float((VI)v_by_turns((VS)((VU)fine[v] >> 16), t[v]));
        fraction[v] = v_by_turns((VS)(even >> 8), (VS)(odd << 8)) & 0x7FFF;
        place[v] = (VS)((VW)v_by_turns((VS)(even >> 16), (VS)odd) >> 7);
    }
    const V_PLACES places = v_places(place);
    v_octaves(places, 4, inner);
    for (int power = 3; power >= 1; power--) {
        v_octaves(places, power, coefficient);
        for (int v = 0; v < 2; v++)
            inner[v] = v_rounded_product(inner[v], fraction[v]) + coefficient[v];
    }
    v_octaves(places, 0, coefficient);
    for (int v = 0; v < 2; v++)
        size[v] = (VS)(((VW)coefficient[v] + (VW)v_high_product(inner[v], fraction[v])) >> 2); /* it needs all 16 bits */
}
#else
static inline void thermal_sizes(const VS t[2], const VS fine[2], VS size[2])
{
    for (int v = 0; v < 2; v++)
        for (int i = 0; i < 2 * VL; i++) {
            const float x = (float)((int32_t)t[v][i] << 16 | (uint16_t)fine[v][i]);
            int32_t bits;
            memcpy(&bits, &x, sizeof bits);
            const int32_t fraction = bits >> 8 & 0x7FFF;
            const uint16_t *c = body_words + (bits >> 23 & 0x0F);
            int32_t inner = (int16_t)c[4 * 32];
            for (int power = 3; power >= 1; power--)
                inner = ((inner * fraction + 0x4000) >> 15) + (int16_t)c[power * 32];
            size[v][i] = (int16_t)((c[0] + (inner * fraction >> 16)) >> 2);
        }
}
#endif

/* Words in the tail have 32 bits more. */
static __attribute__((noinline)) void thermal_patch(thermal_block *block, const VS word[8], uint32_t ordinal, uint32_t octet,
                                                    const thermal_key *key)
{
    for (int n = 0; n < THERMAL_NORMALS; n++)
        for (int i = 0; i < 2 * VL; i++) {
            const int16_t bits = word[n][i], t = bits & 0x7FFF;
            if (t < FIRST_OF_BODY) {
                const uint64_t image = block->id[i & 7][2 * (i / 8)];
                const int16_t size = thermal_tail(image, ordinal, 8 * octet + (uint32_t)n, key, (uint32_t)t);
                block->normal[n][i] = bits < 0 ? ~size : size;
            }
        }
}

/* The normals of neurons 8 octet .. 8 octet + 7 of a CALC. */
__attribute__((noinline))
static void thermal_make(thermal_block *block, uint32_t ordinal, uint32_t octet, const thermal_key *key)
{
    const uint64_t high = ordinal | (uint64_t)octet << 32; /* the stream is 0 */
    VS word[8], rare = {0};
#ifdef V_BLOCKS
    const VQ begin = key->wide[0] ^ v_high_words_of(high);
    for (int i = 0; i < 8; i++)
        word[i] = (VS)aes_blocks(block->id[i] ^ begin, key->wide);
#else
    for (int i = 0; i < 8; i++)
        for (int lane = 0; lane < QUADS; lane++) {
            const uint64_t id = block->id[i][2 * lane];
            uint32_t column[4] = {(uint32_t)id, (uint32_t)(id >> 32), (uint32_t)high, (uint32_t)(high >> 32)};
            aes_words(column, key);
            memcpy((char *)&word[i] + 16 * lane, column, sizeof column);
        }
#endif
    thermal_turn(word);
#pragma GCC unroll 4
    for (int n = 0; n < THERMAL_NORMALS; n += 2) {
        const VS t[2] = {word[n] & 0x7FFF, word[n + 1] & 0x7FFF};
        const VS fine[2] = {word[n + 1] << 8, word[n] << 8};
        VS size[2];
        thermal_sizes(t, fine, size);
        for (int v = 0; v < 2; v++) {
            block->normal[n + v] = size[v] ^ (word[n + v] >> 15);
            rare |= (VS)(t[v] < FIRST_OF_BODY);
        }
    }
    if (v_any(rare))
        thermal_patch(block, word, ordinal, octet, key);
}

/* Noise in accumulator units, of both vectors of sums; half a cell is added, since a normal is rounded down. */
static inline void thermal_amounts(VS normal, int32_t strength, int32_t grain, VI *low, VI *high)
{
    const VS steps = v_rounded_product(normal, (VS)((int16_t)strength - (VS){0})), sign = steps >> 15;
    const int32_t half = (int32_t)((int64_t)strength << grain >> 16);
    *low = ((VI)v_interleave_low(steps, sign) << grain) + half;
    *high = ((VI)v_interleave_high(steps, sign) << grain) + half;
}
