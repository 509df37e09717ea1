#include "checkpoint/pickle_write.h"

#include <assert.h>
#include <stdlib.h>

#include "base/limits.h"
#include "checkpoint/write_atom.h"
#include "checkpoint/write_emit.h"
#include "checkpoint/write_path.h"
#include "checkpoint/write_tensor.h"

enum { BATCH = 1000 }; /* items between MARK and APPENDS or SETITEMS */

/* What a reader's stack holds for one open container besides its items (container, MARK, function,
 * arguments under way): more than enough. */
enum { STACK_MARGIN = 16 };

typedef fk_write_path_step frame;

typedef struct pickler {
    fk_write_emit emit;
    const fk_pickle_spelling *spelling;
    frame *frames; /* [FK_LIMIT_DEPTH], the containers being written, outermost first */
    size_t depth;
    size_t start; /* of the pickle in the buffer */
    fk_error *err;
} pickler;

static void pickler_finish(pickler *p) {
    fk_write_emit_finish(&p->emit);
    free(p->frames);
}

/* The emitter's refusal as an error that names the path. */
static fk_code refused(pickler *p) {
    if (p->emit.code == FK_E_NO_MEMORY) {
        return fk_error_no_memory(p->err);
    }
    char path[FK_DOTTED_PATH_BYTES];
    fk_write_path_text(p->frames, p->depth, path);
    fk_error_set(p->err, p->emit.code, "%s at '%s'", p->emit.refusal, path);
    if (p->emit.code == FK_E_UNSUPPORTED) {
        fk_error_subject(p->err, FK_SUBJECT_DATA);
        fk_error_hint(p->err,
                      "leave '%s' out, or convert it to what PyTorch loads with "
                      "weights_only=True",
                      path);
    } else {
        fk_error_hint(p->err, "split '%s' up", path);
    }
    return p->emit.code;
}

static bool is_dict(const fk_value *value) {
    fk_kind kind = fk_value_kind(value);
    return kind == FK_KIND_DICT || kind == FK_KIND_ORDERED_DICT || kind == FK_KIND_COUNTER;
}

static bool is_unhashable(const fk_value *value) {
    fk_kind kind = fk_value_kind(value);
    return is_dict(value) || kind == FK_KIND_LIST || kind == FK_KIND_SET ||
           kind == FK_KIND_BYTEARRAY;
}

/* A value is complete: the container around it may be unable to take it. */
static void completed(pickler *p, bool unhashable) {
    if (p->depth == 0 || !unhashable) {
        return;
    }
    frame *f = &p->frames[p->depth - 1];
    fk_kind kind = fk_value_kind(f->value);
    if (kind == FK_KIND_TUPLE) {
        f->unhashable = true;
    } else if (kind == FK_KIND_SET) {
        fk_write_emit_refuse(&p->emit, FK_E_UNSUPPORTED, "set with an item that is not hashable");
    } else if (is_dict(f->value) && !f->attributes && f->next % 2 == 1) {
        fk_write_emit_refuse(&p->emit, FK_E_UNSUPPORTED, "dict with a key that is not hashable");
    }
}

/* Opens a container. `late`: Python makes it only when its items are there, so it cannot contain
 * itself. */
static void push(pickler *p, const fk_value *value, bool late) {
    if (p->depth == FK_LIMIT_DEPTH) {
        fk_write_emit_refuse(&p->emit, FK_E_LIMIT, "values nested more than 1000 deep");
        return;
    }
    if (late) {
        fk_write_emit_open_value(&p->emit, value);
    }
    uint64_t stack = p->depth == 0 ? 0 : p->frames[p->depth - 1].stack_items;
    p->frames[p->depth++] = (frame){.value = value, .stack = stack + STACK_MARGIN};
}

/* Closes the innermost container, after it was memoised. */
static void pop(pickler *p) {
    const frame *f = &p->frames[--p->depth];
    completed(p, f->unhashable || is_unhashable(f->value));
}

static void open_container(pickler *p, const fk_value *value) {
    fk_write_emit *emit = &p->emit;
    fk_kind kind = fk_value_kind(value);
    bool late = kind == FK_KIND_TUPLE || kind == FK_KIND_SET || kind == FK_KIND_COUNTER;
    size_t count = fk_value_count(value);
    push(p, value, late);
    if (kind == FK_KIND_LIST) {
        fk_write_emit_opcode(emit, FK_WRITE_EMPTY_LIST);
    } else if (kind == FK_KIND_DICT) {
        fk_write_emit_opcode(emit, FK_WRITE_EMPTY_DICT);
    } else if (kind == FK_KIND_ORDERED_DICT) {
        fk_write_emit_empty_call(emit, "collections", "OrderedDict");
    } else if (kind == FK_KIND_SET) {
        fk_write_emit_global(emit, "__builtin__", "set");
        fk_write_emit_opcode(emit, FK_WRITE_EMPTY_LIST);
        fk_write_emit_put(emit);
    } else if (kind == FK_KIND_COUNTER) {
        fk_write_emit_global(emit, "collections", "Counter");
        fk_write_emit_opcode(emit, FK_WRITE_EMPTY_DICT);
        fk_write_emit_put(emit);
    } else if (count > 3) {
        fk_write_emit_opcode(emit, FK_WRITE_MARK);
    }
    if (!late) {
        fk_write_emit_put_value(emit, value, true);
    }
}

