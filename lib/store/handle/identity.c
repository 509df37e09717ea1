/* .fontkeep/store.json: the format version and the id of a store. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "fontkeep/json.h"
#include "fontkeep/time.h"
#include "os/clock.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/handle/handle.h"
#include "store/names/layout.h"
#include "value/values.h"

enum { UUID_BYTES = 36, IDENTITY_BYTES_MAX = 1 << 16 };

/* A random (version 4) UUID. */
static fk_code make_uuid(char into[UUID_BYTES + 1], fk_error *err) {
    char hex[33];
    fk_code code = fk_clock_random_hex(hex, 16, err);
    if (code != FK_OK) {
        return code;
    }
    hex[12] = '4';
    hex[16] = "89ab"[(unsigned char)hex[16] & 3];
    snprintf(into, UUID_BYTES + 1, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
             hex + 20);
    return FK_OK;
}

static fk_code damaged(const char *what, fk_error *err) {
    fk_error_set(err, FK_E_CORRUPT, "the store's identity is damaged: %s", what);
    fk_error_hint(err, "delete the file; the next write makes a new one");
    fk_error_path(err, FK_STORE_FILE);
    return FK_E_CORRUPT;
}

static fk_code newer_store(int64_t version, fk_error *err) {
    fk_error_set(err, FK_E_UNSUPPORTED,
                 "the store has format version %lld; this fontkeep knows version %d",
                 (long long)version, FK_STORE_VERSION);
    fk_error_subject(err, FK_SUBJECT_VERSION);
    fk_error_hint(err, "use the newer fontkeep that wrote the store");
    fk_error_path(err, FK_STORE_FILE);
    return FK_E_UNSUPPORTED;
}

