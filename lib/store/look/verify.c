#include <string.h>

#include "base/cleanup.h"
#include "fontkeep/font.h"
#include "store/look/run_list.h"
#include "store/run/health.h"
#include "store/run/resolve.h"
#include "value/values.h"

FK_DEFINE_SCOPED(fk_font_list, fk_font_list_destroy);

/* One font's part of a verification. */
typedef struct verified_font {
    const char *font_id; /* borrowed */
    fk_history history;
    const fk_scan_run *only; /* one run, or NULL: all */
    fk_error *unread;        /* why its runs cannot be looked at; NULL: they can. From malloc. */
} verified_font;

typedef struct verification {
    fk_store *store;
    verified_font *fonts; /* [count], from malloc */
    size_t count;
    fk_watch watch;
} verification;

static void verification_finish(verification *all) {
    for (size_t i = 0; i < all->count; i++) {
        fk_history_close(&all->fonts[i].history);
        free(all->fonts[i].unread);
    }
    free(all->fonts);
}

static fk_code add_font(verification *all, const char *font_id, fk_error *err) {
    verified_font *font = &all->fonts[all->count];
    *font = (verified_font){.font_id = font_id, .history = {.runs = -1}};
    fk_code code = fk_history_open(all->store, font_id, &font->history, err);
    all->count += code == FK_OK;
    return code;
}

/* One of all fonts: what is wrong with it leaves the others (I7). */
static fk_code add_font_of_all(verification *all, const char *font_id, fk_error *err) {
    fk_error why = {0};
    fk_code code = add_font(all, font_id, &why);
    if (code == FK_OK || code == FK_E_FONT_NOT_FOUND) { /* it went meanwhile */
        return FK_OK;
    }
    if (code == FK_E_NO_MEMORY || code == FK_E_STORE_NOT_FOUND) {
        return fk_error_pass(err, &why);
    }
    verified_font *font = &all->fonts[all->count];
    font->unread = malloc(sizeof *font->unread);
    if (font->unread == NULL) {
        return fk_error_no_memory(err);
    }
    *font->unread = why;
    all->count++;
    return FK_OK;
}

static const fk_scan_run *run_at(const verified_font *font, size_t index) {
    return font->only != NULL ? font->only : &font->history.scan.runs[index];
}

static size_t run_count(const verified_font *font) {
    return font->only != NULL ? 1 : font->history.scan.count;
}

static fk_code gather_fonts(verification *all, const fk_font_list *fonts, const char *font_id,
                            fk_error *err) {
    size_t count = fonts == NULL ? 1 : fk_font_list_count(fonts);
    all->fonts = calloc(count + 1, sizeof *all->fonts);
    if (all->fonts == NULL) {
        return fk_error_no_memory(err);
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = fonts == NULL ? font_id : fk_font_list_at(fonts, i)->font_id;
        fk_code code = fonts == NULL ? add_font(all, name, err) : add_font_of_all(all, name, err);
        if (code != FK_OK) {
            return code;
        }
    }
    return FK_OK;
}

/* The bytes there are to check, for the progress. */
static fk_code add_bytes(verification *all, const verified_font *font, const fk_scan_run *place,
                         fk_error *err) {
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_run_finish) fk_run run = {0};
    bool gone = false;
    if (values == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = fk_run_list_open(all->store, font->history.runs, font->font_id, place, false,
                                    values, &run, &gone, err);
    if (code == FK_OK && !gone && run.directory >= 0) {
        code = fk_health_shallow(&run, NULL) == FK_E_NO_MEMORY ? fk_error_no_memory(err) : FK_OK;
    }
    all->watch.total_bytes += code == FK_OK && !gone ? run.info.size_bytes : 0;
    return code;
}

