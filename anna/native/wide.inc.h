/* The wide kernel: 64-bit sums, any number of levels, and the slow parts of the model: charge noise, DAC steps.
 *
 * Plain loops over the lanes; states lie as codes, [slot][VL images]. The noise is the narrow kernel's. */

typedef struct {
    const anna_workload *workload;
    const anna_batch *batch;
    uint16_t *codes;    /* [slots][VL] */
    int64_t *sums;      /* [neurons][VL] */
    int64_t *last;      /* [neurons][VL], what each wire carried in its last CALC of the segment */
    float *slow;        /* [neurons][VL], slow noise */
    uint16_t *results;  /* [neurons][VL] */
    VF *charge;         /* [neurons][4], the last quad of charge noise of each neuron */
    uint64_t *charge_of; /* [neurons], which: refresh << 32 | group */
    noise_lanes lanes;
    thermal_key key;
    thermal_block thermal; /* of the images, twice */
} wide_state;

/* Noise in accumulator units, as thermal_amounts gives it. */
static inline int64_t wide_thermal(int64_t normal, int64_t strength, int grain)
{
    return ((normal * strength + 0x4000) >> 15) * ((int64_t)1 << grain) + (strength << grain >> 16);
}

static inline int64_t round_long(float x) { return (int64_t)__builtin_rintf(x); }

static inline int wide_search(int64_t x, const int64_t *threshold, int64_t edges)
{
    int64_t low = 0;
    while (edges > 0) { /* the count lies in low .. low + edges */
        const int64_t half = (edges + 1) / 2;
        const int64_t above = -(int64_t)(threshold[low + half - 1] <= x);
        low += above & half;
        edges = above ? edges - half : half - 1;
    }
    return (int)low;
}

/* Charge noise: the weight each lane's synapse really got at its last refresh. */
static void wide_charged(wide_state *s, int64_t k, int64_t n, int64_t weight[VL])
{
    const anna_workload *workload = s->workload;
    const int64_t at = k * workload->neurons + n;
    const float sigma = workload->charge_sigma[at];
    const uint32_t synapse = workload->charge_synapse[at], refresh = workload->charge_refresh[at];
    for (int i = 0; i < VL; i++)
        weight[i] = workload->op_weight[at];
    const uint64_t which = (uint64_t)refresh << 32 | synapse >> 2;
    if (s->charge_of[n] != which) {
        noise_quad(&s->lanes, refresh, (uint32_t)ANNA_CHARGE << 28 | synapse >> 2, s->batch->noise_seed,
                   s->charge + 4 * n);
        s->charge_of[n] = which;
    }
    for (int i = 0; i < VL; i++)
        weight[i] += round_long(s->charge[4 * n + (synapse & 3)][i] * sigma);
}

static void wide_sums(wide_state *s, int64_t calc)
{
    const anna_workload *workload = s->workload;
    const int64_t neurons = workload->neurons;
    memset(s->sums, 0, (size_t)neurons * VL * sizeof *s->sums);
    for (int64_t k = workload->op_start[calc]; k < workload->op_start[calc + 1]; k++) {
        const uint16_t *code = s->codes + (int64_t)workload->op_slot[k] * VL;
        int64_t state[VL], weight[VL];
        for (int i = 0; i < VL; i++)
            state[i] = workload->numerators[code[i]];
        for (int64_t n = 0; n < neurons; n++) {
            int64_t *sum = s->sums + n * VL;
            const int64_t at = k * neurons + n, fixed = workload->op_weight[at];
            if (workload->op_levels) {
                const int32_t *numerator = workload->numerator_tables + workload->op_levels[at] * workload->levels;
                for (int i = 0; i < VL; i++)
                    state[i] = numerator[code[i]];
            }
            if (workload->charge_sigma && workload->charge_sigma[at] != 0.0f) {
                wide_charged(s, k, n, weight);
                for (int i = 0; i < VL; i++)
                    sum[i] += weight[i] * state[i];
            } else if (fixed) {
                for (int i = 0; i < VL; i++)
                    sum[i] += fixed * state[i];
            }
        }
    }
}

/* What wires carry, and what the ADCs see of it. */
static void wide_wires(wide_state *s, int64_t calc)
{
    const anna_workload *workload = s->workload;
    const int64_t neurons = workload->neurons;
    int64_t left[VL] = {0};
    if (workload->at_rest && workload->at_rest[calc])
        memset(s->last, 0, (size_t)neurons * VL * sizeof *s->last);
    for (int64_t n = 0; n < neurons; n++) {
        const int64_t at = calc * neurons + n;
        for (int i = 0; i < VL; i++) {
            int64_t *sum = s->sums + n * VL + i, *last = s->last + n * VL + i;
            const int64_t own = *sum, right = n + 1 < neurons ? sum[VL] : 0;
            if (workload->coupled)
                *sum += share_of(left[i] + right, workload->coupled[at]);
            left[i] = own;
            if (workload->unsettled && workload->unsettled[at] >= 0) {
                const int64_t carried = *sum;
                *sum += share_of(*last - carried, workload->unsettled[at]);
                *last = carried;
            }
        }
    }
}

static void wide_limit(wide_state *s, int64_t calc)
{
    const anna_workload *workload = s->workload;
    for (int64_t n = 0; n < workload->neurons; n++) {
        const int64_t at = calc * workload->neurons + n;
        for (int i = 0; i < VL; i++) {
            int64_t *x = s->sums + n * VL + i;
            if (workload->clamp_low)
                *x = *x < workload->clamp_low[at] ? workload->clamp_low[at] : *x;
            if (workload->clamp_high)
                *x = *x > workload->clamp_high[at] ? workload->clamp_high[at] : *x;
        }
    }
}

