/* The narrow kernel: int16 operands, int32 sums, one image a lane, the sums of a group of neurons in registers.
 *
 * States lie as int16 numerators, [slot][2 x VL images]. Two operands are interleaved to pairs, which one instruction
 * multiplies by a broadcast pair of weights and adds. Interleaving leaves image 8 (i / 4) + 4 v + i % 4 in lane i of
 * vector v, at every vector size, and packing the codes undoes it. */

/* Numerators of codes where they lie evenly. They may wrap: of codes too large, which are refused later, and of stuck ones. */
static inline __attribute__((always_inline)) VS narrow_affine(const anna_packed *packed, VS codes)
{
    return (VS)((VW)codes * (uint16_t)packed->scale + (uint16_t)packed->offset);
}

#ifndef V_OPERANDS
/* Two operands as the multiply-add takes them: in pairs, of the lower half of the images and of the upper. */
typedef struct {
    VS low, high;
} v_operands;

static inline v_operands v_meet(VS a, VS b) { return (v_operands){v_interleave_low(a, b), v_interleave_high(a, b)}; }

/* Adds both operands, each times its half of `weights`. */
static inline __attribute__((always_inline)) void v_multiply_add(VI sum[2], v_operands x, VI weights)
{
    sum[0] = v_madd(sum[0], x.low, weights);
    sum[1] = v_madd(sum[1], x.high, weights);
}
#endif

#define STEP(n)                                                                                                       \
    {                                                                                                                 \
        const VI w = v_fill(*weight++);                                                                               \
        v_multiply_add(sum[n], x, w);                                                                                 \
    }

#define PAIR(steps)                                                                                                   \
    {                                                                                                                 \
        VS a = *(const VS *)((const char *)states + at[0]);                                                           \
        VS b = *(const VS *)((const char *)states + at[1]);                                                           \
        if (lined) {                                                                                                  \
            a = v_from_line(a, packed->line + ANNA_LINE_LEVELS * (int64_t)line[0]);                                   \
            b = v_from_line(b, packed->line + ANNA_LINE_LEVELS * (int64_t)line[1]);                                   \
            line += 2;                                                                                                \
        }                                                                                                             \
        const v_operands x = v_meet(a, b);                                                                            \
        at += 2;                                                                                                      \
        steps                                                                                                         \
    }

#define SEGMENT(kind, body)                                                                                           \
    case kind:                                                                                                        \
        _Pragma("GCC unroll 2")                                                                                       \
        for (int32_t k = 0; k < pairs; k++) {                                                                         \
            body                                                                                                      \
        }                                                                                                             \
        break;

/* The sums of one group, [place][low, high]; kinds.h says what a kind's operands meet. With `lined`, each operand goes
 * through the steps of its own state line. */
