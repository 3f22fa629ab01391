/* The host's tables: grey levels of pictures to state codes, and state codes to the numbers of the float layers. */

enum {
    MOST_STEPS = 16,  /* of a table that is climbed */
    COPIED = 16,      /* bytes of a row at a time */
    CHUNK = 1 << 13,  /* bytes of pictures that are copied, then climbed: a part of the first-level cache */
};

/* A table that only rises, or only falls, in few steps: a code is its first and a step for every edge that is reached. */
typedef struct {
    int count;
    VX first, turn, edge[MOST_STEPS]; /* each number in every lane; turn: 255 where codes rise */
} stairs;

static int find_stairs(const uint8_t *table, stairs *s)
{
    const int rises = table[255] >= table[0];
    *s = (stairs){.first = table[0] - (VX){0}, .turn = (uint8_t)-rises - (VX){0}};
    for (int grey = 1; grey < 256; grey++)
        for (uint8_t at = table[grey - 1]; at != table[grey]; at = (uint8_t)(at + (rises ? 1 : -1))) {
            if (s->count == MOST_STEPS)
                return 0; /* too many, or the wrong way */
            s->edge[s->count++] = (uint8_t)grey - (VX){0};
        }
    return 1;
}

/* An edge that is reached adds 255, which is minus one. */
static inline VX climbed(const stairs *s, VX grey)
{
    VX down = {0};
    for (int i = 0; i < s->count; i++)
        down += (VX)(grey >= s->edge[i]);
    return s->first + ((down ^ s->turn) - s->turn);
}

/* Grey levels to codes, in place. */
static void climb(const stairs *s, uint8_t *x, int64_t count)
{
    VX grey = {0};
    for (; count >= VBYTES; count -= VBYTES, x += VBYTES) {
        memcpy(&grey, x, VBYTES);
        grey = climbed(s, grey);
        memcpy(x, &grey, VBYTES);
    }
    for (int64_t i = 0; i < count; i++)
        grey[i] = x[i];
    grey = climbed(s, grey);
    for (int64_t i = 0; i < count; i++)
        x[i] = grey[i];
}

/* A row of at least COPIED bytes: its end is copied twice rather than byte by byte. */
static inline void copy_row(const uint8_t *from, uint8_t *to, int64_t count)
{
    for (int64_t x = 0; x < count - COPIED; x += COPIED)
        memcpy(to + x, from + x, COPIED);
    memcpy(to + count - COPIED, from + count - COPIED, COPIED);
}

/* What lies around a picture in its field gets the code of black. */
static void pictures_to_codes(const anna_frame *f, const uint8_t *pictures, const uint8_t *table, uint8_t *codes,
                              int64_t images)
{
    const int64_t size = f->field_rows * f->field_columns, at_once = size < CHUNK ? CHUNK / size : 1;
    const int framed = f->rows * f->columns != size;
    stairs s;
    const int quick = find_stairs(table, &s) && f->columns >= COPIED;
    for (int64_t n = 0; n < images; n++) {
        if (framed)
            memset(codes + n * size, quick ? 0 : table[0], (size_t)size);
        for (int64_t y = 0; y < f->rows; y++) {
            const uint8_t *from = pictures + (n * f->source_rows + f->crop_top + y) * f->source_columns + f->crop_left;
            uint8_t *to = codes + n * size + (f->top + y) * f->field_columns + f->left;
            if (quick)
                copy_row(from, to, f->columns);
            else
                for (int64_t x = 0; x < f->columns; x++)
                    to[x] = table[from[x]];
        }
        if (quick && ((n + 1) % at_once == 0 || n + 1 == images)) { /* while they are in the cache */
            const int64_t first = n / at_once * at_once;
            climb(&s, codes + first * size, (n + 1 - first) * size);
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
            block_rows(codes_ni, inputs, first, images, rows);
            load_tile(rows, at, wide, codes);
            for (int64_t i = 0; i < wide; i++) {
                float *to = values_in + (at + i) * images + first;
                for (int v = 0; v < BLOCK / VL; v++) {
                    const VI code = v_widen(codes[i] + v * VL) & (int32_t)(levels - 1);
                    const VF value = v_choose(code, table[i], (int)levels);
                    if (count == BLOCK)
                        memcpy(to + v * VL, &value, sizeof value);
                    else /* number by number: of a memcpy here and the one above gcc would make one slow copy */
                        for (int64_t n = v * VL; n < count && n < (v + 1) * VL; n++)
                            to[n] = value[n - v * VL];
                }
            }
        }
    }
}
