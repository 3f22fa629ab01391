/* The kinds of a group's segments: which of its sums the operands of a round meet. C, because the kernel switches on them;
 * packer and audit take them from here too.
 *
 * The places of a group are cut into 2^level parts: all in one, halves, quarters, eighths. The operands of a segment either
 * meet one part, a pair a round, or every part of a level, each a pair of its own. The parts are a binary tree: the two
 * halves of the part that kind k is for belong to the kinds 2 k + 1 and 2 k + 2. */
#ifndef ANNA_KINDS_H
#define ANNA_KINDS_H

#define KIND_PART(level, part) ((1 << (level)) - 1 + (part))
#define KIND_PARTS(width) (2 * (width) - 1)                        /* as many kinds are for one part */
#define KIND_EVERY(width, level) (KIND_PARTS(width) - 1 + (level)) /* from level 1 on; level 0 has one part alone */

#define KIND_ALL KIND_PART(0, 0)
#define KIND_HALF(part) KIND_PART(1, part)
#define KIND_QUARTER(part) KIND_PART(2, part)
#define KIND_EIGHTH(part) KIND_PART(3, part)
#define KIND_EVERY_HALF(width) KIND_EVERY(width, 1)
#define KIND_EVERY_QUARTER(width) KIND_EVERY(width, 2)
#define KIND_EVERY_EIGHTH(width) KIND_EVERY(width, 3)

#endif
