#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "fontkeep/time.h"
#include "store/manifest/manifest_parts.h"
#include "store/names/font_id.h"
#include "store/names/layout.h"
#include "store/names/run_id.h"
#include "value/values.h"
#include "json/json.h"

enum {
    SELF_HEX_BYTES = FK_SHA256_HEX_BYTES - 1,
    SELF_START_BYTES = sizeof FK_MANIFEST_SELF_START - 1,
    END_BYTES = sizeof FK_MANIFEST_END - 1,
    ENDING_BYTES = SELF_START_BYTES + SELF_HEX_BYTES + END_BYTES,
};

/* A manifest that is being read: codes are FK_E_CORRUPT for a damaged one, FK_E_UNSUPPORTED for a
 * newer one, or real failures. */
typedef struct manifest_reading {
    const char *text;
    size_t length;
    size_t self_start;  /* offset of the ending */
    size_t head_length; /* bytes before FILES_START */
    fk_values *values;
    fk_value *head;
    fk_run_info info;
    fk_error *err;
} manifest_reading;

fk_code fk_manifest_damaged(fk_error *err, const char *format, ...) {
    char reason[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    fk_error_set(err, FK_E_CORRUPT, "the manifest is damaged: %s", reason);
    fk_error_hint(err, "restore " FK_MANIFEST_FILE " from a backup; without it nothing else of the "
                       "run can be verified");
    return FK_E_CORRUPT;
}

/* ---- the frame: ending and digest */

static fk_code check_self(manifest_reading *reading) {
    const char *text = reading->text;
    if (reading->length > FK_LIMIT_MANIFEST_BYTES) {
        return fk_manifest_damaged(reading->err, "%zu bytes, more than %llu", reading->length,
                                   (unsigned long long)FK_LIMIT_MANIFEST_BYTES);
    }
    size_t start = reading->length < ENDING_BYTES ? 0 : reading->length - ENDING_BYTES;
    const char *ending = text + start;
    if (reading->length < ENDING_BYTES ||
        memcmp(ending, FK_MANIFEST_SELF_START, SELF_START_BYTES) != 0 ||
        memcmp(ending + SELF_START_BYTES + SELF_HEX_BYTES, FK_MANIFEST_END, END_BYTES) != 0) {
        fk_code code = fk_manifest_damaged(reading->err, "it does not end with its digest");
        fk_error_offset(reading->err, start);
        return code;
    }
    char self[FK_SHA256_HEX_BYTES];
    fk_code code = fk_sha256_hex(text, start, self, reading->err);
    if (code == FK_OK && memcmp(self, ending + SELF_START_BYTES, SELF_HEX_BYTES) != 0) {
        code = fk_manifest_damaged(reading->err, "its text is not the one its digest was made of");
        fk_error_offset(reading->err, start + SELF_START_BYTES);
    }
    reading->self_start = start;
    return code;
}

/* ---- the head */

/* What JSON says no to is damage here. */
static fk_code as_damage(manifest_reading *reading, fk_code code, const char *what) {
    if (code == FK_OK || code == FK_E_NO_MEMORY) {
        return code;
    }
    char reason[256] = "";
    uint64_t offset = FK_NO_OFFSET;
    if (reading->err != NULL) {
        snprintf(reason, sizeof reason, "%.*s", (int)sizeof reason - 1, reading->err->message);
        offset = reading->err->offset;
    }
    code = fk_manifest_damaged(reading->err, "%s: %s", what, reason);
    fk_error_offset(reading->err, offset);
    return code;
}

/* Parses what stands before `files`, as an object of its own. */
static fk_code parse_head(manifest_reading *reading) {
    const char *files = memmem(reading->text, reading->self_start, FK_MANIFEST_FILES_START,
                               sizeof FK_MANIFEST_FILES_START - 1);
    if (files == NULL || files == reading->text || files[-1] != ',') {
        return fk_manifest_damaged(reading->err, "it has no list of files");
    }
    reading->head_length = (size_t)(files - reading->text);
    FK_SCOPED(fk_buffer_finish) fk_buffer object = {0};
    fk_buffer_append(&object, reading->text, reading->head_length - 1);
    if (!fk_buffer_append_byte(&object, '}')) {
        return fk_error_no_memory(reading->err);
    }
    fk_code code = fk_json_read((const char *)object.bytes, object.length, reading->values,
                                &reading->head, reading->err);
    return as_damage(reading, code, "its head");
}

static fk_code refuse_newer(manifest_reading *reading, int64_t version) {
    fk_error_set(reading->err, FK_E_UNSUPPORTED,
                 "the manifest has version %lld, this fontkeep reads version %d",
                 (long long)version, FK_MANIFEST_VERSION);
    fk_error_subject(reading->err, FK_SUBJECT_VERSION);
    fk_error_hint(reading->err, "update fontkeep");
    return FK_E_UNSUPPORTED;
}

static bool is_newer(const fk_value *head, int64_t *ret_version) {
    const fk_value *version = fk_value_get(head, "manifest_version");
    if (version == NULL || fk_value_kind(version) != FK_KIND_INT ||
        fk_value_as_int(version) <= FK_MANIFEST_VERSION) {
        return false;
    }
    *ret_version = fk_value_as_int(version);
    return true;
}

/* The head, in a version that we read. A newer one may be laid out otherwise: all that is known of
 * it is that it is JSON. */
static fk_code read_version(manifest_reading *reading) {
    int64_t version;
    fk_code code = parse_head(reading);
    if (code == FK_E_CORRUPT) {
        fk_value *whole = NULL;
        fk_code whole_code =
            fk_json_read(reading->text, reading->length, reading->values, &whole, NULL);
        return whole_code == FK_OK && is_newer(whole, &version) ? refuse_newer(reading, version)
                                                                : code;
    }
    if (code == FK_OK && is_newer(reading->head, &version)) {
        reading->info.manifest = reading->head;
        return refuse_newer(reading, version);
    }
    return code;
}

/* ---- members of the head */

static fk_code wrong(manifest_reading *reading, const char *name, const char *wanted) {
    return fk_manifest_damaged(reading->err, "its member '%s' is %s", name, wanted);
}

/* The member of that name; `*ret_member` is NULL where it is null. */
static fk_code find(manifest_reading *reading, const char *name, bool nullable,
                    fk_value **ret_member) {
    fk_value *member = fk_value_get(reading->head, name);
    if (member == NULL) {
        return wrong(reading, name, "missing");
    }
    if (fk_value_kind(member) == FK_KIND_NONE) {
        member = NULL;
    }
    *ret_member = member;
    return member != NULL || nullable ? FK_OK : wrong(reading, name, "null");
}

static fk_code read_text(manifest_reading *reading, const char *name, bool nullable,
                         const char **ret_text) {
    fk_value *member = NULL;
    fk_code code = find(reading, name, nullable, &member);
    if (code != FK_OK || member == NULL) {
        return code;
    }
    size_t length;
    if (fk_value_kind(member) != FK_KIND_STRING) {
        return wrong(reading, name, "no string");
    }
    const char *text = fk_value_as_text(member, &length);
    if (strlen(text) != length) {
        return wrong(reading, name, "a string with a NUL");
    }
    *ret_text = text;
    return FK_OK;
}

static fk_code read_number(manifest_reading *reading, const char *name, bool *ret_given,
                           uint64_t *ret_number) {
    fk_value *member = NULL;
    fk_code code = find(reading, name, ret_given != NULL, &member);
    if (ret_given != NULL) {
        *ret_given = code == FK_OK && member != NULL;
    }
    if (code != FK_OK || member == NULL) {
        return code;
    }
    if (fk_value_kind(member) != FK_KIND_INT || fk_value_as_int(member) < 0) {
        return wrong(reading, name, "no size");
    }
    *ret_number = (uint64_t)fk_value_as_int(member);
    return FK_OK;
}

static fk_code read_time(manifest_reading *reading, const char *name, int64_t *ret_time_us) {
    const char *text = NULL;
    fk_code code = read_text(reading, name, true, &text);
    if (code != FK_OK) {
        return code;
    }
    *ret_time_us = FK_NO_TIME;
    bool zoned = text == NULL || text[strlen(text) - (text[0] != '\0')] == 'Z';
    return text == NULL || (zoned && fk_time_parse(text, false, ret_time_us))
               ? FK_OK
               : wrong(reading, name, "no UTC time");
}

/* A dict; null is an empty one. */
static fk_code read_dict(manifest_reading *reading, const char *name, const fk_value **ret_dict) {
    fk_value *member = NULL;
    fk_code code = find(reading, name, true, &member);
    if (code != FK_OK) {
        return code;
    }
    if (member == NULL) {
        member = fk_value_container(reading->values, FK_KIND_DICT);
        if (member == NULL) {
            return fk_error_no_memory(reading->err);
        }
    }
    if (fk_value_kind(member) != FK_KIND_DICT) {
        return wrong(reading, name, "no object");
    }
    fk_json_revive_numbers(member);
    *ret_dict = member;
    return FK_OK;
}

static fk_code read_personality(manifest_reading *reading) {
    fk_value *member = NULL;
    fk_run_info *info = &reading->info;
    fk_code code = find(reading, "personality", true, &member);
    info->has_personality = code == FK_OK && member != NULL;
    if (!info->has_personality) {
        return code;
    }
    const fk_value *dtype = fk_value_get(member, "dtype");
    const fk_value *shape = fk_value_get(member, "shape");
    if (dtype == NULL || fk_value_kind(dtype) != FK_KIND_STRING || shape == NULL ||
        fk_value_kind(shape) != FK_KIND_LIST || fk_value_count(shape) > FK_LIMIT_RANK) {
        return wrong(reading, "personality", "no dtype and shape");
    }
    info->personality_dtype = fk_dtype_from_name(fk_value_as_text(dtype, NULL));
    info->personality_rank = fk_value_count(shape);
    int64_t *sizes = fk_values_allocate(reading->values, info->personality_rank * sizeof *sizes);
    if (sizes == NULL) {
        return fk_error_no_memory(reading->err);
    }
    bool good = info->personality_dtype != FK_DTYPE_NONE;
    for (size_t i = 0; good && i < info->personality_rank; i++) {
        const fk_value *size = fk_value_item(shape, i);
        good = fk_value_kind(size) == FK_KIND_INT && fk_value_as_int(size) >= 0;
        sizes[i] = good ? fk_value_as_int(size) : 0;
    }
    info->personality_shape = sizes;
    return good ? FK_OK : wrong(reading, "personality", "of no known dtype and shape");
}

static fk_code read_ids(manifest_reading *reading) {
    fk_run_info *info = &reading->info;
    const char *status = "";
    fk_code code = read_text(reading, "font_id", false, &info->font_id);
    if (code == FK_OK) {
        code = read_text(reading, "run_id", false, &info->run_id);
    }
    if (code == FK_OK) {
        code = read_text(reading, "status", false, &status);
    }
    if (code != FK_OK) {
        return code;
    }
    fk_run_id id;
    if (!fk_font_id_is_valid(info->font_id)) {
        return wrong(reading, "font_id", "no font id");
    }
    if (!fk_run_id_parse(info->run_id, &id, NULL, NULL) || strcmp(id.text, info->run_id) != 0) {
        return wrong(reading, "run_id", "no run id");
    }
    info->status = fk_run_status_from_name(status);
    return info->status != FK_STATUS_UNKNOWN ? FK_OK : wrong(reading, "status", "unknown");
}

static fk_code read_versions(manifest_reading *reading) {
    fk_run_info *info = &reading->info;
    const struct {
        const char *name;
        const char **into;
    } texts[] = {
        {"weights_version", &info->weights_version},
        {"feedback_schema", &info->feedback_schema},
        {"parent_run_id", &info->parent_run_id},
        {"written_by", &info->written_by},
    };
    fk_code code = FK_OK;
    for (size_t i = 0; code == FK_OK && i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i].into = NULL;
        code = read_text(reading, texts[i].name, true, texts[i].into);
    }
    return code;
}

