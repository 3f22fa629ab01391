/* Sums of float layers in a fixed order, one picture a lane; included once for each type of number (REAL, VR, REAL_NAME).
 *
 * Every sum begins with zero and takes input map, row, column of the window one after the other, a multiplication and an
 * addition that each round once: the operations of anna/native/float_sums.py in their order, so that every bit is the same. */

#define REAL_JOIN(a, b) a##b
#define REAL_CALL(a, b) REAL_JOIN(a, b)
#define REAL_OF(name) REAL_CALL(name, REAL_NAME)

enum { REAL_OF(LANES_) = VBYTES / sizeof(REAL), REAL_OF(VECTORS_) = WIDTH / 2, REAL_OF(TOGETHER_) = 4 };

/* One position of `many` outputs that read the same maps: what they read is loaded once. */
static inline __attribute__((always_inline)) void
REAL_OF(window_sums_)(const anna_window *w, int64_t o, int64_t row, int64_t column, int64_t at, const int many,
                      const int whole, const int squared)
{
    enum { LANES = REAL_OF(LANES_), VECTORS = REAL_OF(VECTORS_), TOGETHER = REAL_OF(TOGETHER_) };
    const int64_t left = w->images - at, count = left < LANES * VECTORS ? left : LANES * VECTORS;
    const int64_t taps = w->maps * w->kernel_rows * w->kernel_columns, outputs = w->rows * w->columns * w->images;
    const REAL *weights = (const REAL *)w->weights + o * taps;
    VR sum[REAL_OF(TOGETHER_)][REAL_OF(VECTORS_)] = {{{0}}};
    for (int64_t i = 0; i < w->maps; i++) {
        if (!w->table[o * w->maps + i])
            continue;
        for (int64_t ky = 0; ky < w->kernel_rows; ky++) {
            const int64_t y = row * w->stride_rows + ky;
            const REAL *x = (const REAL *)w->x + ((i * w->rows_in + y) * w->columns_in + column * w->stride_columns) * w->images + at;
            const REAL *weight = weights + (i * w->kernel_rows + ky) * w->kernel_columns;
            for (int64_t kx = 0; kx < w->kernel_columns; kx++, x += w->images) {
                VR seen[REAL_OF(VECTORS_)];
                for (int v = 0; v < VECTORS; v++) {
                    if (whole) {
                        memcpy(&seen[v], x + v * LANES, sizeof seen[v]);
                    } else {
                        const int64_t here = count - v * LANES < LANES ? count - v * LANES : LANES;
                        seen[v] = (VR){0};
                        if (here > 0)
                            memcpy(&seen[v], x + v * LANES, (size_t)here * sizeof *x);
                    }
                }
                for (int k = 0; k < many; k++)
                    for (int v = 0; v < VECTORS; v++) {
                        const REAL factor = weight[k * taps + kx];
                        if (squared) {
                            const VR away = seen[v] - factor;
                            sum[k][v] += away * away;
                        } else {
                            sum[k][v] += seen[v] * factor;
                        }
                    }
            }
        }
    }
    for (int k = 0; k < many; k++) {
        REAL *out = (REAL *)w->sums + (o + k) * outputs + (row * w->columns + column) * w->images + at;
        for (int v = 0; v < VECTORS && squared; v++)
            sum[k][v] = -sum[k][v];
        memcpy(out, sum[k], whole ? sizeof sum[k] : (size_t)count * sizeof *out);
    }
}

/* How many outputs from o on are summed side by side: as many as read the same maps. */
static int REAL_OF(window_together_)(const anna_window *w, int64_t o)
{
    const uint8_t *table = w->table + o * w->maps;
    int many = REAL_OF(TOGETHER_);
    for (; many > 1; many /= 2) {
        int alike = o + many <= w->outputs;
        for (int k = 1; k < many && alike; k++)
            alike = !memcmp(table, table + k * w->maps, (size_t)w->maps);
        if (alike)
            break;
    }
    return many;
}

static void REAL_OF(window_run_)(const anna_window *w)
{
    const int64_t step = REAL_OF(LANES_) * REAL_OF(VECTORS_);
    for (int64_t at = 0; at < w->images; at += step)
        for (int64_t o = 0, many; o < w->outputs; o += many) {
            const int whole = w->images - at >= step;
            many = whole && !w->squared ? REAL_OF(window_together_)(w, o) : 1;
            for (int64_t row = 0; row < w->rows; row++)
                for (int64_t column = 0; column < w->columns; column++) {
                    if (many == 4)
                        REAL_OF(window_sums_)(w, o, row, column, at, 4, 1, 0);
                    else if (many == 2)
                        REAL_OF(window_sums_)(w, o, row, column, at, 2, 1, 0);
                    else if (whole && w->squared)
                        REAL_OF(window_sums_)(w, o, row, column, at, 1, 1, 1);
                    else if (whole)
                        REAL_OF(window_sums_)(w, o, row, column, at, 1, 1, 0);
                    else if (w->squared)
                        REAL_OF(window_sums_)(w, o, row, column, at, 1, 0, 1);
                    else
                        REAL_OF(window_sums_)(w, o, row, column, at, 1, 0, 0);
                }
        }
}

#undef REAL
#undef VR
#undef REAL_NAME
#undef REAL_JOIN
#undef REAL_CALL
#undef REAL_OF