static void wide_convert(wide_state *s, int64_t calc)
{
    const anna_workload *workload = s->workload;
    const int64_t neurons = workload->neurons;
    for (int64_t n = 0; n < neurons; n++) {
        const int64_t at = calc * neurons + n;
        int64_t *sum = s->sums + n * VL;
        if (workload->strength && n % THERMAL_NORMALS == 0)
            thermal_make(&s->thermal, workload->ordinal[calc], (uint32_t)(n / THERMAL_NORMALS), &s->key);
        if (workload->out_slot[at] < 0)
            continue;
        for (int i = 0; i < VL; i++) {
            int64_t x = sum[i];
            if (workload->strength)
                x += wide_thermal(s->thermal.normal[n % THERMAL_NORMALS][i], workload->strength[at],
                                  workload->grain[workload->table[at]]);
            if (workload->slow_sigma)
                x += round_long(s->slow[n * VL + i] * workload->slow_sigma[at]);
            const int64_t edges = workload->levels - 1;
            int code = wide_search(x, workload->thresholds + workload->table[at] * edges, edges);
            if (workload->and_mask)
                code &= workload->and_mask[at];
            if (workload->or_mask)
                code |= workload->or_mask[at];
            s->results[n * VL + i] = (uint16_t)code;
        }
    }
    for (int64_t n = 0; n < neurons; n++) {
        const int32_t slot = workload->out_slot[calc * neurons + n];
        if (slot >= 0)
            memcpy(s->codes + (int64_t)slot * VL, s->results + n * VL, VL * sizeof *s->codes);
    }
}

static int64_t wide_code(const anna_batch *batch, int64_t at)
{
    return batch->code_size == 1 ? ((const uint8_t *)batch->codes)[at] : ((const uint16_t *)batch->codes)[at];
}

static void wide_block(wide_state *s, int64_t first, anna_fault *fault)
{
    const anna_workload *workload = s->workload;
    const anna_batch *batch = s->batch;
    uint64_t ids[VL];
    memset(s->codes, 0, (size_t)workload->slots * VL * sizeof *s->codes);
    for (int64_t i = 0; i < workload->constants; i++)
        for (int lane = 0; lane < VL; lane++)
            s->codes[(int64_t)workload->constant_slots[i] * VL + lane] = workload->constant_codes[i];
    for (int64_t lane = 0; lane < VL; lane++) {
        const int64_t image = first + lane < batch->images ? first + lane : batch->images - 1;
        ids[lane] = batch->image_ids[image];
        for (int64_t n = 0; n < workload->neurons && batch->slow; n++)
            s->slow[n * VL + lane] = batch->slow[image * workload->neurons + n];
        for (int64_t i = 0; i < workload->inputs; i++) {
            const int64_t code = wide_code(batch, image * workload->inputs + i);
            if (code >= workload->levels) {
                *fault = (anna_fault){ANNA_BAD_CODE, image, i, code};
                return;
            }
            s->codes[(int64_t)workload->input_slots[i] * VL + lane] = (uint16_t)code;
        }
    }
    memset(s->last, 0, (size_t)workload->neurons * VL * sizeof *s->last);
    s->lanes = noise_prepare(ids);
    uint64_t twice[BLOCK];
    memcpy(twice, ids, sizeof ids);
    memcpy(twice + VL, ids, sizeof ids);
    thermal_begin(twice, &s->thermal);
    for (int64_t n = 0; n < workload->neurons; n++)
        s->charge_of[n] = UINT64_MAX;
    for (int64_t calc = 0; calc < workload->calcs; calc++) {
        wide_sums(s, calc);
        if (workload->clamp_low || workload->clamp_high)
            wide_limit(s, calc);
        if (workload->coupled || workload->unsettled)
            wide_wires(s, calc);
        wide_convert(s, calc);
    }
    for (int64_t lane = 0; lane < VL && first + lane < batch->images; lane++)
        for (int64_t i = 0; i < workload->outputs; i++) {
            const uint16_t code = s->codes[(int64_t)workload->output_slots[i] * VL + lane];
            const int64_t at = (first + lane) * workload->outputs + i;
            if (batch->result_size == 1)
                ((uint8_t *)batch->results)[at] = (uint8_t)code;
            else
                ((uint16_t *)batch->results)[at] = code;
        }
}

static void wide_run(const anna_workload *workload, const anna_batch *batch, anna_fault *fault)
{
    const size_t neurons = (size_t)workload->neurons;
    wide_state s = {.workload = workload, .batch = batch, .key = thermal_prepare(batch->noise_seed)};
    int failed = posix_memalign((void **)&s.codes, 64, (size_t)workload->slots * VL * sizeof *s.codes + 64);
    failed |= posix_memalign((void **)&s.sums, 64, neurons * VL * sizeof *s.sums + 64);
    failed |= posix_memalign((void **)&s.last, 64, neurons * VL * sizeof *s.last + 64);
    failed |= posix_memalign((void **)&s.slow, 64, neurons * VL * sizeof *s.slow + 64);
    failed |= posix_memalign((void **)&s.results, 64, neurons * VL * sizeof *s.results + 64);
    failed |= posix_memalign((void **)&s.charge, 64, neurons * 4 * sizeof *s.charge + 64);
    failed |= posix_memalign((void **)&s.charge_of, 64, neurons * sizeof *s.charge_of + 64);
    if (failed)
        *fault = (anna_fault){ANNA_NO_MEMORY, 0, 0, 0};
    else
        for (int64_t first = 0; first < batch->images && !fault->status; first += VL)
            wide_block(&s, first, fault);
    free(s.codes);
    free(s.sums);
    free(s.last);
    free(s.slow);
    free(s.results);
    free(s.charge);
    free(s.charge_of);
}