static fk_code read_numbers(manifest_reading *reading) {
    fk_run_info *info = &reading->info;
    uint64_t glyphs = 0;
    info->weights_bytes = 0;
    info->generation = 1;
    fk_code code = read_number(reading, "glyphs", NULL, &glyphs);
    if (code == FK_OK) {
        code = read_number(reading, "weights_bytes", &info->has_weights, &info->weights_bytes);
    }
    if (code == FK_OK) {
        code = read_number(reading, "size_bytes", NULL, &info->size_bytes);
    }
    if (code == FK_OK && fk_value_get(reading->head, "generation") != NULL) {
        code = read_number(reading, "generation", NULL, &info->generation);
    }
    info->glyphs = (size_t)glyphs;
    return code == FK_OK && info->generation == 0 ? wrong(reading, "generation", "0") : code;
}

static fk_code read_members(manifest_reading *reading) {
    fk_run_info *info = &reading->info;
    const fk_value *version = fk_value_get(reading->head, "manifest_version");
    if (version == NULL || fk_value_kind(version) != FK_KIND_INT || fk_value_as_int(version) < 1) {
        return wrong(reading, "manifest_version", "no version");
    }
    if (fk_value_get(reading->head, "files") != NULL ||
        fk_value_get(reading->head, "self") != NULL) {
        return fk_manifest_damaged(reading->err, "'files' or 'self' stands in its head");
    }
    fk_code code = read_ids(reading);
    if (code == FK_OK) {
        code = read_time(reading, "started_at", &info->started_at_us);
    }
    if (code == FK_OK) {
        code = read_time(reading, "ended_at", &info->ended_at_us);
    }
    if (code == FK_OK) {
        code = read_dict(reading, "training", &info->training);
    }
    if (code == FK_OK) {
        code = read_dict(reading, "metrics", &info->metrics);
    }
    if (code == FK_OK) {
        code = read_versions(reading);
    }
    if (code == FK_OK) {
        code = read_personality(reading);
    }
    if (code == FK_OK) {
        code = read_numbers(reading);
    }
    info->manifest = reading->head;
    return code;
}

