/* The host's tables: grey levels of pictures to state codes, and state codes to the numbers of the float layers. */
#include <string.h>

#include "engine.h"

typedef uint8_t bytes __attribute__((vector_size(16)));

enum { MOST_STEPS = 16 };

/* A table that only rises, or only falls, in few steps: a code is its first and a step for every edge that is reached. */
typedef struct {
    int count;
    uint8_t step;
    bytes first, edge[MOST_STEPS]; /* each number sixteen times */
} stairs;

static int find_stairs(const uint8_t *table, stairs *s)
{
    *s = (stairs){.first = table[0] - (bytes){0}, .step = table[255] >= table[0] ? 1 : 255};
    for (int grey = 1; grey < 256; grey++)
        for (uint8_t at = table[grey - 1]; at != table[grey]; at = (uint8_t)(at + s->step)) {
            if (s->count == MOST_STEPS)
                return 0; /* too many, or the wrong way */
            s->edge[s->count++] = (uint8_t)grey - (bytes){0};
        }
    return 1;
}

static inline void climb(const stairs *s, const uint8_t *from, uint8_t *to)
{
    bytes grey, code = s->first;
    memcpy(&grey, from, sizeof grey);
    for (int i = 0; i < s->count; i++)
        code += (bytes)(grey >= s->edge[i]) & s->step;
    memcpy(to, &code, sizeof code);
}

void anna_pictures_to_codes(const anna_frame *f, const uint8_t *pictures, const uint8_t *table, uint8_t *codes,
                            int64_t images)
{
    enum { AT_ONCE = sizeof(bytes) };
    stairs s;
    const int quick = find_stairs(table, &s) && f->columns >= AT_ONCE;
    for (int64_t n = 0; n < images; n++)
        for (int64_t y = 0; y < f->rows; y++) {
            const uint8_t *from = pictures + (n * f->source_rows + f->crop_top + y) * f->source_columns + f->crop_left;
            uint8_t *to = codes + (n * f->field_rows + f->top + y) * f->field_columns + f->left;
            if (quick) {
                for (int64_t x = 0; x + AT_ONCE < f->columns; x += AT_ONCE)
                    climb(&s, from + x, to + x);
                climb(&s, from + f->columns - AT_ONCE, to + f->columns - AT_ONCE);
            } else {
                for (int64_t x = 0; x < f->columns; x++)
                    to[x] = table[from[x]];
            }
        }
}

/* values_in [map, position][image] from codes_ni [image][map, position]; a table of `levels` numbers for each map. */
void anna_codes_to_values(const uint8_t *codes_ni, const float *table_mc, float *values_in, int64_t images, int64_t maps,
                          int64_t positions, int64_t levels)
{
    enum { TILE = 16 }; /* images side by side: a line of the values is written whole */
    const int64_t inputs = maps * positions;
    for (int64_t first = 0; first < images; first += TILE) {
        const int64_t count = images - first < TILE ? images - first : TILE;
        const uint8_t *rows = codes_ni + first * inputs;
        for (int64_t i = 0; i < inputs; i++) {
            const float *table = table_mc + i / positions * levels;
            float *to = values_in + i * images + first;
            for (int64_t n = 0; n < count; n++)
                to[n] = table[rows[n * inputs + i]];
        }
    }
}
