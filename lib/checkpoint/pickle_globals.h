/* The globals that a checkpoint's pickle may name. The table is closed: nothing is looked up
 * anywhere else, and nothing is ever imported. */
#ifndef FK_CHECKPOINT_PICKLE_GLOBALS_H
#define FK_CHECKPOINT_PICKLE_GLOBALS_H

#include <stddef.h>
#include <stdint.h>

#include "fontkeep/value.h"

typedef enum fk_global_kind {
    FK_GLOBAL_REFUSED = 0, /* known, and not read: `hint` says what to do */
    FK_GLOBAL_DTYPE,       /* a value: torch.float32 */
    FK_GLOBAL_QSCHEME,     /* a value: torch.per_tensor_affine */
    FK_GLOBAL_STORAGE,     /* a storage class: `dtype` */
    FK_GLOBAL_TYPE,        /* a class that only _rebuild_from_type_v2 names: torch.Tensor */
    FK_GLOBAL_CALL,        /* a class or function that REDUCE (NEWOBJ: a class) may call: `call` */
} fk_global_kind;

typedef enum fk_call {
    FK_CALL_NONE = 0,
    FK_CALL_ORDERED_DICT,
    FK_CALL_COUNTER,
    FK_CALL_SET,
    FK_CALL_COMPLEX,
    FK_CALL_BYTEARRAY,
    FK_CALL_BYTES,
    FK_CALL_ENCODE,
    FK_CALL_SIZE,
    FK_CALL_DEVICE,
    FK_CALL_LAYOUT,
    FK_CALL_PARAMETER,
    FK_CALL_TENSOR,
    FK_CALL_TENSOR_V2,
    FK_CALL_TENSOR_V3,
    FK_CALL_REBUILD_PARAMETER,
    FK_CALL_PARAMETER_WITH_STATE,
    FK_CALL_FROM_TYPE,
} fk_call;

typedef struct fk_global {
    const char *module;
    const char *name;
    fk_global_kind kind;
    fk_call call;
    fk_dtype dtype;     /* STORAGE: of its elements; FK_DTYPE_NONE: bytes */
    uint8_t item_bytes; /* refused storage classes: bytes per element, so that an inspection can
                           look at their records */
    const char *hint;
} fk_global;

/* The global of this name, or NULL: unknown. The texts need no NUL. */
const fk_global *fk_global_find(const uint8_t *module, size_t module_bytes, const uint8_t *name,
                                size_t name_bytes);

#endif
