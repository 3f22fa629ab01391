/* Which SIMD levels this machine has, best first. C, because it asks the compiler's own functions, or the system. */
#include <string.h>

#include "engine.h"

#if defined(__x86_64__)
#define HAS(instructions) __builtin_cpu_supports(#instructions)
#elif defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#define HAS(instructions) HAS_##instructions
#define HAS_crypto ((getauxval(AT_HWCAP) & (HWCAP_AES | HWCAP_SHA2)) == (HWCAP_AES | HWCAP_SHA2))
#elif defined(__APPLE__)
#define HAS(instructions) 1 /* all of its processors for ARM have what the levels need */
#else
#define HAS(instructions) 0
#endif

#define LEVEL(name, present) extern const anna_level anna_level_##name;
#include "levels.h"
#undef LEVEL

static const anna_level *found[8];
static int counted = -1;

int anna_count_levels(void)
{
    if (counted >= 0)
        return counted;
    int count = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
#define LEVEL(name, present) \
    if (present) \
        found[count++] = &anna_level_##name;
#include "levels.h"
#undef LEVEL
    return counted = count;
}

const anna_level *anna_level_at(int index) { return found[index]; }

const anna_level *anna_find_level(const char *name)
{
    for (int i = 0; i < anna_count_levels(); i++)
        if (!strcmp(anna_level_at(i)->name, name))
            return anna_level_at(i);
    return NULL;
}
