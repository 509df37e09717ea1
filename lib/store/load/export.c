#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/text.h"
#include "checkpoint/npy.h"
#include "checkpoint/torch_write.h"
#include "digest/digest.h"
#include "fontkeep/run.h"
#include "os/clock.h"
#include "os/directory.h"
#include "os/file.h"
#include "store/load/element.h"
#include "store/load/load.h"
#include "store/run/resolve.h"
#include "value/dtype.h"
#include "value/values.h"

/* ---- text */

/* Nested lists along the dimensions from `dimension` on; `*next` is the element to write next. */
static void append_nested(fk_buffer *buffer, const fk_tensor *tensor, uint32_t dimension,
                          const uint8_t **next) {
    if (dimension == tensor->rank) {
        fk_element_append(buffer, tensor->dtype, *next, true);
        *next += fk_dtype_bytes(tensor->dtype);
        return;
    }
    fk_buffer_append_text(buffer, "[");
    for (int64_t i = 0; i < tensor->shape[dimension] && !buffer->failed; i++) {
        fk_buffer_append_text(buffer, i == 0 ? "" : ", ");
        append_nested(buffer, tensor, dimension + 1, next);
    }
    fk_buffer_append_text(buffer, "]");
}

static fk_code write_json(fk_buffer *buffer, const fk_tensor *tensor, fk_error *err) {
    const uint8_t *next = fk_tensor_data(tensor);
    fk_buffer_append_format(buffer, "{\"dtype\": \"%s\", \"shape\": [",
                            fk_dtype_name(tensor->dtype));
    for (uint32_t d = 0; d < tensor->rank; d++) {
        fk_buffer_append_format(buffer, "%s%lld", d == 0 ? "" : ", ", (long long)tensor->shape[d]);
    }
    fk_buffer_append_text(buffer, "], \"values\": ");
    append_nested(buffer, tensor, 0, &next);
    return fk_buffer_append_text(buffer, "}\n") ? FK_OK : fk_error_no_memory(err);
}

/* One row per vector along the last dimension. */
static fk_code write_csv(fk_buffer *buffer, const fk_tensor *tensor, fk_error *err) {
    const uint8_t *next = fk_tensor_data(tensor);
    uint64_t columns = tensor->rank == 0 ? 1 : (uint64_t)tensor->shape[tensor->rank - 1];
    uint64_t rows = 1;
    for (uint32_t d = 0; d + 1 < tensor->rank; d++) {
        rows *= (uint64_t)tensor->shape[d];
    }
    for (uint64_t row = 0; row < rows && columns > 0 && !buffer->failed; row++) {
        for (uint64_t column = 0; column < columns; column++) {
            fk_buffer_append_text(buffer, column == 0 ? "" : ",");
            fk_element_append(buffer, tensor->dtype, next, false);
            next += fk_dtype_bytes(tensor->dtype);
        }
        fk_buffer_append_text(buffer, "\n");
    }
    return buffer->failed ? fk_error_no_memory(err) : FK_OK;
}

/* ---- checkpoint */

static fk_code append_to_buffer(void *user, const void *from, size_t bytes, uint32_t *crc32,
                                fk_error *err) {
    if (crc32 != NULL) {
        *crc32 = fk_crc32_update(*crc32, from, bytes);
    }
    return fk_buffer_append(user, from, bytes) ? FK_OK : fk_error_no_memory(err);
}

static fk_code write_pt(fk_buffer *buffer, const fk_tensor *tensor, fk_error *err) {
    FK_SCOPED(fk_values_destroyp) fk_values *values = fk_values_create();
    FK_SCOPED(fk_torch_writer_destroyp) fk_torch_writer *writer = NULL;
    fk_tensor own = *tensor;
    if (values == NULL) {
        return fk_error_no_memory(err);
    }
    own.storage = fk_storage_create(values, tensor->storage->data, tensor->storage->bytes);
    fk_value *top = own.storage == NULL ? NULL : fk_value_tensor(values, &own);
    if (top == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = fk_torch_writer_create(top, &writer, err);
    fk_sink sink = {.write = append_to_buffer, .user = buffer};
    return code == FK_OK ? fk_torch_writer_write(writer, &sink, NULL, NULL, err) : code;
}

/* ---- formats */

typedef struct fk_export_format {
    const char *name;
    fk_code (*write)(fk_buffer *buffer, const fk_tensor *tensor, fk_error *err);
} fk_export_format;

static const fk_export_format formats[] = {
    {"json", write_json}, {"csv", write_csv}, {"npy", fk_npy_write}, {"pt", write_pt}};

static const fk_export_format *find_format(const char *name, fk_error *err) {
    for (size_t i = 0; name != NULL && i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(name, formats[i].name) == 0) {
            return &formats[i];
        }
    }
    fk_error_set(err, FK_E_USAGE, "'%s' is no format of a personality vector",
                 name == NULL ? "" : name);
    fk_error_hint(err, "name one of json, csv, npy, pt");
    return NULL;
}

static const char *format_of_path(const char *path) {
    const char *dot = strrchr(path, '.');
    const char *suffix = dot == NULL || strchr(dot, '/') != NULL ? "" : dot + 1;
    return strcmp(suffix, "pth") == 0 ? "pt" : suffix;
}

