#include "store/trash/trash.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/handle/handle.h"
#include "store/names/font_id.h"
#include "store/names/layout.h"
#include "store/names/run_id.h"
#include "store/trash/unpublished.h"

/* Rounds against others who take each number first. */
enum { ROUNDS_MAX = 100 };

/* ---- numbers ------------------------------------------------------------------------------ */

/* Whether two subjects are the same font, or the same run under either form of its name. */
static bool is_same_subject(const char *one, const char *other) {
    fk_run_id a;
    fk_run_id b;
    return strcmp(one, other) == 0 ||
           (fk_run_id_parse(one, &a, NULL, NULL) && fk_run_id_parse(other, &b, NULL, NULL) &&
            strcmp(a.text, b.text) == 0);
}

static fk_code choose_number(int parent, const char *path, uint32_t preferred, fk_trash_name *name,
                             fk_error *err) {
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    uint32_t highest = 0;
    bool is_free = preferred > 0 && preferred <= FK_TRASH_NUMBER_MAX;
    fk_code code = fk_directory_list(parent, path, &names, err);
    for (size_t i = 0; i < names.count; i++) {
        fk_trash_name other;
        if (fk_trash_name_parse(names.names[i], &other) &&
            is_same_subject(other.subject, name->subject)) {
            highest = other.number > highest ? other.number : highest;
            is_free = is_free && other.number != preferred;
        }
    }
    if (code == FK_OK && !is_free && highest == FK_TRASH_NUMBER_MAX) {
        code =
            fk_error_set(err, FK_E_LIMIT, "the trash has no number left for '%s'", name->subject);
        fk_error_hint(err, "purge what is in the trash");
    }
    name->number = is_free ? preferred : highest + 1;
    return code;
}

fk_code fk_trash_move(int parent, const char *path, const char *from, const char *subject,
                      uint32_t preferred, fk_trash_name *ret_name, fk_error *err) {
    fk_trash_name name = {.number = 0};
    char to[FK_TRASH_NAME_BYTES];
    bool taken = true;
    fk_code code = FK_OK;
    fk_text_copy(name.subject, sizeof name.subject, subject);
    for (int round = 0; code == FK_OK && taken && round < ROUNDS_MAX; round++) {
        code = choose_number(parent, path, preferred, &name, err);
        if (code == FK_OK) {
            fk_trash_name_format(&name, to);
            code = fk_directory_publish(parent, from, to, &taken, err);
        }
    }
    if (code == FK_OK && taken) {
        code = fk_error_set(err, FK_E_BUSY, "others took each number in the trash first");
        fk_error_hint(err, "try again");
    }
    if (code != FK_OK) {
        fk_error_path_join(err, path);
        return code;
    }
    *ret_name = name;
    return FK_OK;
}

/* ---- entries ------------------------------------------------------------------------------ */

void fk_trash_describe(int parent, const fk_trash_name *name, const char *font_id,
                       const char *run_id, fk_trash_entry *ret_entry) {
    fk_trash_entry *entry = ret_entry;
    fk_trash_id id = {.number = name->number};
    char directory[FK_TRASH_NAME_BYTES];
    struct stat status;
    bool missing = false;
    *entry = (fk_trash_entry){.removed_at_us = FK_NO_TIME};
    fk_text_copy(id.font_id.text, sizeof id.font_id.text, font_id);
    fk_text_copy(id.run_id.text, sizeof id.run_id.text, run_id);
    fk_trash_id_format(&id, entry->trash_id);
    entry->font_id = id.font_id;
    entry->run_id = id.run_id;
    fk_trash_name_format(name, directory);
    if (fk_file_look(parent, directory, &status, &missing, NULL) == FK_OK && !missing) {
        /* a rename sets ctime */
        entry->removed_at_us =
            (int64_t)status.st_ctim.tv_sec * 1000000 + status.st_ctim.tv_nsec / 1000;
    }
    if (fk_directory_bytes(parent, directory, &entry->bytes, NULL) != FK_OK) {
        entry->bytes = 0;
    }
}

fk_code fk_trash_find(int parent, const char *path, const fk_trash_id *id, fk_trash_name *ret_name,
                      fk_error *err) {
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    const char *subject = fk_trash_id_is_font(id) ? id->font_id.text : id->run_id.text;
    fk_code code = fk_directory_list(parent, path, &names, err);
    for (size_t i = 0; code == FK_OK && i < names.count; i++) {
        fk_trash_name name;
        bool directory = false;
        if (fk_trash_name_parse(names.names[i], &name) && name.number == id->number &&
            is_same_subject(name.subject, subject)) {
            code = fk_names_is_directory(&names, i, parent, &directory, err);
        }
        if (code == FK_OK && directory) {
            *ret_name = name;
            return FK_OK;
        }
    }
    return code == FK_OK ? fk_trash_not_found(id, err) : code;
}

fk_code fk_trash_not_found(const fk_trash_id *id, fk_error *err) {
    fk_code code = fk_trash_id_is_font(id) ? FK_E_FONT_NOT_FOUND : FK_E_RUN_NOT_FOUND;
    char text[FK_TRASH_ID_BYTES];
    fk_trash_id_format(id, text);
    fk_error_set(err, code, "there is no '%s' in the trash", text);
    fk_error_hint(err, "`fontkeep trash` lists what is there");
    return code;
}

/* ---- the list ----------------------------------------------------------------------------- */

void fk_trash_list_destroy(fk_trash_list *trash) {
    if (trash != NULL) {
        free(trash->rows);
        free(trash);
    }
}

