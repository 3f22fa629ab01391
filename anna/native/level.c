/* One SIMD level, ANNA_LEVEL: the kernels of the engine compiled with the vocabulary named by ANNA_VECTORS. C, with all that it takes in,
 * because it is compiled once for each level, each time with that level's vector types and flags. */
#define _POSIX_C_SOURCE 200112L
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "thermal_tables.h"
#include ANNA_VECTORS
#include "transpose.inc.h"
#include "noise.inc.h"
#include "thermal.inc.h"
#include "narrow.inc.h"
#include "wide.inc.h"
#include "measure.inc.h"
#include "host.inc.h"

#define REAL float
#define VR VF
#define WHOLE int32_t
#define REAL_NAME float
#define REAL_IS_DOUBLE 0
#include "math.inc.h"
#include "float.inc.h"
#undef WHOLE
#undef REAL_IS_DOUBLE

typedef double VD __attribute__((vector_size(VBYTES)));
#define REAL double
#define VR VD
#define WHOLE int64_t
#define REAL_NAME double
#define REAL_IS_DOUBLE 1
#include "math.inc.h"
#include "float.inc.h"
#include "die.inc.h"

#define NAMED(name) anna_level_##name
#define LEVEL_NAMED(name) NAMED(name)
#define TEXT(name) #name
#define TEXT_OF(name) TEXT(name)

const anna_level LEVEL_NAMED(ANNA_LEVEL) = {
    TEXT_OF(ANNA_LEVEL), WIDTH, BLOCK, narrow_run, wide_run, draw_normals, draw_census, draw_thermal, count_thermal, measure_peak,
    window_run_float, window_run_double, exp_float, exp_double, tanh_float, tanh_double,
    pictures_to_codes, codes_to_values, draw_pattern, show_weights,
};
