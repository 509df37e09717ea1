#include "checkpoint/torch_write.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/limits.h"
#include "checkpoint/pickle_write.h"
#include "checkpoint/write_memo.h"
#include "checkpoint/write_tensor.h"
#include "checkpoint/zip_write.h"
#include "value/values.h"

enum {
    SPAN_ALIGNMENT = 16,    /* a multiple of every element size */
    KEY_BYTES = 24,         /* "0", "1", ... */
    RECORD_NAME_BYTES = 32, /* "data/0", ... */
    CHUNK_BYTES = 1 << 20,  /* progress is told about each */
};

/* One storage, as much of it as tensors use. */
typedef struct span {
    const fk_storage *storage;
    uint64_t first; /* byte of the storage; a multiple of SPAN_ALIGNMENT */
    uint64_t end;   /* both 0 while no element was seen */
    fk_dtype dtype; /* of all tensors; FK_DTYPE_NONE when they differ or need UntypedStorage */
    char key[KEY_BYTES];
} span;

struct fk_torch_writer {
    fk_buffer pickle;
    span *spans; /* by first appearance in the pickle */
    size_t count;
    size_t capacity;
    fk_write_memo index; /* of each storage in `spans` */
    bool respell;        /* a span changed after it was spelled */
    uint64_t bytes;      /* of the file */
};

/* The records in front of the storages; those behind them are `version` and the serialization id.
 */
static const struct {
    const char *name;
    const char *text;
} front_records[] = {
    {".format_version", "1"}, {".storage_alignment", "64"}, {"byteorder", "little"}};
enum { FRONT_RECORDS = sizeof front_records / sizeof front_records[0] };
static const char version_text[] = "3\n";

void fk_torch_writer_destroy(fk_torch_writer *writer) {
    if (writer != NULL) {
        fk_buffer_finish(&writer->pickle);
        fk_write_memo_finish(&writer->index);
        free(writer->spans);
        free(writer);
    }
}

uint64_t fk_torch_writer_bytes(const fk_torch_writer *writer) {
    return writer->bytes;
}

/* ---- how a tensor's storage is spelled */

/* A tensor without elements may stand anywhere: it is kept inside the record. */
static uint64_t rebased_offset(const span *of, const fk_tensor *tensor) {
    uint64_t size = fk_dtype_bytes(tensor->dtype);
    uint64_t first = of->first / size;
    uint64_t elements = (of->end - of->first) / size;
    uint64_t offset = tensor->offset < first ? 0 : tensor->offset - first;
    return offset < elements ? offset : elements;
}

static fk_pickle_storage spelling_of(const span *of, const fk_tensor *tensor) {
    uint64_t bytes = of->end - of->first;
    return (fk_pickle_storage){
        .key = of->key,
        .dtype = of->dtype,
        .elements = of->dtype == FK_DTYPE_NONE ? bytes : bytes / fk_dtype_bytes(of->dtype),
        .tensor_offset = rebased_offset(of, tensor),
    };
}

/* ---- first pass over the tensors: which storages there are, and how much of them is used. It
 * spells each by what was seen so far; where no later tensor uses more, that is all. */

static fk_code add_span(fk_torch_writer *writer, const fk_storage *storage, fk_dtype dtype,
                        span **ret_span, fk_error *err) {
    if (writer->count == writer->capacity) {
        size_t capacity = writer->capacity == 0 ? 16 : 2 * writer->capacity;
        span *spans = reallocarray(writer->spans, capacity, sizeof *spans);
        if (spans == NULL) {
            return fk_error_no_memory(err);
        }
        writer->spans = spans;
        writer->capacity = capacity;
    }
    if (!fk_write_memo_put_value(&writer->index, storage, (uint32_t)writer->count)) {
        return fk_error_no_memory(err);
    }
    span *added = &writer->spans[writer->count];
    *added = (span){.storage = storage, .dtype = dtype};
    if (fk_write_tensor_storage_class(dtype) == NULL) {
        added->dtype = FK_DTYPE_NONE;
    }
    snprintf(added->key, sizeof added->key, "%zu", writer->count);
    writer->count++;
    *ret_span = added;
    return FK_OK;
}

