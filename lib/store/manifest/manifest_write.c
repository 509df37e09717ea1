#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/limits.h"
#include "base/text.h"
#include "fontkeep/fontkeep.h"
#include "fontkeep/time.h"
#include "store/manifest/manifest_parts.h"
#include "store/names/layout.h"
#include "json/json.h"

/* What follows from the files. */
typedef struct manifest_totals {
    size_t glyphs;
    const fk_manifest_file *weights;
    uint64_t size_bytes;
} manifest_totals;

static int compare_files(const void *one, const void *other) {
    return strcmp(((const fk_manifest_file *)one)->path, ((const fk_manifest_file *)other)->path);
}

/* Sorts (M1) and adds up. */
static fk_code survey(fk_manifest_files *files, manifest_totals *ret_totals, fk_error *err) {
    manifest_totals totals = {0};
    if (files->count > 1) {
        qsort(files->items, files->count, sizeof *files->items, compare_files);
    }
    for (size_t i = 0; i < files->count; i++) {
        const fk_manifest_file *file = &files->items[i];
        assert(file->digests.pieces == fk_manifest_pieces(file->digests.bytes));
        if (i > 0 && compare_files(file - 1, file) == 0) {
            fk_error_set(err, FK_E_INVALID, "file '%s' is there twice", file->path);
            fk_error_hint(err, "give each glyph once");
            return FK_E_INVALID;
        }
        totals.glyphs += fk_text_starts_with(file->path, FK_GLYPHS_DIRECTORY "/");
        if (strcmp(file->path, FK_WEIGHTS_FILE) == 0) {
            totals.weights = file;
        }
        if (!fk_checked_add(totals.size_bytes, file->digests.bytes, &totals.size_bytes) ||
            totals.size_bytes > INT64_MAX) {
            return fk_error_set(err, FK_E_LIMIT, "the files are larger than any disk");
        }
    }
    *ret_totals = totals;
    return FK_OK;
}

/* ---- members: each is a line of its own that starts with two spaces (M2) */

static void write_text(fk_buffer *buffer, const char *name, const char *text) {
    fk_buffer_append_format(buffer, "  \"%s\": ", name);
    if (text == NULL) {
        fk_buffer_append_text(buffer, "null");
    } else {
        fk_json_append_string(buffer, text, strlen(text));
    }
    fk_buffer_append_text(buffer, ",\n");
}

static void write_number(fk_buffer *buffer, const char *name, uint64_t number) {
    fk_buffer_append_format(buffer, "  \"%s\": %" PRIu64 ",\n", name, number);
}

static fk_code write_time(fk_buffer *buffer, const char *name, int64_t time_us, fk_error *err) {
    char text[FK_TIME_BYTES + 1];
    if (time_us == FK_NO_TIME) {
        write_text(buffer, name, NULL);
        return FK_OK;
    }
    if (!fk_time_format(time_us, text)) {
        fk_error_set(err, FK_E_INVALID, "`%s` is outside the years 0001 to 9999", name);
        fk_error_hint(err, "give microseconds since 1970");
        return FK_E_INVALID;
    }
    size_t length = strlen(text);
    memcpy(text + length, "Z", sizeof "Z");
    write_text(buffer, name, text);
    return FK_OK;
}

static fk_code write_value(fk_buffer *buffer, const char *name, const fk_value *value,
                           fk_error *err) {
    fk_buffer_append_text(buffer, "  ");
    fk_code code = fk_json_append_member(buffer, name, value, err);
    fk_buffer_append_text(buffer, ",\n");
    return code;
}

static fk_code write_dict(fk_buffer *buffer, const char *name, const fk_value *dict,
                          fk_error *err) {
    if (dict == NULL) {
        fk_buffer_append_format(buffer, "  \"%s\": {},\n", name);
        return FK_OK;
    }
    return write_value(buffer, name, dict, err);
}

static void write_personality(fk_buffer *buffer, const fk_tensor *vector) {
    if (vector == NULL) {
        write_text(buffer, "personality", NULL);
        return;
    }
    fk_buffer_append_format(buffer, "  \"personality\": {\"dtype\": \"%s\", \"shape\": [",
                            fk_dtype_name(vector->dtype));
    for (uint32_t i = 0; i < vector->rank; i++) {
        fk_buffer_append_format(buffer, "%s%" PRId64, i > 0 ? ", " : "", vector->shape[i]);
    }
    fk_buffer_append_text(buffer, "]},\n");
}

/* Members of another generation that this version does not know. */
static fk_code write_others(fk_buffer *buffer, const fk_value *others, fk_error *err) {
    static const char *const known[] = {
        "manifest_version", "font_id",       "run_id",      "status", "started_at",
        "ended_at",         "training",      "metrics",     "files",  "weights_version",
        "feedback_schema",  "parent_run_id", "personality", "glyphs", "weights_bytes",
        "size_bytes",       "generation",    "written_by",  "self",
    };
    for (size_t i = 0; others != NULL && i < fk_value_count(others); i++) {
        const char *name = fk_value_as_text(fk_value_key(others, i), NULL);
        bool is_known = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
            is_known = is_known || strcmp(name, known[k]) == 0;
        }
        fk_code code = is_known ? FK_OK : write_value(buffer, name, fk_value_item(others, i), err);
        if (code != FK_OK) {
            return code;
        }
    }
    return FK_OK;
}

