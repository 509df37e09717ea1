/* Where in nested values a writer stands, as a dotted path for messages. */
#ifndef FK_CHECKPOINT_WRITE_PATH_H
#define FK_CHECKPOINT_WRITE_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "value/dotted_path.h"

/* One container on the way down. */
typedef struct fk_write_path_step {
    const fk_value *value;
    size_t next;          /* items begun; of a dict, keys and items together */
    uint64_t stack;       /* objects on a reader's stack at its start, at most */
    uint64_t stack_items; /* the same for the item begun last */
    bool attributes;      /* it is the attributes' turn */
    bool unhashable;      /* a tuple with an item that cannot be hashed */
} fk_write_path_step;

/* The path of the item begun last; "(top)" when there is no step. */
void fk_write_path_text(const fk_write_path_step *steps, size_t count,
                        char into[FK_DOTTED_PATH_BYTES]);

#endif
