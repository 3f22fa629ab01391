/* A plain C loop of dense multiply-adds, compiled at -O2 and at -O3, without flags for the machine: what the engine
 * is compared with. C, because plain C is the point. */
#include "engine.h"

int64_t ANNA_DENSE(const int16_t *weights_nk, const int16_t *states_bk, int32_t *sums_bn, int64_t images,
                   int64_t inputs, int64_t neurons)
{
    for (int64_t b = 0; b < images; b++)
        for (int64_t n = 0; n < neurons; n++) {
            int32_t sum = 0;
            for (int64_t k = 0; k < inputs; k++)
                sum += (int32_t)weights_nk[n * inputs + k] * states_bk[b * inputs + k];
            sums_bn[b * neurons + n] = sum;
        }
    return images * inputs * neurons;
}
