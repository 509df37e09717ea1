#include "store/trash/unpublished.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/handle/handle.h"
#include "store/names/layout.h"
#include "store/names/run_id.h"
#include "store/run/run.h"
#include "store/trash/discard.h"
#include "value/values.h"

/* A run, or an entry of the trash, opened by the name of its directory. `*ret_gone`: there is none.
 */
static fk_code open_named(fk_store *store, int runs, const char *font_id, const fk_run_id *id,
                          const char *directory, fk_values *values, fk_run *run, bool *ret_gone,
                          fk_error *err) {
    fk_scan_run place = {.id = *id};
    fk_error cause = {0};
    fk_text_copy(place.directory.text, sizeof place.directory.text, directory);
    fk_code code = fk_run_init(run, store, runs, font_id, &place, false, values, &cause);
    *ret_gone = code != FK_OK && (cause.system_errno == ENOENT || code == FK_E_INVALID);
    if (code != FK_OK && !*ret_gone && err != NULL) {
        *err = cause;
    }
    return *ret_gone ? FK_OK : code;
}

/* The run itself: under the form of its name that the entry has, else under the other. Where names
 * may hold no ':', one that does fails with all kinds of errors, and there is no such run. */
static fk_code open_live(fk_store *store, int runs, const char *font_id, const fk_run_id *id,
                         const char *subject, fk_values *values, fk_run *run, bool *ret_gone,
                         fk_error *err) {
    fk_run_id twin;
    fk_error cause = {0};
    fk_code code = open_named(store, runs, font_id, id, subject, values, run, ret_gone, err);
    if (code != FK_OK || !*ret_gone) {
        return code;
    }
    fk_run_id_twin(id, &twin);
    bool other_has_colons = strcmp(subject, twin.text) == 0;
    code = open_named(store, runs, font_id, id, other_has_colons ? id->text : twin.text, values,
                      run, ret_gone, &cause);
    if (code == FK_E_IO && other_has_colons) {
        *ret_gone = true;
        return FK_OK;
    }
    if (code != FK_OK && err != NULL) {
        *err = cause;
    }
    return code;
}

/* Whether a file is one and the same in both, by a hard link; `other` may have none (NULL). */
static bool is_linked(const fk_run *one, const char *name, const fk_run *other,
                      const char *other_name) {
    struct stat a;
    struct stat b;
    bool a_missing = false;
    bool b_missing = false;
    return other_name != NULL &&
           fk_file_look(one->directory, name, &a, &a_missing, NULL) == FK_OK && !a_missing &&
           fk_file_look(other->directory, other_name, &b, &b_missing, NULL) == FK_OK &&
           !b_missing && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static bool share_a_file(const fk_run *entry, const fk_run *live) {
    return is_linked(entry, entry->weights_name, live, live->weights_name) ||
           is_linked(entry, FK_SAMPLE_FILE, live, FK_SAMPLE_FILE) ||
           is_linked(entry, FK_FEEDBACK_FILE, live, FK_FEEDBACK_FILE);
}

static bool judge(const fk_run *entry, const fk_run *live, uint32_t number) {
    if (entry->manifest != FK_RUN_MANIFEST_GOOD) {
        return false;
    }
    if (live->manifest == FK_RUN_MANIFEST_GOOD) {
        return entry->info.generation > live->info.generation;
    }
    return entry->info.generation == number && share_a_file(entry, live);
}

/* `*ret_is`, and the entry opened. */
static fk_code look(fk_store *store, int runs, const char *font_id, const fk_trash_name *name,
                    fk_values *values, fk_run *entry, bool *ret_is, fk_error *err) {
    FK_SCOPED(fk_run_finish) fk_run live = {0};
    char directory[FK_TRASH_NAME_BYTES];
    fk_run_id id;
    bool gone = true;
    *ret_is = false;
    if (!fk_run_id_parse(name->subject, &id, NULL, NULL)) {
        return FK_OK;
    }
    fk_trash_name_format(name, directory);
    fk_code code = open_live(store, runs, font_id, &id, name->subject, values, &live, &gone, err);
    if (code == FK_OK && !gone) {
        code = open_named(store, runs, font_id, &id, directory, values, entry, &gone, err);
    }
    if (code == FK_OK && !gone) {
        *ret_is = judge(entry, &live, name->number);
    }
    return code;
}

fk_code fk_unpublished_judge(fk_store *store, int runs, const char *font_id,
                             const fk_trash_name *name, bool *ret_is, fk_error *err) {
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_run_finish) fk_run entry = {0};
    return values == NULL ? fk_error_no_memory(err)
                          : look(store, runs, font_id, name, values, &entry, ret_is, err);
}

fk_code fk_unpublished_remove(fk_store *store, int runs, const char *path, const char *font_id,
                              const fk_trash_name *name, bool *ret_removed, fk_error *err) {
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_run_finish) fk_run entry = {0};
    char directory[FK_TRASH_NAME_BYTES];
    bool is = false;
    *ret_removed = false;
    if (values == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = look(store, runs, font_id, name, values, &entry, &is, err);
    if (code != FK_OK || !is) {
        return code;
    }
    fk_trash_name_format(name, directory);
    code = fk_discard(&(fk_discarded){.parent = runs,
                                      .path = path,
                                      .name = directory,
                                      .expected = entry.directory,
                                      .durable = store->durability == FK_DURABILITY_FULL},
                      err);
    *ret_removed = code == FK_OK;
    return code;
}
