/* The pickle of a checkpoint (data.pkl, protocol 2, and what protocols 3 to 5 add to it for plain
 * values), interpreted into values. A stack machine without recursion; every opcode outside the
 * set, and every global outside the table, is refused by name and offset. */
#ifndef FK_CHECKPOINT_PICKLE_READ_H
#define FK_CHECKPOINT_PICKLE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "fontkeep/value.h"

/* Where a pickle gets its storages: the persistent id ("storage", class, key, location, numel) of a
 * checkpoint (before PyTorch 1.6 with a sixth item, None or (key, offset, numel) of a part).
 * `dtype` is that of the class, FK_DTYPE_NONE for UntypedStorage (then `elements` counts bytes). */
typedef struct fk_pickle_host {
    fk_code (*storage)(void *user, const char *key, fk_dtype dtype, const char *location,
                       uint64_t elements, fk_storage **ret_storage, fk_error *err);
    /* The format before PyTorch 1.6, whose ids have a sixth item: `key` names the part of
     * `elements` from `offset` on of the storage `root_key`. NULL: ids have five items. */
    fk_code (*part)(void *user, const char *key, const char *root_key, uint64_t offset,
                    uint64_t elements, fk_error *err);
    /* Inspection: a global outside the table is named (`call` false) or called: return FK_OK to go
     * on with an opaque value that may be called and built. NULL: refused. */
    fk_code (*unknown)(void *user, const char *module, const char *name, bool call, uint64_t offset,
                       fk_error *err);
    /* Inspection (set with `unknown`): an opcode that is not read. It is followed nevertheless. */
    fk_code (*foreign)(void *user, const char *opcode, uint64_t offset, fk_error *err);
    void *user;
} fk_pickle_host;

/* Reads one pickle of `length` bytes up to STOP, which must be its last byte unless `ret_used`
 * takes how many bytes it had. In inspection, items left over at STOP are no error. Offsets in
 * errors count from `base`, the pickle's own offset in its file. */
fk_code fk_pickle_read(const uint8_t *bytes, size_t length, uint64_t base,
                       const fk_pickle_host *host, fk_values *values, fk_value **ret_value,
                       size_t *ret_used, fk_error *err);

#endif