static inline __attribute__((always_inline)) void narrow_sums(const anna_packed *packed, const anna_group *group,
                                                              const int16_t *states, VI out[WIDTH][2],
                                                              const int lined)
{
    const int32_t *line = lined ? packed->pair_line + 2 * group->pair : NULL;
    const int32_t *start = packed->start + (group - packed->group) * WIDTH;
    const uint32_t *at = packed->pair_at + 2 * group->pair;
    const int32_t *weight = (const int32_t *)packed->weight + group->weight; /* a pair at a time */
    const anna_segment *segment = packed->segment + group->segment, *end = segment + group->segments;
    VI sum[WIDTH][2];
    for (int n = 0; n < WIDTH; n++)
        sum[n][0] = sum[n][1] = v_fill(start[n]);
    for (; segment < end; segment++) {
        const int32_t pairs = segment->pairs;
        switch (segment->kind) {
#define S(n) STEP(n)
#if ANNA_WIDTH == 8
            SEGMENT(KIND_ALL, PAIR(S(0) S(1) S(2) S(3) S(4) S(5) S(6) S(7)))
            SEGMENT(KIND_HALF(0), PAIR(S(0) S(1) S(2) S(3)))
            SEGMENT(KIND_HALF(1), PAIR(S(4) S(5) S(6) S(7)))
            SEGMENT(KIND_QUARTER(0), PAIR(S(0) S(1)))
            SEGMENT(KIND_QUARTER(1), PAIR(S(2) S(3)))
            SEGMENT(KIND_QUARTER(2), PAIR(S(4) S(5)))
            SEGMENT(KIND_QUARTER(3), PAIR(S(6) S(7)))
            SEGMENT(KIND_EIGHTH(0), PAIR(S(0)))
            SEGMENT(KIND_EIGHTH(1), PAIR(S(1)))
            SEGMENT(KIND_EIGHTH(2), PAIR(S(2)))
            SEGMENT(KIND_EIGHTH(3), PAIR(S(3)))
            SEGMENT(KIND_EIGHTH(4), PAIR(S(4)))
            SEGMENT(KIND_EIGHTH(5), PAIR(S(5)))
            SEGMENT(KIND_EIGHTH(6), PAIR(S(6)))
            SEGMENT(KIND_EIGHTH(7), PAIR(S(7)))
            SEGMENT(KIND_EVERY_HALF(8), PAIR(S(0) S(1) S(2) S(3)) PAIR(S(4) S(5) S(6) S(7)))
            SEGMENT(KIND_EVERY_QUARTER(8), PAIR(S(0) S(1)) PAIR(S(2) S(3)) PAIR(S(4) S(5)) PAIR(S(6) S(7)))
            SEGMENT(KIND_EVERY_EIGHTH(8), PAIR(S(0)) PAIR(S(1)) PAIR(S(2)) PAIR(S(3))
                                          PAIR(S(4)) PAIR(S(5)) PAIR(S(6)) PAIR(S(7)))
#else
            SEGMENT(KIND_ALL, PAIR(S(0) S(1) S(2) S(3)))
            SEGMENT(KIND_HALF(0), PAIR(S(0) S(1)))
            SEGMENT(KIND_HALF(1), PAIR(S(2) S(3)))
            SEGMENT(KIND_QUARTER(0), PAIR(S(0)))
            SEGMENT(KIND_QUARTER(1), PAIR(S(1)))
            SEGMENT(KIND_QUARTER(2), PAIR(S(2)))
            SEGMENT(KIND_QUARTER(3), PAIR(S(3)))
            SEGMENT(KIND_EVERY_HALF(4), PAIR(S(0) S(1)) PAIR(S(2) S(3)))
            SEGMENT(KIND_EVERY_QUARTER(4), PAIR(S(0)) PAIR(S(1)) PAIR(S(2)) PAIR(S(3)))
#endif
#undef S
        }
    }
    for (int n = 0; n < WIDTH; n++) {
        out[n][0] = sum[n][0];
        out[n][1] = sum[n][1];
    }
}

/* What the search in short sums holds in registers. */
typedef struct {
    VS first, one, two, four;
} narrow_steps;

#if V_SHUFFLES
static inline __attribute__((always_inline)) narrow_steps narrow_prepare_short(void)
{
    VS first = 0x0100 - (VS){0}, one = 0x0202 - (VS){0}, two = one + one, four = two + two;
    KEEP(first); /* else they are made anew for every neuron */
    KEEP(one);
    KEEP(two);
    KEEP(four);
    return (narrow_steps){first, one, two, four};
}

/* A binary search whose index is a pair of bytes, as v_from_line takes it. */
static inline __attribute__((always_inline)) VS narrow_search_short(const anna_packed *packed, const narrow_steps *step,
                                                                    VS x, const int16_t *edge)
{
    VS index = v_step(step->first, x, (VS){0}, step->four);
    index = v_step(index, x, v_from_line(index, edge + 1), step->two);
    index = v_step(index, x, v_from_line(index, edge), step->one);
    return v_from_line(index, packed->numerator);
}
#else
static inline narrow_steps narrow_prepare_short(void) { return (narrow_steps){{0}, {0}, {0}, {0}}; }

static inline VS narrow_search_short(const anna_packed *packed, const narrow_steps *step, VS x, const int16_t *edge)
{
    VS code = step->first;
    for (int i = 0; i < ANNA_LINE_LEVELS - 1; i++)
        code -= (VS)(x >= edge[i]);
    return packed->affine ? narrow_affine(packed, code) : v_lookup(code, packed->numerator);
}
#endif

/* The first of a group's neurons among the eight that have their noise from one counter. */
static inline int narrow_first(const anna_group *group) { return 4 * (group->first_quad & 1); }

/* Short sums to the numerators that are stored: sums count from the middle threshold, in whole steps, and saturate at 16 bits,
 * which leaves every comparison as it was, even after noise: thresholds and 8 sigma of it fit. */
