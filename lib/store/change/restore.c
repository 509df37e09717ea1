/* fk_restore: what is in the trash comes back. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/change/generation.h"
#include "store/handle/handle.h"
#include "store/handle/not_durable.h"
#include "store/handle/runs_directory.h"
#include "store/names/run_id.h"
#include "store/trash/discard.h"
#include "store/trash/exchange.h"
#include "store/trash/settle.h"
#include "store/trash/trash.h"

/* Syncs the directory in which an entry got its name back. */
static fk_code conclude(fk_store *store, int parent, const char *path, const fk_trash_id *id,
                        fk_error *err) {
    fk_error cause = {0};
    char text[FK_TRASH_ID_BYTES];
    if (store->durability == FK_DURABILITY_NONE || fk_file_sync(parent, ".", &cause) == FK_OK) {
        return FK_OK;
    }
    fk_trash_id_format(id, text);
    return fk_not_durable(path, &cause, err, "'%s' is restored", text);
}

/* The rename back. `*ret_taken`: another stands there. */
static fk_code rename_back(int parent, const char *path, const fk_trash_name *name,
                           const fk_trash_id *id, bool *ret_taken, fk_error *err) {
    char directory[FK_TRASH_NAME_BYTES];
    fk_error cause = {0};
    fk_trash_name_format(name, directory);
    fk_code code = fk_directory_publish(parent, directory, name->subject, ret_taken, &cause);
    if (code == FK_E_IO && cause.system_errno == ENOENT) {
        return fk_trash_not_found(id, err);
    }
    if (code != FK_OK && err != NULL) {
        fk_error_path_join(&cause, path);
        *err = cause;
    }
    return code;
}

/* ---- a font ------------------------------------------------------------------------------- */

static fk_code font_exists(const char *font_id, fk_error *err) {
    fk_error_set(err, FK_E_FONT_EXISTS, "font '%s' is there: another was made under its id",
                 font_id);
    fk_error_hint(err, "remove that one first; it can be restored, too");
    fk_error_path(err, font_id);
    return FK_E_FONT_EXISTS;
}

static fk_code restore_font(fk_store *store, const fk_trash_id *id, fk_trash_entry *ret_entry,
                            fk_error *err) {
    FK_SCOPED(fk_file_closep) int root = -1;
    fk_trash_name name;
    fk_trash_entry entry;
    bool taken = false;
    fk_code code = fk_store_open_root(store, &root, err);
    if (code == FK_OK) {
        code = fk_trash_find(root, store->path, id, &name, err);
    }
    if (code != FK_OK) {
        return code;
    }
    fk_trash_describe(root, &name, id->font_id.text, "", &entry);
    code = rename_back(root, store->path, &name, id, &taken, err);
    if (code == FK_OK && taken) {
        return font_exists(id->font_id.text, err);
    }
    if (code != FK_OK) {
        return code;
    }
    *ret_entry = entry;
    return conclude(store, root, store->path, id, err);
}

/* ---- a run -------------------------------------------------------------------------------- */

static fk_code run_exists(const fk_trash_id *id, fk_error *err) {
    fk_error_set(err, FK_E_INVALID, "run '%s' of font '%s' is there", id->run_id.text,
                 id->font_id.text);
    fk_error_hint(err, "somebody restored it just now: look at it");
    return FK_E_INVALID;
}

/* Content with an intact manifest becomes the newest generation of the run: so numbers only rise.
 */
static fk_code publish_entry(fk_store *store, fk_runs_directory *where, fk_run_lock *lock,
                             const fk_scan_run *place, const char *entry, fk_error *err) {
    FK_SCOPED(fk_generation_destroyp) fk_generation *generation = NULL;
    fk_code code =
        fk_generation_create_from_trash(store, where, lock, place, entry, &generation, err);
    if (code == FK_OK) {
        code = fk_generation_publish(generation, err);
    }
    if (code == FK_OK) { /* its content lives on; that the entry goes is no condition */
        (void)fk_discard(&(fk_discarded){.parent = generation->draft->where.runs,
                                         .path = generation->draft->where.path,
                                         .name = entry,
                                         .expected = generation->source->directory,
                                         .durable = store->durability == FK_DURABILITY_FULL},
                         NULL);
    }
    return code;
}

/* Gives an entry another number, for good: else a power cut could leave what comes next under both.
 */
