/* Packs a plan for the narrow kernel: neurons that read alike side by side, operands in pairs, equal weights once. */
#include <stdlib.h>
#include <string.h>

#include "pack.h"

static int grow(void **data, int64_t *room, int64_t need, size_t size)
{
    if (need <= *room)
        return 0;
    const int64_t more = need > 2 * *room ? need + 64 : 2 * *room;
    void *bigger = realloc(*data, (size_t)more * size);
    if (!bigger)
        return -1;
    *data = bigger;
    *room = more;
    return 0;
}

static uint64_t hash(const void *data, size_t bytes)
{
    const uint32_t *words = data;
    uint64_t h = bytes;
    for (size_t i = 0; i < bytes / 4; i++)
        h = (h ^ words[i]) * 0x9E3779B97F4A7C15u, h ^= h >> 29;
    return h;
}

/* Weights equal to those of an earlier group are kept once: a convolution reuses its kernel. */
static void share_weights(packer *p, int64_t index)
{
    anna_packed *out = p->out;
    anna_group *group = &out->group[index];
    const int64_t count = out->weights - group->weight;
    const int32_t *mine = out->weight + group->weight;
    uint64_t at = hash(mine, (size_t)count * 4) % (uint64_t)p->buckets;
    for (; p->bucket[at]; at = (at + 1) % (uint64_t)p->buckets) {
        const anna_group *other = &out->group[p->bucket[at] - 1];
        if (other->weight + count <= group->weight
            && !memcmp(out->weight + other->weight, mine, (size_t)count * sizeof *mine)) {
            out->weights = group->weight;
            group->weight = other->weight;
            return;
        }
    }
    p->bucket[at] = (int32_t)index + 1;
}

/* Pair number `at` of a kind: two of its rows, or one and nothing, or nothing twice where a joint kind is padded. */
static void emit_pair(packer *p, const int *neuron_at, int width, int kind, int64_t at)
{
    anna_packed *out = p->out;
    int first;
    const int places = kind_places(width, kind, &first);
    const int32_t *rows = p->of_kind + kind * p->room_rows;
    const row *a = 2 * at < p->in_kind[kind] ? &p->rows[rows[2 * at]] : NULL;
    const row *b = 2 * at + 1 < p->in_kind[kind] ? &p->rows[rows[2 * at + 1]] : NULL;
    out->pair_slot[2 * out->pairs] = a ? a->slot : p->rows[0].slot;
    out->pair_slot[2 * out->pairs + 1] = b ? b->slot : a ? a->slot : p->rows[0].slot;
    out->pair_line[2 * out->pairs] = a ? a->line : 0;
    out->pair_line[2 * out->pairs + 1] = b ? b->line : 0;
    out->pairs++;
    out->padded_macs += 2 * places;
    for (int i = first; i < first + places; i++) { /* the first operand's weight in the low half */
        const uint32_t low = a ? (uint16_t)a->weight[neuron_at[i]] : 0, high = b ? (uint16_t)b->weight[neuron_at[i]] : 0;
        const uint32_t both = low | high << 16;
        memcpy(&out->weight[out->weights++], &both, sizeof both);
    }
}

static void emit_segment(packer *p, anna_group *group, int kind, int64_t pairs)
{
    if (pairs) {
        p->out->segment[p->out->segments++] = (anna_segment){kind, (int32_t)pairs};
        group->segments++;
    }
}

/* One level of the tree, all, halves, quarters or single places: pairs of all its kinds in turn, as far as they are about
 * equally many (each change of kind costs a mispredicted jump), and the rest kind by kind. */
static int emit_level(packer *p, anna_group *group, const int *neuron_at, int width, int level)
{
    anna_packed *out = p->out;
    const int first = (1 << level) - 1, count = 1 << level;
    int64_t least = INT64_MAX, most = 0, total = 0, joint = 0;
    for (int kind = first; kind < first + count; kind++) {
        const int64_t pairs = (p->in_kind[kind] + 1) / 2;
        least = pairs < least ? pairs : least;
        most = pairs > most ? pairs : most;
        total += pairs;
    }
    if (level)
        joint = 4 * most * count <= 5 * total ? most : least;
    const int64_t room = total + most * count;
    if (grow((void **)&out->pair_slot, &p->room_pairs, 2 * (out->pairs + room), sizeof *out->pair_slot)
        || grow((void **)&out->pair_line, &p->room_lines, 2 * (out->pairs + room), sizeof *out->pair_line)
        || grow((void **)&out->weight, &p->room_weights, out->weights + room * width, sizeof *out->weight)
        || grow((void **)&out->segment, &p->room_segments, out->segments + count + 1, sizeof *out->segment))
        return -1;
    for (int64_t at = 0; at < joint; at++)
        for (int kind = first; kind < first + count; kind++)
            emit_pair(p, neuron_at, width, kind, at);
    emit_segment(p, group, kinds_of(width) + level - 1, joint);
    for (int kind = first; kind < first + count; kind++) {
        const int64_t pairs = (p->in_kind[kind] + 1) / 2;
        for (int64_t at = joint; at < pairs; at++)
            emit_pair(p, neuron_at, width, kind, at);
        emit_segment(p, group, kind, pairs > joint ? pairs - joint : 0);
    }
    return 0;
}

