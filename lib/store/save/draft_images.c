#include "store/save/draft_images.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "base/limits.h"
#include "base/text.h"
#include "os/directory.h"
#include "os/file.h"
#include "png/png_image.h"
#include "store/names/glyph_name.h"
#include "store/names/layout.h"
#include "store/save/draft.h"

enum { GLYPH_PATH_BYTES = sizeof FK_GLYPHS_DIRECTORY + 1 + FK_GLYPH_FILE_BYTES };

#define PNG_SUFFIX ".png"

/* ---- one image ---------------------------------------------------------------------------- */

static fk_code check_pixels(const fk_image *image, fk_error *err) {
    uint64_t row = 0;
    uint64_t bytes = 0;
    bool known = image->channels == 1 || image->channels == 3 || image->channels == 4;
    bool fits = fk_checked_multiply(image->width, image->channels, &row) &&
                fk_checked_multiply(row, image->height, &bytes);
    if (image->width > FK_LIMIT_PNG_SIDE || image->height > FK_LIMIT_PNG_SIDE) {
        fk_error_set(err, FK_E_LIMIT, "an image of %u x %u pixels is too large, the limit is %u",
                     image->width, image->height, FK_LIMIT_PNG_SIDE);
        fk_error_hint(err, "give a smaller image");
        return FK_E_LIMIT;
    }
    if (known && image->height != 0 && fits && bytes == image->length) {
        return FK_OK;
    }
    fk_error_set(err, FK_E_INVALID, "%zu bytes are no %u x %u pixels of %u channels", image->length,
                 image->width, image->height, image->channels);
    fk_error_hint(err, "give width x height x channels bytes, rows from the top without padding; "
                       "channels are 1, 3 or 4");
    return FK_E_INVALID;
}

fk_code fk_image_check(const fk_image *image, const char *path, fk_error *err) {
    if (image == NULL || (image->bytes == NULL && image->length > 0)) {
        fk_error_set(err, FK_E_USAGE, "there is no image");
        fk_error_path(err, path);
        return FK_E_USAGE;
    }
    fk_code code = image->width != 0 ? check_pixels(image, err)
                                     : fk_png_check(image->bytes, image->length, NULL, err);
    if (code != FK_OK) {
        fk_error_path(err, path);
    }
    return code;
}

/* Writes an image that was checked: a PNG file as it is, pixels encoded. */
static fk_code write_image(fk_draft *draft, const char *path, const char *label,
                           const fk_image *image, fk_error *err) {
    if (image->width == 0) {
        return fk_draft_write_file(draft, path, label, image->bytes, image->length, err);
    }
    FK_SCOPED(fk_buffer_finish) fk_buffer png = {0};
    fk_code code =
        fk_png_encode(image->bytes, image->width, image->height, image->channels, &png, err);
    if (code != FK_OK) {
        fk_error_path(err, path);
        return code;
    }
    return fk_draft_write_file(draft, path, label, png.bytes, png.length, err);
}

fk_code fk_draft_write_image(fk_draft *draft, const char *path, const char *label,
                             const fk_image *image, fk_error *err) {
    fk_code code = fk_image_check(image, path, err);
    if (code == FK_OK && label != NULL) {
        code = fk_draft_written(draft, fk_stage_make_glyphs(&draft->stage, err));
    }
    return code == FK_OK ? write_image(draft, path, label, image, err) : code;
}

fk_code fk_draft_set_sample(fk_draft *draft, const fk_image *image, fk_error *err) {
    fk_code code = fk_draft_check_open(draft, draft->has_sample, "sample", err);
    if (code == FK_OK) {
        code = fk_image_check(image, FK_SAMPLE_FILE, err);
    }
    if (code == FK_OK) {
        code = write_image(draft, FK_SAMPLE_FILE, NULL, image, err);
    }
    draft->has_sample = draft->has_sample || code == FK_OK;
    return code;
}

/* ---- glyphs ------------------------------------------------------------------------------- */

/* The label that has the file already, or NULL. Capitals and small letters count as the same: the
 * file was found there, and only a file system that takes them for the same finds another's. */
