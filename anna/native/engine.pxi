# engine.h as Cython sees it; ANNA_CHECKED comes from the build.
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "engine.h" nogil:
    int ANNA_CHECKED

    ctypedef struct anna_plan:
        int64_t slots, levels, neurons, calcs, ops, tables, inputs, constants, outputs, lines
        const int32_t *numerators
        const int32_t *input_slots
        const int32_t *constant_slots
        const int32_t *output_slots
        const uint16_t *constant_codes
        const int64_t *op_start
        const int32_t *op_slot
        const int32_t *op_weight
        const int64_t *thresholds
        const int32_t *table
        const int32_t *out_slot
        const int64_t *clamp_low
        const int64_t *clamp_high
        const float *sigma
        const uint32_t *ordinal
        const uint16_t *and_mask
        const uint16_t *or_mask
        const float *charge_sigma
        const uint32_t *charge_refresh
        const uint32_t *charge_synapse
        const int32_t *op_levels
        const int32_t *numerator_tables

    ctypedef struct anna_packed:
        int64_t groups, width, pairs, weights, slots, copies, padded_macs, cold

    ctypedef struct anna_job:
        const void *codes
        int32_t code_size, result_size
        const uint64_t *image_ids
        int64_t images
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

    ctypedef struct anna_level:
        const char *name
        int32_t width, lanes
        void (*run)(const anna_plan *, const anna_packed *, const anna_job *, anna_fault *) noexcept nogil
        void (*run_wide)(const anna_plan *, const anna_job *, anna_fault *) noexcept nogil
        void (*normals)(uint64_t, uint64_t, uint32_t, uint32_t, int64_t, float *) noexcept nogil
        void (*census)(uint64_t, uint64_t, int64_t, uint32_t, const float *, int64_t, int64_t *, double *) noexcept nogil
        double (*peak)(int64_t) noexcept nogil
        void (*window_float)(const anna_window *) noexcept nogil
        void (*window_double)(const anna_window *) noexcept nogil
        void (*exp_float)(const float *, float *, int64_t) noexcept nogil
        void (*exp_double)(const double *, double *, int64_t) noexcept nogil
        void (*tanh_float)(const float *, float *, int64_t) noexcept nogil
        void (*tanh_double)(const double *, double *, int64_t) noexcept nogil
        void (*pictures_to_codes)(const anna_frame *, const uint8_t *, const uint8_t *, uint8_t *, int64_t) noexcept nogil
        void (*codes_to_values)(const uint8_t *, const float *, float *, int64_t, int64_t, int64_t, int64_t) noexcept nogil

    int anna_pack(const anna_plan *plan, int width, anna_packed **packed)
    void anna_free(anna_packed *packed)
    const anna_level *anna_find_level(const char *name)
    int anna_count_levels()
    const anna_level *anna_level_at(int index)
    int64_t anna_dense_o2(const int16_t *, const int16_t *, int32_t *, int64_t, int64_t, int64_t)
    int64_t anna_dense_o3(const int16_t *, const int16_t *, int32_t *, int64_t, int64_t, int64_t)