static inline __attribute__((always_inline)) void narrow_convert_short(const anna_packed *packed, const anna_group *group,
                                                                       VI sum[WIDTH][2], const thermal_block *thermal,
                                                                       int16_t *states, const int noisy)
{
    const anna_neuron *neuron = packed->neuron + (group - packed->group) * WIDTH;
    const VS *normal = thermal->normal + narrow_first(group);
    const narrow_steps step = narrow_prepare_short();
    for (int n = 0; n < WIDTH; n++, neuron++) {
        if (neuron->out_slot < 0)
            continue;
        const int16_t *edge = packed->edge + ANNA_LINE_LEVELS * (int64_t)neuron->table;
        VS x;
        if (noisy) {
            x = v_saturate(sum[n][0] >> neuron->grain, sum[n][1] >> neuron->grain);
            x = v_saturated_sum(x, v_rounded_product(normal[neuron->number], (VS)(neuron->strength - (VS){0})));
        } else {
            x = v_saturate(sum[n][0], sum[n][1]);
        }
        *(VS *)(states + (int64_t)BLOCK * neuron->out_slot) = narrow_search_short(packed, &step, x, edge);
    }
}

/* Sums to codes to the numerators that are stored: clamp, noise, ADC, stuck bits. `levels` is a constant where this is
 * inlined for the chip's own eight, and then nothing remains but a search; `clamped`: whether sums have to be limited. */
static inline __attribute__((always_inline)) void
narrow_convert(const anna_packed *packed, const anna_group *group, VI sum[WIDTH][2], const thermal_block *thermal,
               int16_t *states, const int levels, const int simple, const int clamped)
{
    const anna_neuron *neuron = packed->neuron + (group - packed->group) * WIDTH;
    const VW scale = (uint16_t)packed->scale - (VW){0}, offset = (uint16_t)packed->offset - (VW){0};
    for (int n = 0; n < WIDTH; n++, neuron++) {
        if (neuron->out_slot < 0)
            continue;
        const int32_t *threshold = packed->threshold + 64 * (int64_t)neuron->table;
        VI low = sum[n][0], high = sum[n][1];
        if (clamped && packed->clamps) {
            low = v_min(v_max(low, v_fill(neuron->clamp_low)), v_fill(neuron->clamp_high));
            high = v_min(v_max(high, v_fill(neuron->clamp_low)), v_fill(neuron->clamp_high));
        }
        if (neuron->strength) {
            VI more[2];
            thermal_amounts(thermal->normal[narrow_first(group) + neuron->number], neuron->strength, neuron->grain, &more[0],
                            &more[1]);
            low += more[0];
            high += more[1];
        }
        VS value = v_pack(v_search(low, threshold, levels), v_search(high, threshold, levels));
        if (!simple && packed->masks)
            value = (value & (int16_t)neuron->and_mask) | (int16_t)neuron->or_mask;
        if (simple || packed->affine)
            value = (VS)((VW)value * scale + offset);
        else
            value = v_lookup(value, packed->numerator);
        *(VS *)(states + (int64_t)BLOCK * neuron->out_slot) = value;
    }
}

/* Whether a group needs normals that the one before it has not used. */
static inline int narrow_draws(const anna_packed *packed, int64_t g)
{
    const anna_group *group = packed->group + g, *before = group - 1;
    return group->noisy && (g == 0 || !before->noisy || before->calc != group->calc ||
                            before->first_quad / 2 != group->first_quad / 2);
}

/* Results that had to wait for all reads of their CALC. */
static inline void narrow_move(const anna_packed *packed, const anna_group *group, int16_t *states)
{
    for (int64_t c = group->copy; c < group->copy + group->copies; c++)
        *(VS *)(states + (int64_t)BLOCK * packed->copy[2 * c + 1]) = *(const VS *)(states + (int64_t)BLOCK * packed->copy[2 * c]);
}

/* The numerators of codes, one a lane. */
static inline VS narrow_numerators(const anna_packed *packed, VS codes)
{
    return packed->affine ? narrow_affine(packed, codes) : v_lookup(codes & (ANNA_MAX_LEVELS - 1), packed->numerator);
}

