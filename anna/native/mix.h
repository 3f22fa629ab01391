/* A step of a hash. C, because its arithmetic wraps, which a checked build of Cython would refuse. */
#ifndef ANNA_MIX_H
#define ANNA_MIX_H

#include <stdint.h>

static inline uint64_t anna_mix(uint64_t hash, uint32_t word)
{
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 29;
}

#endif
