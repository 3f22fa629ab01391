/* What vectors of 128 and of 256 bits have in common; those of 512 have instructions for it. */
static inline VQ v_xor3(VQ a, VQ b, VQ c) { return a ^ b ^ c; }
static inline VF v_flip(VF x, VI bits) { return (VF)((VI)x ^ (bits & INT32_MIN)); }

/* How many of the thresholds are <= x, one after another. */
static inline VI v_climb(VI x, const int32_t *threshold, int levels)
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