static bool has_attributes(const fk_value *value) {
    const fk_value *attributes = fk_value_attributes(value);
    return attributes != NULL && fk_value_count(attributes) != 0;
}

static fk_code write_tensor(pickler *p, const fk_value *value) {
    const fk_tensor *tensor = fk_value_as_tensor(value);
    fk_pickle_storage storage = {0};
    fk_code code = p->spelling->storage(p->spelling->user, tensor, &storage, p->err);
    if (code != FK_OK) {
        return code;
    }
    if (!has_attributes(value)) {
        fk_write_tensor(&p->emit, tensor, &storage);
        fk_write_emit_put_value(&p->emit, value, false);
    } else {
        push(p, value, true);
        fk_write_tensor_begin(&p->emit, tensor, &storage);
    }
    return FK_OK;
}

static void write_known(pickler *p, const fk_write_memo_entry *entry) {
    if (entry->index == FK_WRITE_OPEN) {
        fk_write_emit_refuse(&p->emit, FK_E_UNSUPPORTED,
                             "tuple, set, Counter or tensor that contains itself");
        return;
    }
    bool unhashable = entry->unhashable;
    fk_write_emit_get(&p->emit, entry->index);
    completed(p, unhashable);
}

/* Writes a value whole, or opens it. Only the callback of the spelling sets an error here. */
static fk_code write_value(pickler *p, const fk_value *value) {
    if (fk_write_atom_is(value) && fk_write_atom_is_plain(value)) {
        fk_write_atom(&p->emit, value);
        return FK_OK;
    }
    if (fk_value_kind(value) == FK_KIND_TUPLE && fk_value_count(value) == 0) {
        fk_write_emit_opcode(&p->emit, FK_WRITE_EMPTY_TUPLE);
        return FK_OK;
    }
    const fk_write_memo_entry *entry = fk_write_memo_find_value(&p->emit.memo, value);
    if (entry != NULL) {
        write_known(p, entry);
    } else if (fk_write_atom_is(value)) {
        fk_write_atom(&p->emit, value);
        fk_write_emit_put_value(&p->emit, value, is_unhashable(value));
        completed(p, is_unhashable(value));
    } else if (fk_value_kind(value) == FK_KIND_TENSOR) {
        return write_tensor(p, value);
    } else {
        open_container(p, value);
    }
    return FK_OK;
}

/* Writes the next item of the innermost container. */
static fk_code write_next(pickler *p, const fk_value *item, size_t items_on_stack) {
    frame *f = &p->frames[p->depth - 1];
    f->next++;
    f->stack_items = f->stack + items_on_stack;
    if (f->stack_items + STACK_MARGIN > FK_LIMIT_PICKLE_STACK) {
        fk_write_emit_refuse(&p->emit, FK_E_LIMIT,
                             "more values at once than a reader's stack holds");
        return FK_OK;
    }
    return write_value(p, item);
}

static void close_late(pickler *p, const frame *f) {
    fk_write_emit_tuple(&p->emit, 1);
    fk_write_emit_opcode(&p->emit, FK_WRITE_REDUCE);
    fk_write_emit_put_value(&p->emit, f->value, fk_value_kind(f->value) != FK_KIND_TENSOR);
}

/* LIST, and the list that a SET is made of: one item by APPEND; else batches, each MARK, items,
 * APPENDS. */
static fk_code step_list(pickler *p, frame *f) {
    size_t count = fk_value_count(f->value);
    if (count > 1 && f->next % BATCH == 0 && f->next < count) {
        if (f->next != 0) {
            fk_write_emit_opcode(&p->emit, FK_WRITE_APPENDS);
        }
        fk_write_emit_opcode(&p->emit, FK_WRITE_MARK);
    }
    if (f->next < count) {
        return write_next(p, fk_value_item(f->value, f->next), f->next % BATCH);
    }
    if (count != 0) {
        fk_write_emit_opcode(&p->emit, count == 1 ? FK_WRITE_APPEND : FK_WRITE_APPENDS);
    }
    if (fk_value_kind(f->value) == FK_KIND_SET) {
        close_late(p, f);
    }
    pop(p);
    return FK_OK;
}

static fk_code step_tuple(pickler *p, frame *f) {
    size_t count = fk_value_count(f->value);
    if (f->next < count) {
        return write_next(p, fk_value_item(f->value, f->next), f->next);
    }
    fk_write_emit_opcode(&p->emit,
                         count > 3 ? FK_WRITE_TUPLE : FK_WRITE_TUPLE1 + (fk_write_opcode)count - 1);
    fk_write_emit_put_value(&p->emit, f->value, f->unhashable);
    pop(p);
    return FK_OK;
}

