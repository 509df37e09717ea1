#include "store/change/sample_sheet.h"

#include <stdlib.h>
#include <string.h>

#include "png/contact_sheet.h"
#include "png/png_image.h"

typedef struct sheet_glyph {
    const char *label;
    const char *path;
} sheet_glyph;

/* The glyphs to show, and the sides of the largest. */
typedef struct sheet_glyphs {
    sheet_glyph *items; /* from malloc; borrows the texts */
    size_t count;
    fk_png_size largest;
} sheet_glyphs;

static void sheet_glyphs_finish(sheet_glyphs *glyphs) {
    free(glyphs->items);
}

static void add(sheet_glyphs *glyphs, const char *label, const char *path) {
    if (label != NULL) {
        glyphs->items[glyphs->count++] = (sheet_glyph){label, path};
    }
}

/* UTF-8 sorts by characters when it is sorted by bytes. */
static int compare_labels(const void *one, const void *other) {
    return strcmp(((const sheet_glyph *)one)->label, ((const sheet_glyph *)other)->label);
}

/* What the manifest lists; without one, what the draft lists. */
static fk_code collect(const fk_generation *it, sheet_glyphs *glyphs, fk_error *err) {
    const fk_run_info *info = &it->source->info;
    const fk_manifest_files *files = &it->draft->files;
    glyphs->items = calloc(info->file_count + files->count + 1, sizeof *glyphs->items);
    if (glyphs->items == NULL) {
        return fk_error_no_memory(err);
    }
    for (size_t i = 0; i < info->file_count; i++) {
        add(glyphs, info->files[i].label, info->files[i].path);
    }
    for (size_t i = 0; info->file_count == 0 && i < files->count; i++) {
        add(glyphs, files->items[i].label, files->items[i].path);
    }
    qsort(glyphs->items, glyphs->count, sizeof *glyphs->items, compare_labels);
    return FK_OK;
}

/* Whether an error is one of the glyph itself. */
static bool is_bad(fk_code code) {
    return code == FK_E_INCOMPLETE || code == FK_E_CORRUPT || code == FK_E_INVALID ||
           code == FK_E_LIMIT;
}

static fk_code measure_one(const fk_generation *it, const sheet_glyph *glyph, fk_png_size *ret_size,
                           fk_error *err) {
    FK_SCOPED(fk_freep) void *bytes = NULL;
    size_t length = 0;
    fk_code code = fk_generation_read_file(it, glyph->path, &bytes, &length, err);
    return code == FK_OK ? fk_png_check(bytes, length, ret_size, err) : code;
}

/* Keeps the glyphs that can be read. */
static fk_code measure(const fk_generation *it, sheet_glyphs *glyphs, fk_error *err) {
    size_t kept = 0;
    for (size_t i = 0; i < glyphs->count; i++) {
        fk_png_size size;
        fk_code code = measure_one(it, &glyphs->items[i], &size, err);
        if (code != FK_OK && !is_bad(code)) {
            return code;
        }
        if (code == FK_OK) {
            fk_png_size *largest = &glyphs->largest;
            largest->width = size.width > largest->width ? size.width : largest->width;
            largest->height = size.height > largest->height ? size.height : largest->height;
            glyphs->items[kept++] = glyphs->items[i];
        }
    }
    glyphs->count = kept;
    return FK_OK;
}

static fk_code place_one(const fk_generation *it, const sheet_glyph *glyph, fk_contact_sheet *sheet,
                         size_t index, fk_error *err) {
    FK_SCOPED(fk_freep) void *bytes = NULL;
    size_t length = 0;
    fk_code code = fk_generation_read_file(it, glyph->path, &bytes, &length, err);
    return code == FK_OK ? fk_contact_sheet_place(sheet, index, bytes, length, err) : code;
}

/* A glyph whose pixels cannot be decoded leaves no gap. */
static fk_code place(const fk_generation *it, const sheet_glyphs *glyphs, fk_contact_sheet *sheet,
                     size_t *ret_placed, fk_error *err) {
    size_t placed = 0;
    for (size_t i = 0; i < glyphs->count; i++) {
        fk_code code = place_one(it, &glyphs->items[i], sheet, placed, err);
        if (code != FK_OK && !is_bad(code)) {
            return code;
        }
        placed += code == FK_OK ? 1 : 0;
    }
    *ret_placed = placed;
    return FK_OK;
}

fk_code fk_sample_sheet_make(const fk_generation *it, fk_buffer *png, bool *ret_made,
                             fk_error *err) {
    FK_SCOPED(sheet_glyphs_finish) sheet_glyphs glyphs = {0};
    FK_SCOPED(fk_contact_sheet_finish) fk_contact_sheet sheet = {0};
    size_t placed = 0;
    fk_code code = collect(it, &glyphs, err);
    if (code == FK_OK) {
        code = measure(it, &glyphs, err);
    }
    if (code == FK_OK && glyphs.count > 0) {
        code = fk_contact_sheet_init(&sheet, glyphs.count, glyphs.largest, err);
        if (code == FK_OK) {
            code = place(it, &glyphs, &sheet, &placed, err);
        }
    }
    if (code == FK_OK && placed > 0) {
        code = fk_contact_sheet_encode(&sheet, png, err);
    }
    *ret_made = placed > 0;
    return code;
}
