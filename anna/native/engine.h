/* What the parts of the engine say to each other: the plan, its packed form, a job of images, a fault. */
#ifndef ANNA_ENGINE_H
#define ANNA_ENGINE_H

#include <stdint.h>

enum {
    ANNA_OK = 0,
    ANNA_NO_MEMORY = 1,
    ANNA_BAD_CODE = 2,    /* an input code is not below the number of levels */
    ANNA_BROKEN_PLAN = 3, /* a checked build met an index outside its range */
};

enum { ANNA_MAX_LEVELS = 64, ANNA_LINE_LEVELS = 8 };

/* Streams of random words: the top four bits of the counter's last word. */
enum { ANNA_THERMAL = 0, ANNA_CHARGE = 1 };

/* The Workload as arrays; every pointer belongs to Python, optional ones may be NULL. */
typedef struct {
    int64_t slots, levels, neurons, calcs, ops, tables, inputs, constants, outputs, lines;
    const int32_t *numerators; /* [levels] */
    const int32_t *input_slots, *constant_slots, *output_slots;
    const uint16_t *constant_codes;
    const int64_t *op_start; /* [calcs + 1] */
    const int32_t *op_slot, *op_weight;
    const int64_t *thresholds; /* [tables][levels - 1], ascending */
    const int32_t *table, *out_slot;
    const int64_t *clamp_low, *clamp_high;
    const float *sigma;
    const uint32_t *ordinal;
    const uint16_t *and_mask, *or_mask;
    const float *charge_sigma;
    const uint32_t *charge_refresh, *charge_synapse;
    const int32_t *op_levels, *numerator_tables; /* [ops][neurons] -> [lines][levels] */
} anna_plan;

/* One neuron of a group, by its place: which accumulator is its own. */
typedef struct {
    int32_t out_slot; /* -1: nothing stored */
    int32_t table;
    int32_t number; /* among the group's neuron slots: which of the quads' noise samples it takes */
    float sigma;
    int32_t clamp_low, clamp_high;
    uint16_t and_mask, or_mask;
} anna_neuron;

/* `pairs` times the operand pairs of one kind, see narrow_sums: which accumulators they meet. */
typedef struct {
    int32_t kind, pairs;
} anna_segment;

/* Up to 8 (or 4) neurons of one CALC whose accumulators live in registers together. */
typedef struct {
    int64_t segment, segments; /* into segment[] */
    int64_t pair;              /* into pair_slot[], two slots a pair */
    int64_t weight;            /* into weight[], one pair of int16 each */
    int64_t copy, copies;      /* done after the group: state moves that must wait for all reads of the CALC */
    int64_t calc;
    int32_t noisy_quads; /* bit q: neurons 4q..4q+3 of the group need noise */
    int32_t first_quad;  /* neuron slot of the group's first neuron, divided by 4 */
} anna_group;

typedef struct {
    int64_t groups, width; /* width: accumulators of a group, 8 or 4 */
    anna_group *group;
    anna_neuron *neuron; /* [groups][width] */
    int32_t *start; /* [groups][width], by place: what operands that never change add to the sum */
    anna_segment *segment;
    int32_t *pair_slot, *pair_line, *weight, *copy; /* copy: from, to */
    int16_t *line; /* [lines][8]: with op_levels, what each code drives a synapse with */
    int64_t segments, pairs, weights, copies;
    int64_t slots;         /* the plan's, and the scratch slots behind them */
    int64_t padded_macs;   /* multiply-adds executed per image, padding included */
    int32_t *threshold;    /* [tables][64], filled up with INT32_MAX */
    int16_t *edge;         /* [tables][8]: thresholds of short sums, from the middle one; NULL where sums are long */
    int32_t affine, scale, offset; /* numerator == scale * code + offset, if affine */
    int16_t numerator[ANNA_MAX_LEVELS];
    int32_t clamps, masks; /* whether any is there */
    int64_t cold;          /* slots read before they are written: they begin with code 0 */
    int32_t *cold_slot;
} anna_packed;

