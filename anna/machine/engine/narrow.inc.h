/* The narrow kernel: int16 operands, int32 sums, one image a lane, the sums of a group of neurons in registers.
 *
 * States lie as int16 numerators, [slot][2 x VL images]. Two operands are interleaved to pairs, which one instruction
 * multiplies by a broadcast pair of weights and adds. Interleaving leaves image 8 (i / 4) + 4 v + i % 4 in lane i of
 * vector v, at every vector size, and packing the codes undoes it. */

enum { BLOCK = 2 * VL };

typedef struct {
    noise_lanes lanes[2];
} narrow_noise;

#define STEP(n)                                                                                                       \
    {                                                                                                                 \
        VI w = v_fill(*weight++);                                                                                     \
        sum[n][0] = v_madd(sum[n][0], low, w);                                                                        \
        sum[n][1] = v_madd(sum[n][1], high, w);                                                                       \
    }

#define SEGMENT(kind, steps)                                                                                          \
    case kind:                                                                                                        \
        for (int32_t k = 0; k < pairs; k++) {                                                                         \
            const VS a = *(const VS *)(states + (int64_t)BLOCK * slot[0]);                                            \
            const VS b = *(const VS *)(states + (int64_t)BLOCK * slot[1]);                                            \
            const VS low = v_interleave_low(a, b), high = v_interleave_high(a, b);                                    \
            slot += 2;                                                                                                \
            steps                                                                                                     \
        }                                                                                                             \
        break;

/* The sums of one group, [place][low, high]. Kinds: 0 all; 1, 2 halves; 3..6 quarters; 7..14 single neurons, of 8;
 * of groups of 4 likewise: 0 all; 1, 2 pairs; 3..6 single neurons. */
static inline void narrow_sums(const anna_packed *packed, const anna_group *group, const int16_t *states,
                               VI out[WIDTH][2])
{
    const int32_t *slot = packed->pair_slot + 2 * group->pair;
    const int32_t *weight = packed->weight + group->weight;
    const anna_segment *segment = packed->segment + group->segment, *end = segment + group->segments;
    VI sum[WIDTH][2];
    for (int n = 0; n < WIDTH; n++)
        sum[n][0] = sum[n][1] = (VI){0};
    for (; segment < end; segment++) {
        const int32_t pairs = segment->pairs;
        switch (segment->kind) {
#define S(n) STEP(n)
#if ANNA_WIDTH == 8
            SEGMENT(0, S(0) S(1) S(2) S(3) S(4) S(5) S(6) S(7))
            SEGMENT(1, S(0) S(1) S(2) S(3))
            SEGMENT(2, S(4) S(5) S(6) S(7))
            SEGMENT(3, S(0) S(1))
            SEGMENT(4, S(2) S(3))
            SEGMENT(5, S(4) S(5))
            SEGMENT(6, S(6) S(7))
            SEGMENT(7, S(0))
            SEGMENT(8, S(1))
            SEGMENT(9, S(2))
            SEGMENT(10, S(3))
            SEGMENT(11, S(4))
            SEGMENT(12, S(5))
            SEGMENT(13, S(6))
            SEGMENT(14, S(7))
#else
            SEGMENT(0, S(0) S(1) S(2) S(3))
            SEGMENT(1, S(0) S(1))
            SEGMENT(2, S(2) S(3))
            SEGMENT(3, S(0))
            SEGMENT(4, S(1))
            SEGMENT(5, S(2))
            SEGMENT(6, S(3))
#endif
#undef S
        }
    }
    for (int n = 0; n < WIDTH; n++) {
        out[n][0] = sum[n][0];
        out[n][1] = sum[n][1];
    }
}

/* Sums to codes to the numerators that are stored: clamp, noise, ADC, stuck bits. */
static inline void narrow_convert(const anna_plan *plan, const anna_packed *packed, const anna_group *group,
                                  VI sum[WIDTH][2], const narrow_noise *noise, uint64_t seed, int16_t *states)
{
    const anna_neuron *neuron = packed->neuron + (group - packed->group) * WIDTH;
    const int levels = (int)plan->levels;
    for (int quad = 0; quad < WIDTH / 4; quad++, neuron += 4) {
        VF z[2][4];
        const int noisy = group->noisy_quads >> quad & 1;
        if (noisy)
            for (int v = 0; v < 2; v++)
                noise_quad(&noise->lanes[v], plan->ordinal[group->calc], (uint32_t)(group->first_quad + quad), seed,
                           z[v]);
        for (int n = 0; n < 4; n++) {
            if (neuron[n].out_slot < 0)
                continue;
            VI code[2];
            for (int v = 0; v < 2; v++) {
                VI x = sum[neuron[n].place][v];
                if (packed->clamps)
                    x = v_min(v_max(x, v_fill(neuron[n].clamp_low)), v_fill(neuron[n].clamp_high));
                if (noisy)
                    x += v_round(z[v][n] * neuron[n].sigma);
                code[v] = v_search(x, packed->threshold + 64 * (int64_t)neuron[n].table, levels);
            }
            VS value = v_pack(code[0], code[1]);
            if (packed->masks)
                value = (value & (int16_t)neuron[n].and_mask) | (int16_t)neuron[n].or_mask;
            if (packed->affine)
                value = value * (int16_t)packed->scale + (int16_t)packed->offset;
            else
                value = v_lookup(value, packed->numerator);
            *(VS *)(states + (int64_t)BLOCK * neuron[n].out_slot) = value;
        }
    }
}