static span *find_span(fk_torch_writer *writer, const fk_storage *storage) {
    const fk_write_memo_entry *entry = fk_write_memo_find_value(&writer->index, storage);
    return entry == NULL ? NULL : &writer->spans[entry->index];
}

/* What of its storage a tensor uses, added to the span. */
static void widen(span *of, const fk_tensor *tensor) {
    uint64_t first = 0;
    uint64_t end = 0;
    bool good = fk_tensor_span(tensor, &first, &end);
    assert(good && end <= tensor->storage->bytes); /* V2 */
    (void)good;
    if (of->dtype != tensor->dtype) {
        of->dtype = FK_DTYPE_NONE;
    }
    if (end != 0) {
        first -= first % SPAN_ALIGNMENT;
        of->first = of->end == 0 || first < of->first ? first : of->first;
        of->end = end > of->end ? end : of->end;
    }
}

static fk_code measure(void *user, const fk_tensor *tensor, fk_pickle_storage *ret_storage,
                       fk_error *err) {
    fk_torch_writer *writer = user;
    span *of = find_span(writer, tensor->storage);
    if (of != NULL) {
        const span before = *of;
        widen(of, tensor);
        writer->respell = writer->respell || of->first != before.first || of->end != before.end ||
                          of->dtype != before.dtype;
    } else {
        fk_code code = add_span(writer, tensor->storage, tensor->dtype, &of, err);
        if (code != FK_OK) {
            return code;
        }
        widen(of, tensor);
    }
    *ret_storage = spelling_of(of, tensor);
    return FK_OK;
}

/* ---- second pass: every span is known */

static fk_code spell(void *user, const fk_tensor *tensor, fk_pickle_storage *ret_storage,
                     fk_error *err) {
    (void)err;
    const span *of = find_span(user, tensor->storage);
    assert(of != NULL); /* the first pass met it */
    *ret_storage = spelling_of(of, tensor);
    return FK_OK;
}

/* ---- the plan */

static void record_name(const span *of, char into[RECORD_NAME_BYTES]) {
    snprintf(into, RECORD_NAME_BYTES, "data/%s", of->key);
}

static fk_code plan_bytes(fk_torch_writer *writer, fk_error *err) {
    fk_zip_size size = {0};
    fk_zip_size_add(&size, "data.pkl", writer->pickle.length);
    for (size_t i = 0; i < FRONT_RECORDS; i++) {
        fk_zip_size_add(&size, front_records[i].name, strlen(front_records[i].text));
    }
    for (size_t i = 0; i < writer->count; i++) {
        char name[RECORD_NAME_BYTES];
        record_name(&writer->spans[i], name);
        fk_zip_size_add(&size, name, writer->spans[i].end - writer->spans[i].first);
    }
    fk_zip_size_add(&size, "version", strlen(version_text));
    writer->bytes = fk_zip_size_finish(&size);
    if (writer->bytes > INT64_MAX || size.entries >= FK_LIMIT_ZIP_ENTRIES) {
        fk_code code =
            fk_error_set(err, FK_E_LIMIT, "checkpoint of %" PRIu64 " records and %" PRIu64 " bytes",
                         size.entries, writer->bytes);
        fk_error_hint(err, "save fewer tensors in one checkpoint: at most %u records",
                      FK_LIMIT_ZIP_ENTRIES);
        return code;
    }
    return FK_OK;
}

static fk_code plan(fk_torch_writer *writer, const fk_value *top, fk_error *err) {
    fk_pickle_spelling spelling = {.storage = measure, .user = writer};
    fk_code code = fk_pickle_write(&writer->pickle, top, &spelling, err);
    if (code == FK_OK && writer->respell) {
        writer->pickle.length = 0;
        spelling.storage = spell;
        code = fk_pickle_write(&writer->pickle, top, &spelling, err);
    }
    return code == FK_OK ? plan_bytes(writer, err) : code;
}

