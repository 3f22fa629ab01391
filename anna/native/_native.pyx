"""The border between Python and the C engine: arrays in, codes and a fault record out; the GIL is dropped once a call."""

include "engine.pxi"

CHECKED = bool(ANNA_CHECKED)


def levels():
    """Names of the SIMD levels of this machine, best first."""
    return tuple(anna_level_at(i).name.decode() for i in range(anna_count_levels()))


cdef const anna_level *find_level(str name) except NULL:
    cdef const anna_level *level = anna_find_level(name.encode())
    if level is NULL:
        raise ValueError(f"no SIMD level {name!r} on this machine")
    return level


def level_shape(str name):
    """Accumulators held at once, and images of a pair of vectors."""
    cdef const anna_level *level = find_level(name)
    return level.width, level.lanes


cdef const void *address(object array, list keep) except? NULL:
    """Where an array's numbers lie; the array is kept alive with the workload. None and empty arrays give NULL."""
    cdef const unsigned char[::1] view
    if array is None or array.size == 0:
        return NULL
    view = array.reshape(-1).view("u1")
    keep.append(array)
    return &view[0]


include "filling.pxi"
include "interface.pxi"


cdef class NativeWorkload:
    """A workload whose arrays were checked in Python, and its packed form, if it is for the narrow kernel."""

    cdef anna_workload workload
    cdef anna_packed packed
    cdef bint narrow
    cdef list keep

    def __cinit__(self, dict sizes, dict arrays, dict packed_sizes=None, dict packed_arrays=None):
        self.keep = []
        self.narrow = packed_arrays is not None
        fill_anna_workload(&self.workload, sizes, arrays, self.keep)
        if self.narrow:
            fill_anna_packed(&self.packed, packed_sizes, packed_arrays, self.keep)

    def run(self, str level_name, codes, const uint64_t[::1] image_ids, uint64_t noise_seed, int64_t lanes, results,
            slow=None):
        """Run the images of `codes` into `results`; both C-contiguous, and so is `slow`, the levels of slow noise (images,
        neurons) in float32, if there is any. Returns (status, image, index, value)."""
        cdef const anna_level *level = find_level(level_name)
        cdef anna_batch batch
        cdef anna_fault fault
        cdef list keep = []
        if image_ids.shape[0] == 0:
            return 0, 0, 0, 0
        batch.codes = address(codes, keep)
        batch.code_size = codes.itemsize
        batch.image_ids = &image_ids[0]
        batch.images = image_ids.shape[0]
        batch.slow = <const float *>address(slow, keep)
        batch.noise_seed = noise_seed
        batch.lanes = lanes
        batch.results = <void *>address(results, keep)
        batch.result_size = results.itemsize
        fault.status = 0
        fault.image = fault.index = fault.value = 0
        with nogil:
            if self.narrow:
                level.run(&self.workload, &self.packed, &batch, &fault)
            else:
                level.run_wide(&self.workload, &batch, &fault)
        return fault.status, fault.image, fault.index, fault.value


def normals(str level_name, uint64_t seed, uint64_t first_image, uint32_t ordinal, uint32_t word3, float[:, ::1] z):
    """Fill z[count, 4] with the normals of one counter for consecutive image ids."""
    cdef const anna_level *level = find_level(level_name)
    if z.shape[1] != 4:
        raise ValueError("z must have four columns")
    if z.shape[0] == 0:
        return
    with nogil:
        level.normals(seed, first_image, ordinal, word3, z.shape[0], &z[0, 0])


def census(str level_name, uint64_t seed, uint64_t first_image, int64_t images, uint32_t ordinals,
           const float[::1] edges, int64_t[::1] beyond, double[::1] moments):
    """Draw images x ordinals x 4 normals; add to counts beyond each edge, sums of four powers, and the largest."""
    cdef const anna_level *level = find_level(level_name)
    if not 1 <= edges.shape[0] <= 16 or beyond.shape[0] != edges.shape[0] or moments.shape[0] != 5:
        raise ValueError("census takes 1 to 16 edges, as many counts, and five moments")
    with nogil:
        level.census(seed, first_image, images, ordinals, &edges[0], edges.shape[0], &beyond[0], &moments[0])


def thermal(str level_name, uint64_t seed, uint64_t first_image, uint32_t ordinal, uint32_t octet, int16_t[:, ::1] normal):
    """Fill normal[count, 8] with the thermal normals of one counter for consecutive image ids."""
    cdef const anna_level *level = find_level(level_name)
    if normal.shape[1] != 8:
        raise ValueError("there are eight normals of a counter")
    if normal.shape[0] == 0:
        return
    with nogil:
        level.thermal(seed, first_image, ordinal, octet, normal.shape[0], &normal[0, 0])


