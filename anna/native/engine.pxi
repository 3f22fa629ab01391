# engine.h as Cython sees it; ANNA_CHECKED comes from the build.
from libc.stdint cimport uint8_t, uint64_t

include "fields.pxi"

cdef extern from "engine.h" nogil:
    int ANNA_CHECKED

    ctypedef struct anna_batch:
        const void *codes
        int32_t code_size, result_size
        const uint64_t *image_ids
        int64_t images
        const float *slow
        uint64_t noise_seed
        int64_t lanes
        void *results

    ctypedef struct anna_fault:
        int32_t status
        int64_t image, index, value

    ctypedef struct anna_window:
        const void *x
        const void *weights
        const uint8_t *table
        void *sums
        int64_t maps, rows_in, columns_in, outputs, rows, columns
        int64_t kernel_rows, kernel_columns, stride_rows, stride_columns, images
        int32_t squared

    ctypedef struct anna_frame:
        int64_t source_rows, source_columns, crop_top, crop_left, rows, columns, field_rows, field_columns, top, left

    ctypedef struct anna_reads:
        const int64_t *code
        const int64_t *row
        const int64_t *column
        const int64_t *age
        const int64_t *dac
        const double *level
        const double *gain
        const double *fade
        const double *zero
        double one
        int64_t count, columns, levels

    ctypedef struct anna_level:
        const char *name
        int32_t width, lanes
        void (*run)(const anna_workload *, const anna_packed *, const anna_batch *, anna_fault *) noexcept nogil
        void (*run_wide)(const anna_workload *, const anna_batch *, anna_fault *) noexcept nogil
        void (*normals)(uint64_t, uint64_t, uint32_t, uint32_t, int64_t, float *) noexcept nogil
        void (*census)(uint64_t, uint64_t, int64_t, uint32_t, const float *, int64_t, int64_t *, double *) noexcept nogil
        void (*thermal)(uint64_t, uint64_t, uint32_t, uint32_t, int64_t, int16_t *) noexcept nogil
        void (*thermal_counts)(uint64_t, uint64_t, int64_t, uint32_t, int64_t *) noexcept nogil
        double (*peak)(int64_t) noexcept nogil
        void (*window_float)(const anna_window *) noexcept nogil
        void (*window_double)(const anna_window *) noexcept nogil
        void (*exp_float)(const float *, float *, int64_t) noexcept nogil
        void (*exp_double)(const double *, double *, int64_t) noexcept nogil
        void (*tanh_float)(const float *, float *, int64_t) noexcept nogil
        void (*tanh_double)(const double *, double *, int64_t) noexcept nogil
        void (*pictures_to_codes)(const anna_frame *, const uint8_t *, const uint8_t *, uint8_t *, int64_t) noexcept nogil
        void (*codes_to_values)(const uint8_t *, const float *, float *, int64_t, int64_t, int64_t, int64_t) noexcept nogil
        void (*pattern)(uint64_t, uint64_t, uint32_t, uint32_t, int64_t, float *) noexcept nogil
        void (*weights)(const anna_reads *, int64_t *) noexcept nogil

    const anna_level *anna_find_level(const char *name)
    int anna_count_levels()
    const anna_level *anna_level_at(int index)
    int64_t anna_dense_o2(const int16_t *, const int16_t *, int32_t *, int64_t, int64_t, int64_t)
    int64_t anna_dense_o3(const int16_t *, const int16_t *, int32_t *, int64_t, int64_t, int64_t)
