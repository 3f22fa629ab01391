/* Sums of float layers in a fixed order, one picture a lane; included once for each type of number (REAL, VR, REAL_NAME).
 *
 * Every sum begins with zero and takes input map, row, column of the window one after the other, a multiplication and an
 * addition that each round once: the operations of anna/float_sums.py in their order, so that every bit is the same. */

#define REAL_JOIN(a, b) a##b
#define REAL_CALL(a, b) REAL_JOIN(a, b)
#define REAL_OF(name) REAL_CALL(name, REAL_NAME)

enum { REAL_OF(LANES_) = VBYTES / sizeof(REAL), REAL_OF(VECTORS_) = 4 };

static inline __attribute__((always_inline)) void
REAL_OF(window_sums_)(const anna_window *w, int64_t o, int64_t row, int64_t column, int64_t at, const int whole,
                      const int squared)
{
    enum { LANES = REAL_OF(LANES_), VECTORS = REAL_OF(VECTORS_) };
    const int64_t left = w->images - at, count = left < LANES * VECTORS ? left : LANES * VECTORS;
    const REAL *weights = (const REAL *)w->weights + o * w->maps * w->kernel_rows * w->kernel_columns;
    VR sum[REAL_OF(VECTORS_)] = {{0}};
    for (int64_t i = 0; i < w->maps; i++) {
        if (!w->table[o * w->maps + i])
            continue;
        for (int64_t ky = 0; ky < w->kernel_rows; ky++) {
            const int64_t y = row * w->stride_rows + ky;
            const REAL *x = (const REAL *)w->x + ((i * w->rows_in + y) * w->columns_in + column * w->stride_columns) * w->images + at;
            const REAL *weight = weights + (i * w->kernel_rows + ky) * w->kernel_columns;
            for (int64_t kx = 0; kx < w->kernel_columns; kx++, x += w->images) {
                VR seen[REAL_OF(VECTORS_)] = {{0}};
                if (whole)
                    memcpy(seen, x, sizeof seen);
                else
                    memcpy(seen, x, (size_t)count * sizeof *x);
                for (int v = 0; v < VECTORS; v++) {
                    if (squared) {
                        const VR away = seen[v] - weight[kx];
                        sum[v] += away * away;
                    } else {
                        sum[v] += seen[v] * weight[kx];
                    }
                }
            }
        }
    }
    if (squared)
        for (int v = 0; v < VECTORS; v++)
            sum[v] = -sum[v];
    REAL *out = (REAL *)w->sums + ((o * w->rows + row) * w->columns + column) * w->images + at;
    memcpy(out, sum, whole ? sizeof sum : (size_t)count * sizeof *out);
}

static void REAL_OF(window_run_)(const anna_window *w)
{
    const int64_t step = REAL_OF(LANES_) * REAL_OF(VECTORS_);
    for (int64_t at = 0; at < w->images; at += step)
        for (int64_t o = 0; o < w->outputs; o++)
            for (int64_t row = 0; row < w->rows; row++)
                for (int64_t column = 0; column < w->columns; column++) {
                    const int whole = w->images - at >= step;
                    if (w->squared && whole)
                        REAL_OF(window_sums_)(w, o, row, column, at, 1, 1);
                    else if (w->squared)
                        REAL_OF(window_sums_)(w, o, row, column, at, 0, 1);
                    else if (whole)
                        REAL_OF(window_sums_)(w, o, row, column, at, 1, 0);
                    else
                        REAL_OF(window_sums_)(w, o, row, column, at, 0, 0);
                }
}

#undef REAL
#undef VR
#undef REAL_NAME
#undef REAL_JOIN
#undef REAL_CALL
#undef REAL_OF
