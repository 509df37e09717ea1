/* The stack machine that interprets a pickle: its stack, marks and memo; for the pickle_* files.
 *
 * P1 a value on the stack belongs to the machine's arena. P2 marks ascend and are at most the
 * stack's height; nothing below the last mark is popped. */
#ifndef FK_CHECKPOINT_PICKLE_MACHINE_H
#define FK_CHECKPOINT_PICKLE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "checkpoint/pickle_globals.h"
#include "checkpoint/pickle_opcode.h"
#include "checkpoint/pickle_read.h"
#include "fontkeep/value.h"
#include "value/dotted_path.h"

typedef enum fk_item_kind {
    FK_ITEM_VALUE,
    FK_ITEM_GLOBAL,  /* a class or function of the table */
    FK_ITEM_STORAGE, /* what a persistent id stands for */
    FK_ITEM_PART,    /* the same, when it stands for a part of a storage */
    FK_ITEM_MIXED,   /* a tuple with items that are no values: the arguments of a call */
    FK_ITEM_OPAQUE,  /* inspection: an unknown global, or what calling one gave */
} fk_item_kind;

typedef struct fk_mixed fk_mixed;
typedef struct fk_opaque fk_opaque;

/* Elements of a storage that an id names by a key of their own. */
typedef struct fk_part {
    fk_storage *storage;
    uint64_t offset; /* in elements of the class, like `elements` */
    uint64_t elements;
} fk_part;

typedef struct fk_item {
    fk_item_kind kind;
    fk_dtype dtype; /* STORAGE, PART: of its class */
    union {
        fk_value *value;
        const fk_global *global;
        fk_storage *storage;
        const fk_part *part;
        const fk_mixed *mixed;
        fk_opaque *opaque;
    };
} fk_item;

enum { FK_ARGUMENTS_MAX = 8 };

struct fk_mixed {
    size_t count;
    fk_item items[];
};

struct fk_opaque {
    const char *module;
    const char *name;
    const fk_global *refused; /* its row in the table, or NULL */
    fk_value *dict;           /* what a call got and was built with; NULL before the call */
};

typedef struct fk_machine {
    const fk_pickle_host *host;
    fk_values *values;
    uint64_t base;      /* the pickle's offset in its file */
    size_t length;      /* of the pickle */
    size_t at;          /* of the opcode that is being run */
    uint64_t opcodes;   /* run so far */
    uint64_t copied;    /* by calls that copy what they are given: see fk_machine_charge */
    uint64_t frame_end; /* 0: no frame is open */
    bool stopped;
    fk_item *stack;
    size_t height;
    size_t height_before; /* when the opcode that is being run began; the same of the marks */
    size_t marks_before;
    size_t capacity;
    size_t *marks; /* heights */
    size_t mark_count;
    size_t mark_capacity;
    fk_item *memo; /* kind FK_ITEM_VALUE with value NULL: not set */
    size_t memo_capacity;
    size_t memo_used;
    fk_value *none;
    fk_value *truths[2];
    fk_error *err; /* never NULL */
} fk_machine;

fk_code fk_machine_init(fk_machine *machine, const fk_pickle_host *host, fk_values *values,
                        fk_error *err);
void fk_machine_finish(fk_machine *machine);

/* Whether refused things become opaque items. */
static inline bool fk_machine_inspects(const fk_machine *machine) {
    return machine->host->unknown != NULL;
}

fk_code fk_machine_push(fk_machine *machine, fk_item item);
/* FK_E_NO_MEMORY when `value` is NULL. */
fk_code fk_machine_push_value(fk_machine *machine, fk_value *value);
/* FK_E_CORRUPT when nothing stands above the last mark. */
fk_code fk_machine_pop(fk_machine *machine, fk_item *ret_item);
/* The top item; it stays. Borrowed until the next push or pop. */
fk_code fk_machine_top(fk_machine *machine, fk_item **ret_item);
fk_code fk_machine_mark(fk_machine *machine);
/* Takes the last mark away. What stood above it is at stack[*ret_first], up to the height, which
 * the caller lowers to *ret_first. */
fk_code fk_machine_unmark(fk_machine *machine, size_t *ret_first);

fk_code fk_machine_memo_put(fk_machine *machine, uint64_t index);
fk_code fk_machine_memo_get(fk_machine *machine, uint64_t index);

/* What an item is when it is stored in a container. FK_E_UNSUPPORTED for classes and storages. */
fk_code fk_machine_value_of(fk_machine *machine, const fk_item *item, fk_value **ret_value);

/* FK_E_CORRUPT when Python would not take it as a key of a dict or an item of a set. */
fk_code fk_machine_check_hashable(fk_machine *machine, const fk_value *value);

/* Accounts for `bytes` that a call copies from values it shares with others: without a limit, some
 * bytes of pickle could copy the same megabytes again and again. */
fk_code fk_machine_charge(fk_machine *machine, uint64_t bytes);

/* Pushes a global: a value, a class of the table, or in inspection an opaque item. */
fk_code fk_machine_push_global(fk_machine *machine, const uint8_t *module, size_t module_bytes,
                               const uint8_t *name, size_t name_bytes);

/* Calls a global of the table. */
fk_code fk_pickle_call(fk_machine *machine, const fk_global *global, const fk_item *arguments,
                       size_t count, fk_value **ret_value);
/* The same for those that make tensors. */
fk_code fk_pickle_rebuild(fk_machine *machine, const fk_global *global, const fk_item *arguments,
                          size_t count, fk_value **ret_value);
/* The items of an argument tuple. FK_E_CORRUPT when `tuple` is none, or has too many. */
fk_code fk_machine_arguments(fk_machine *machine, const fk_item *tuple,
                             fk_item ret_items[FK_ARGUMENTS_MAX], size_t *ret_count);
/* Checks what the pickle made as a whole: nesting of at most FK_LIMIT_DEPTH levels, and with
 * `keys` no key twice in a dict. Through a cycle another order of visiting may go deeper: whoever
 * walks values that came from outside bounds its own depth, too. */
fk_code fk_pickle_check_graph(const fk_value *top, bool keys, fk_error *err);

#endif