static const char *label_of_path(const fk_draft *draft, const char *path) {
    for (size_t i = 0; i < draft->files.count; i++) {
        if (strcasecmp(draft->files.items[i].path, path) == 0) {
            return draft->files.items[i].label;
        }
    }
    return NULL;
}

/* Whether the stage holds the file already; the exclusive create stays the judge of races. */
static fk_code check_free(fk_draft *draft, const char *path, const char *label, fk_error *err) {
    struct stat status;
    bool missing = false;
    const char *name = path + sizeof FK_GLYPHS_DIRECTORY;
    fk_code code = fk_file_look(draft->stage.glyphs, name, &status, &missing, err);
    if (code != FK_OK || missing) {
        return code;
    }
    const char *other = label_of_path(draft, path);
    fk_error_set(err, FK_E_INVALID, "glyphs '%s' and '%s' have the same file name",
                 other != NULL ? other : label, label);
    fk_error_hint(err, "give each glyph once, or another label to one of them");
    fk_error_path(err, path);
    return FK_E_INVALID;
}

fk_code fk_draft_add_glyph(fk_draft *draft, const char *label, const fk_image *image,
                           fk_error *err) {
    char file_name[FK_GLYPH_FILE_BYTES];
    char path[GLYPH_PATH_BYTES];
    fk_code code = fk_draft_check_open(draft, false, "glyphs", err);
    if (code == FK_OK) {
        code = fk_glyph_name_from_label(label, file_name, err);
    }
    if (code != FK_OK) {
        return code;
    }
    snprintf(path, sizeof path, "%s/%s", FK_GLYPHS_DIRECTORY, file_name);
    code = fk_image_check(image, path, err);
    if (code == FK_OK) {
        code = fk_draft_written(draft, fk_stage_make_glyphs(&draft->stage, err));
    }
    if (code == FK_OK) {
        code = check_free(draft, path, label, err);
    }
    return code == FK_OK ? write_image(draft, path, label, image, err) : code;
}

/* ---- a directory of glyphs ---------------------------------------------------------------- */

static fk_code read_glyph(const char *path, void **ret_bytes, size_t *ret_length, fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_code code = fk_file_open_path(path, &fd, NULL, err);
    return code == FK_OK
               ? fk_file_read_whole(fd, FK_LIMIT_PNG_BYTES, path, ret_bytes, ret_length, err)
               : code;
}

static fk_code add_glyph_file(fk_draft *draft, const char *directory, const char *name,
                              fk_error *err) {
    FK_SCOPED(fk_buffer_finish) fk_buffer path = {0};
    FK_SCOPED(fk_freep) void *bytes = NULL;
    fk_image image = {0};
    char label[FK_LABEL_BYTES];
    if (!fk_buffer_append_format(&path, "%s/%s", directory, name)) {
        return fk_error_no_memory(err);
    }
    fk_code code = read_glyph((const char *)path.bytes, &bytes, &image.length, err);
    if (code != FK_OK) {
        return code;
    }
    image.bytes = bytes;
    code = fk_png_check(image.bytes, image.length, NULL, err);
    if (code != FK_OK) {
        fk_error_path(err, (const char *)path.bytes);
        return code;
    }
    fk_glyph_name_to_label(name, label);
    return fk_draft_add_glyph(draft, label, &image, err);
}

fk_code fk_draft_add_glyph_directory(fk_draft *draft, const char *path, fk_error *err) {
    FK_SCOPED(fk_names_finish) fk_names names = {0};
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_code code = fk_draft_check_open(draft, false, "glyphs", err);
    if (code == FK_OK) {
        code = fk_directory_open_path(path, &fd, err);
    }
    if (code == FK_OK) {
        code = fk_directory_list(fd, path, &names, err);
    }
    for (size_t i = 0; code == FK_OK && i < names.count; i++) {
        const char *name = names.names[i];
        if (name[0] != '.' && fk_text_ends_with(name, PNG_SUFFIX)) {
            code = add_glyph_file(draft, path, name, err);
        }
    }
    return code;
}