/* Lazily negated or conjugated elements become what they stand for; the memory is our own copy. */
static void resolve_bits(const fk_tensor *tensor) {
    bool is_complex = fk_dtype_is_complex(tensor->dtype);
    size_t part = fk_dtype_bytes(tensor->dtype) / (is_complex ? 2 : 1);
    uint64_t parts = fk_tensor_elements(tensor) * (is_complex ? 2 : 1);
    uint8_t *bytes = fk_tensor_data(tensor);
    for (uint64_t i = 0; i < parts; i++) {
        bool conjugate = (tensor->flags & FK_TENSOR_CONJ) != 0 && is_complex && i % 2 == 1;
        bool negate = (tensor->flags & FK_TENSOR_NEG) != 0;
        if (conjugate != negate) {
            bytes[i * part + part - 1] ^= 0x80; /* the sign bit, little endian */
        }
    }
}

static fk_code no_vector(const fk_loaded *loaded, fk_error *err) {
    const fk_run_info *info = fk_loaded_info(loaded);
    fk_error_set(err, FK_E_INCOMPLETE, "run '%s' has no personality vector", info->run_id);
    fk_error_path(err, info->path);
    fk_error_hint(err, "name a run that was saved with one");
    return FK_E_INCOMPLETE;
}

static fk_code write_vector(fk_store *store, const char *font_id, const char *run_id,
                            const fk_export_format *format, fk_buffer *buffer, fk_error *err) {
    FK_SCOPED(fk_run_closep) fk_run *run = NULL;
    FK_SCOPED(fk_loaded_destroyp) fk_loaded *loaded = NULL;
    fk_load_options options = {.size = sizeof options, .mmap = true};
    fk_code code = fk_resolve_and_open(store, font_id, run_id, &run, err);
    if (code == FK_OK) {
        code = fk_run_load_weights(run, &options, &loaded, err);
    }
    if (code != FK_OK) {
        return code;
    }
    const fk_tensor *vector = fk_loaded_personality_vector(loaded);
    if (vector == NULL) {
        return no_vector(loaded, err);
    }
    resolve_bits(vector);
    fk_tensor plain = *vector;
    plain.flags = 0;
    return format->write(buffer, &plain, err);
}

fk_code fk_read_personality(fk_store *store, const char *font_id, const char *run_id,
                            const char *format, void **ret_bytes, size_t *ret_length,
                            fk_error *err) {
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    const fk_export_format *wanted = find_format(format, err);
    if (wanted == NULL) {
        return FK_E_USAGE;
    }
    fk_code code = write_vector(store, font_id, run_id, wanted, &buffer, err);
    if (code != FK_OK) {
        return code;
    }
    size_t length = 0;
    void *bytes = fk_buffer_take(&buffer, &length);
    if (bytes == NULL) {
        return fk_error_no_memory(err);
    }
    *ret_bytes = bytes;
    *ret_length = length;
    return FK_OK;
}

/* ---- an atomic write beside the target */

static fk_code write_temporary(int directory, const char *name, const fk_buffer *buffer,
                               fk_error *err) {
    FK_SCOPED(fk_file_closep) int fd = -1;
    fk_code code = fk_file_create(directory, name, &fd, err);
    if (code == FK_OK) {
        code = fk_file_write(fd, buffer->bytes, buffer->length, name, err);
    }
    if (code == FK_OK) {
        code = fk_file_sync(fd, name, err);
    }
    return code == FK_OK ? fk_file_close(&fd, name, err) : code;
}

static fk_code replace(int directory, const char *name, const fk_buffer *buffer, fk_error *err) {
    char random[17];
    char temporary[64];
    fk_code code = fk_clock_random_hex(random, 8, err);
    if (code != FK_OK) {
        return code;
    }
    snprintf(temporary, sizeof temporary, ".fontkeep-%s", random);
    code = write_temporary(directory, temporary, buffer, err);
    if (code == FK_OK) {
        code = fk_file_rename(directory, temporary, name, err);
    }
    if (code != FK_OK) {
        (void)fk_file_remove(directory, temporary, NULL);
        return code;
    }
    return fk_file_sync(directory, ".", err);
}

static fk_code write_file(const char *path, const fk_buffer *buffer, fk_error *err) {
    FK_SCOPED(fk_file_closep) int directory = -1;
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    FK_SCOPED(fk_freep)
    char *parent = slash == NULL   ? strdup(".")
                   : slash == path ? strdup("/")
                                   : strndup(path, (size_t)(slash - path));
    if (parent == NULL) {
        return fk_error_no_memory(err);
    }
    if (name[0] == '\0') {
        fk_error_set(err, FK_E_USAGE, "'%s' names no file", path);
        return FK_E_USAGE;
    }
    fk_code code = fk_directory_open_path(parent, &directory, err);
    if (code == FK_OK) {
        code = replace(directory, name, buffer, err);
        if (code != FK_OK) {
            fk_error_path(err, path);
        }
    }
    return code;
}

fk_code fk_export_personality(fk_store *store, const char *font_id, const char *run_id,
                              const char *path, const char *format, fk_error *err) {
    FK_SCOPED(fk_buffer_finish) fk_buffer buffer = {0};
    const fk_export_format *wanted =
        find_format(format != NULL ? format : format_of_path(path), err);
    if (wanted == NULL) {
        return FK_E_USAGE;
    }
    fk_code code = write_vector(store, font_id, run_id, wanted, &buffer, err);
    return code == FK_OK ? write_file(path, &buffer, err) : code;
}
