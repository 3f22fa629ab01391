/* Which SIMD levels this machine has, best first. C, because it asks the compiler's own functions. */
#include <string.h>

#include "engine.h"

extern const anna_level anna_level_plain;
#ifdef ANNA_X86
extern const anna_level anna_level_avx2, anna_level_avx512bw, anna_level_avx512;
#endif

static int present[4], counted = -1;
static const anna_level *const known[] = {
#ifdef ANNA_X86
    &anna_level_avx512, &anna_level_avx512bw, &anna_level_avx2,
#endif
    &anna_level_plain,
};
enum { KNOWN = sizeof known / sizeof *known };

int anna_count_levels(void)
{
    if (counted >= 0)
        return counted;
    int found = 0;
#ifdef ANNA_X86
    __builtin_cpu_init();
    const int aes = __builtin_cpu_supports("aes");
    const int wide = aes && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
                     && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (wide && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("vaes"))
        present[found++] = 0;
    if (wide)
        present[found++] = 1;
    if (aes && __builtin_cpu_supports("avx2"))
        present[found++] = 2;
#endif
    present[found++] = KNOWN - 1;
    return counted = found;
}

const anna_level *anna_level_at(int index) { return known[present[index]]; }

const anna_level *anna_find_level(const char *name)
{
    for (int i = 0; i < anna_count_levels(); i++)
        if (!strcmp(anna_level_at(i)->name, name))
            return anna_level_at(i);
    return NULL;
}
