/* The host's tables: grey levels of pictures to state codes, and state codes to the numbers of the float layers. */

typedef uint8_t VB __attribute__((vector_size(16)));

enum { MOST_STEPS = 16 };

/* A table that only rises, or only falls, in few steps: a code is its first and a step for every edge that is reached. */
typedef struct {
    int count;
    VB first, turn, edge[MOST_STEPS]; /* each number sixteen times; turn: 255 where codes rise */
} stairs;

static int find_stairs(const uint8_t *table, stairs *s)
{
    const int rises = table[255] >= table[0];
    *s = (stairs){.first = table[0] - (VB){0}, .turn = (uint8_t)-rises - (VB){0}};
    for (int grey = 1; grey < 256; grey++)
        for (uint8_t at = table[grey - 1]; at != table[grey]; at = (uint8_t)(at + (rises ? 1 : -1))) {
            if (s->count == MOST_STEPS)
                return 0; /* too many, or the wrong way */
            s->edge[s->count++] = (uint8_t)grey - (VB){0};
        }
    return 1;
}

/* Two sixteens of pixels; an edge that is reached adds 255, which is minus one. */
static inline __attribute__((always_inline)) void climb(const stairs *s, const uint8_t *from, uint8_t *to, int64_t apart)
{
    VB grey[2], down[2] = {{0}, {0}};
    memcpy(&grey[0], from, sizeof grey[0]);
    memcpy(&grey[1], from + apart, sizeof grey[1]);
    for (int i = 0; i < s->count; i++)
        for (int k = 0; k < 2; k++)
            down[k] += (VB)(grey[k] >= s->edge[i]);
    for (int k = 0; k < 2; k++)
        grey[k] = s->first + ((down[k] ^ s->turn) - s->turn);
    memcpy(to, &grey[0], sizeof grey[0]);
    memcpy(to + apart, &grey[1], sizeof grey[1]);
}

static void pictures_to_codes(const anna_frame *f, const uint8_t *pictures, const uint8_t *table, uint8_t *codes,
                              int64_t images)
{
    enum { ONE = sizeof(VB), TWO = 2 * ONE };
    stairs s;
    const int quick = find_stairs(table, &s) && f->columns >= ONE;
    for (int64_t n = 0; n < images; n++)
        for (int64_t y = 0; y < f->rows; y++) {
            const uint8_t *from = pictures + (n * f->source_rows + f->crop_top + y) * f->source_columns + f->crop_left;
            uint8_t *to = codes + (n * f->field_rows + f->top + y) * f->field_columns + f->left;
            int64_t x = 0;
            if (quick) {
                for (; x + TWO < f->columns; x += TWO)
                    climb(&s, from + x, to + x, ONE);
                const int64_t left = f->columns - x, back = left < ONE ? ONE - left : 0; /* what is done twice */
                climb(&s, from + x - back, to + x - back, left + back - ONE);
            } else {
                for (; x < f->columns; x++)
                    to[x] = table[from[x]];
            }
        }
}

/* values_in [map, position][image] from codes_ni [image][map, position]; a table of `levels` numbers, a power of two, for
 * each map. Of a code that is no level only the low bits count. */
static void codes_to_values(const uint8_t *codes_ni, const float *table_mc, float *values_in, int64_t images, int64_t maps,
                            int64_t positions, int64_t levels)
{
    const int64_t inputs = maps * positions;
    for (int64_t at = 0; at < inputs; at += TILE) {
        const int64_t wide = inputs - at < TILE ? inputs - at : TILE;
        const float *table[TILE];
        for (int64_t i = 0; i < wide; i++)
            table[i] = table_mc + (at + i) / positions * levels;
        for (int64_t first = 0; first < images; first += BLOCK) {
            const int64_t count = images - first < BLOCK ? images - first : BLOCK;
            const uint8_t *rows[BLOCK];
            uint8_t codes[TILE][BLOCK];
            for (int64_t n = 0; n < BLOCK; n++) /* those left over repeat the last image */
                rows[n] = codes_ni + (first + (n < count ? n : count - 1)) * inputs;
            if (wide == TILE)
                load_tiles(rows, at, codes);
            else
                for (int64_t i = 0; i < wide; i++)
                    for (int n = 0; n < BLOCK; n++)
                        codes[i][n] = rows[n][at + i];
            for (int64_t i = 0; i < wide; i++) {
                float *to = values_in + (at + i) * images + first;
                for (int v = 0; v < BLOCK / VL; v++) {
                    const VI code = v_widen(codes[i] + v * VL) & (int32_t)(levels - 1);
                    const VF value = v_choose(code, table[i], (int)levels);
                    if (count == BLOCK)
                        memcpy(to + v * VL, &value, sizeof value);
                    else /* number by number: a copy of unknown length would be made of both cases, and is slow */
                        for (int64_t n = v * VL; n < count && n < (v + 1) * VL; n++)
                            to[n] = value[n - v * VL];
                }
            }
        }
    }
}