fk_code fk_torch_writer_create(const fk_value *top, fk_torch_writer **ret_writer, fk_error *err) {
    FK_SCOPED(fk_torch_writer_destroyp) fk_torch_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        return fk_error_no_memory(err);
    }
    fk_code code = plan(writer, top, err);
    if (code == FK_OK) {
        *ret_writer = fk_take(writer);
    }
    return code;
}

/* ---- the file */

/* A sink before the caller's, which counts and tells how far the file is. */
typedef struct counter {
    const fk_sink *sink;
    fk_progress progress;
    void *progress_user;
    uint64_t done;
    uint64_t told;
    uint64_t total;
} counter;

static fk_code count_chunk(counter *to, const uint8_t *from, size_t bytes, uint32_t *crc32,
                           fk_error *err) {
    fk_code code = fk_sink_write(to->sink, from, bytes, crc32, err);
    if (code != FK_OK) {
        return code;
    }
    to->done += bytes;
    if (to->progress != NULL && (to->done - to->told >= CHUNK_BYTES || to->done == to->total)) {
        to->told = to->done;
        if (to->progress(to->done, to->total, to->progress_user) != 0) {
            return fk_error_set(err, FK_E_CANCELLED, "cancelled");
        }
    }
    return FK_OK;
}

static fk_code count_write(void *user, const void *from, size_t bytes, uint32_t *crc32,
                           fk_error *err) {
    fk_code code = FK_OK;
    for (size_t at = 0; code == FK_OK && at < bytes;) {
        size_t chunk = bytes - at < CHUNK_BYTES ? bytes - at : CHUNK_BYTES;
        code = count_chunk(user, (const uint8_t *)from + at, chunk, crc32, err);
        at += chunk;
    }
    return code;
}

static fk_code write_storages(const fk_torch_writer *writer, fk_zip_writer *zip, fk_error *err) {
    fk_code code = FK_OK;
    for (size_t i = 0; code == FK_OK && i < writer->count; i++) {
        const span *of = &writer->spans[i];
        uint64_t bytes = of->end - of->first;
        const uint8_t *from = bytes == 0 ? NULL : (const uint8_t *)of->storage->data + of->first;
        char name[RECORD_NAME_BYTES];
        record_name(of, name);
        code = fk_zip_writer_add(zip, name, from, bytes, err);
    }
    return code;
}

static fk_code write_records(const fk_torch_writer *writer, fk_zip_writer *zip, fk_error *err) {
    fk_code code =
        fk_zip_writer_add(zip, "data.pkl", writer->pickle.bytes, writer->pickle.length, err);
    for (size_t i = 0; code == FK_OK && i < FRONT_RECORDS; i++) {
        code = fk_zip_writer_add(zip, front_records[i].name, front_records[i].text,
                                 strlen(front_records[i].text), err);
    }
    if (code == FK_OK) {
        code = write_storages(writer, zip, err);
    }
    if (code == FK_OK) {
        code = fk_zip_writer_add(zip, "version", version_text, strlen(version_text), err);
    }
    return code == FK_OK ? fk_zip_writer_finish(zip, err) : code;
}

fk_code fk_torch_writer_write(fk_torch_writer *writer, const fk_sink *sink, fk_progress progress,
                              void *progress_user, fk_error *err) {
    counter counts = {
        .sink = sink, .progress = progress, .progress_user = progress_user, .total = writer->bytes};
    fk_sink counting = {.write = count_write, .user = &counts};
    FK_SCOPED(fk_zip_writer_destroyp) fk_zip_writer *zip = NULL;
    fk_code code = fk_zip_writer_create(&counting, &zip, err);
    if (code == FK_OK) {
        code = write_records(writer, zip, err);
    }
    assert(code != FK_OK || counts.done == writer->bytes);
    return code;
}
