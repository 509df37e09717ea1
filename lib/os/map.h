/* Memory: large private blocks, and files mapped. */
#ifndef FK_OS_MAP_H
#define FK_OS_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct fk_map {
    void *data;   /* page-aligned, readable and writable; writes never reach a file; NULL when bytes
                     is 0 */
    size_t bytes; /* as asked for */
} fk_map;

/* Fresh zeroed memory, in huge pages where they can be had. */
fk_code fk_map_allocate(size_t bytes, fk_map *ret_map, fk_error *err);
/* Gives part of a fresh block its pages at once, by the thread that is about to fill it: cheaper
 * than a fault for each. False when they came slowly. Never needed, and never an error. */
bool fk_map_populate(void *from, size_t bytes);
/* What of a block has no pages yet gets small ones. */
void fk_map_take_small_pages(void *data, size_t bytes);
/* A file, privately and writable: a write copies the page. The descriptor may be closed afterwards.
 */
fk_code fk_map_file(int fd, size_t bytes, const char *path, fk_map *ret_map, fk_error *err);
/* Copies the pages of some bytes of such a map now, before they are looked at. A look alone maps up
 * to 2 MiB of the page cache around it, which count as memory of the process. Never needed, and
 * never an error. */
void fk_map_copy_pages(const fk_map *map, uint64_t offset, uint64_t bytes);
/* Unmaps; zeroed is fine. Also the scope attribute's function. */
void fk_map_finish(fk_map *map);

#endif
