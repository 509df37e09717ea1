/* Memory: large private blocks, and files mapped. */
#ifndef FK_OS_MAP_H
#define FK_OS_MAP_H

#include <stddef.h>

#include "base/error.h"

typedef struct fk_map {
    void *data;   /* page-aligned, readable and writable; writes never reach a file; NULL when bytes
                     is 0 */
    size_t bytes; /* as asked for */
} fk_map;

/* Fresh zeroed memory, in huge pages where they can be had. */
fk_code fk_map_allocate(size_t bytes, fk_map *ret_map, fk_error *err);
/* A file, privately and writable: a write copies the page. The descriptor may be closed afterwards.
 */
fk_code fk_map_file(int fd, size_t bytes, const char *path, fk_map *ret_map, fk_error *err);
/* Unmaps; zeroed is fine. Also the scope attribute's function. */
void fk_map_finish(fk_map *map);

#endif