size_t fk_trash_list_count(const fk_trash_list *trash) {
    return trash->count;
}

const fk_trash_entry *fk_trash_list_at(const fk_trash_list *trash, size_t index) {
    return index < trash->count ? &trash->rows[index] : NULL;
}

fk_code fk_trash_list_add(fk_trash_list *list, const fk_trash_entry *entry, fk_error *err) {
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 8 : 2 * list->capacity;
        fk_trash_entry *rows = reallocarray(list->rows, capacity, sizeof *rows);
        if (rows == NULL) {
            return fk_error_no_memory(err);
        }
        list->rows = rows;
        list->capacity = capacity;
    }
    list->rows[list->count++] = *entry;
    return FK_OK;
}

static fk_code add_entry(fk_trash_list *list, int parent, const fk_trash_name *name,
                         const char *font_id, const char *run_id, fk_error *err) {
    fk_trash_entry entry;
    fk_trash_describe(parent, name, font_id, run_id, &entry);
    return fk_trash_list_add(list, &entry, err);
}

/* One name in a runs/. */
static fk_code add_run(fk_trash_list *list, fk_store *store, int runs, const char *font_id,
                       const fk_names *names, size_t index, fk_error *err) {
    fk_trash_name name;
    fk_run_id id;
    bool directory = false;
    bool unpublished = false;
    if (!fk_trash_name_parse(names->names[index], &name) ||
        !fk_run_id_parse(name.subject, &id, NULL, NULL)) {
        return FK_OK;
    }
    fk_code code = fk_names_is_directory(names, index, runs, &directory, err);
    if (code == FK_OK && directory) {
        code = fk_unpublished_judge(store, runs, font_id, &name, &unpublished, err);
    }
    return code == FK_OK && directory && !unpublished
               ? add_entry(list, runs, &name, font_id, id.text, err)
               : code;
}

static bool is_no_directory(const fk_error *cause) {
    return cause->code == FK_E_INVALID || cause->system_errno == ENOENT;
}

fk_code fk_trash_open_runs(int root, const char *font_id, int *ret_runs, fk_error *err) {
    FK_SCOPED(fk_file_closep) int font = -1;
    fk_error cause = {0};
    *ret_runs = -1;
    fk_code code = fk_directory_open(root, font_id, &font, &cause);
    if (code == FK_OK) {
        code = fk_directory_open(font, FK_RUNS_DIRECTORY, ret_runs, &cause);
        fk_error_path_join(&cause, font_id);
    }
    if (code == FK_OK || is_no_directory(&cause)) {
        return FK_OK;
    }
    if (err != NULL) {
        *err = cause;
    }
    return code;
}

static fk_code add_runs(fk_trash_list *list, fk_store *store, int root, const char *font_id,
                        fk_error *err) {
    FK_SCOPED(fk_file_closep) int runs = -1;
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    fk_code code = fk_trash_open_runs(root, font_id, &runs, err);
    if (code != FK_OK || runs < 0) {
        return code;
    }
    code = fk_directory_list(runs, FK_RUNS_DIRECTORY, &names, err);
    for (size_t i = 0; code == FK_OK && i < names.count; i++) {
        code = add_run(list, store, runs, font_id, &names, i, err);
    }
    if (code != FK_OK) {
        fk_error_path_join(err, font_id);
    }
    return code;
}

static fk_code add_font(fk_trash_list *list, int root, const fk_names *names, size_t index,
                        fk_error *err) {
    fk_trash_name name;
    bool directory = false;
    if (!fk_trash_name_parse(names->names[index], &name) || !fk_font_id_is_valid(name.subject)) {
        return FK_OK;
    }
    fk_code code = fk_names_is_directory(names, index, root, &directory, err);
    return code == FK_OK && directory ? add_entry(list, root, &name, name.subject, "", err) : code;
}

static fk_code add_all(fk_trash_list *list, fk_store *store, int root, fk_error *err) {
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    fk_code code = fk_directory_list(root, ".", &names, err);
    for (size_t i = 0; code == FK_OK && i < names.count; i++) {
        code = fk_font_id_is_valid(names.names[i])
                   ? add_runs(list, store, root, names.names[i], err)
                   : add_font(list, root, &names, i, err);
    }
    if (code != FK_OK) {
        fk_error_path_join(err, store->path);
    }
    return code;
}

static uint32_t number_of(const fk_trash_entry *entry) {
    fk_trash_id id = {.number = 0};
    (void)fk_trash_id_parse(entry->trash_id, &id, NULL); /* we formatted it */
    return id.number;
}

static int compare_entries(const void *one, const void *other) {
    const fk_trash_entry *a = one;
    const fk_trash_entry *b = other;
    int order = fk_font_id_compare(a->font_id.text, b->font_id.text);
    order = order != 0 ? order : strcmp(a->run_id.text, b->run_id.text);
    if (order != 0) {
        return order;
    }
    return number_of(a) < number_of(b) ? -1 : number_of(a) > number_of(b);
}

fk_code fk_trash(fk_store *store, fk_trash_list **ret_trash, fk_error *err) {
    FK_SCOPED(fk_trash_list_destroyp) fk_trash_list *list = calloc(1, sizeof *list);
    FK_SCOPED(fk_file_closep) int root = -1;
    if (list == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = fk_store_open_root(store, &root, err);
    if (code == FK_OK) {
        code = add_all(list, store, root, err);
    }
    if (code != FK_OK) {
        return code;
    }
    if (list->count > 1) {
        qsort(list->rows, list->count, sizeof *list->rows, compare_entries);
    }
    *ret_trash = fk_take(list);
    return FK_OK;
}