/* Finds the first code of a row that is not below the number of levels. */
static void narrow_blame(const anna_workload *workload, const anna_batch *batch, int64_t image, anna_fault *fault)
{
    const uint8_t *row = (const uint8_t *)batch->codes + image * workload->inputs;
    for (int64_t i = 0; i < workload->inputs && !fault->status; i++)
        if (row[i] >= workload->levels)
            *fault = (anna_fault){ANNA_BAD_CODE, image, i, row[i]};
}

static void narrow_load(const anna_workload *workload, const anna_packed *packed, const anna_batch *batch, int64_t first,
                        int16_t *states, anna_fault *fault)
{
    const int64_t inputs = workload->inputs, last = batch->images - 1;
    const uint8_t *rows[BLOCK];
    VN seen = {0};
    block_rows(batch->codes, inputs, first, batch->images, rows);
    for (int64_t at = 0; at < inputs; at += TILE) {
        const int64_t count = inputs - at < TILE ? inputs - at : TILE;
        uint8_t codes[TILE][BLOCK];
        load_tile(rows, at, count, codes);
        for (int64_t i = 0; i < count; i++) {
            VN bytes;
            memcpy(&bytes, codes[i], sizeof bytes);
            seen |= bytes;
            *(VS *)(states + BLOCK * (int64_t)workload->input_slots[at + i]) =
                narrow_numerators(packed, __builtin_convertvector(bytes, VS));
        }
    }
    for (int i = 0; i < BLOCK; i++) /* no code is larger than all codes or-ed together */
        if (seen[i] >= workload->levels)
            for (int64_t k = 0; k < BLOCK && first + k <= last && !fault->status; k++)
                narrow_blame(workload, batch, first + k, fault);
}

static void narrow_begin(const anna_workload *workload, const anna_packed *packed, int16_t *states)
{
    for (int64_t i = 0; i < packed->cold; i++)
        for (int lane = 0; lane < BLOCK; lane++)
            states[BLOCK * (int64_t)packed->cold_slot[i] + lane] = packed->numerator[0];
    for (int64_t i = 0; i < workload->constants; i++)
        for (int lane = 0; lane < BLOCK; lane++)
            states[BLOCK * (int64_t)workload->constant_slots[i] + lane] = packed->numerator[workload->constant_codes[i]];
}

/* Numerators rise with the code, so a code is the number of numerators above the first that a state reaches. */
static void narrow_store(const anna_workload *workload, const anna_packed *packed, const anna_batch *batch, int64_t first,
                         const int16_t *states)
{
    const int64_t images = batch->images - first < BLOCK ? batch->images - first : BLOCK, outputs = workload->outputs;
    const int16_t *numerator = packed->numerator;
    uint8_t *rows[BLOCK];
    for (int64_t lane = 0; lane < BLOCK; lane++)
        rows[lane] = (uint8_t *)batch->results + (first + lane) * outputs; /* those beyond the last image are left alone */
    for (int64_t at = 0; at < outputs; at += TILE) {
        uint8_t codes[TILE][BLOCK];
        const int64_t count = outputs - at < TILE ? outputs - at : TILE;
        for (int64_t i = 0; i < count; i++) {
            const VS value = *(const VS *)(states + BLOCK * (int64_t)workload->output_slots[at + i]);
            VS code = {0};
            for (int64_t c = 1; c < workload->levels; c++)
                code -= (VS)(value >= numerator[c]);
            const VN bytes = __builtin_convertvector(code, VN);
            memcpy(codes[i], &bytes, sizeof bytes);
        }
        store_tile(codes, rows, images, at, count);
    }
}

#include "wires.inc.h"

/* How sums become codes: short ones without and with noise, long ones on a chip of eight levels, long ones in all other cases. */
enum { QUIET, NOISY, SIMPLE, GENERAL };

/* A group's sums and codes in so many blocks; what is known when this is compiled leaves one loop. */
static inline __attribute__((always_inline)) void
narrow_blocks(const anna_packed *packed, const anna_group *group, int64_t blocks, int16_t *states,
              const thermal_block *thermal, const int levels, const int how, const int lined)
{
    for (int64_t block = 0; block < blocks; block++, states += packed->room * BLOCK, thermal++) {
        VI sum[WIDTH][2];
        narrow_sums(packed, group, states, sum, lined);
        if (how == QUIET || how == NOISY)
            narrow_convert_short(packed, group, sum, thermal, states, how == NOISY);
        else
            narrow_convert(packed, group, sum, thermal, states, how == SIMPLE ? 8 : levels, how == SIMPLE, how == GENERAL);
        narrow_move(packed, group, states);
    }
}

