# What the kinds of segments reach, for all who count or walk them.

cdef extern from "kinds.h" nogil:
    int KIND_PART(int level, int part)
    int KIND_PARTS(int width)
    int KIND_EVERY(int width, int level)


cdef inline int level_of(int kind) noexcept nogil:
    """How often the places are halved to get the part that a kind is for."""
    cdef int level = 0
    while kind >= KIND_PART(level + 1, 0):
        level += 1
    return level


cdef inline int places_of(int width, int kind) noexcept nogil:
    """How many places the part has."""
    return width >> level_of(kind)


cdef inline int first_place(int width, int kind) noexcept nogil:
    """Where the part begins."""
    return (kind - KIND_PART(level_of(kind), 0)) * places_of(width, kind)
