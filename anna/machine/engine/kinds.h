/* The operands of a group of neurons, and the kinds of segments they can enter. */
#ifndef ANNA_KINDS_H
#define ANNA_KINDS_H

#include <stdint.h>

enum { MAX_WIDTH = 8, MAX_KINDS = 2 * MAX_WIDTH - 1 };

/* One operand of a group; a weight outside int16 makes several rows. */
typedef struct {
    int32_t slot, line;
    uint32_t readers; /* bit p: the neuron at place p has a weight here */
    int16_t weight[MAX_WIDTH];
} row;

int kinds_of(int width);
int kind_places(int width, int kind, int *first);
uint32_t permuted(uint32_t readers, const int *place, int width);
int best_cover(int width, uint32_t readers, int kind, uint8_t *cover);
void choose_places(const row *rows, int64_t n_rows, const int *cost, int width, int *place);

#endif