typedef void narrow_way(const anna_packed *, const anna_group *, int64_t blocks, int16_t *states,
                        const thermal_block *, int levels);

#define WAY(name, how, lined)                                                                                         \
    static __attribute__((noinline)) void name(const anna_packed *packed, const anna_group *group, \
                                               int64_t blocks, int16_t *states, const thermal_block *thermal,         \
                                               int levels)                                                            \
    {                                                                                                                 \
        narrow_blocks(packed, group, blocks, states, thermal, levels, how, lined);                                \
    }
WAY(narrow_quiet, QUIET, 0)
WAY(narrow_noisy, NOISY, 0)
WAY(narrow_simple, SIMPLE, 0)
WAY(narrow_general, GENERAL, 0)
WAY(narrow_quiet_lined, QUIET, 1)
WAY(narrow_noisy_lined, NOISY, 1)
WAY(narrow_general_lined, GENERAL, 1)

static narrow_way *narrow_choose(const anna_workload *workload, const anna_packed *packed)
{
    if (packed->edge && workload->strength)
        return packed->line ? narrow_noisy_lined : narrow_noisy;
    if (packed->edge)
        return packed->line ? narrow_quiet_lined : narrow_quiet;
    if (packed->line)
        return narrow_general_lined;
    return workload->levels == 8 && packed->affine && !packed->clamps && !packed->masks ? narrow_simple : narrow_general;
}

static void narrow_run(const anna_workload *workload, const anna_packed *packed, const anna_batch *batch, anna_fault *fault)
{
    const int64_t blocks = batch->lanes > BLOCK ? (batch->lanes + BLOCK - 1) / BLOCK : 1;
    const int64_t stride = packed->room * BLOCK;
    narrow_way *way = narrow_choose(workload, packed);
    const int in_wires = wired(workload);
    thermal_block *thermal = NULL;
    const thermal_key key = thermal_prepare(batch->noise_seed);
    narrow_wires *wires = NULL;
    int16_t *states = NULL;
    if (posix_memalign((void **)&states, 64, (size_t)(stride * blocks) * sizeof *states + 64) ||
        posix_memalign((void **)&thermal, 64, (size_t)blocks * sizeof *thermal) ||
        (in_wires && !(wires = narrow_lay_wires(workload, blocks)))) {
        *fault = (anna_fault){ANNA_NO_MEMORY, 0, 0, 0};
        goto done;
    }
    for (int64_t first = 0; first < batch->images; first += blocks * BLOCK) {
        const int64_t left = (batch->images - first + BLOCK - 1) / BLOCK, here = left < blocks ? left : blocks;
        for (int64_t block = 0; block < here; block++) {
            const int64_t image = first + block * BLOCK;
            uint64_t ids[BLOCK];
            for (int i = 0; i < BLOCK; i++)
                ids[i] = batch->image_ids[image + i < batch->images ? image + i : batch->images - 1];
            thermal_begin(ids, &thermal[block]);
            if (in_wires)
                narrow_begin_wires(workload, batch, image, &wires[block]);
            narrow_begin(workload, packed, states + block * stride);
            narrow_load(workload, packed, batch, image, states + block * stride, fault);
            if (fault->status)
                goto done;
        }
        for (int64_t g = 0; g < packed->groups; g++) {
            const anna_group *group = &packed->group[g];
            if (in_wires) {
                while (g + 1 < packed->groups && packed->group[g + 1].calc == group->calc)
                    g++;
                for (int64_t block = 0; block < here; block++)
                    narrow_wired(workload, packed, group, &packed->group[g + 1], &wires[block], &thermal[block], &key,
                                 states + block * stride);
                continue;
            }
            if (narrow_draws(packed, g))
                for (int64_t block = 0; block < here; block++)
                    thermal_make(&thermal[block], workload->ordinal[group->calc], (uint32_t)group->first_quad / 2, &key);
            way(packed, group, here, states, thermal, (int)workload->levels);
        }
        for (int64_t block = 0; block < here; block++)
            narrow_store(workload, packed, batch, first + block * BLOCK, states + block * stride);
    }
done:
    free(states);
    free(thermal);
    free(wires);
}
