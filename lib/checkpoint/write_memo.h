/* What a pickle has memoised: which texts, globals and values stand under which memo index. Texts
 * are not copied: they are found again in the pickle itself. */
#ifndef FK_CHECKPOINT_WRITE_MEMO_H
#define FK_CHECKPOINT_WRITE_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* What a text stands for: equal texts of two domains are two objects. */
typedef enum fk_write_domain {
    FK_WRITE_STRING = 1,
    FK_WRITE_LATIN1_CHARACTER, /* the text of one byte of a bytes object */
    FK_WRITE_STORAGE_KEY,
    FK_WRITE_GLOBAL,
    FK_WRITE_LAYOUT, /* the object that a layout's name stands for */
    FK_WRITE_VALUE,  /* no text: an fk_value's address */
} fk_write_domain;

#define FK_WRITE_OPEN UINT32_MAX /* index of a value that is being written and has none yet */

typedef struct fk_write_memo_entry {
    uint64_t hash;
    uint64_t place; /* offset of the text in the pickle, or the value's address */
    uint32_t length;
    uint32_t index;
    fk_write_domain domain; /* 0: free */
    bool unhashable;        /* a value that cannot be a dict's key */
} fk_write_memo_entry;

/* Zeroed memory, but for `pickle`, is an empty memo. */
typedef struct fk_write_memo {
    const fk_buffer *pickle;
    fk_write_memo_entry *entries; /* open addressing; capacity a power of two */
    size_t capacity;
    size_t used;
    uint32_t next; /* index of the next object memoised */
} fk_write_memo;

void fk_write_memo_finish(fk_write_memo *memo);

/* The entry of a text or value, or NULL. Valid until the next put. */
fk_write_memo_entry *fk_write_memo_find_text(const fk_write_memo *memo, fk_write_domain domain,
                                             const char *text, size_t length);
fk_write_memo_entry *fk_write_memo_find_value(const fk_write_memo *memo, const void *value);

/* Adds an entry that is not there yet. False when memory is short. `place` is where the text stands
 * in the pickle, counted from the buffer's start. */
bool fk_write_memo_put_text(fk_write_memo *memo, fk_write_domain domain, size_t place,
                            size_t length, uint32_t index);
bool fk_write_memo_put_value(fk_write_memo *memo, const void *value, uint32_t index);

#endif