static fk_code renumber_entry(fk_store *store, const fk_runs_directory *where, fk_trash_name *name,
                              fk_error *err) {
    char entry[FK_TRASH_NAME_BYTES];
    fk_trash_name_format(name, entry);
    fk_code code = fk_trash_move(where->runs, where->path, entry, name->subject, 0, name, err);
    return code == FK_OK && store->durability == FK_DURABILITY_FULL
               ? fk_file_sync(where->runs, where->path, err)
               : code;
}

/* Content that has no number takes the place of the run as it is. The number of its entry, which
 * then holds the run, must not be the run's generation: that would mark a generation that was never
 * published. */
static fk_code exchange_entry(fk_store *store, const fk_runs_directory *where,
                              const fk_scan_run *place, const fk_run *live, fk_trash_name *name,
                              fk_error *err) {
    char old_entry[FK_TRASH_NAME_BYTES];
    char entry[FK_TRASH_NAME_BYTES];
    bool taken = false;
    fk_code code = FK_OK;
    fk_trash_name_format(name, old_entry);
    if (live->manifest == FK_RUN_MANIFEST_GOOD && live->info.generation == name->number) {
        code = renumber_entry(store, where, name, err);
    }
    fk_trash_name_format(name, entry);
    const fk_exchange exchange = {.runs = where->runs,
                                  .path = where->path,
                                  .directory = place->directory.text,
                                  .entry = entry,
                                  .replaced = live->directory,
                                  .durable = store->durability == FK_DURABILITY_FULL};
    code = code == FK_OK ? fk_exchange_run(&exchange, err) : code;
    if (code != FK_OK && code != FK_E_NOT_DURABLE && strcmp(entry, old_entry) != 0) {
        (void)fk_directory_publish(where->runs, entry, old_entry, &taken, NULL);
    }
    return code;
}

static fk_code restore_generation(fk_store *store, fk_runs_directory *where, fk_run_lock *lock,
                                  const fk_scan_run *place, fk_trash_name *name, fk_error *err) {
    FK_SCOPED(fk_run_closep) fk_run *live = NULL;
    FK_SCOPED(fk_run_closep) fk_run *content = NULL;
    fk_scan_run trashed = {.id = place->id};
    char entry[FK_TRASH_NAME_BYTES];
    fk_trash_name_format(name, entry);
    fk_text_copy(trashed.directory.text, sizeof trashed.directory.text, entry);
    fk_code code = fk_run_open_place(store, where->runs, where->font_id.text, place, &live, err);
    if (code == FK_OK) {
        code = fk_run_open_place(store, where->runs, where->font_id.text, &trashed, &content, err);
    }
    if (code == FK_OK) {
        code = fk_run_check_readable(live, err);
    }
    if (code == FK_OK) {
        code = fk_run_check_readable(content, err);
    }
    if (code != FK_OK) {
        return code;
    }
    return content->manifest == FK_RUN_MANIFEST_GOOD
               ? publish_entry(store, where, lock, place, entry, err)
               : exchange_entry(store, where, place, live, name, err);
}

/* ---- generations that were removed, too --------------------------------------------------- */

/* The number of an entry's content; 0 without a good manifest. */
static fk_code read_number(fk_store *store, const fk_runs_directory *where, const fk_run_id *id,
                           const char *entry, uint64_t *ret_number, fk_error *err) {
    FK_SCOPED(fk_run_closep) fk_run *content = NULL;
    fk_scan_run place = {.id = *id};
    fk_text_copy(place.directory.text, sizeof place.directory.text, entry);
    fk_code code =
        fk_run_open_place(store, where->runs, where->font_id.text, &place, &content, err);
    if (code == FK_OK) {
        code = fk_run_check_readable(content, err);
    }
    if (code == FK_OK) {
        *ret_number = content->manifest == FK_RUN_MANIFEST_GOOD ? content->info.generation : 0;
    }
    return code == FK_E_INVALID ? FK_OK : code; /* no directory, no entry */
}

static bool is_other_of_run(const fk_trash_id *id, const char *name, fk_trash_name *ret_other) {
    fk_run_id run_id;
    return fk_trash_name_parse(name, ret_other) && ret_other->number != id->number &&
           fk_run_id_parse(ret_other->subject, &run_id, NULL, NULL) &&
           strcmp(run_id.text, id->run_id.text) == 0;
}

