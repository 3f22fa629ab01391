/* Rows of images to vectors of lanes and back, eight lanes by sixteen codes at a time, in 128-bit registers. */

typedef uint64_t Half __attribute__((vector_size(16)));

#if defined(__clang__) || __GNUC__ >= 12
#define ZIP_LOW(a, b) __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define ZIP_HIGH(a, b) __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#define HALVES_LOW(a, b) (VB)__builtin_shufflevector((Half)(a), (Half)(b), 0, 2)
#define HALVES_HIGH(a, b) (VB)__builtin_shufflevector((Half)(a), (Half)(b), 1, 3)
#else
#define ZIP_LOW(a, b) __builtin_shuffle(a, b, (VB){0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23})
#define ZIP_HIGH(a, b) __builtin_shuffle(a, b, (VB){8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31})
#define HALVES_LOW(a, b) (VB)__builtin_shuffle((Half)(a), (Half)(b), (Half){0, 2})
#define HALVES_HIGH(a, b) (VB)__builtin_shuffle((Half)(a), (Half)(b), (Half){1, 3})
#endif

/* Byte b of vector v has the index 16 v + b, seven bits; each round rotates them by one, so three rounds bring the
 * number of the vector to the low end and what was the low end to the front: an 8x16 transposition by halves. */
static inline void rotate_tile(VB tile[8])
{
    for (int round = 0; round < 3; round++) {
        VB next[8];
        for (int i = 0; i < 4; i++) {
            next[2 * i] = ZIP_LOW(tile[i], tile[i + 4]);
            next[2 * i + 1] = ZIP_HIGH(tile[i], tile[i + 4]);
        }
        memcpy(tile, next, sizeof next);
    }
}

/* Sixteen codes of each of eight images: tile[i] then holds input 2 i of the lanes, then input 2 i + 1. */
static inline void load_tile(const uint8_t *const rows[8], int64_t at, VB tile[8])
{
    for (int lane = 0; lane < 8; lane++)
        memcpy(&tile[lane], rows[lane] + at, 16);
    rotate_tile(tile);
}

/* The inverse: codes[i] are output i of eight lanes; each lane's sixteen go to its row. */
static inline void store_tile(const uint64_t codes[16], uint8_t *const rows[8], int lanes, int64_t at)
{
    VB tile[8];
    uint64_t half[16];
    for (int i = 0; i < 8; i++) {
        memcpy(&tile[i], &codes[i], 8);
        memcpy((char *)&tile[i] + 8, &codes[i + 8], 8);
    }
    rotate_tile(tile);
    memcpy(half, tile, sizeof half);
    for (int lane = 0; lane < lanes; lane++) {
        memcpy(rows[lane] + at, &half[lane], 8);
        memcpy(rows[lane] + at + 8, &half[lane + 8], 8);
    }
}
