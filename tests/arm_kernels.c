/* One SIMD level on a processor without Python: takes a run from standard input, as tests/arm_kernels.py packs it, and gives back
 * the fault and the results. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

extern const anna_level ANNA_LEVEL;

/* Where things lie in the input, in bytes from its beginning. Addresses are written as such places, 0 for none, and so are those
 * of the cells that hold them. */
typedef struct {
    int64_t bytes, workload, packed, batch, results, result_bytes, cells, cell_count;
    int64_t workload_size, packed_size, batch_size; /* as the other side knows the structs */
} header;

static int fail(const char *why)
{
    fprintf(stderr, "%s\n", why);
    return 1;
}

int main(int argc, char **argv)
{
    header head;
    anna_fault fault;
    (void)argv;
    if (argc > 1)
        return printf("%s %d %d\n", ANNA_LEVEL.name, ANNA_LEVEL.width, ANNA_LEVEL.lanes) < 0;
    if (fread(&head, sizeof head, 1, stdin) != 1)
        return fail("no header");
    if (head.workload_size != sizeof(anna_workload) || head.packed_size != sizeof(anna_packed)
        || head.batch_size != sizeof(anna_batch))
        return fail("the structs have other sizes here");
    const size_t rest = (size_t)head.bytes - sizeof head;
    char *all = aligned_alloc(64, (size_t)head.bytes);
    if (!all || fread(all + sizeof head, 1, rest, stdin) != rest)
        return fail("the input is cut");
    const int64_t *cells = (const int64_t *)(all + head.cells);
    for (int64_t i = 0; i < head.cell_count; i++) {
        int64_t place;
        memcpy(&place, all + cells[i], sizeof place);
        char *address = place ? all + place : NULL;
        memcpy(all + cells[i], &address, sizeof address);
    }
    memset(&fault, 0, sizeof fault);
    if (head.packed)
        ANNA_LEVEL.run((void *)(all + head.workload), (void *)(all + head.packed), (void *)(all + head.batch), &fault);
    else
        ANNA_LEVEL.run_wide((void *)(all + head.workload), (void *)(all + head.batch), &fault);
    fwrite(&fault, sizeof fault, 1, stdout);
    return fwrite(all + head.results, 1, (size_t)head.result_bytes, stdout) != (size_t)head.result_bytes;
}
