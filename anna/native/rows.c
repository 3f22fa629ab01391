/* What a group of neurons reads, operand by operand, and which of them read alike. */
#include <string.h>

#include "pack.h"

/* The weights of neurons that drive their synapses from one line: one row, or more if a weight leaves int16. */
static void take_line(packer *p, int32_t slot, int32_t line, int32_t rest[MAX_WIDTH], int width)
{
    for (int more = 1; more;) {
        row *next = &p->rows[p->n_rows];
        *next = (row){.slot = slot, .line = line};
        more = 0;
        for (int n = 0; n < width; n++) {
            const int32_t w = rest[n] > INT16_MAX ? INT16_MAX : rest[n] < INT16_MIN ? INT16_MIN : rest[n];
            next->weight[n] = (int16_t)w;
            next->readers |= (uint32_t)(w != 0) << n;
            rest[n] -= w;
            more |= rest[n] != 0;
        }
        p->n_rows += next->readers != 0;
    }
}

/* What a code drives the synapse of one operand and neuron with. */
static int32_t driven(const anna_plan *plan, int64_t at, int16_t code)
{
    return plan->op_levels ? plan->numerator_tables[plan->op_levels[at] * plan->levels + code] : plan->numerators[code];
}

void take_rows(packer *p, int64_t calc, int64_t first, int width)
{
    const anna_plan *plan = p->plan;
    const int power = p->shorts.power;
    p->n_rows = 0;
    for (int n = 0; n < width; n++) {
        const int64_t at = calc * plan->neurons + first + n;
        const int live = first + n < plan->neurons && plan->out_slot[at] >= 0;
        p->start[n] = live && p->shorts.middle ? -p->shorts.middle[plan->table[at]] : 0;
    }
    for (int64_t k = plan->op_start[calc]; k < plan->op_start[calc + 1]; k++) {
        const int64_t at = k * plan->neurons + first;
        const int16_t code = p->fixed[plan->op_slot[k]];
        uint32_t open = 0;
        for (int n = 0; n < width && first + n < plan->neurons; n++) {
            if (plan->out_slot[calc * plan->neurons + first + n] < 0 || !plan->op_weight[at + n])
                continue;
            if (code < 0)
                open |= 1u << n;
            else
                p->start[n] += (plan->op_weight[at + n] >> power) * driven(plan, at + n, code);
        }
        while (open) { /* neurons whose synapses have the same steps, together */
            int32_t rest[MAX_WIDTH] = {0}, line = -1;
            for (int n = 0; n < width; n++) {
                if (!(open >> n & 1))
                    continue;
                const int32_t mine = plan->op_levels ? plan->op_levels[at + n] : 0;
                if (line < 0)
                    line = mine;
                if (mine == line) {
                    rest[n] = plan->op_weight[at + n] >> power;
                    open &= ~(1u << n);
                }
            }
            take_line(p, plan->op_slot[k], line, rest, width);
        }
    }
}

/* Which sets of readers there are among the rows, and how many rows each has. */
void tally_readers(packer *p)
{
    int16_t number[1 << MAX_WIDTH];
    memset(number, 0xFF, sizeof number); /* minus one */
    p->n_readings = 0;
    for (int64_t r = 0; r < p->n_rows; r++) {
        const uint32_t readers = p->rows[r].readers;
        if (number[readers] < 0) {
            number[readers] = (int16_t)p->n_readings;
            p->readings[p->n_readings++] = (reading){readers, 0};
        }
        p->readings[number[readers]].rows++;
    }
}
