/* Walks a packed plan as the narrow kernel will, and refuses every index that would leave its array. */
#include "pack.h"

static void blame(anna_fault *fault, int64_t calc, int64_t index, int64_t value)
{
    if (!fault->status)
        *fault = (anna_fault){ANNA_BROKEN_PLAN, calc, index, value};
}

static int outside(int64_t value, int64_t end) { return value < 0 || value >= end; }

/* Pairs and weights that one round of a segment takes. */
static void segment_takes(int width, int kind, int64_t *pairs, int64_t *weights)
{
    int first;
    const int joint = kind >= kinds_of(width);
    *pairs = joint ? 2 << (kind - kinds_of(width)) : 1;
    *weights = joint ? width : kind_places(width, kind, &first);
}

static void audit_neurons(const anna_plan *plan, const anna_packed *packed, int64_t g, anna_fault *fault)
{
    const int64_t width = packed->width;
    uint32_t numbers = 0;
    for (int64_t n = 0; n < width; n++) {
        const anna_neuron *neuron = &packed->neuron[g * width + n];
        if (outside(neuron->number, width))
            blame(fault, packed->group[g].calc, n, neuron->number);
        else
            numbers |= 1u << neuron->number;
        if (neuron->out_slot >= 0 && (neuron->out_slot >= packed->slots || outside(neuron->table, plan->tables)))
            blame(fault, packed->group[g].calc, n, neuron->out_slot);
    }
    if (numbers != (1u << width) - 1)
        blame(fault, packed->group[g].calc, -1, (int64_t)numbers);
}

void anna_audit(const anna_plan *plan, const anna_packed *packed, anna_fault *fault)
{
    const int width = (int)packed->width;
    for (int64_t g = 0; g < packed->groups && !fault->status; g++) {
        const anna_group *group = &packed->group[g];
        int64_t pair = group->pair, weight = group->weight;
        if (outside(group->calc, plan->calcs) || group->segment + group->segments > packed->segments)
            blame(fault, group->calc, g, group->segments);
        for (int64_t s = group->segment; s < group->segment + group->segments && !fault->status; s++) {
            int64_t pairs, weights;
            segment_takes(width, packed->segment[s].kind, &pairs, &weights);
            pairs *= packed->segment[s].pairs;
            weights *= packed->segment[s].pairs;
            if (pair + pairs > packed->pairs || weight + weights > packed->weights)
                blame(fault, group->calc, s, packed->segment[s].pairs);
            for (int64_t i = 2 * pair; i < 2 * (pair + pairs) && !fault->status; i++)
                if (outside(packed->pair_slot[i], plan->slots)
                    || (plan->op_levels && outside(packed->pair_line[i], plan->lines)))
                    blame(fault, group->calc, i, packed->pair_slot[i]);
            pair += pairs;
            weight += weights;
        }
        audit_neurons(plan, packed, g, fault);
        for (int64_t c = 2 * group->copy; c < 2 * (group->copy + group->copies) && !fault->status; c++)
            if (outside(packed->copy[c], packed->slots))
                blame(fault, group->calc, c, packed->copy[c]);
    }
    for (int64_t i = 0; i < packed->cold && !fault->status; i++)
        if (outside(packed->cold_slot[i], plan->slots))
            blame(fault, -1, i, packed->cold_slot[i]);
}
