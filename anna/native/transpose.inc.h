/* Rows of images to vectors of lanes and back, sixteen codes of a block of images at a time: every eight lanes have their
 * own 128 bits of each vector, and all are turned at once. */

enum { TILE = 16 };

/* Byte b of vector v has the index 16 v + b, seven bits; each round rotates them by one, so three rounds bring the
 * number of the vector to the low end and what was the low end to the front: an 8x16 transposition by halves. */
static inline void rotate_tiles(VX tile[8])
{
    for (int round = 0; round < 3; round++) {
        VX next[8];
        for (int i = 0; i < 4; i++) {
            next[2 * i] = v_zip_low(tile[i], tile[i + 4]);
            next[2 * i + 1] = v_zip_high(tile[i], tile[i + 4]);
        }
        memcpy(tile, next, sizeof next);
    }
}

/* Where the rows of a block of images begin; lanes left over repeat the last image. */
static inline void block_rows(const uint8_t *images, int64_t row_bytes, int64_t first, int64_t count, const uint8_t *rows[BLOCK])
{
    for (int64_t lane = 0; lane < BLOCK; lane++)
        rows[lane] = images + (first + lane < count ? first + lane : count - 1) * row_bytes;
}

/* `count` codes of each image from `at` on, at most sixteen: codes[i] then holds the i-th of all lanes. */
static inline __attribute__((always_inline)) void load_tile(const uint8_t *const rows[BLOCK], int64_t at, int64_t count,
                                                            uint8_t codes[TILE][BLOCK])
{
    VX tile[8];
    if (count < TILE) { /* the end of a row: nothing may be read behind it */
        for (int64_t i = 0; i < count; i++)
            for (int lane = 0; lane < BLOCK; lane++)
                codes[i][lane] = rows[lane][at + i];
        return;
    }
    for (int i = 0; i < 8; i++)
        tile[i] = v_rows(rows + i, at);
    rotate_tiles(tile); /* the 64-bit words of a vector are by turns of one code and of the next */
    for (int i = 0; i < 8; i++) {
        const VX two = v_apart(tile[i]);
        memcpy(codes[2 * i], &two, sizeof two);
    }
}

/* The inverse: each of so many lanes gets its codes. */
static inline __attribute__((always_inline)) void store_tile(uint8_t codes[TILE][BLOCK], uint8_t *const rows[BLOCK],
                                                             int64_t lanes, int64_t at, int64_t count)
{
    VX tile[8];
    if (count < TILE) {
        for (int64_t lane = 0; lane < lanes; lane++)
            for (int64_t i = 0; i < count; i++)
                rows[lane][at + i] = codes[i][lane];
        return;
    }
    for (int i = 0; i < 8; i++)
        tile[i] = v_together(codes[i], codes[i + 8]);
    rotate_tiles(tile); /* lanes 2 i and 2 i + 1: eight codes each in tile[i], the other eight in tile[i + 4] */
    for (int lane = 0; lane < 8; lane++) {
        const VX early = tile[lane / 2], late = tile[lane / 2 + 4];
        const VX row = lane % 2 ? v_high_words(early, late) : v_low_words(early, late);
        uint8_t part[BLOCK / 8][TILE];
        memcpy(part, &row, sizeof row);
        for (int i = 0; i < BLOCK / 8; i++)
            if (8 * i + lane < lanes)
                memcpy(rows[8 * i + lane] + at, part[i], TILE);
    }
}