static void narrow_load(const anna_plan *plan, const anna_packed *packed, const anna_job *job, int64_t first,
                        int16_t *states, anna_fault *fault)
{
    const int64_t inputs = plan->inputs, last = job->images - 1, levels = plan->levels;
    for (int64_t lane = 0; lane < BLOCK; lane++) {
        const int64_t image = first + lane < last ? first + lane : last; /* lanes left over repeat the last image */
        int64_t i = 0;
        for (; i < inputs; i++) {
            const int64_t at = image * inputs + i;
            const int64_t code = job->code_size == 1 ? ((const uint8_t *)job->codes)[at]
                                                     : ((const uint16_t *)job->codes)[at];
            if (code >= levels) {
                *fault = (anna_fault){ANNA_BAD_CODE, image, i, code};
                return;
            }
            states[BLOCK * (int64_t)plan->input_slots[i] + lane] = packed->numerator[code];
        }
    }
}

static void narrow_begin(const anna_plan *plan, const anna_packed *packed, int16_t *states)
{
    for (int64_t i = 0; i < packed->cold; i++)
        for (int lane = 0; lane < BLOCK; lane++)
            states[BLOCK * (int64_t)packed->cold_slot[i] + lane] = packed->numerator[0];
    for (int64_t i = 0; i < plan->constants; i++)
        for (int lane = 0; lane < BLOCK; lane++)
            states[BLOCK * (int64_t)plan->constant_slots[i] + lane] = packed->numerator[plan->constant_codes[i]];
}

static void narrow_store(const anna_plan *plan, const anna_packed *packed, const anna_job *job, int64_t first,
                         const int16_t *states)
{
    const int64_t count = job->images - first < BLOCK ? job->images - first : BLOCK;
    for (int64_t lane = 0; lane < count; lane++) {
        const int64_t row = (first + lane) * plan->outputs;
        for (int64_t i = 0; i < plan->outputs; i++) {
            const int16_t value = states[BLOCK * (int64_t)plan->output_slots[i] + lane];
            const uint8_t code = packed->code_of[value - packed->lowest];
            ((uint8_t *)job->results)[row + i] = code;
        }
    }
}

static void narrow_run(const anna_plan *plan, const anna_packed *packed, const anna_job *job, anna_fault *fault)
{
    const int64_t blocks = job->lanes > BLOCK ? (job->lanes + BLOCK - 1) / BLOCK : 1;
    const int64_t stride = packed->slots * BLOCK;
    narrow_noise *noise = NULL;
    int16_t *states = NULL;
    if (posix_memalign((void **)&states, 64, (size_t)(stride * blocks) * sizeof *states + 64) ||
        posix_memalign((void **)&noise, 64, (size_t)blocks * sizeof *noise)) {
        *fault = (anna_fault){ANNA_NO_MEMORY, 0, 0, 0};
        free(states);
        return;
    }
    for (int64_t first = 0; first < job->images; first += blocks * BLOCK) {
        const int64_t left = (job->images - first + BLOCK - 1) / BLOCK, here = left < blocks ? left : blocks;
        for (int64_t block = 0; block < here; block++) {
            const int64_t image = first + block * BLOCK;
            uint64_t ids[2][VL];
            for (int v = 0; v < 2; v++) {
                for (int i = 0; i < VL; i++) {
                    const int64_t at = image + 8 * (i / 4) + 4 * v + i % 4;
                    ids[v][i] = job->image_ids[at < job->images ? at : job->images - 1];
                }
                noise[block].lanes[v] = noise_prepare(ids[v]);
            }
            narrow_begin(plan, packed, states + block * stride);
            narrow_load(plan, packed, job, image, states + block * stride, fault);
            if (fault->status)
                goto done;
        }
        for (int64_t g = 0; g < packed->groups; g++) {
            const anna_group *group = &packed->group[g];
            for (int64_t block = 0; block < here; block++) {
                int16_t *mine = states + block * stride;
                VI sum[WIDTH][2];
                narrow_sums(packed, group, mine, sum);
                narrow_convert(plan, packed, group, sum, &noise[block], job->noise_seed, mine);
                for (int64_t c = group->copy; c < group->copy + group->copies; c++)
                    memcpy(mine + (int64_t)BLOCK * packed->copy[2 * c + 1], mine + (int64_t)BLOCK * packed->copy[2 * c],
                           BLOCK * sizeof *mine);
            }
        }
        for (int64_t block = 0; block < here; block++)
            narrow_store(plan, packed, job, first + block * BLOCK, states + block * stride);
    }
done:
    free(states);
    free(noise);
}