def thermal_counts(str level_name, uint64_t seed, uint64_t first_image, int64_t images, uint32_t ordinals, int64_t[::1] counts):
    """Draw images x ordinals x 8 thermal normals; count how many are each number, from -2^15 on."""
    cdef const anna_level *level = find_level(level_name)
    if counts.shape[0] != 65536:
        raise ValueError("there are 65,536 numbers of 16 bits")
    with nogil:
        level.thermal_counts(seed, first_image, images, ordinals, &counts[0])


def peak(str level_name, int64_t rounds):
    """Multiply-adds done on registers alone."""
    cdef const anna_level *level = find_level(level_name)
    cdef double done
    with nogil:
        done = level.peak(rounds)
    return done


def plain_dense(int optimisation, const int16_t[:, ::1] weights_nk, const int16_t[:, ::1] states_bk,
                int32_t[:, ::1] sums_bn):
    """The plain C loop at -O2 or -O3: sums_bn = states_bk weights_nk^T. Returns the multiply-adds done."""
    cdef int64_t done, images = states_bk.shape[0], inputs = states_bk.shape[1], neurons = weights_nk.shape[0]
    if weights_nk.shape[1] != inputs or sums_bn.shape[0] != images or sums_bn.shape[1] != neurons:
        raise ValueError("shapes do not fit")
    if not images or not inputs or not neurons:
        return 0
    with nogil:
        if optimisation == 3:
            done = anna_dense_o3(&weights_nk[0, 0], &states_bk[0, 0], &sums_bn[0, 0], images, inputs, neurons)
        else:
            done = anna_dense_o2(&weights_nk[0, 0], &states_bk[0, 0], &sums_bn[0, 0], images, inputs, neurons)
    return done


ctypedef fused real:
    float
    double


def window_sums(str level_name, const real[:, :, :, ::1] x_iyxn, const real[:, :, :, ::1] weights_oiyx,
                const uint8_t[:, ::1] table_oi, int64_t stride_rows, int64_t stride_columns, bint squared,
                real[:, :, :, ::1] sums_oyxn):
    """Fill sums_oyxn with the sums of a float layer's windows, added up in a fixed order."""
    cdef const anna_level *level = find_level(level_name)
    cdef anna_window w
    w.maps, w.rows_in, w.columns_in, w.images = x_iyxn.shape[0], x_iyxn.shape[1], x_iyxn.shape[2], x_iyxn.shape[3]
    w.outputs, w.rows, w.columns = sums_oyxn.shape[0], sums_oyxn.shape[1], sums_oyxn.shape[2]
    w.kernel_rows, w.kernel_columns = weights_oiyx.shape[2], weights_oiyx.shape[3]
    w.stride_rows, w.stride_columns, w.squared = stride_rows, stride_columns, squared
    if (weights_oiyx.shape[0] != w.outputs or weights_oiyx.shape[1] != w.maps or table_oi.shape[0] != w.outputs
            or table_oi.shape[1] != w.maps or sums_oyxn.shape[3] != w.images or stride_rows < 1 or stride_columns < 1
            or (w.rows - 1) * stride_rows + w.kernel_rows > w.rows_in
            or (w.columns - 1) * stride_columns + w.kernel_columns > w.columns_in):
        raise ValueError("shapes do not fit")
    if not w.images or not w.maps or not w.outputs or not w.rows or not w.columns or not w.kernel_rows or not w.kernel_columns:
        sums_oyxn[:, :, :, :] = 0
        return
    w.x, w.weights, w.table = &x_iyxn[0, 0, 0, 0], &weights_oiyx[0, 0, 0, 0], &table_oi[0, 0]
    w.sums = &sums_oyxn[0, 0, 0, 0]
    with nogil:
        if real is float:
            level.window_float(&w)
        else:
            level.window_double(&w)


def exp(str level_name, const real[::1] x, real[::1] out):
    """Fill out with e**x, by the operations of anna.native.exact_math."""
    cdef const anna_level *level = find_level(level_name)
    if x.shape[0] != out.shape[0]:
        raise ValueError("shapes do not fit")
    if not x.shape[0]:
        return
    with nogil:
        if real is float:
            level.exp_float(&x[0], &out[0], x.shape[0])
        else:
            level.exp_double(&x[0], &out[0], x.shape[0])