static fk_code write_what_training_said(const fk_manifest_head *head, fk_buffer *buffer,
                                        fk_error *err) {
    fk_code code = write_time(buffer, "started_at", head->started_at_us, err);
    if (code == FK_OK) {
        code = write_time(buffer, "ended_at", head->ended_at_us, err);
    }
    if (code == FK_OK) {
        code = write_dict(buffer, "training", head->training, err);
    }
    return code == FK_OK ? write_dict(buffer, "metrics", head->metrics, err) : code;
}

static fk_code write_head(const fk_manifest_head *head, const manifest_totals *totals,
                          fk_buffer *buffer, fk_error *err) {
    assert(head->status < FK_STATUS_UNKNOWN);
    fk_buffer_append_text(buffer, "{\n");
    write_number(buffer, "manifest_version", FK_MANIFEST_VERSION);
    write_text(buffer, "font_id", head->font_id);
    write_text(buffer, "run_id", head->run_id);
    write_text(buffer, "status", fk_run_status_name(head->status));
    fk_code code = write_what_training_said(head, buffer, err);
    if (code != FK_OK) {
        return code;
    }
    write_text(buffer, "weights_version", head->weights_version);
    write_text(buffer, "feedback_schema", head->feedback_schema);
    write_text(buffer, "parent_run_id", head->parent_run_id);
    write_personality(buffer, head->personality_vector);
    write_number(buffer, "glyphs", totals->glyphs);
    if (totals->weights == NULL) {
        write_text(buffer, "weights_bytes", NULL);
    } else {
        write_number(buffer, "weights_bytes", totals->weights->digests.bytes);
    }
    write_number(buffer, "size_bytes", totals->size_bytes);
    if (head->generation > 1) {
        write_number(buffer, "generation", head->generation);
    }
    code = write_others(buffer, head->others, err);
    fk_buffer_append_text(buffer, "  \"written_by\": \"fontkeep " FK_VERSION "\",");
    return code;
}

/* ---- files */

/* `digests` is `pieces` texts of `stride` bytes each. */
static void write_digests(fk_buffer *buffer, const char *name, const char *digests, size_t stride,
                          size_t pieces) {
    fk_buffer_append_format(buffer, ", \"%s\": [", name);
    for (size_t i = 0; i < pieces; i++) {
        fk_buffer_append_format(buffer, "%s\"%s\"", i > 0 ? ", " : "", digests + i * stride);
    }
    fk_buffer_append_byte(buffer, ']');
}

static void write_file(fk_buffer *buffer, const fk_manifest_file *file) {
    const fk_file_digests *digests = &file->digests;
    fk_buffer_append_text(buffer, "\n    {\"path\": ");
    fk_json_append_string(buffer, file->path, strlen(file->path));
    fk_buffer_append_format(buffer, ", \"size\": %" PRIu64, digests->bytes);
    write_digests(buffer, "sha256", digests->sha256[0], FK_SHA256_HEX_BYTES, digests->pieces);
    if (digests->xxh3 != NULL) {
        write_digests(buffer, "xxh3", digests->xxh3[0], FK_XXH3_HEX_BYTES, digests->pieces);
    }
    if (file->label != NULL) {
        fk_buffer_append_text(buffer, ", \"label\": ");
        fk_json_append_string(buffer, file->label, strlen(file->label));
    }
    fk_buffer_append_byte(buffer, '}');
}

static void write_files(fk_buffer *buffer, const fk_manifest_files *files) {
    fk_buffer_append_text(buffer, FK_MANIFEST_FILES_START);
    for (size_t i = 0; i < files->count; i++) {
        fk_buffer_append_text(buffer, i > 0 ? "," : "");
        write_file(buffer, &files->items[i]);
    }
    fk_buffer_append_text(buffer, "\n  ]");
}

/* The digest of what stands in the buffer from `start` on (M3). */
static fk_code write_self(fk_buffer *buffer, size_t start, fk_error *err) {
    char self[FK_SHA256_HEX_BYTES];
    if (buffer->failed) {
        return fk_error_no_memory(err);
    }
    fk_code code = fk_sha256_hex(buffer->bytes + start, buffer->length - start, self, err);
    if (code != FK_OK) {
        return code;
    }
    fk_buffer_append_text(buffer, FK_MANIFEST_SELF_START);
    fk_buffer_append_text(buffer, self);
    fk_buffer_append_text(buffer, FK_MANIFEST_END);
    return buffer->failed ? fk_error_no_memory(err) : FK_OK;
}

fk_code fk_manifest_write(const fk_manifest_head *head, fk_manifest_files *files, fk_buffer *buffer,
                          fk_error *err) {
    size_t start = buffer->length;
    manifest_totals totals = {0};
    fk_code code = survey(files, &totals, err);
    if (code == FK_OK) {
        code = write_head(head, &totals, buffer, err);
    }
    if (code == FK_OK) {
        write_files(buffer, files);
        code = write_self(buffer, start, err);
    }
    if (code == FK_OK && buffer->length - start > FK_LIMIT_MANIFEST_BYTES) {
        code = fk_error_set(err, FK_E_LIMIT, "the manifest takes %zu bytes, more than %llu",
                            buffer->length - start, (unsigned long long)FK_LIMIT_MANIFEST_BYTES);
        fk_error_hint(err, "shorten the training parameters, or save fewer glyphs");
    }
    return code;
}
