/* Arithmetic of hashes. C, because it wraps, which a checked build of Cython would refuse. */
#ifndef ANNA_MIX_H
#define ANNA_MIX_H

#include <stdint.h>

static inline uint64_t anna_mix(uint64_t hash, uint32_t word)
{
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 29;
}

/* a - b, wrapped: hashes are any number. */
static inline int64_t anna_difference(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

#endif
