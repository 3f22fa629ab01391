/* What one die differs in: its normals, and the weights that its synapses show as their charges leak. The same operations in the
 * same order as anna/analog/noise.py and anna/analog/synapse.py. */

enum { SYNAPSES_AT_ONCE = 64 };

/* z of `groups` groups of four, one after another from word3 on. */
static void draw_pattern(uint64_t seed, uint64_t id, uint32_t ordinal, uint32_t word3, int64_t groups, float *z)
{
    for (int64_t first = 0; first < groups; first += VL) {
        VI word[4];
        VF quad[4];
        noise_words_of_groups(id, ordinal, word3 + (uint32_t)first, seed, word);
        noise_normals(word, quad);
        for (int i = 0; i < VL && first + i < groups; i++)
            for (int n = 0; n < 4; n++)
                z[4 * (first + i) + n] = quad[n][i];
    }
}

/* The whole number nearest to x, ties to even, for |x| below 2^51: the last bits of a sum whose last place is one. */
static inline int64_t nearest(double x)
{
    const double big = 0x1.8p52, sum = x + big;
    int64_t bits, zero;
    memcpy(&bits, &sum, sizeof bits);
    memcpy(&zero, &big, sizeof zero);
    return bits - zero;
}

/* Synapses are gathered a few at a time, so that what follows runs on vectors. */
static void show_weights(const anna_reads *r, int64_t *weight)
{
    for (int64_t first = 0; first < r->count; first += SYNAPSES_AT_ONCE) {
        const int64_t left = r->count - first, here = left < SYNAPSES_AT_ONCE ? left : SYNAPSES_AT_ONCE;
        double full[SYNAPSES_AT_ONCE] = {0}, faded[SYNAPSES_AT_ONCE] = {0}, zero[SYNAPSES_AT_ONCE] = {0};
        int64_t shown[SYNAPSES_AT_ONCE];
        for (int64_t i = 0; i < here; i++) {
            const int64_t at = r->row[first + i] * r->columns + r->column[first + i];
            full[i] = r->level[r->levels * r->dac[at] + r->code[first + i]] * r->gain[at];
            faded[i] = r->fade[at] * (double)r->age[first + i];
            zero[i] = r->zero[at];
        }
        for (int i = 0; i < SYNAPSES_AT_ONCE; i++)
            shown[i] = nearest((full[i] * exp_of_double(faded[i]) + zero[i]) * r->one);
        memcpy(weight + first, shown, (size_t)here * sizeof *weight);
    }
}