static fk_code verify_run(verification *all, const verified_font *font, const fk_scan_run *place,
                          fk_run_list *list, fk_error *err) {
    FK_SCOPED(fk_run_finish) fk_run run = {0};
    bool gone = false;
    fk_error why = {0};
    fk_code code = fk_run_list_open(all->store, font->history.runs, font->font_id, place, true,
                                    fk_run_list_values(list), &run, &gone, err);
    if (code != FK_OK || gone) {
        return code;
    }
    code =
        run.directory >= 0 ? fk_health_deep(&run, FK_DEPTH_FULL, false, &all->watch, &why) : FK_OK;
    if (code == FK_E_NO_MEMORY || code == FK_E_CANCELLED) {
        fk_error_set(err, code, "%s", why.message);
        return code;
    }
    if (code != FK_OK) {
        fk_findings_add_error(&run.findings, FK_CORRUPT, &FK_PROBLEM("manifest", NULL), &why);
        code = fk_health_conclude(&run, err);
    }
    if (code == FK_OK) {
        fk_run_list_add(list, &run.info);
    }
    return code;
}

/* The row of a font whose runs cannot be looked at: without a run id. */
static fk_code add_unread(verification *all, const verified_font *font, fk_run_list *list,
                          fk_error *err) {
    FK_SCOPED(fk_run_finish) fk_run run = {0};
    const fk_scan_run nameless = {0};
    fk_code code = fk_run_init_unopened(&run, all->store, font->font_id, &nameless,
                                        fk_run_list_values(list), font->unread, err);
    if (code == FK_OK) {
        fk_run_list_add(list, &run.info);
    }
    return code;
}

static fk_code verify_font(verification *all, const verified_font *font, fk_run_list *list,
                           fk_error *err) {
    fk_code code = font->unread != NULL ? add_unread(all, font, list, err) : FK_OK;
    for (size_t i = 0; code == FK_OK && i < run_count(font); i++) {
        code = verify_run(all, font, run_at(font, i), list, err);
    }
    return code;
}

static fk_code count_bytes(verification *all, const verified_font *font, fk_error *err) {
    fk_code code = FK_OK;
    for (size_t i = 0; code == FK_OK && i < run_count(font); i++) {
        code = add_bytes(all, font, run_at(font, i), err);
    }
    return code;
}

static fk_code verify_all(verification *all, fk_run_list **ret_runs, fk_error *err) {
    FK_SCOPED(fk_run_list_destroyp) fk_run_list *list = NULL;
    size_t rows = 0;
    for (size_t f = 0; f < all->count; f++) {
        rows += run_count(&all->fonts[f]) + (all->fonts[f].unread != NULL);
    }
    fk_code code = fk_run_list_create(rows, &list, err);
    for (size_t f = 0; code == FK_OK && all->watch.progress != NULL && f < all->count; f++) {
        code = count_bytes(all, &all->fonts[f], err);
    }
    for (size_t f = 0; code == FK_OK && f < all->count; f++) {
        code = verify_font(all, &all->fonts[f], list, err);
    }
    if (code != FK_OK) {
        return code;
    }
    *ret_runs = fk_take(list);
    return FK_OK;
}

fk_code fk_verify(fk_store *store, const char *font_id, const char *run_id, fk_progress progress,
                  void *progress_user, fk_run_list **ret_runs, fk_error *err) {
    FK_SCOPED(fk_font_list_destroyp) fk_font_list *fonts = NULL;
    FK_SCOPED(verification_finish)
    verification all = {.store = store, .watch = FK_WATCH(progress, progress_user)};
    if (font_id == NULL && run_id != NULL) {
        fk_error_set(err, FK_E_USAGE, "a run was named without its font");
        return FK_E_USAGE;
    }
    fk_code code = font_id == NULL ? fk_list_fonts(store, &fonts, err) : FK_OK;
    if (code == FK_OK) {
        code = gather_fonts(&all, fonts, font_id, err);
    }
    if (code == FK_OK && run_id != NULL) {
        code = fk_resolve_place(store, font_id, &all.fonts[0].history, run_id, &all.fonts[0].only,
                                err);
    }
    return code == FK_OK ? verify_all(&all, ret_runs, err) : code;
}
