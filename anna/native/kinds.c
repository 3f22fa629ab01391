/* Which neurons of a group share which operands: the cheapest cover of an operand's readers, the best order of neurons. */
#include <string.h>

#include "pack.h"

/* The kinds form a binary tree over the places; kind k has the children 2k + 1 and 2k + 2. */
int kind_places(int width, int kind, int *first)
{
    int level = 0;
    while (kind >= (2 << level) - 1)
        level++;
    const int places = width >> level;
    *first = (kind - ((1 << level) - 1)) * places;
    return places;
}

int kinds_of(int width) { return 2 * width - 1; }

/* Work of a row that enters a kind: two multiply-adds a neuron and its share of loading and interleaving. */
static int kind_cost(int places) { return 2 * places + 3; }

/* The cheapest set of kinds that reaches all readers; marks it in `cover` if that is not NULL. */
int best_cover(int width, uint32_t readers, int kind, uint8_t *cover)
{
    int first;
    const int places = kind_places(width, kind, &first);
    const uint32_t mine = readers & (((1u << places) - 1) << first);
    if (!mine)
        return 0;
    const int whole = kind_cost(places);
    if (places > 1) {
        const int split = best_cover(width, readers, 2 * kind + 1, NULL) + best_cover(width, readers, 2 * kind + 2, NULL);
        if (split < whole) {
            if (cover) {
                best_cover(width, readers, 2 * kind + 1, cover);
                best_cover(width, readers, 2 * kind + 2, cover);
            }
            return split;
        }
    }
    if (cover)
        cover[kind] = 1;
    return whole;
}

uint32_t permuted(uint32_t readers, const int *place, int width)
{
    uint32_t moved = 0;
    for (int n = 0; n < width; n++)
        moved |= (readers >> n & 1) << place[n];
    return moved;
}

static int64_t cost_of(const reading *readings, int count, const int *cost, const int *place, int width)
{
    int64_t total = 0;
    for (int r = 0; r < count; r++)
        total += (int64_t)cost[permuted(readings[r].readers, place, width)] * readings[r].rows;
    return total;
}

/* Places the neurons so that those with most operands in common are neighbours, if that saves work. */
void choose_places(const reading *readings, int count, const int *cost, int width, int *place)
{
    int64_t common[MAX_WIDTH][MAX_WIDTH] = {{0}};
    int chained[MAX_WIDTH];
    uint32_t used = 1;
    for (int r = 0; r < count; r++)
        for (int a = 0; a < width; a++)
            for (int b = 0; b < width; b++)
                if ((readings[r].readers >> a & 1) == (readings[r].readers >> b & 1))
                    common[a][b] += readings[r].rows;
    chained[0] = 0;
    for (int at = 1, last = 0; at < width; at++) {
        int next = -1;
        for (int n = 0; n < width; n++)
            if (!(used >> n & 1) && (next < 0 || common[last][n] > common[last][next]))
                next = n;
        chained[next] = at;
        used |= 1u << next;
        last = next;
    }
    for (int n = 0; n < width; n++)
        place[n] = n;
    if (cost_of(readings, count, cost, chained, width) < cost_of(readings, count, cost, place, width))
        memcpy(place, chained, (size_t)width * sizeof *place);
}