/* ---- all of it */

static fk_code read_all(manifest_reading *reading, bool with_files) {
    fk_code code = check_self(reading);
    if (code == FK_OK) {
        code = read_version(reading);
    }
    if (code == FK_OK) {
        code = read_members(reading);
    }
    if (code == FK_OK && with_files) {
        /* from the bracket on */
        size_t start = reading->head_length + sizeof FK_MANIFEST_FILES_START - 2;
        code = fk_manifest_read_files(reading->text + start, reading->self_start - start,
                                      reading->values, &reading->info, reading->err);
    }
    return code;
}

fk_code fk_manifest_read(const char *text, size_t length, bool with_files, fk_values *values,
                         fk_manifest_state *ret_state, fk_run_info *info, fk_error *err) {
    manifest_reading reading = {
        .text = text, .length = length, .values = values, .info = *info, .err = err};
    fk_code code = read_all(&reading, with_files);
    switch (code) {
    case FK_OK:
        *info = reading.info;
        *ret_state = FK_MANIFEST_GOOD;
        return FK_OK;
    case FK_E_CORRUPT:
        *ret_state = FK_MANIFEST_DAMAGED;
        return FK_OK;
    case FK_E_UNSUPPORTED:
        info->manifest = reading.info.manifest;
        *ret_state = FK_MANIFEST_NEWER;
        return FK_OK;
    default:
        return code;
    }
}
