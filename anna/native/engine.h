/* What the parts of the engine say to each other: a batch of images, a fault, what a SIMD level offers. */
#ifndef ANNA_ENGINE_H
#define ANNA_ENGINE_H

#include <float.h>
#include <stdint.h>

#include "fields.h"
#include "kinds.h"

#if FLT_EVAL_METHOD != 0
#error "floats are evaluated in a wider format, as by the x87 unit, and bits would differ: build with -msse2 -mfpmath=sse"
#endif

enum {
    ANNA_OK = 0,
    ANNA_NO_MEMORY = 1,
    ANNA_BAD_CODE = 2, /* an input code is not below the number of levels */
};

enum { ANNA_MAX_LEVELS = 64, ANNA_LINE_LEVELS = 8 };

/* Streams of random words: the top four bits of the counter's last word. */
enum { ANNA_THERMAL = 0, ANNA_CHARGE = 1, ANNA_TAIL = 7 };

/* Images to run: codes row by row, one image a row; a block holds `blocks` vectors pairs of lanes. */
typedef struct {
    const void *codes;
    int32_t code_size, result_size; /* bytes of a code: 1 or 2; the narrow kernel takes 1 */
    const uint64_t *image_ids;
    int64_t images;
    const float *slow; /* [images][neurons], the levels of slow noise; NULL without any */
    uint64_t noise_seed;
    int64_t lanes;
    void *results;
} anna_batch;

typedef struct {
    int32_t status;
    int64_t image, index, value;
} anna_fault;

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

/* Reads of a die's synapses: which one, the code that its DAC wrote, the age of the charge, which fades by e^(fade x age). The
 * die's own arrays go row by row; level [DAC][code]. */
typedef struct {
    const int64_t *code, *row, *column, *age;
    const int64_t *dac;
    const double *level, *gain, *fade, *zero;
    double one; /* units of a weight LSB */
    int64_t count, columns, levels;
} anna_reads;

/* Everything one SIMD level offers; each level is the same template compiled once more. */
typedef struct {
    const char *name;
    int32_t width, lanes; /* accumulators of a group; images of a pair of vectors */
    void (*run)(const anna_workload *, const anna_packed *, const anna_batch *, anna_fault *);
    void (*run_wide)(const anna_workload *, const anna_batch *, anna_fault *);
    /* z of `count` images from `first_image`: [count][4] for one counter of a stream */
    void (*normals)(uint64_t seed, uint64_t first_image, uint32_t ordinal, uint32_t word3, int64_t count, float *z);
    /* over `count` images x `ordinals` x 4 normals: counts of |z| > edge, and sums of z, z^2, z^3, z^4 */
    void (*census)(uint64_t seed, uint64_t first_image, int64_t count, uint32_t ordinals, const float *edges,
                   int64_t n_edges, int64_t *beyond, double *moments);
    /* thermal normals of `count` images, of neurons 8 octet .. 8 octet + 7: [count][8] */
    void (*thermal)(uint64_t seed, uint64_t first_image, uint32_t ordinal, uint32_t octet, int64_t count, int16_t *normal);
    /* over `count` images x `ordinals` x 8 thermal normals: how many are each number, from -2^15 on */
    void (*thermal_counts)(uint64_t seed, uint64_t first_image, int64_t count, uint32_t ordinals, int64_t *counts);
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
    /* z of a die: [groups][4], groups one after another from word3 on */
    void (*pattern)(uint64_t seed, uint64_t id, uint32_t ordinal, uint32_t word3, int64_t groups, float *z);
    void (*weights)(const anna_reads *, int64_t *weight);
} anna_level;

const anna_level *anna_find_level(const char *name); /* NULL: not on this machine */
int anna_count_levels(void);
const anna_level *anna_level_at(int index); /* best first */

/* sums_bn = states_bk weights_nk^T by three plain loops; returns the multiply-adds done. */
typedef int64_t anna_dense(const int16_t *weights_nk, const int16_t *states_bk, int32_t *sums_bn, int64_t images,
                           int64_t inputs, int64_t neurons);
anna_dense anna_dense_o2, anna_dense_o3;

#endif
