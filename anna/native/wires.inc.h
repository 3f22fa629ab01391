/* Wires that are coupled or have not settled, and slow noise: a path of its own for both kernels.
 *
 * The limited sums of a whole CALC lie in memory, by neuron; each takes a share of its neighbours' and of what is left of its
 * last one. anna/analog/share.py is the same arithmetic: the bits are equal. */

static inline int64_t share_of(int64_t x, int32_t share) { return (x >> 16) * share + (((x & 0xFFFF) * share + 0x8000) >> 16); }

/* The same in 32 bits: no share is as large as one, so the lower product has 32 bits without a sign. */
static inline VI v_share_of(VI x, int32_t share)
{
    return (x >> 16) * share + (VI)(((VU)(x & 0xFFFF) * (uint32_t)share + 0x8000u) >> 16);
}

static inline int32_t in_32_bits(int64_t x) { return (int32_t)(x < INT32_MIN ? INT32_MIN : x > INT32_MAX ? INT32_MAX : x); }

static inline int wired(const anna_workload *workload)
{
    return workload->coupled || workload->unsettled || workload->slow_sigma;
}

/* Of one block of the narrow kernel: two vectors a neuron. */
typedef struct {
    VI (*sums)[2];
    VI (*last)[2]; /* what each wire carried in its last CALC of the segment */
    VF (*slow)[2]; /* slow noise of each lane */
} narrow_wires;

/* Those of all blocks, with room for their arrays behind them; NULL if there is no memory. */
static narrow_wires *narrow_lay_wires(const anna_workload *workload, int64_t blocks)
{
    const size_t each = (size_t)workload->neurons * 2 * sizeof(VI), head = ((size_t)blocks * sizeof(narrow_wires) + 63) / 64 * 64;
    narrow_wires *wires;
    if (posix_memalign((void **)&wires, 64, head + (size_t)(1 + 2 * blocks) * each))
        return NULL;
    char *room = (char *)wires + head;
    memset(room, 0, (size_t)(1 + 2 * blocks) * each);
    for (int64_t block = 0; block < blocks; block++) {
        wires[block].sums = (VI(*)[2])room; /* of one block at a time */
        wires[block].last = (VI(*)[2])(room + (size_t)(1 + 2 * block) * each);
        wires[block].slow = (VF(*)[2])(room + (size_t)(2 + 2 * block) * each);
    }
    return wires;
}

/* Wires that carry nothing, and the levels of slow noise of a block's images. */
static void narrow_begin_wires(const anna_workload *workload, const anna_batch *batch, int64_t first, narrow_wires *wires)
{
    memset(wires->last, 0, (size_t)workload->neurons * sizeof *wires->last);
    for (int v = 0; v < 2; v++)
        for (int i = 0; i < VL && batch->slow; i++) {
            const int64_t at = first + 8 * (i / 4) + 4 * v + i % 4, image = at < batch->images ? at : batch->images - 1;
            for (int64_t n = 0; n < workload->neurons; n++)
                wires->slow[n][v][i] = batch->slow[image * workload->neurons + n];
        }
}

/* Limited sums [neurons] to what the ADCs see of them. */
static void narrow_seen(const anna_workload *workload, int64_t calc, const narrow_wires *wires)
{
    const int64_t neurons = workload->neurons;
    for (int v = 0; v < 2; v++) {
        VI left = {0};
        for (int64_t n = 0; n < neurons; n++) {
            const int64_t at = calc * neurons + n;
            const VI own = wires->sums[n][v];
            VI x = own;
            if (workload->coupled)
                x += v_share_of(n + 1 < neurons ? left + wires->sums[n + 1][v] : left, workload->coupled[at]);
            left = own;
            wires->sums[n][v] = x;
            if (workload->unsettled && workload->unsettled[at] >= 0) {
                wires->sums[n][v] += v_share_of(wires->last[n][v] - x, workload->unsettled[at]);
                wires->last[n][v] = x;
            }
        }
    }
}

/* All groups of a CALC, `first` to `end`: their sums, what is seen of these, and codes. */
static void narrow_wired(const anna_workload *workload, const anna_packed *packed, const anna_group *first,
                         const anna_group *end, const narrow_wires *wires, thermal_block *thermal,
                         const thermal_key *key, int16_t *states)
{
    const int64_t neurons = workload->neurons, calc = first->calc;
    VI sum[WIDTH][2];
    if (workload->at_rest && workload->at_rest[calc])
        memset(wires->last, 0, (size_t)neurons * sizeof *wires->last);
    memset(wires->sums, 0, (size_t)neurons * sizeof *wires->sums);
    for (const anna_group *group = first; group < end; group++) {
        const anna_neuron *neuron = packed->neuron + (group - packed->group) * WIDTH;
        if (packed->line)
            narrow_sums(packed, group, states, sum, 1);
        else
            narrow_sums(packed, group, states, sum, 0);
        for (int i = 0; i < WIDTH; i++) {
            const int64_t n = 4 * group->first_quad + neuron[i].number, at = calc * neurons + n;
            for (int v = 0; v < 2 && n < neurons; v++) {
                VI x = sum[i][v];
                if (workload->clamp_low)
                    x = v_max(x, v_fill(in_32_bits(workload->clamp_low[at])));
                if (workload->clamp_high)
                    x = v_min(x, v_fill(in_32_bits(workload->clamp_high[at])));
                wires->sums[n][v] = x;
            }
        }
    }
    narrow_seen(workload, calc, wires);
    for (const anna_group *group = first; group < end; group++) {
        const anna_neuron *neuron = packed->neuron + (group - packed->group) * WIDTH;
        for (int i = 0; i < WIDTH; i++) {
            const int64_t n = 4 * group->first_quad + neuron[i].number, at = calc * neurons + n;
            for (int v = 0; v < 2 && neuron[i].out_slot >= 0; v++) {
                sum[i][v] = wires->sums[n][v];
                if (workload->slow_sigma)
                    sum[i][v] += v_round(wires->slow[n][v] * workload->slow_sigma[at]);
            }
        }
        if (narrow_draws(packed, group - packed->group))
            thermal_make(thermal, workload->ordinal[calc], (uint32_t)group->first_quad / 2, key);
        narrow_convert(packed, group, sum, thermal, states, (int)workload->levels, 0, 0);
        narrow_move(packed, group, states);
    }
}