static fk_code parse_identity(const char *text, size_t length, char ret_store_id[UUID_BYTES + 1],
                              fk_error *err) {
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    fk_value *top = NULL;
    if (values == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = fk_json_read(text, length, values, &top, err);
    if (code != FK_OK) {
        return code == FK_E_NO_MEMORY ? code : damaged("it is no JSON", err);
    }
    const fk_value *version = fk_value_get(top, "store_version");
    if (version == NULL || fk_value_kind(version) != FK_KIND_INT || fk_value_as_int(version) < 1) {
        return damaged("store_version is missing or no number", err);
    }
    if (fk_value_as_int(version) > FK_STORE_VERSION) {
        return newer_store(fk_value_as_int(version), err);
    }
    const fk_value *store_id = fk_value_get(top, "store_id");
    size_t id_length = 0;
    if (store_id == NULL || fk_value_kind(store_id) != FK_KIND_STRING ||
        strlen(fk_value_as_text(store_id, &id_length)) != UUID_BYTES || id_length != UUID_BYTES) {
        return damaged("store_id is missing or no UUID", err);
    }
    fk_text_copy(ret_store_id, UUID_BYTES + 1, fk_value_as_text(store_id, NULL));
    return FK_OK;
}

fk_code fk_store_read_identity(int root, char ret_store_id[37], fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    FK_SCOPED(fk_freep) void *bytes = NULL;
    size_t length = 0;
    fk_error cause = {0};
    fk_code code = fk_file_open(root, FK_STORE_FILE, &fd, NULL, &cause);
    if (code != FK_OK && cause.system_errno == ENOENT) {
        ret_store_id[0] = '\0';
        return FK_OK;
    }
    if (code == FK_OK) {
        code = fk_file_read_whole(fd, IDENTITY_BYTES_MAX, FK_STORE_FILE, &bytes, &length, &cause);
    }
    if (code == FK_OK) {
        return parse_identity(bytes, length, ret_store_id, err);
    }
    if (code == FK_E_INVALID || code == FK_E_LIMIT) {
        return damaged("it is no small file", err);
    }
    if (err != NULL) {
        *err = cause;
    }
    return code;
}

static fk_code write_identity(fk_buffer *buffer, const char *store_id, fk_error *err) {
    char created_at[FK_TIME_BYTES];
    if (!fk_time_format(fk_clock_now_us(), created_at)) {
        return fk_error_set(err, FK_E_INVALID, "the clock is outside the years 1 to 9999");
    }
    fk_buffer_append_format(buffer,
                            "{\n  \"store_version\": %d,\n  \"store_id\": \"%s\",\n"
                            "  \"created_at\": \"%sZ\"\n}\n",
                            FK_STORE_VERSION, store_id, created_at);
    return buffer->failed ? fk_error_no_memory(err) : FK_OK;
}

/* Of several processes that do this at once, one gives its file the name; the others read it. */
static fk_code give_name(int root, const char *temporary, fk_error *err) {
    fk_error cause = {0};
    fk_code code = fk_file_link(root, temporary, root, FK_STORE_FILE, &cause);
    if (code == FK_OK || cause.system_errno == EEXIST) {
        return fk_file_remove(root, temporary, err);
    }
    return fk_file_rename(root, temporary, FK_STORE_FILE, err);
}

static fk_code sync_identity(fk_store *store, int root, fk_error *err) {
    FK_SCOPED(fk_file_closep) int directory = -1;
    if (store->durability == FK_DURABILITY_NONE) {
        return FK_OK;
    }
    fk_code code = fk_directory_open(root, FK_STORE_DIRECTORY, &directory, err);
    if (code == FK_OK) {
        code = fk_file_sync(directory, FK_STORE_DIRECTORY, err);
    }
    return code == FK_OK ? fk_file_sync(root, ".", err) : code;
}

static fk_code fill_file(fk_store *store, int root, const char *path, const fk_buffer *text,
                         fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_code code = fk_file_create(root, path, &fd, err);
    if (code == FK_OK) {
        code = fk_file_write(fd, text->bytes, text->length, path, err);
    }
    if (code == FK_OK && store->durability == FK_DURABILITY_FULL) {
        code = fk_file_sync(fd, path, err);
    }
    if (code == FK_OK) {
        code = fk_file_close(&fd, path, err);
    }
    return code;
}

static fk_code make_identity(fk_store *store, int root, fk_error *err) {
    FK_SCOPED(fk_buffer_finish) fk_buffer text = {0};
    char store_id[UUID_BYTES + 1];
    char temporary[sizeof FK_STORE_FILE + UUID_BYTES + 1];
    fk_code code = make_uuid(store_id, err);
    if (code == FK_OK) {
        code = write_identity(&text, store_id, err);
    }
    if (code == FK_OK) {
        code = fk_directory_make(root, FK_STORE_DIRECTORY, NULL, err);
    }
    if (code != FK_OK) {
        return code;
    }
    snprintf(temporary, sizeof temporary, "%s.%s", FK_STORE_FILE, store_id);
    code = fill_file(store, root, temporary, &text, err);
    if (code == FK_OK) {
        code = give_name(root, temporary, err);
    }
    if (code != FK_OK) {
        fk_file_remove(root, temporary, NULL);
        return code;
    }
    return sync_identity(store, root, err);
}

fk_code fk_store_ensure_identity(fk_store *store, int root, char ret_store_id[37], fk_error *err) {
    char store_id[UUID_BYTES + 1];
    fk_code code = fk_store_read_identity(root, store_id, err);
    if (code == FK_OK && store_id[0] == '\0') {
        code = make_identity(store, root, err);
        if (code == FK_OK) {
            code = fk_store_read_identity(root, store_id, err);
        }
    }
    if (code != FK_OK) {
        fk_error_path_join(err, store->path);
        return code;
    }
    fk_text_copy(ret_store_id, UUID_BYTES + 1, store_id);
    return FK_OK;
}

fk_code fk_store_init(fk_store *store, char ret_store_id[37], fk_error *err) {
    FK_SCOPED(fk_file_closep) int root = -1;
    fk_code code = fk_store_open_root(store, &root, err);
    return code == FK_OK ? fk_store_ensure_identity(store, root, ret_store_id, err) : code;
}
