#include <string.h>

#include "base/checked.h"
#include "base/limits.h"
#include "base/text.h"
#include "store/manifest/manifest_parts.h"
#include "store/names/layout.h"
#include "value/values.h"
#include "json/json.h"

/* ---- one entry: {"path": ..., "size": ..., "sha256": [...], "xxh3": [...], "label": ...} */

/* Relative, of plain segments, below the run's directory (I4), and not the manifest itself. */
static bool is_path(const char *path) {
    if (strcmp(path, FK_MANIFEST_FILE) == 0) {
        return false;
    }
    for (const char *segment = path;; segment++) {
        size_t length = strcspn(segment, "/");
        if (length == 0 || length > FK_LIMIT_FILE_NAME_BYTES ||
            (length == 1 && segment[0] == '.') ||
            (length == 2 && segment[0] == '.' && segment[1] == '.')) {
            return false;
        }
        segment += length;
        if (*segment == '\0') {
            return true;
        }
    }
}

/* A string without NUL, or NULL. */
static const char *text_of(const fk_value *value) {
    if (value == NULL || fk_value_kind(value) != FK_KIND_STRING) {
        return NULL;
    }
    size_t length;
    const char *text = fk_value_as_text(value, &length);
    return strlen(text) == length ? text : NULL;
}

/* A list of `pieces` digests of `digits` hex digits each. */
static fk_code read_digests(const fk_value *list, size_t pieces, size_t digits, const char *path,
                            fk_values *values, const char *const **ret_digests, fk_error *err) {
    if (list == NULL || fk_value_kind(list) != FK_KIND_LIST || fk_value_count(list) != pieces) {
        return fk_manifest_damaged(err, "file '%s' does not have %zu digests", path, pieces);
    }
    const char **digests = fk_values_allocate(values, pieces * sizeof *digests);
    if (digests == NULL) {
        return fk_error_no_memory(err);
    }
    for (size_t i = 0; i < pieces; i++) {
        digests[i] = text_of(fk_value_item(list, i));
        if (digests[i] == NULL || strlen(digests[i]) != digits ||
            strspn(digests[i], "0123456789abcdef") != digits) {
            return fk_manifest_damaged(err, "digest %zu of file '%s' is not %zu hex digits", i,
                                       path, digits);
        }
    }
    *ret_digests = digests;
    return FK_OK;
}

static fk_code read_file(const fk_value *entry, fk_values *values, fk_run_file *ret_file,
                         fk_error *err) {
    fk_run_file file = {.path = text_of(fk_value_get(entry, "path"))};
    const fk_value *size = fk_value_get(entry, "size");
    const fk_value *label = fk_value_get(entry, "label");
    const fk_value *xxh3 = fk_value_get(entry, "xxh3");
    if (file.path == NULL || !is_path(file.path)) {
        return fk_manifest_damaged(err, "path '%s' is none of a file of a run",
                                   file.path == NULL ? "" : file.path);
    }
    if (size == NULL || fk_value_kind(size) != FK_KIND_INT || fk_value_as_int(size) < 0) {
        return fk_manifest_damaged(err, "file '%s' has no size", file.path);
    }
    file.bytes = (uint64_t)fk_value_as_int(size);
    file.label = text_of(label);
    if (label != NULL && file.label == NULL) {
        return fk_manifest_damaged(err, "the label of file '%s' is no string", file.path);
    }
    uint64_t pieces = fk_manifest_pieces(file.bytes);
    file.pieces = (size_t)pieces;
    fk_code code = read_digests(fk_value_get(entry, "sha256"), file.pieces, FK_SHA256_HEX_BYTES - 1,
                                file.path, values, &file.sha256, err);
    if (code == FK_OK && xxh3 != NULL) {
        code = read_digests(xxh3, file.pieces, FK_XXH3_HEX_BYTES - 1, file.path, values, &file.xxh3,
                            err);
    }
    if (code == FK_OK) {
        *ret_file = file;
    }
    return code;
}

/* ---- all entries */

/* What the head says of the files follows from them. */
static fk_code check_totals(const fk_run_info *info, const fk_run_file *files, size_t count,
                            fk_error *err) {
    size_t glyphs = 0;
    uint64_t size_bytes = 0;
    bool weights_match = !info->has_weights;
    bool fits = true;
    for (size_t i = 0; i < count; i++) {
        glyphs += fk_text_starts_with(files[i].path, FK_GLYPHS_DIRECTORY "/");
        fits = fits && fk_checked_add(size_bytes, files[i].bytes, &size_bytes);
        if (strcmp(files[i].path, FK_WEIGHTS_FILE) == 0) {
            weights_match = info->has_weights && files[i].bytes == info->weights_bytes;
        }
    }
    if (!fits || size_bytes != info->size_bytes || glyphs != info->glyphs || !weights_match) {
        return fk_manifest_damaged(err, "its sizes and its list of files contradict each other");
    }
    return FK_OK;
}

static fk_code parse_array(const char *array, size_t length, fk_values *values, fk_value **ret_list,
                           fk_error *err) {
    fk_value *list = NULL;
    fk_code code = fk_json_read(array, length, values, &list, err);
    if (code == FK_E_NO_MEMORY) {
        return code;
    }
    if (code != FK_OK) {
        return fk_manifest_damaged(err, "its list of files is no JSON array");
    }
    if (fk_value_count(list) > FK_LIMIT_RUN_FILES) {
        return fk_manifest_damaged(err, "it lists more than %u files", FK_LIMIT_RUN_FILES);
    }
    *ret_list = list;
    return FK_OK;
}

fk_code fk_manifest_read_files(const char *array, size_t length, fk_values *values,
                               fk_run_info *info, fk_error *err) {
    fk_value *list = NULL;
    fk_code code = parse_array(array, length, values, &list, err);
    if (code != FK_OK) {
        return code;
    }
    size_t count = fk_value_count(list);
    fk_run_file *files = fk_values_allocate(values, count * sizeof *files);
    if (files == NULL) {
        return fk_error_no_memory(err);
    }
    for (size_t i = 0; i < count; i++) {
        code = read_file(fk_value_item(list, i), values, &files[i], err);
        if (code != FK_OK) {
            return code;
        }
        if (i > 0 && strcmp(files[i - 1].path, files[i].path) >= 0) { /* M1 */
            return fk_manifest_damaged(err, "file '%s' is not behind '%s'", files[i].path,
                                       files[i - 1].path);
        }
    }
    code = check_totals(info, files, count, err);
    if (code == FK_OK) {
        info->files = files;
        info->file_count = count;
    }
    return code;
}
