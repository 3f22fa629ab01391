/* What the files of the packer share: operands of a group, the kinds of segments they can enter, tables. */
#ifndef ANNA_PACK_H
#define ANNA_PACK_H

#include <stdint.h>

#include "engine.h"

enum { MAX_WIDTH = 8, MAX_KINDS = 2 * MAX_WIDTH - 1 };

/* One operand of a group; a weight outside int16 makes several rows. */
typedef struct {
    int32_t slot, line;
    uint32_t readers; /* bit p: the neuron at place p has a weight here */
    int16_t weight[MAX_WIDTH];
} row;

/* A set of readers, and how many rows have it. */
typedef struct {
    uint32_t readers;
    int32_t rows;
} reading;

/* How sums are kept where 16 bits suffice to convert them: divided by 2^power, and counted from the middle threshold. */
typedef struct {
    int power;
    int32_t *middle; /* [tables]; NULL: sums are kept as they are */
} short_sums;

/* What packing works with. */
typedef struct {
    const anna_plan *plan;
    anna_packed *out;
    row *rows;
    int64_t n_rows;
    reading readings[1 << MAX_WIDTH]; /* the different sets of readers among them */
    int n_readings;
    int cost[1 << MAX_WIDTH];       /* of a set of readers by place */
    uint32_t cover[1 << MAX_WIDTH]; /* the kinds, bit by bit, that reach it */
    int64_t room_rows, in_kind[MAX_KINDS];
    int16_t *fixed;   /* [slots]: the code of a slot that nothing ever writes, or -1 */
    int32_t start[MAX_WIDTH];   /* of the group, by neuron */
    int32_t *of_kind; /* [kinds][room_rows]: the group's rows that enter each kind */
    int32_t *bucket;  /* hash of a group's weights -> group + 1 */
    int64_t buckets;
    short_sums shorts;
    int64_t room_segments, room_pairs, room_lines, room_weights, room_copies;
} packer;

void take_rows(packer *p, int64_t calc, int64_t first, int width);
void tally_readers(packer *p);
int kinds_of(int width);
int kind_places(int width, int kind, int *first);
uint32_t permuted(uint32_t readers, const int *place, int width);
int best_cover(int width, uint32_t readers, int kind, uint8_t *cover);
void choose_places(const reading *readings, int count, const int *cost, int width, int *place);

int32_t to_int32(int64_t x);
int find_short_sums(const anna_plan *plan, anna_packed *out, short_sums *shorts);
int16_t *find_fixed(const anna_plan *plan);
int find_cold(const anna_plan *plan, anna_packed *out);
int make_tables(const anna_plan *plan, anna_packed *out);

#endif
