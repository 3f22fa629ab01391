/* What the tests and benchmarks ask of a level: raw normals, a census of very many, the peak of its multiply-add. */

static void draw_normals(uint64_t seed, uint64_t first_image, uint32_t ordinal, uint32_t word3, int64_t count, float *z)
{
    for (int64_t first = 0; first < count; first += VL) {
        uint64_t ids[VL];
        VF quad[4];
        for (int i = 0; i < VL; i++)
            ids[i] = first_image + (uint64_t)(first + i);
        const noise_lanes lanes = noise_prepare(ids);
        noise_quad(&lanes, ordinal, word3, seed, quad);
        for (int i = 0; i < VL && first + i < count; i++)
            for (int n = 0; n < 4; n++)
                z[4 * (first + i) + n] = quad[n][i];
    }
}

/* Counts beyond each edge and sums of powers; moments[4] is the largest |z|. Only whole vectors of images are drawn. */
static void draw_census(uint64_t seed, uint64_t first_image, int64_t count, uint32_t ordinals, const float *edges,
                        int64_t n_edges, int64_t *beyond, double *moments)
{
    for (int64_t first = 0; first + VL <= count; first += VL) {
        uint64_t ids[VL];
        VF sums[4] = {{0}}, largest = {0};
        VI hits[16] = {{0}};
        for (int i = 0; i < VL; i++)
            ids[i] = first_image + (uint64_t)(first + i);
        const noise_lanes lanes = noise_prepare(ids);
        for (uint32_t ordinal = 0; ordinal < ordinals; ordinal++) {
            VF quad[4];
            noise_quad(&lanes, ordinal, 0, seed, quad);
            for (int n = 0; n < 4; n++) {
                const VF z = quad[n], size = (VF)((VI)z & INT32_MAX), square = z * z;
                sums[0] += z;
                sums[1] += square;
                sums[2] += square * z;
                sums[3] += square * square;
                largest = (VF)v_max((VI)size, (VI)largest);
                for (int64_t e = 0; e < n_edges && e < 16; e++)
                    hits[e] -= (VI)(size > edges[e]);
            }
        }
        for (int i = 0; i < VL; i++) {
            for (int power = 0; power < 4; power++)
                moments[power] += (double)sums[power][i];
            moments[4] = (double)largest[i] > moments[4] ? (double)largest[i] : moments[4];
            for (int64_t e = 0; e < n_edges && e < 16; e++)
                beyond[e] += hits[e][i];
        }
    }
}

/* Thermal normals of consecutive images, a block at a time; of the last block perhaps too many. */
static void thermal_block_of(uint64_t first_image, thermal_block *block)
{
    uint64_t ids[BLOCK];
    for (int i = 0; i < BLOCK; i++)
        ids[i] = first_image + (uint64_t)i;
    thermal_begin(ids, block);
}

static void draw_thermal(uint64_t seed, uint64_t first_image, uint32_t ordinal, uint32_t octet, int64_t count, int16_t *normal)
{
    const thermal_key key = thermal_prepare(seed);
    for (int64_t first = 0; first < count; first += BLOCK) {
        thermal_block block;
        thermal_block_of(first_image + (uint64_t)first, &block);
        thermal_make(&block, ordinal, octet, &key);
        for (int i = 0; i < BLOCK && first + i < count; i++)
            for (int n = 0; n < THERMAL_NORMALS; n++)
                normal[THERMAL_NORMALS * (first + i) + n] = block.normal[n][i];
    }
}

/* Only whole blocks of images are drawn. */
static void count_thermal(uint64_t seed, uint64_t first_image, int64_t count, uint32_t ordinals, int64_t *counts)
{
    const thermal_key key = thermal_prepare(seed);
    for (int64_t first = 0; first + BLOCK <= count; first += BLOCK) {
        thermal_block block;
        thermal_block_of(first_image + (uint64_t)first, &block);
        for (uint32_t ordinal = 0; ordinal < ordinals; ordinal++) {
            thermal_make(&block, ordinal, 0, &key);
            const int16_t *normal = (const int16_t *)block.normal;
            for (int i = 0; i < THERMAL_NORMALS * BLOCK; i++)
                counts[normal[i] + 32768]++;
        }
    }
}

/* The kernel's multiply-add on registers alone, as many sums as the kernel keeps: what no memory can slow down. */
static double measure_peak(int64_t rounds)
{
    v_operands x = v_meet((VS)v_fill(0x00030005), (VS)v_fill(0x00050003));
    VI weights = v_fill(0x00070001), sum[WIDTH][2];
    for (int n = 0; n < WIDTH; n++)
        sum[n][0] = sum[n][1] = v_fill(n);
    for (int64_t r = 0; r < rounds; r++)
#pragma GCC unroll 8
        for (int n = 0; n < WIDTH; n++) {
            v_multiply_add(sum[n], x, weights);
            KEEP(sum[n][0]);
            KEEP(sum[n][1]);
            KEEP(x.low);
            KEEP(x.high);
        }
    return 4.0 * VL * WIDTH * (double)rounds;
}