static void sort_rows(packer *p, const int *place, int width)
{
    uint32_t cover[1 << MAX_WIDTH]; /* of the sets that occur, by neuron */
    for (int r = 0; r < p->n_readings; r++)
        cover[p->readings[r].readers] = p->cover[permuted(p->readings[r].readers, place, width)];
    memset(p->in_kind, 0, sizeof p->in_kind);
    for (int64_t r = 0; r < p->n_rows; r++) {
        const uint32_t kinds = cover[p->rows[r].readers];
        for (int kind = 0; kinds >> kind; kind++)
            if (kinds >> kind & 1)
                p->of_kind[kind * p->room_rows + p->in_kind[kind]++] = (int32_t)r;
    }
}

/* Of results that go to one slot the last stays; neurons lie by place, so the others are not stored at all. */
static int written_later(const anna_plan *plan, int64_t calc, int64_t n, int64_t end)
{
    const int32_t *slot = plan->out_slot + calc * plan->neurons;
    for (int64_t other = n + 1; other < end && other < plan->neurons; other++)
        if (slot[other] == slot[n])
            return 1;
    return 0;
}

static void describe_neurons(packer *p, int64_t index, int64_t calc, int64_t first, int width, const int *place)
{
    const anna_plan *plan = p->plan;
    anna_group *group = &p->out->group[index];
    for (int n = 0; n < width; n++) {
        anna_neuron *neuron = &p->out->neuron[index * width + place[n]];
        const int64_t at = calc * plan->neurons + first + n;
        *neuron = (anna_neuron){-1, 0, n, 0.0f, INT32_MIN, INT32_MAX, UINT16_MAX, 0};
        if (first + n >= plan->neurons || plan->out_slot[at] < 0 || written_later(plan, calc, first + n, first + width))
            continue;
        neuron->out_slot = plan->out_slot[at];
        neuron->table = plan->table[at];
        if (plan->sigma)
            neuron->sigma = plan->sigma[at];
        if (neuron->sigma != 0.0f)
            group->noisy_quads |= 1 << n / 4;
        if (plan->clamp_low)
            neuron->clamp_low = to_int32(plan->clamp_low[at]);
        if (plan->clamp_high)
            neuron->clamp_high = to_int32(plan->clamp_high[at]);
        if (plan->and_mask)
            neuron->and_mask = plan->and_mask[at];
        if (plan->or_mask)
            neuron->or_mask = plan->or_mask[at];
    }
}

/* A CALC reads before it writes. Where an earlier group would overwrite what a later one reads, all its results go to
 * scratch slots and move after the last group. */
static int defer_writes(packer *p, int64_t calc, int64_t first_group, int width)
{
    const anna_plan *plan = p->plan;
    anna_packed *out = p->out;
    int clash = 0;
    for (int64_t k = plan->op_start[calc]; k < plan->op_start[calc + 1]; k++)
        for (int64_t n = 0; n < plan->neurons; n++)
            clash |= plan->op_slot[k] == plan->out_slot[calc * plan->neurons + n];
    if (!clash || out->groups - first_group < 2)
        return 0;
    if (grow((void **)&out->copy, &p->room_copies, 2 * (out->copies + plan->neurons), sizeof *out->copy))
        return -1;
    anna_group *last = &out->group[out->groups - 1];
    last->copy = out->copies;
    for (int64_t i = first_group * width, scratch = plan->slots; i < out->groups * width; i++)
        if (out->neuron[i].out_slot >= 0) {
            out->copy[2 * out->copies] = (int32_t)scratch;
            out->copy[2 * out->copies++ + 1] = out->neuron[i].out_slot;
            out->neuron[i].out_slot = (int32_t)scratch++;
            last->copies++;
        }
    return 0;
}