/* Images to run: codes row by row, one image a row; a block holds `blocks` vectors pairs of lanes. */
typedef struct {
    const void *codes;
    int32_t code_size, result_size; /* bytes of a code: 1 or 2; the narrow kernel takes 1 */
    const uint64_t *image_ids;
    int64_t images;
    uint64_t noise_seed;
    int64_t lanes;
    void *results;
} anna_job;

typedef struct {
    int32_t status;
    int64_t image, index, value;
} anna_fault;

int anna_pack(const anna_plan *plan, int width, anna_packed **packed);
void anna_free(anna_packed *packed);

/* In a checked build: walks the packed form as the kernel does and refuses every index outside its range. */
void anna_audit(const anna_plan *plan, const anna_packed *packed, anna_fault *fault);

/* Windows of a float layer: x [map][row][column][image] and weights [output][map][row][column] give sums [output][row]
 * [column][image], all float or all double. `table` [output][map] says who reads whom; `squared`: minus the sum of
 * squared differences instead of the sum of products. */
typedef struct {
    const void *x, *weights;
    const uint8_t *table;
    void *sums;
    int64_t maps, rows_in, columns_in, outputs, rows, columns;
    int64_t kernel_rows, kernel_columns, stride_rows, stride_columns, images;
    int32_t squared;
} anna_window;

/* Where a picture's rows x columns lie in its source and in the field of states around it. */
typedef struct {
    int64_t source_rows, source_columns, crop_top, crop_left, rows, columns, field_rows, field_columns, top, left;
} anna_frame;

/* Everything one SIMD level offers; each level is the same template compiled once more. */
typedef struct {
    const char *name;
    int32_t width, lanes; /* accumulators of a group; images of a pair of vectors */
    void (*run)(const anna_plan *, const anna_packed *, const anna_job *, anna_fault *);
    void (*run_wide)(const anna_plan *, const anna_job *, anna_fault *);
    /* z of `count` images from `first_image`: [count][4] for one counter of the thermal or charge stream */
    void (*normals)(uint64_t seed, uint64_t first_image, uint32_t ordinal, uint32_t word3, int64_t count, float *z);
    /* over `count` images x `ordinals` x 4 normals: counts of |z| > edge, and sums of z, z^2, z^3, z^4 */
    void (*census)(uint64_t seed, uint64_t first_image, int64_t count, uint32_t ordinals, const float *edges,
                   int64_t n_edges, int64_t *beyond, double *moments);
    double (*peak)(int64_t rounds); /* multiply-adds done in registers */
    void (*window_float)(const anna_window *);
    void (*window_double)(const anna_window *);
    void (*exp_float)(const float *x, float *out, int64_t count);
    void (*exp_double)(const double *x, double *out, int64_t count);
    void (*tanh_float)(const float *x, float *out, int64_t count);
    void (*tanh_double)(const double *x, double *out, int64_t count);
    void (*pictures_to_codes)(const anna_frame *, const uint8_t *pictures, const uint8_t *table, uint8_t *codes,
                              int64_t images);
    void (*codes_to_values)(const uint8_t *codes_ni, const float *table_mc, float *values_in, int64_t images, int64_t maps,
                            int64_t positions, int64_t levels);
} anna_level;

const anna_level *anna_find_level(const char *name); /* NULL: not on this machine */
int anna_count_levels(void);
const anna_level *anna_level_at(int index); /* best first */

/* sums_bn = states_bk weights_nk^T by three plain loops; returns the multiply-adds done. */
typedef int64_t anna_dense(const int16_t *weights_nk, const int16_t *states_bk, int32_t *sums_bn, int64_t images,
                           int64_t inputs, int64_t neurons);
anna_dense anna_dense_o2, anna_dense_o3;

#endif
