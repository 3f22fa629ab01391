/* The host's tables: grey levels of pictures to state codes, and state codes to the numbers of the float layers. */
#include "engine.h"

void anna_pictures_to_codes(const anna_frame *f, const uint8_t *pictures, const uint8_t *table, uint8_t *codes,
                            int64_t images)
{
    for (int64_t n = 0; n < images; n++)
        for (int64_t y = 0; y < f->rows; y++) {
            const uint8_t *from = pictures + (n * f->source_rows + f->crop_top + y) * f->source_columns + f->crop_left;
            uint8_t *to = codes + (n * f->field_rows + f->top + y) * f->field_columns + f->left;
            for (int64_t x = 0; x < f->columns; x++)
                to[x] = table[from[x]];
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
