/* The SIMD levels of a processor without Python: says which it has, or, given the name of one, takes a run from standard input, as tests/arm_kernels.py packs it, and gives back
 * the fault and the results. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

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
    for (int i = 0; argc < 2 && i < anna_count_levels(); i++)
        printf("%s %d %d\n", anna_level_at(i)->name, anna_level_at(i)->width, anna_level_at(i)->lanes);
    if (argc < 2)
        return 0;
    const anna_level *level = anna_find_level(argv[1]);
    if (!level)
        return fail("this processor has no such level");
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
        level->run((void *)(all + head.workload), (void *)(all + head.packed), (void *)(all + head.batch), &fault);
    else
        level->run_wide((void *)(all + head.workload), (void *)(all + head.batch), &fault);
    fwrite(&fault, sizeof fault, 1, stdout);
    return fwrite(all + head.results, 1, (size_t)head.result_bytes, stdout) != (size_t)head.result_bytes;
}
