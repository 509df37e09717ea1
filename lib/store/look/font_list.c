#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "fontkeep/font.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/handle/handle.h"
#include "store/names/font_id.h"
#include "store/run/resolve.h"
#include "value/values.h"

struct fk_font_list {
    fk_values *values; /* owns the texts */
    fk_font_info *rows;
    size_t count;
};

FK_DEFINE_SCOPED(fk_font_list, fk_font_list_destroy);

static int compare_fonts(const void *one, const void *other) {
    return fk_font_id_compare(((const fk_font_info *)one)->font_id,
                              ((const fk_font_info *)other)->font_id);
}

static fk_font_list *create_list(size_t capacity) {
    FK_SCOPED(fk_font_list_destroyp) fk_font_list *list = calloc(1, sizeof *list);
    if (list != NULL) {
        list->values = fk_values_create();
        list->rows = calloc(capacity + 1, sizeof *list->rows);
        if (list->values != NULL && list->rows != NULL) {
            return fk_take(list);
        }
    }
    return NULL;
}

static fk_code is_font(int root, const fk_names *names, size_t index, bool *ret_is, fk_error *err) {
    *ret_is = false;
    return fk_font_id_is_valid(names->names[index])
               ? fk_names_is_directory(names, index, root, ret_is, err)
               : FK_OK;
}

static fk_code add_text(fk_font_list *list, const char *text, const char **ret_text,
                        fk_error *err) {
    fk_value *copy = fk_value_string(list->values, text);
    if (copy == NULL) {
        return fk_error_no_memory(err);
    }
    *ret_text = fk_value_as_text(copy, NULL);
    return FK_OK;
}

/* A font whose runs cannot be looked at is a font all the same: without runs, as far as we know. */
static fk_code look_at_font(fk_store *store, fk_font_list *list, const char *font_id,
                            fk_error *err) {
    FK_SCOPED(fk_history_close) fk_history history = {.runs = -1};
    const fk_scan_run *latest = NULL;
    fk_font_info *row = &list->rows[list->count];
    fk_code code = fk_history_open(store, font_id, &history, err);
    if (code == FK_OK) {
        code = fk_resolve_latest(store, font_id, &history, &latest, err);
    }
    if (code == FK_E_FONT_NOT_FOUND) {
        return FK_OK; /* it went meanwhile */
    }
    if (code == FK_E_NO_MEMORY || code == FK_E_STORE_NOT_FOUND) {
        return code;
    }
    row->runs = history.scan.count;
    code = add_text(list, font_id, &row->font_id, err);
    if (code == FK_OK && latest != NULL) {
        code = add_text(list, latest->id.text, &row->latest_run_id, err);
    }
    list->count += code == FK_OK;
    return code;
}

fk_code fk_list_fonts(fk_store *store, fk_font_list **ret_fonts, fk_error *err) {
    FK_SCOPED(fk_file_closep) int root = -1;
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    fk_code code = fk_store_open_root(store, &root, err);
    if (code == FK_OK) {
        code = fk_directory_list(root, fk_store_path(store), &names, err);
    }
    if (code != FK_OK) {
        return code;
    }
    FK_SCOPED(fk_font_list_destroyp) fk_font_list *list = create_list(names.count);
    if (list == NULL) {
        return fk_error_no_memory(err);
    }
    for (size_t i = 0; i < names.count; i++) {
        bool is = false;
        code = is_font(root, &names, i, &is, err);
        if (code == FK_OK && is) {
            code = look_at_font(store, list, names.names[i], err);
        }
        if (code != FK_OK) {
            return code;
        }
    }
    qsort(list->rows, list->count, sizeof *list->rows, compare_fonts);
    *ret_fonts = fk_take(list);
    return FK_OK;
}

void fk_font_list_destroy(fk_font_list *fonts) {
    if (fonts != NULL) {
        fk_values_destroy(fonts->values);
        free(fonts->rows);
        free(fonts);
    }
}

size_t fk_font_list_count(const fk_font_list *fonts) {
    return fonts->count;
}

const fk_font_info *fk_font_list_at(const fk_font_list *fonts, size_t index) {
    return index < fonts->count ? &fonts->rows[index] : NULL;
}