/* Next key or item of a dict: `next` counts keys and items. */
static fk_code write_half_entry(pickler *p, const frame *f) {
    size_t entry = f->next / 2;
    const fk_value *half =
        f->next % 2 == 0 ? fk_value_key(f->value, entry) : fk_value_item(f->value, entry);
    return write_next(p, half, f->next % (size_t)(2 * BATCH));
}

/* DICT, and the dict that a COUNTER is made of: one entry by SETITEM; else batches, each MARK,
 * entries, SETITEMS, and behind 1000, 2000, ... entries one batch without any. */
static fk_code step_dict(pickler *p, frame *f) {
    size_t count = fk_value_count(f->value);
    if (count > 1 && f->next % (size_t)(2 * BATCH) == 0) {
        if (f->next != 0) {
            fk_write_emit_opcode(&p->emit, FK_WRITE_SETITEMS);
        }
        fk_write_emit_opcode(&p->emit, FK_WRITE_MARK);
    }
    if (f->next / 2 < count) {
        return write_half_entry(p, f);
    }
    if (count != 0) {
        fk_write_emit_opcode(&p->emit, count == 1 ? FK_WRITE_SETITEM : FK_WRITE_SETITEMS);
    }
    if (fk_value_kind(f->value) == FK_KIND_COUNTER) {
        close_late(p, f);
    }
    pop(p);
    return FK_OK;
}

static void open_ordered_batch(pickler *p, const frame *f) {
    size_t count = fk_value_count(f->value);
    if (count - f->next / 2 > 1) {
        fk_write_emit_opcode(&p->emit, FK_WRITE_MARK);
    }
}

static void close_ordered_batch(pickler *p, const frame *f) {
    bool one = f->next / 2 % BATCH == 1;
    fk_write_emit_opcode(&p->emit, one ? FK_WRITE_SETITEM : FK_WRITE_SETITEMS);
}

/* ORDERED_DICT: batches; one of a single entry is SETITEM without MARK. Then its attributes, which
 * BUILD hangs on it. */
static fk_code step_ordered_dict(pickler *p, frame *f) {
    size_t count = fk_value_count(f->value);
    if (!f->attributes) {
        bool at_batch = f->next % (size_t)(2 * BATCH) == 0;
        if (f->next != 0 && (at_batch || f->next / 2 == count) && f->next % 2 == 0) {
            close_ordered_batch(p, f);
        }
        if (f->next / 2 < count) {
            if (at_batch) {
                open_ordered_batch(p, f);
            }
            return write_half_entry(p, f);
        }
        if (has_attributes(f->value)) {
            f->attributes = true;
            return write_next(p, fk_value_attributes(f->value), 0);
        }
    } else {
        fk_write_emit_opcode(&p->emit, FK_WRITE_BUILD);
    }
    pop(p);
    return FK_OK;
}

static fk_code step_tensor(pickler *p, frame *f) {
    if (!f->attributes) {
        f->attributes = true;
        return write_next(p, fk_value_attributes(f->value), STACK_MARGIN);
    }
    fk_write_tensor_end(&p->emit);
    fk_write_emit_put_value(&p->emit, f->value, false);
    pop(p);
    return FK_OK;
}

static fk_code step(pickler *p) {
    frame *f = &p->frames[p->depth - 1];
    switch (fk_value_kind(f->value)) {
    case FK_KIND_LIST:
    case FK_KIND_SET:
        return step_list(p, f);
    case FK_KIND_TUPLE:
        return step_tuple(p, f);
    case FK_KIND_ORDERED_DICT:
        return step_ordered_dict(p, f);
    case FK_KIND_TENSOR:
        return step_tensor(p, f);
    default:
        return step_dict(p, f);
    }
}

static void check_limits(pickler *p) {
    if (p->emit.opcodes > FK_LIMIT_PICKLE_OPCODES) {
        fk_write_emit_refuse(&p->emit, FK_E_LIMIT, "more than 16000000 pickle opcodes");
    }
    if (p->emit.buffer->length - p->start > FK_LIMIT_PICKLE_BYTES) {
        fk_write_emit_refuse(&p->emit, FK_E_LIMIT, "pickle of more than 64 MiB");
    }
}

static fk_code write_all(pickler *p, const fk_value *top) {
    fk_write_emit_opcode(&p->emit, FK_WRITE_PROTO);
    fk_buffer_append_byte(p->emit.buffer, 2);
    fk_code code = write_value(p, top);
    while (code == FK_OK && p->emit.code == FK_OK && p->depth != 0) {
        code = step(p);
        check_limits(p);
    }
    fk_write_emit_opcode(&p->emit, FK_WRITE_STOP);
    if (code == FK_OK && p->emit.code != FK_OK) {
        code = refused(p);
    }
    return code;
}

fk_code fk_pickle_write(fk_buffer *buffer, const fk_value *top, const fk_pickle_spelling *spelling,
                        fk_error *err) {
    FK_SCOPED(pickler_finish)
    pickler p = {.spelling = spelling, .start = buffer->length, .err = err};
    fk_write_emit_init(&p.emit, buffer);
    p.frames = calloc(FK_LIMIT_DEPTH, sizeof *p.frames);
    return p.frames == NULL ? fk_error_no_memory(err) : write_all(&p, top);
}