static int pack_calc(packer *p, int64_t calc, int width)
{
    anna_packed *out = p->out;
    const int64_t first_group = out->groups;
    for (int64_t first = 0; first < p->plan->neurons; first += width) {
        int place[MAX_WIDTH], neuron_at[MAX_WIDTH], live = 0;
        for (int n = 0; n < width && first + n < p->plan->neurons; n++)
            live |= p->plan->out_slot[calc * p->plan->neurons + first + n] >= 0;
        if (!live)
            continue;
        const int64_t index = out->groups++;
        anna_group *group = &out->group[index];
        *group = (anna_group){.segment = out->segments, .pair = out->pairs, .weight = out->weights, .calc = calc,
                              .first_quad = (int32_t)(first / 4)};
        take_rows(p, calc, first, width);
        tally_readers(p);
        choose_places(p->readings, p->n_readings, p->cost, width, place);
        for (int n = 0; n < width; n++)
            neuron_at[place[n]] = n;
        for (int n = 0; n < width; n++)
            out->start[index * width + place[n]] = p->start[n];
        sort_rows(p, place, width);
        for (int level = 0; 1 << level <= width; level++)
            if (emit_level(p, group, neuron_at, width, level))
                return -1;
        share_weights(p, index);
        describe_neurons(p, index, calc, first, width, place);
    }
    return defer_writes(p, calc, first_group, width);
}

static int pack_all(packer *p, int width)
{
    const anna_plan *plan = p->plan;
    anna_packed *out = p->out;
    const int64_t groups = plan->calcs * ((plan->neurons + width - 1) / width);
    int64_t longest = 1;
    int32_t most = 0, least = 0; /* weights */
    for (int64_t c = 0; c < plan->calcs; c++)
        if (plan->op_start[c + 1] - plan->op_start[c] > longest)
            longest = plan->op_start[c + 1] - plan->op_start[c];
    for (uint32_t readers = 0; readers < 1u << width; readers++) {
        uint8_t cover[MAX_KINDS] = {0};
        p->cost[readers] = best_cover(width, readers, 0, cover);
        p->cover[readers] = 0;
        for (int kind = 0; kind < kinds_of(width); kind++)
            p->cover[readers] |= (uint32_t)cover[kind] << kind;
    }
    for (int64_t i = 0; i < plan->ops * plan->neurons; i++) {
        most = plan->op_weight[i] > most ? plan->op_weight[i] : most;
        least = plan->op_weight[i] < least ? plan->op_weight[i] : least;
    }
    const int64_t heaviest = most > -(int64_t)least ? most : -(int64_t)least;
    p->room_rows = (heaviest / INT16_MAX + 1) * longest * (plan->op_levels ? width : 1) + 1;
    p->rows = malloc((size_t)p->room_rows * sizeof *p->rows);
    p->of_kind = malloc((size_t)(p->room_rows * MAX_KINDS) * sizeof *p->of_kind);
    p->buckets = 2 * groups + 1;
    p->bucket = calloc((size_t)p->buckets, sizeof *p->bucket);
    out->group = malloc((size_t)(groups + 1) * sizeof *out->group);
    out->neuron = malloc((size_t)(groups * width + 1) * sizeof *out->neuron);
    out->start = malloc((size_t)(groups * width + 1) * sizeof *out->start);
    if (find_short_sums(plan, out, &p->shorts))
        return -1;
    if (!(p->fixed = find_fixed(plan)) || !p->rows || !p->of_kind || !p->bucket || !out->group || !out->neuron || !out->start)
        return -1;
    out->width = width;
    out->slots = plan->slots + plan->neurons; /* scratch behind the plan's slots */
    for (int64_t calc = 0; calc < plan->calcs; calc++)
        if (pack_calc(p, calc, width))
            return -1;
    return find_cold(plan, out) || make_tables(plan, out) ? -1 : 0;
}

int anna_pack(const anna_plan *plan, int width, anna_packed **packed)
{
    packer p = {.plan = plan, .out = calloc(1, sizeof(anna_packed))};
    const int failed = !p.out || pack_all(&p, width);
    free(p.rows);
    free(p.of_kind);
    free(p.fixed);
    free(p.bucket);
    free(p.shorts.middle);
    if (failed) {
        anna_free(p.out);
        p.out = NULL;
    }
    *packed = p.out;
    return failed ? ANNA_NO_MEMORY : ANNA_OK;
}

void anna_free(anna_packed *packed)
{
    if (!packed)
        return;
    free(packed->group);
    free(packed->neuron);
    free(packed->start);
    free(packed->segment);
    free(packed->pair_slot);
    free(packed->pair_line);
    free(packed->line);
    free(packed->weight);
    free(packed->copy);
    free(packed->threshold);
    free(packed->edge);
    free(packed->cold_slot);
    free(packed);
}