def tanh(str level_name, const real[::1] x, real[::1] out):
    """Fill out with tanh(x), by the operations of anna.native.exact_math."""
    cdef const anna_level *level = find_level(level_name)
    if x.shape[0] != out.shape[0]:
        raise ValueError("shapes do not fit")
    if not x.shape[0]:
        return
    with nogil:
        if real is float:
            level.tanh_float(&x[0], &out[0], x.shape[0])
        else:
            level.tanh_double(&x[0], &out[0], x.shape[0])


def pictures_to_codes(str level_name, const uint8_t[:, :, ::1] pictures_nyx, tuple crop, tuple size, tuple place,
                      const uint8_t[::1] table, uint8_t[:, :, ::1] codes_nyx):
    """Look up the grey levels of a part of each picture, from `crop`, and write them at `place`; around it lies black."""
    cdef const anna_level *level = find_level(level_name)
    cdef anna_frame f
    cdef int64_t images = pictures_nyx.shape[0]
    f.source_rows, f.source_columns = pictures_nyx.shape[1], pictures_nyx.shape[2]
    f.field_rows, f.field_columns = codes_nyx.shape[1], codes_nyx.shape[2]
    (f.crop_top, f.crop_left), (f.rows, f.columns), (f.top, f.left) = crop, size, place
    if (codes_nyx.shape[0] != images or table.shape[0] != 256 or min(*crop, *place) < 0 or min(size) < 1
            or f.crop_top + f.rows > f.source_rows or f.crop_left + f.columns > f.source_columns
            or f.top + f.rows > f.field_rows or f.left + f.columns > f.field_columns):
        raise ValueError("shapes do not fit")
    if images:
        with nogil:
            level.pictures_to_codes(&f, &pictures_nyx[0, 0, 0], &table[0], &codes_nyx[0, 0, 0], images)


def codes_to_values(str level_name, const uint8_t[:, :, ::1] codes_nmp, const float[:, ::1] table_mc,
                    float[:, :, ::1] values_mpn):
    """Fill values_mpn with what each code stands for in its map, of as many levels, a power of two, as the table has."""
    cdef const anna_level *level = find_level(level_name)
    cdef int64_t images = codes_nmp.shape[0], maps = codes_nmp.shape[1], positions = codes_nmp.shape[2]
    cdef int64_t levels = table_mc.shape[1]
    if (table_mc.shape[0] != maps or values_mpn.shape[0] != maps or values_mpn.shape[1] != positions
            or values_mpn.shape[2] != images or levels < 1 or levels > 256 or levels & (levels - 1)):
        raise ValueError("shapes do not fit")
    if images and maps and positions:
        with nogil:
            level.codes_to_values(&codes_nmp[0, 0, 0], &table_mc[0, 0], &values_mpn[0, 0, 0], images, maps, positions,
                                  levels)


def pattern(str level_name, uint64_t seed, uint64_t chip, uint32_t ordinal, uint32_t word3, float[:, ::1] z):
    """Fill z[groups, 4] with the normals of consecutive groups, from the counter's last word on."""
    cdef const anna_level *level = find_level(level_name)
    if z.shape[1] != 4:
        raise ValueError("z must have four columns")
    if z.shape[0]:
        with nogil:
            level.pattern(seed, chip, ordinal, word3, z.shape[0], &z[0, 0])


def weights(str level_name, tuple reads, int64_t columns, const int64_t[::1] dac, const double[:, ::1] level_dc,
            const double[::1] gain, const double[::1] fade, const double[::1] zero, double one, int64_t[::1] shown):
    """Fill `shown` with the weights of the synapses that are read: by code, row, column and age. Indexes are the caller's."""
    cdef const anna_level *level = find_level(level_name)
    cdef anna_reads r
    cdef const int64_t[::1] code, row, column, age
    code, row, column, age = reads
    r.count, r.columns, r.levels, r.one = shown.shape[0], columns, level_dc.shape[1], one
    if (code.shape[0] != r.count or row.shape[0] != r.count or column.shape[0] != r.count or age.shape[0] != r.count
            or gain.shape[0] != dac.shape[0] or fade.shape[0] != dac.shape[0] or zero.shape[0] != dac.shape[0]):
        raise ValueError("shapes do not fit")
    if r.count:
        r.code, r.row, r.column, r.age = &code[0], &row[0], &column[0], &age[0]
        r.dac, r.level, r.gain, r.fade, r.zero = &dac[0], &level_dc[0, 0], &gain[0], &fade[0], &zero[0]
        with nogil:
            level.weights(&r, &shown[0])
