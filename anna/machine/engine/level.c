/* One SIMD level: the kernels of the engine compiled with the vocabulary named by ANNA_VECTORS. */
#define _POSIX_C_SOURCE 200112L
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include ANNA_VECTORS
#include "noise.inc.h"
#include "narrow.inc.h"
#include "wide.inc.h"
#include "measure.inc.h"

const anna_level ANNA_LEVEL = {
    ANNA_NAME, WIDTH, BLOCK, narrow_run, wide_run, draw_normals, draw_census, measure_peak,
};
