/* What a packed plan needs beside its operands: fixed and unwritten slots, thresholds, numerators. */
#include <stdlib.h>

#include "pack.h"

enum { TABLE = 64 }; /* room for thresholds: one less than the most levels, filled up */

int32_t to_int32(int64_t x) { return (int32_t)(x > INT32_MAX ? INT32_MAX : x < INT32_MIN ? INT32_MIN : x); }

/* Slots of constants that no input and no result ever takes. */
int16_t *find_fixed(const anna_plan *plan)
{
    int16_t *fixed = malloc((size_t)(plan->slots + 1) * sizeof *fixed);
    if (!fixed)
        return NULL;
    for (int64_t slot = 0; slot < plan->slots; slot++)
        fixed[slot] = -1;
    for (int64_t i = 0; i < plan->constants; i++)
        fixed[plan->constant_slots[i]] = (int16_t)plan->constant_codes[i];
    for (int64_t i = 0; i < plan->inputs; i++)
        fixed[plan->input_slots[i]] = -1;
    for (int64_t i = 0; i < plan->calcs * plan->neurons; i++)
        if (plan->out_slot[i] >= 0)
            fixed[plan->out_slot[i]] = -1;
    return fixed;
}

/* Slots that something reads before anything writes them. */
int find_cold(const anna_plan *plan, anna_packed *out)
{
    char *warm = calloc((size_t)plan->slots + 1, 1);
    if (!warm || !(out->cold_slot = malloc(((size_t)plan->slots + 1) * sizeof(int32_t)))) {
        free(warm);
        return -1;
    }
#define READ(s) if (!warm[s]) warm[s] = 1, out->cold_slot[out->cold++] = (s)
    for (int64_t i = 0; i < plan->inputs; i++)
        warm[plan->input_slots[i]] = 1;
    for (int64_t i = 0; i < plan->constants; i++)
        warm[plan->constant_slots[i]] = 1;
    for (int64_t calc = 0; calc < plan->calcs; calc++) {
        for (int64_t k = plan->op_start[calc]; k < plan->op_start[calc + 1]; k++)
            READ(plan->op_slot[k]);
        for (int64_t n = 0; n < plan->neurons; n++)
            if (plan->out_slot[calc * plan->neurons + n] >= 0)
                warm[plan->out_slot[calc * plan->neurons + n]] = 1;
    }
    for (int64_t i = 0; i < plan->outputs; i++)
        READ(plan->output_slots[i]);
#undef READ
    free(warm);
    return 0;
}

/* The largest power of two that divides all weights. */
static int common_power(const anna_plan *plan)
{
    uint32_t bits = 0;
    for (int64_t i = 0; i < plan->ops * plan->neurons; i++)
        bits |= (uint32_t)plan->op_weight[i];
    int power = 0;
    while (bits && !(bits >> power & 1))
        power++;
    return power;
}

/* A sum that is a multiple of 2^power reaches a threshold just if its quotient reaches the threshold's, rounded up. Noise
 * and limits of the sum are no such multiples; a sum below 2^31 has a quotient below 2^30, so that taking the middle
 * threshold away cannot leave 32 bits. */
int find_short_sums(const anna_plan *plan, anna_packed *out, short_sums *shorts)
{
    enum { FAR = 1 << 30, MIDDLE = ANNA_LINE_LEVELS / 2 - 1 };
    const int64_t edges = plan->levels - 1, tables = plan->tables;
    int fits = plan->levels == ANNA_LINE_LEVELS && !plan->clamp_low && !plan->clamp_high && !plan->and_mask && !plan->or_mask;
    if (plan->sigma)
        for (int64_t i = 0; i < plan->calcs * plan->neurons; i++)
            fits &= plan->sigma[i] == 0.0f;
    *shorts = (short_sums){.power = fits ? common_power(plan) : 0};
    if (!shorts->power)
        return 0;
    out->edge = calloc((size_t)tables * ANNA_LINE_LEVELS + 1, sizeof *out->edge);
    shorts->middle = malloc(((size_t)tables + 1) * sizeof *shorts->middle);
    if (!out->edge || !shorts->middle)
        return -1;
    for (int64_t t = 0; t < tables; t++) {
        const int64_t *from = plan->thresholds + t * edges;
        const int64_t middle = -(-from[MIDDLE] >> shorts->power);
        fits &= middle < FAR && middle > -FAR;
        shorts->middle[t] = (int32_t)middle;
        for (int64_t i = 0; i < edges; i++) {
            const int64_t away = -(-from[i] >> shorts->power) - middle;
            fits &= away > INT16_MIN && away <= INT16_MAX;
            out->edge[t * ANNA_LINE_LEVELS + i] = (int16_t)away;
        }
    }
    if (!fits) {
        free(out->edge);
        free(shorts->middle);
        out->edge = NULL;
        *shorts = (short_sums){0};
    }
    return 0;
}

int make_tables(const anna_plan *plan, anna_packed *out)
{
    const int64_t edges = plan->levels - 1;
    out->threshold = malloc((size_t)(plan->tables * TABLE + 1) * sizeof *out->threshold);
    if (!out->threshold)
        return -1;
    for (int64_t i = 0; i < plan->tables * TABLE; i++)
        out->threshold[i] = i % TABLE < edges ? to_int32(plan->thresholds[i / TABLE * edges + i % TABLE]) : INT32_MAX;
    out->offset = plan->numerators[0];
    out->scale = plan->levels > 1 ? plan->numerators[1] - plan->numerators[0] : 0;
    out->affine = 1;
    if (plan->op_levels) { /* states lie as the pair of bytes that picks a numerator from a line */
        out->offset = 0x0100;
        out->scale = 0x0202;
        out->line = calloc((size_t)plan->lines * ANNA_LINE_LEVELS + 1, sizeof *out->line);
        if (!out->line)
            return -1;
        for (int64_t i = 0; i < plan->lines * plan->levels; i++)
            out->line[i / plan->levels * ANNA_LINE_LEVELS + i % plan->levels] = (int16_t)plan->numerator_tables[i];
    }
    for (int64_t c = 0; c < plan->levels; c++) {
        const int32_t value = plan->op_levels ? (int32_t)(out->offset + c * out->scale) : plan->numerators[c];
        out->numerator[c] = (int16_t)value;
        out->affine &= value == out->offset + c * out->scale;
    }
    out->clamps = plan->clamp_low || plan->clamp_high;
    out->masks = plan->and_mask || plan->or_mask;
    return 0;
}
