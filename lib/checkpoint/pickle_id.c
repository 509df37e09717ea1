/* BINPERSID: the persistent ids by which a pickle names its storages. */
#include <string.h>

#include "base/checked.h"
#include "base/limits.h"
#include "checkpoint/pickle_handlers.h"
#include "value/values.h"

/* ("storage", class, key, location, elements), and before PyTorch 1.6 a part or None */
enum { ID_TAG, ID_CLASS, ID_KEY, ID_LOCATION, ID_ELEMENTS, ID_PART, ID_ITEMS };

/* NULL also for a text longer than any record's name: an id that is fetched from the memo again and
 * again is read each time. */
static const char *as_text(const fk_item *item) {
    size_t length;
    if (item->kind != FK_ITEM_VALUE || fk_value_kind(item->value) != FK_KIND_STRING) {
        return NULL;
    }
    const char *text = fk_value_as_text(item->value, &length);
    return length <= FK_LIMIT_ZIP_NAME_BYTES && length == strlen(text) ? text : NULL;
}

static bool as_count(const fk_item *item, uint64_t *ret_count) {
    bool counted = item->kind == FK_ITEM_VALUE && fk_value_kind(item->value) == FK_KIND_INT &&
                   fk_value_as_int(item->value) >= 0;
    *ret_count = counted ? (uint64_t)fk_value_as_int(item->value) : 0;
    return counted;
}

static bool has_parts(const fk_machine *machine) {
    return machine->host->part != NULL;
}

static fk_code fail_id(fk_machine *machine) {
    return fk_error_set(machine->err, FK_E_CORRUPT,
                        "a persistent id is not (\"storage\", class, key, location, elements%s)",
                        has_parts(machine) ? ", part" : "");
}

/* A storage of a class that is not read: its record is still looked up, as bytes. */
static fk_code find_opaque_storage(fk_machine *machine, const fk_item *id, uint64_t elements) {
    const fk_global *refused = id[ID_CLASS].opaque->refused;
    uint64_t bytes;
    fk_storage *storage;
    if (refused == NULL || refused->item_bytes == 0 ||
        !fk_checked_multiply(elements, refused->item_bytes, &bytes)) {
        return FK_OK;
    }
    return machine->host->storage(machine->host->user, as_text(&id[ID_KEY]), FK_DTYPE_NONE,
                                  as_text(&id[ID_LOCATION]), bytes, &storage, machine->err);
}

/* The part of a storage that an id names: (key, offset, elements). */
static fk_code push_part(fk_machine *machine, const fk_item *id, fk_item item, uint64_t elements) {
    fk_item items[FK_ARGUMENTS_MAX];
    size_t count = 0;
    fk_part part = {.storage = item.storage};
    fk_code code = fk_machine_arguments(machine, &id[ID_PART], items, &count);
    if (code != FK_OK || count != 3 || as_text(&items[0]) == NULL ||
        !as_count(&items[1], &part.offset) || !as_count(&items[2], &part.elements)) {
        return fk_error_set(machine->err, FK_E_CORRUPT,
                            "the part of a storage is not (key, offset, elements)");
    }
    if (part.offset > elements || part.elements > elements - part.offset) {
        return fk_error_set(machine->err, FK_E_CORRUPT, "the part '%.100s' exceeds its storage",
                            as_text(&items[0]));
    }
    code = machine->host->part(machine->host->user, as_text(&items[0]), as_text(&id[ID_KEY]),
                               part.offset, part.elements, machine->err);
    if (code != FK_OK) {
        return code;
    }
    fk_part *kept = fk_values_allocate(machine->values, sizeof *kept);
    if (kept == NULL) {
        return fk_error_no_memory(machine->err);
    }
    *kept = part;
    item.kind = FK_ITEM_PART;
    item.part = kept;
    return fk_machine_push(machine, item);
}

static fk_code push_storage(fk_machine *machine, const fk_item *id) {
    const char *tag = as_text(&id[ID_TAG]);
    const char *key = as_text(&id[ID_KEY]);
    const char *location = as_text(&id[ID_LOCATION]);
    uint64_t count;
    bool counted = as_count(&id[ID_ELEMENTS], &count);
    if (tag == NULL || strcmp(tag, "storage") != 0 || key == NULL || location == NULL || !counted) {
        return fail_id(machine);
    }
    if (id[ID_CLASS].kind == FK_ITEM_OPAQUE) {
        fk_code code = find_opaque_storage(machine, id, count);
        return code == FK_OK ? fk_machine_push(machine, id[ID_CLASS]) : code;
    }
    if (id[ID_CLASS].kind != FK_ITEM_GLOBAL || id[ID_CLASS].global->kind != FK_GLOBAL_STORAGE) {
        return fail_id(machine);
    }
    fk_item item = {.kind = FK_ITEM_STORAGE, .dtype = id[ID_CLASS].global->dtype};
    fk_code code = machine->host->storage(machine->host->user, key, item.dtype, location, count,
                                          &item.storage, machine->err);
    if (code != FK_OK) {
        return code;
    }
    bool whole = !has_parts(machine) || (id[ID_PART].kind == FK_ITEM_VALUE &&
                                         fk_value_kind(id[ID_PART].value) == FK_KIND_NONE);
    return whole ? fk_machine_push(machine, item) : push_part(machine, id, item, count);
}

/* Before PyTorch 1.6 the class of a module went through an id, too, with its source:
 * ("module", class, file, source). Only inspection comes so far: the class itself is refused. */
static bool is_module(const fk_machine *machine, const fk_mixed *id) {
    const char *tag = id->count == 4 ? as_text(&id->items[ID_TAG]) : NULL;
    return has_parts(machine) && tag != NULL && strcmp(tag, "module") == 0 &&
           id->items[ID_CLASS].kind == FK_ITEM_OPAQUE;
}

fk_code fk_pickle_binpersid(fk_machine *machine, const fk_pickle_step *step) {
    (void)step;
    fk_item tuple;
    fk_code code = fk_machine_pop(machine, &tuple);
    if (code != FK_OK) {
        return code;
    }
    if (tuple.kind == FK_ITEM_MIXED && is_module(machine, tuple.mixed)) {
        return fk_machine_push(machine, tuple.mixed->items[ID_CLASS]);
    }
    size_t items = has_parts(machine) ? ID_ITEMS : ID_PART;
    if (tuple.kind != FK_ITEM_MIXED || tuple.mixed->count != items) {
        return fail_id(machine);
    }
    return push_storage(machine, tuple.mixed->items);
}