static fk_code newer_is_removed(const fk_trash_id *id, uint32_t newer, fk_error *err) {
    fk_trash_id other = *id;
    char text[FK_TRASH_ID_BYTES];
    other.number = newer;
    fk_trash_id_format(&other, text);
    fk_error_set(err, FK_E_INVALID, "a newer generation of run '%s' is in the trash, too",
                 id->run_id.text);
    fk_error_hint(err, "restore '%s' first, then this one", text);
    return FK_E_INVALID;
}

/* Numbers only rise: behind a run that came back with a lower one, a higher one in the trash would
 * be taken for a generation that was never published. */
static fk_code check_newest(fk_store *store, const fk_runs_directory *where, const fk_trash_id *id,
                            const fk_trash_name *name, fk_error *err) {
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    char entry[FK_TRASH_NAME_BYTES];
    uint64_t own = 0;
    fk_trash_name_format(name, entry);
    fk_code code = read_number(store, where, &id->run_id, entry, &own, err);
    if (code == FK_OK) {
        code = fk_directory_list(where->runs, where->path, &names, err);
    }
    for (size_t i = 0; code == FK_OK && i < names.count; i++) {
        fk_trash_name other;
        uint64_t number = 0;
        if (is_other_of_run(id, names.names[i], &other)) {
            code = read_number(store, where, &id->run_id, names.names[i], &number, err);
        }
        if (code == FK_OK && number > own) {
            code = newer_is_removed(id, other.number, err);
        }
    }
    return code;
}

static fk_code is_there(const fk_runs_directory *where, const fk_scan_run *place, bool *ret_is,
                        fk_error *err) {
    struct stat status;
    bool missing = false;
    fk_code code = fk_file_look(where->runs, place->directory.text, &status, &missing, err);
    *ret_is = code == FK_OK && !missing;
    return code;
}

static fk_code restore_run_in(fk_store *store, fk_runs_directory *where, const fk_trash_id *id,
                              fk_trash_entry *ret_entry, fk_error *err) {
    FK_SCOPED(fk_run_lock_release) fk_run_lock lock = FK_RUN_LOCK_FREE;
    fk_scan_run place = {.id = id->run_id};
    fk_trash_name name;
    fk_trash_entry entry;
    bool taken = false;
    bool exists = false;
    fk_code code = fk_trash_find(where->runs, where->path, id, &name, err);
    if (code == FK_OK) {
        fk_text_copy(place.directory.text, sizeof place.directory.text, name.subject);
        code = fk_settle_run(store, where, &place, &lock, err);
    }
    if (code == FK_OK) { /* as it is under the lock */
        code = fk_trash_find(where->runs, where->path, id, &name, err);
    }
    if (code == FK_OK) {
        code = is_there(where, &place, &exists, err);
    }
    if (code != FK_OK) {
        return code;
    }
    fk_trash_describe(where->runs, &name, id->font_id.text, id->run_id.text, &entry);
    if (exists) {
        code = restore_generation(store, where, &lock, &place, &name, err);
        if (code == FK_OK || code == FK_E_NOT_DURABLE) {
            *ret_entry = entry;
        }
        return code;
    }
    code = check_newest(store, where, id, &name, err);
    if (code == FK_OK) {
        code = rename_back(where->runs, where->path, &name, id, &taken, err);
    }
    if (code == FK_OK && taken) {
        return run_exists(id, err);
    }
    if (code != FK_OK) {
        return code;
    }
    *ret_entry = entry;
    return conclude(store, where->runs, where->path, id, err);
}

static fk_code restore_run(fk_store *store, const fk_trash_id *id, fk_trash_entry *ret_entry,
                           fk_error *err) {
    fk_runs_directory where = FK_RUNS_DIRECTORY_CLOSED;
    fk_code code = fk_runs_directory_open(store, id->font_id.text, false, &where, err);
    if (code == FK_OK) {
        code = restore_run_in(store, &where, id, ret_entry, err);
    }
    fk_runs_directory_close(&where);
    return code;
}

fk_code fk_restore(fk_store *store, const char *trash_id, fk_trash_entry *ret_entry,
                   fk_error *err) {
    fk_trash_id id;
    fk_code code = fk_trash_id_parse(trash_id, &id, err);
    if (code != FK_OK) {
        return code;
    }
    return fk_trash_id_is_font(&id) ? restore_font(store, &id, ret_entry, err)
                                    : restore_run(store, &id, ret_entry, err);
}
